//! A random walk through a job: forwards, backwards, sideways, with views, pauses and edits by requests, by shell
//! commands and by an editor of the person's own; and at last straight to the end, from a moment that no edit lies
//! before.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use fastrand::Rng;
use session::moment::{MomentId, Point};
use session::notice::Notice;
use session::request::{Reply, Request, Stop, StopReason, Target, TimelineLine};

use crate::debugger::Debugger;

/// How many moves of each kind a walk made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    forwards: usize,
    backwards: usize,
    returns: usize,
    edits: usize,
    views: usize,
    pauses: usize,
    frozen: usize,
    confirmed: usize,
    revived: usize,
    /// Steps into an action, and out of one.
    in_and_out: usize,
    /// Backwards from one step of an action to another one.
    inside: usize,
    /// Backwards into an action, or out of one.
    across: usize,
    /// Backwards while a step runs.
    at_once: usize,
    /// Backwards to a moment of a background step.
    to_lanes: usize,
}

impl Count {
    pub fn add(&mut self, other: Count) {
        self.forwards += other.forwards;
        self.backwards += other.backwards;
        self.returns += other.returns;
        self.edits += other.edits;
        self.views += other.views;
        self.pauses += other.pauses;
        self.frozen += other.frozen;
        self.confirmed += other.confirmed;
        self.revived += other.revived;
        self.in_and_out += other.in_and_out;
        self.inside += other.inside;
        self.across += other.across;
        self.at_once += other.at_once;
        self.to_lanes += other.to_lanes;
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} moves forwards, {} backwards, {} returns, {} edits, {} views, {} pauses, of them {} in a step, {} \
             confirmations, {} over lanes that start again; {} steps into and out of actions, {} backwards inside of one, {} \
             into or out of one, {} while something ran, {} to moments of background steps",
            self.forwards,
            self.backwards,
            self.returns,
            self.edits,
            self.views,
            self.pauses,
            self.frozen,
            self.confirmed,
            self.revived,
            self.in_and_out,
            self.inside,
            self.across,
            self.at_once,
            self.to_lanes
        )
    }
}

/// Somebody who walks.
pub struct Walker<'a> {
    debugger: &'a mut Debugger,
    workspace: PathBuf,
    /// A command of the debugger's shell that changes a file.
    shell: &'static str,
    rng: Rng,
    count: Count,
    /// One job is walked through alone: each move is said.
    speaks: bool,
    /// Moments that have files in them that were changed by hand: while background steps run nobody can tell whose a
    /// change is.
    by_hand: BTreeSet<MomentId>,
}

impl<'a> Walker<'a> {
    pub fn new(debugger: &'a mut Debugger, workspace: &Path, shell: &'static str, seed: u64) -> Self {
        let rng = Rng::with_seed(seed ^ 0x5eed);
        Self {
            debugger,
            workspace: workspace.to_owned(),
            shell,
            rng,
            count: Count::default(),
            speaks: std::env::var_os("STEPBACK_LAW_SEED").is_some(),
            by_hand: BTreeSet::new(),
        }
    }

    /// Walks at random, then runs on to the end.
    pub async fn walk(mut self) -> Count {
        let mut stop = self.debugger.stopped().await;
        for _ in 0..self.rng.usize(3..14) {
            stop = self.step(stop).await;
        }
        self.finish(stop).await;
        self.count
    }

    async fn step(&mut self, stop: Stop) -> Stop {
        let from = level(&stop);
        let moves = self.count.backwards;
        let stop = self.some_move(stop).await;
        if self.count.backwards > moves {
            let to = level(&stop);
            self.count.inside += usize::from(from > 0 && from == to);
            self.count.across += usize::from(from != to);
        }
        stop
    }

    async fn some_move(&mut self, stop: Stop) -> Stop {
        if level(&stop) > 0 && self.rng.bool() {
            // Who has come into an action stays there for a while.
            return self.move_inside(stop).await;
        }
        let over = matches!(stop.point, Point::End(_));
        let during = in_the_middle(&stop.point);
        let asked = matches!(stop.reason, StopReason::Confirm(_));
        let dice = self.rng.u8(0..24);
        if self.speaks {
            println!(
                "{} {:?}, {:?}, rewound: {}; move {dice}",
                stop.moment, stop.point, stop.reason, stop.rewound
            );
        }
        match dice {
            0..=4 if asked => self.confirm(stop).await,
            0 if !over => self.on_from(&stop, Request::Next).await,
            1..=3 if !over => self.step_in(&stop).await,
            4 if !over => self.on_from(&stop, Request::Continue).await,
            19..=21 if !over && !asked => self.step_in(&stop).await,
            22 if !over && !asked => self.back_at_once().await,
            5 | 6 => {
                let steps = self.rng.u32(1..4);
                self.backwards(Request::Back { steps }).await
            }
            7 => self.backwards(Request::ReverseContinue).await,
            8 | 17 | 18 if stop.rewound => {
                self.count.returns += 1;
                self.debugger.to(Request::Return).await
            }
            9 => match self.any_moment(|line| line.moment != stop.moment && !line.current).await {
                Some(id) => self.backwards(Request::Goto(Target::Moment(id))).await,
                None => stop,
            },
            10 if !over && !during => self.edit(stop).await,
            11 if !over && self.has_run_a_step(&stop).await => {
                // Running again first goes back, which is a stop of its own.
                self.forwards(Request::Rerun).await;
                self.debugger.stopped().await
            }
            12 => self.view(stop).await,
            13 if !during => self.edit_file(stop).await,
            14 if !during => self.command(stop).await,
            15 | 16 if !over && !asked => self.pause().await,
            _ => stop,
        }
    }

    /// From inside of an action: out of it, to another of its moments, or back.
    async fn move_inside(&mut self, stop: Stop) -> Stop {
        let inside = |line: &TimelineLine| {
            line.moment != stop.moment && line.point.step().is_some_and(|path| path.level() > 0)
        };
        match self.rng.u8(0..4) {
            0 if !matches!(stop.reason, StopReason::Confirm(_)) => {
                self.count.in_and_out += 1;
                self.on_from(&stop, Request::StepOut).await
            }
            1 => match self.any_moment(inside).await {
                Some(id) => self.backwards(Request::Goto(Target::Moment(id))).await,
                None => stop,
            },
            _ => {
                let steps = self.rng.u32(1..3);
                self.backwards(Request::Back { steps }).await
            }
        }
    }

    async fn step_in(&mut self, stop: &Stop) -> Stop {
        self.count.in_and_out += 1;
        self.on_from(stop, Request::StepIn).await
    }

    async fn forwards(&mut self, request: Request) -> Stop {
        self.count.forwards += 1;
        self.debugger.to(request).await
    }

    /// Forwards from a stop, at which background steps may have been running that are gone.
    async fn on_from(&mut self, stop: &Stop, request: Request) -> Stop {
        let starts_again = stop.notes.iter().any(|note| note.contains("going on starts"));
        self.count.revived += usize::from(starts_again);
        // Scripts of the foreground are not made to run twice over their own files.
        if stop.notes.iter().any(|note| note.contains("was under way here")) {
            self.backwards(Request::Back { steps: 1 }).await;
        }
        self.forwards(request).await
    }

    async fn backwards(&mut self, request: Request) -> Stop {
        self.count.backwards += 1;
        let stop = self.debugger.to(request).await;
        self.count.to_lanes += usize::from(stop.rewound && stop.point.is_of_lane());
        stop
    }

    /// A step that reached outside is about to run again.
    async fn confirm(&mut self, stop: Stop) -> Stop {
        self.count.confirmed += 1;
        if self.rng.bool() {
            return self.forwards(Request::Confirm(true)).await;
        }
        self.debugger.ask(Request::Confirm(false)).await;
        stop
    }

    /// An edit stays in the timeline, but the walk's end does not come after it.
    async fn edit(&mut self, stop: Stop) -> Stop {
        self.count.edits += 1;
        let value = format!("edited{}", self.rng.u8(..));
        match self.rng.u8(0..4) {
            0 => self.debugger.set("env.K2", None).await,
            1 => self.debugger.set("steps.s0.outputs.v", Some(&value)).await,
            2 => self.debugger.set("job.status", Some("failure")).await,
            _ => self.debugger.set("env.K2", Some(&value)).await,
        }
        stop
    }

    /// As an editor of the person's own does it: nobody tells the session.
    async fn edit_file(&mut self, stop: Stop) -> Stop {
        self.count.edits += 1;
        let moments = self.debugger.timeline().await.len();
        self.by_hand.insert(MomentId(u32::try_from(moments).unwrap()));
        let path = self.workspace.join(self.rng.choice(["a", "b", "by-hand"]).unwrap_or("a"));
        // The name may be a link; an editor writes where it leads, or a file beside it.
        if path.is_symlink() || self.rng.u8(0..4) == 0 {
            let _ = std::fs::remove_file(&path);
        } else {
            std::fs::write(&path, format!("by hand {}", self.rng.u8(..))).unwrap();
        }
        stop
    }

    async fn command(&mut self, stop: Stop) -> Stop {
        self.count.edits += 1;
        let command = self.shell.to_owned();
        let Reply::Shell(reply) = self.debugger.ask(Request::Shell { command }).await else {
            panic!("the end of a command was expected")
        };
        assert_eq!(reply.exit_code, 0);
        stop
    }

    async fn view(&mut self, stop: Stop) -> Stop {
        self.count.views += 1;
        let Some(id) = self.any_moment(|_| true).await else { return stop };
        let files = super::tree(&self.workspace);
        self.debugger.ask(Request::View(Some(id))).await;
        self.debugger.print("env.K1").await;
        self.debugger.ask(Request::Steps).await;
        self.debugger.ask(Request::View(None)).await;
        assert_eq!(super::tree(&self.workspace), files, "a view changed files");
        stop
    }

    /// Goes on, and asks for a pause once or twice a few transitions later. However that goes, it ends in one stop.
    async fn pause(&mut self) -> Stop {
        self.count.pauses += 1;
        let request = if self.rng.bool() { Request::Next } else { Request::Continue };
        self.debugger.handle.tell(request);
        for _ in 0..self.rng.u8(0..4) {
            self.debugger.handle.tell(Request::View(None));
        }
        for _ in 0..self.rng.u8(1..3) {
            self.debugger.handle.tell(Request::Pause);
        }
        let stop = self.debugger.stopped().await;
        self.count.frozen += usize::from(matches!(stop.point, Point::During(_)));
        stop
    }

    /// Goes on, and back from wherever that has led to a few transitions later. Going on may have come to a stop by then.
    async fn back_at_once(&mut self) -> Stop {
        self.count.at_once += 1;
        self.debugger.handle.tell(Request::StepIn);
        for _ in 0..self.rng.u8(0..4) {
            self.debugger.handle.tell(Request::View(None));
        }
        self.count.backwards += 1;
        self.debugger.ask(Request::Back { steps: 1 }).await;
        let stops = self.debugger.said_so_far().into_iter().filter_map(|notice| match notice {
            Notice::Stopped(stop) => Some(*stop),
            _ => None,
        });
        stops.last().expect("going back is a stop")
    }

    /// Whether there is something that can be run again: this step, or one before it.
    async fn has_run_a_step(&mut self, stop: &Stop) -> bool {
        let lines = self.debugger.timeline().await;
        let first = lines.iter().find_map(|line| line.point.step().cloned());
        stop.point.step().is_some_and(|path| Some(path) != first.as_ref())
    }

    async fn any_moment(&mut self, which: impl Fn(&TimelineLine) -> bool) -> Option<MomentId> {
        let lines = self.debugger.timeline().await;
        let can = |line: &&TimelineLine| which(line) && !matches!(line.point, Point::During(_));
        let all: Vec<MomentId> = lines.iter().filter(can).map(|line| line.moment).collect();
        self.rng.choice(all)
    }

    /// From a moment without an edit in its past, to the end.
    async fn finish(&mut self, mut stop: Stop) {
        if self.speaks {
            println!(
                "{} {:?}, {:?}, rewound: {}; to the end",
                stop.moment, stop.point, stop.reason, stop.rewound
            );
        }
        let clean = clean_moment(&self.debugger.timeline().await, &self.by_hand);
        if let Some(clean) = clean {
            // Files may have been changed that nothing has recorded yet: going back leaves them behind.
            stop = self.backwards(Request::Goto(Target::Moment(clean))).await;
        }
        self.debugger.ask(Request::Catch(session::exception::ExceptionFilter::Failed, false)).await;
        if stop.rewound && matches!(stop.point, Point::End(_)) {
            // Leaving from here would lead to the newest moment, not to this one.
            stop = self.backwards(Request::Back { steps: 1 }).await;
        }
        while !matches!(stop.point, Point::End(_)) {
            let asked = matches!(stop.reason, StopReason::Confirm(_));
            let request = if asked { Request::Confirm(true) } else { Request::Continue };
            stop = self.on_from(&stop, request).await;
        }
        assert!(!stop.rewound, "{stop:?}");
        let more = self.debugger.said_so_far();
        let stops = more.iter().any(|notice| matches!(notice, Notice::Stopped(_)));
        assert!(!stops, "more stops were told of than asked for: {more:?}");
    }
}

/// Nothing of the job can be changed there.
fn in_the_middle(point: &Point) -> bool {
    matches!(point, Point::During(_)) || point.is_of_lane()
}

/// How deep inside of actions the job stands.
fn level(stop: &Stop) -> usize {
    stop.point.step().map_or(0, engine::step_path::StepPath::level)
}

/// The latest moment on the way to the present one that no edit lies before. `None`: the present is the middle of a
/// step, and clean.
fn clean_moment(lines: &[TimelineLine], by_hand: &BTreeSet<MomentId>) -> Option<MomentId> {
    let mut at = lines.iter().find(|line| line.current).unwrap();
    let mut clean = at;
    loop {
        let parent = at.parent.map(|id| &lines[id.0 as usize]);
        let is_edit = at.cause.as_deref().is_some_and(|cause| cause != "left from here")
            || by_hand.contains(&at.moment);
        match parent {
            Some(parent) if is_edit => clean = parent,
            None => break,
            Some(_) => {}
        }
        at = parent.unwrap();
    }
    (!matches!(clean.point, Point::During(_))).then_some(clean.moment)
}

//! A random walk through a job: forwards, backwards, sideways, with edits that are undone again, and at last
//! straight to the end.

use std::fmt;

use engine::step_path::StepPath;
use fastrand::Rng;
use session::moment::{MomentId, Point};
use session::request::{Reply, Request, Stop, StopReason, Target};

use crate::debugger::Debugger;

/// How many moves of each kind a walk made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    forwards: usize,
    backwards: usize,
    returns: usize,
    edits: usize,
}

impl Count {
    pub fn add(&mut self, other: Count) {
        self.forwards += other.forwards;
        self.backwards += other.backwards;
        self.returns += other.returns;
        self.edits += other.edits;
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} moves forwards, {} backwards, {} returns, {} edits",
            self.forwards, self.backwards, self.returns, self.edits
        )
    }
}

/// Walks at random, then goes to a moment that no edit lies before, and runs on to the end.
pub async fn random(debugger: &mut Debugger, seed: u64) -> Count {
    let mut rng = Rng::with_seed(seed ^ 0x5eed);
    let mut count = Count::default();
    let mut stop = debugger.stopped().await;
    for _ in 0..rng.usize(3..14) {
        stop = step(debugger, &mut rng, &stop, &mut count).await;
    }
    finish(debugger, stop, &mut count).await;
    count
}

async fn step(debugger: &mut Debugger, rng: &mut Rng, stop: &Stop, count: &mut Count) -> Stop {
    let over = matches!(stop.point, Point::End(_));
    let request = match rng.u8(0..12) {
        0..=3 if !over => Request::Next,
        4 if !over => Request::Continue,
        5 | 6 => Request::Back { steps: rng.u32(1..4) },
        7 => Request::ReverseContinue,
        8 if stop.rewound => Request::Return,
        9 => match any_moment(debugger, rng, stop.moment).await {
            Some(id) => Request::Goto(Target::Moment(id)),
            None => return stop.clone(),
        },
        10 if !over => return edit(debugger, rng, stop, count).await,
        11 if !over && stop.point.step().is_some_and(|path| *path != StepPath::main(0)) => Request::Rerun,
        _ => return stop.clone(),
    };
    match request {
        Request::Next | Request::Continue | Request::Rerun => count.forwards += 1,
        Request::Return => count.returns += 1,
        _ => count.backwards += 1,
    }
    let is_rerun = request == Request::Rerun;
    let stop = debugger.to(request).await;
    // Running again first goes back, which is a stop of its own.
    if is_rerun { debugger.stopped().await } else { stop }
}

/// An edit stays in the timeline, but the walk's end does not come after it.
async fn edit(debugger: &mut Debugger, rng: &mut Rng, stop: &Stop, count: &mut Count) -> Stop {
    count.edits += 1;
    let value = Some(format!("edited{}", rng.u8(..)));
    debugger.ask(Request::Set { name: "env.K2".to_owned(), value }).await;
    stop.clone()
}

async fn any_moment(debugger: &mut Debugger, rng: &mut Rng, here: MomentId) -> Option<MomentId> {
    let Reply::Timeline(lines) = debugger.ask(Request::Timeline).await else {
        panic!("a timeline was expected")
    };
    let others: Vec<MomentId> = lines
        .iter()
        .filter(|line| line.moment != here && !line.current && !matches!(line.point, Point::During(_)))
        .map(|line| line.moment)
        .collect();
    rng.choice(others)
}

/// From a moment without an edit in its past, to the end.
async fn finish(debugger: &mut Debugger, stop: Stop, count: &mut Count) {
    let Reply::Timeline(lines) = debugger.ask(Request::Timeline).await else {
        panic!("a timeline was expected")
    };
    let line = |id: MomentId| &lines[id.0 as usize];
    let mut at = lines.iter().find(|line| line.current).map(|line| line.moment).unwrap();
    let mut clean = at;
    loop {
        if line(at).cause.as_deref().is_some_and(|cause| cause.starts_with("set ")) {
            clean = line(at).parent.unwrap();
        }
        match line(at).parent {
            Some(parent) => at = parent,
            None => break,
        }
    }
    let here = lines.iter().find(|line| line.current).map(|line| line.moment).unwrap();
    let mut stop = stop;
    if clean != here {
        count.backwards += 1;
        stop = debugger.to(Request::Goto(Target::Moment(clean))).await;
    }
    debugger.ask(Request::StopOnFailure(false)).await;
    if stop.rewound && matches!(stop.point, Point::End(_)) {
        // Leaving from here would lead to the newest moment, not to this one.
        stop = debugger.to(Request::Back { steps: 1 }).await;
    }
    while !matches!(stop.point, Point::End(_)) {
        count.forwards += 1;
        stop = debugger.to(Request::Continue).await;
    }
    assert!(
        matches!(stop.reason, StopReason::End(_) | StopReason::Goto | StopReason::Return | StopReason::Back),
        "{:?}",
        stop.reason
    );
}

//! The face for a terminal: one line per step, the running ones live at the bottom, the last lines of what failed.
//!
//! Knows how to draw over its own last lines; everything above them is never touched again.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use engine::effect::Outcome;
use engine::lines::LineTag;
use engine::step_path::StepPath;
use host::log::LogBatch;
use session::notice::{Notice, Observer};

use super::tail::Tail;
use super::text::heading;
use super::{Face, JobHeading, Output, lock};
use crate::terminal;
use session::wording::{self, Meaning, Painter, cut};

/// Lines shown of a step that failed.
const LAST_LINES: usize = 15;
/// How often running steps are drawn anew.
const REDRAW_EVERY: Duration = Duration::from_millis(100);
/// Signs of life, one after the other.
const SPINNER: [&str; 4] = ["◐", "◓", "◑", "◒"];

/// Draws a run.
pub(crate) struct TreeFace {
    screen: Arc<Mutex<Screen>>,
    painter: Painter,
    many_jobs: bool,
    /// The steps of actions are shown as well: somebody steps through them.
    shows_inner: bool,
    ended: Mutex<Vec<String>>,
    /// Dropped with the face, which ends the thread that redraws.
    _alive: Sender<()>,
}

struct Screen {
    output: Output,
    painter: Painter,
    width: fn() -> usize,
    live: Vec<LiveStep>,
    /// How many live lines stand on the terminal.
    drawn: usize,
    beat: usize,
    suspended: bool,
}

/// A step that runs.
struct LiveStep {
    job: String,
    step: StepPath,
    label: String,
    since: Instant,
    newest: String,
}

impl TreeFace {
    /// On this terminal; `width` is asked at every drawing.
    pub(crate) fn new(output: Output, painter: Painter, many_jobs: bool, width: fn() -> usize) -> TreeFace {
        let screen = Screen { output, painter, width, live: Vec::new(), drawn: 0, beat: 0, suspended: false };
        let screen = Arc::new(Mutex::new(screen));
        let (alive, gone) = mpsc::channel::<()>();
        let drawn = Arc::clone(&screen);
        let redraw = move || {
            while gone.recv_timeout(REDRAW_EVERY) == Err(RecvTimeoutError::Timeout) {
                lock(&drawn).tick();
            }
        };
        // Without the thread the durations of running steps stand still; nothing else is missing.
        let _ = thread::Builder::new().name("tree".into()).spawn(redraw);
        TreeFace { screen, painter, many_jobs, shows_inner: false, ended: Mutex::default(), _alive: alive }
    }

    /// Without live lines: for a pipe, and under a prompt.
    pub(crate) fn still(output: Output, painter: Painter) -> TreeFace {
        let screen = Screen {
            output,
            painter,
            width: terminal::width,
            live: Vec::new(),
            drawn: 0,
            beat: 0,
            suspended: true,
        };
        let (alive, _) = mpsc::channel::<()>();
        TreeFace {
            screen: Arc::new(Mutex::new(screen)),
            painter,
            many_jobs: false,
            shows_inner: true,
            ended: Mutex::default(),
            _alive: alive,
        }
    }

    /// Shows a job whose heading is shown already.
    pub(crate) fn watch(self: Arc<Self>, job: JobHeading) -> Arc<dyn Observer> {
        Arc::new(TreeJob { face: self, job, tails: Mutex::default() })
    }

    fn print(&self, text: &str) {
        lock(&self.screen).print(text);
    }
}

impl Screen {
    /// Takes the live lines away, prints `text` (whole lines) and puts them back, in one write.
    fn print(&mut self, text: &str) {
        let mut out = self.erased();
        out.push_str(text);
        out.push_str(&self.live_lines());
        self.output.write(out.as_bytes());
    }

    fn erased(&mut self) -> String {
        match std::mem::take(&mut self.drawn) {
            0 => String::new(),
            lines => format!("\u{1B}[{lines}A\r\u{1B}[J"),
        }
    }

    fn live_lines(&mut self) -> String {
        if self.suspended {
            return String::new();
        }
        let width = (self.width)().saturating_sub(1);
        let sign = SPINNER.get(self.beat % SPINNER.len()).copied().unwrap_or_default();
        let mut out = String::new();
        for step in &self.live {
            let took = wording::duration(step.since.elapsed());
            let start = cut(&format!("{} {took:>6}   ", step.label), width.saturating_sub(2));
            let rest = cut(&step.newest, width.saturating_sub(2 + wording::columns(&start)));
            out.push_str(&format!(
                "{} {start}{}\n",
                self.painter.paint(Meaning::Past, sign),
                self.painter.paint(Meaning::Quiet, &rest)
            ));
        }
        self.drawn = self.live.len();
        out
    }

    fn tick(&mut self) {
        if self.live.is_empty() || self.suspended {
            return;
        }
        self.beat = self.beat.wrapping_add(1);
        self.print("");
    }
}

impl Face for TreeFace {
    fn job_started(self: Arc<Self>, job: JobHeading) -> Arc<dyn Observer> {
        self.print(&format!("{}\n", heading(&job, self.painter)));
        self.watch(job)
    }

    fn job_not_run(&self, _key: &str, name: &str, outcome: Outcome, error: Option<&str>) {
        let mut line = wording::job_line(name, outcome, None, self.painter);
        if let Some(error) = error {
            line.push_str(&format!("\n  {}", wording::shown(error)));
        }
        lock(&self.ended).push(line.clone());
        self.print(&format!("{line}\n"));
    }

    fn run_ended(&self, outcome: Outcome, took: Duration) {
        let ended = lock(&self.ended);
        if ended.len() > 1 {
            let (_, meaning) = wording::mark(outcome, false);
            let verb = self.painter.paint(meaning, wording::verb(outcome));
            self.print(&format!("\n{}\nthe run {verb} in {}\n", ended.join("\n"), wording::duration(took)));
        }
    }

    fn suspend(&self) {
        let mut screen = lock(&self.screen);
        screen.suspended = true;
        screen.print("");
    }

    fn resume(&self) {
        lock(&self.screen).suspended = false;
    }
}

struct TreeJob {
    face: Arc<TreeFace>,
    job: JobHeading,
    /// What each step that runs has printed last.
    tails: Mutex<BTreeMap<StepPath, Tail>>,
}

impl TreeJob {
    /// Which job a line belongs to, where there are several.
    fn prefix(&self) -> String {
        if self.face.many_jobs {
            self.face.painter.paint(Meaning::Quiet, &format!("{} ", wording::shown(&self.job.name)))
        } else {
            String::new()
        }
    }

    fn last_lines(&self, tail: &Tail) -> String {
        let bar = self.face.painter.paint(Meaning::Bad, "│");
        let width = terminal::width().saturating_sub(7);
        tail.lines().iter().map(|line| format!("    {bar} {}\n", cut(line, width))).collect()
    }
}

impl Observer for TreeJob {
    fn notice(&self, notice: Notice) {
        let painter = self.face.painter;
        match notice {
            // The steps of an action are part of it.
            Notice::StepStarted { step, .. } if step.level() > 0 && !self.face.shows_inner => {}
            Notice::StepEnded(end) if end.step.level() > 0 && !self.face.shows_inner => {}
            Notice::StepStarted { step, number, name, .. } => {
                lock(&self.tails).remove(&step);
                let name = cut(&wording::shown(&name), self.job.name_columns);
                let label = format!("{number} {}", session::wording::padded(&name, self.job.name_columns));
                let label = if self.face.many_jobs {
                    format!("{} {label}", wording::shown(&self.job.name))
                } else {
                    label
                };
                let step = LiveStep {
                    job: self.job.key.clone(),
                    step,
                    label,
                    since: Instant::now(),
                    newest: String::new(),
                };
                let mut screen = lock(&self.face.screen);
                screen.live.retain(|live| live.job != self.job.key || live.step != step.step);
                screen.live.push(step);
            }
            Notice::StepEnded(end) => {
                let tail = lock(&self.tails).remove(&end.step).unwrap_or_else(|| Tail::new(LAST_LINES));
                let mut lines = format!(
                    "{}{}\n",
                    self.prefix(),
                    wording::step_line(self.job.name_columns, &end, tail.exit(), painter)
                );
                if end.outcome == Outcome::Failure {
                    lines.push_str(&self.last_lines(&tail));
                }
                let mut screen = lock(&self.face.screen);
                screen.live.retain(|live| live.job != self.job.key || live.step != end.step);
                screen.print(&lines);
            }
            Notice::JobEnded { outcome, took, .. } => {
                let line = wording::job_line(&self.job.name, outcome, Some(took), painter);
                lock(&self.face.ended).push(line.clone());
                let mut screen = lock(&self.face.screen);
                screen.live.retain(|live| live.job != self.job.key);
                screen.print(&format!("{line}\n"));
            }
            Notice::Warning(text) => {
                self.face.print(&format!(
                    "{} {}\n",
                    painter.paint(Meaning::Warning, "warning:"),
                    wording::shown(&text)
                ));
            }
            Notice::LogPoint { text, .. } => self.face.print(&format!("● {}\n", wording::shown(&text))),
            Notice::JobLog { tag: LineTag::Error, text } => {
                self.face.print(&format!("  {}\n", painter.paint(Meaning::Bad, &wording::shown(&text))));
            }
            Notice::JobLog { .. }
            | Notice::LaneStarted { .. }
            | Notice::Stopped(_)
            | Notice::Continued
            | Notice::BreakpointChanged(_) => {}
        }
    }

    fn log(&self, batch: &LogBatch) {
        let (step, newest) = {
            let mut tails = lock(&self.tails);
            let step = if self.face.shows_inner { batch.step.clone() } else { batch.step.outermost() };
            let tail = tails.entry(step.clone()).or_insert_with(|| Tail::new(LAST_LINES));
            tail.add(batch);
            (step, tail.newest().map(str::to_owned))
        };
        let mut screen = lock(&self.face.screen);
        let of_step = |live: &&mut LiveStep| live.job == self.job.key && live.step == step;
        if let Some(live) = screen.live.iter_mut().find(of_step) {
            live.newest = newest.unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use engine::step_path::LaneId;

    use super::super::tail::tests::batch;
    use super::super::testing::{self, Written};
    use super::super::text::tests::ended;
    use super::*;

    #[allow(clippy::string_slice, reason = "the movements are ASCII")]
    /// What a terminal shows after these bytes: lines, with the two movements that the tree makes.
    fn shown(bytes: &str) -> Vec<String> {
        let mut lines: Vec<String> = vec![String::new()];
        let mut rest = bytes;
        while let Some(c) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("\u{1B}[") {
                let end = after.find(|c: char| c.is_ascii_alphabetic()).unwrap();
                let count: usize = after[..end].parse().unwrap_or(0);
                if after[end..].starts_with('A') {
                    let left = lines.len() - count;
                    lines.truncate(left);
                }
                rest = &after[end + 1..];
                continue;
            }
            match c {
                '\n' => lines.push(String::new()),
                '\r' => lines.last_mut().unwrap().clear(),
                c => lines.last_mut().unwrap().push(c),
            }
            rest = &rest[c.len_utf8()..];
        }
        lines
    }

    #[test]
    fn finished_steps_stay_and_running_ones_are_drawn_over() {
        let written = Written::default();
        let face = Arc::new(TreeFace::new(written.output(), Painter::new(false), false, || 60));
        let job = Arc::clone(&face).job_started(testing::heading("build"));
        let start = |index: u32| {
            job.notice(Notice::StepStarted {
                lane: LaneId::FOREGROUND,
                step: StepPath::main(index),
                number: index + 1,
                name: "Test".into(),
                place: None,
            });
        };
        start(0);
        lock(&face.screen).tick();
        assert!(shown(&written.text())[1].contains("1 Test"), "{:?}", shown(&written.text()));
        job.notice(ended(StepPath::main(0), Outcome::Success));
        start(1);
        job.log(&batch(&[
            (LineTag::Plain, "it broke"),
            (LineTag::Error, "Process completed with exit code 3."),
        ]));
        lock(&face.screen).tick();
        lock(&face.screen).tick();
        job.notice(ended(StepPath::main(1), Outcome::Failure));
        job.notice(Notice::JobEnded {
            outcome: Outcome::Failure,
            took: Duration::from_secs(2),
            branch: session::moment::BranchId(1),
            artifacts: Vec::new(),
        });
        assert_eq!(
            shown(&written.text()),
            [
                "● build · 2 steps · ci.yml",
                "✓ 1 Test         1.0s",
                "✗ 2 Test         1.0s   exit 3",
                "    │ it broke",
                "● build failed in 2.0s",
                "",
            ]
        );
    }

    #[test]
    fn while_suspended_nothing_is_drawn() {
        let written = Written::default();
        let face = Arc::new(TreeFace::new(written.output(), Painter::new(false), false, || 60));
        let job = Arc::clone(&face).job_started(testing::heading("build"));
        job.notice(Notice::StepStarted {
            lane: LaneId::FOREGROUND,
            step: StepPath::main(0),
            number: 1,
            name: "Test".into(),
            place: None,
        });
        face.suspend();
        let before = written.text();
        lock(&face.screen).tick();
        assert_eq!(written.text(), before);
        face.resume();
        lock(&face.screen).tick();
        assert!(written.text().len() > before.len());
    }
}

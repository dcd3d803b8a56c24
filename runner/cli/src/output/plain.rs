//! The face for pipes and for `--verbose`: every log line, with headings, in the order in which things happen.
//!
//! Stable: no cursor movement, no width, no spinner. A batch of lines is one write.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::effect::Outcome;
use engine::lines::LineTag;
use engine::step_path::StepPath;
use host::log::LogBatch;
use session::notice::{Notice, Observer};

use super::text::heading;
use super::{Face, JobHeading, Output, lock};
use session::wording::sanitize;
use session::wording::{self, Meaning, Painter};

/// Prints a run as text.
pub(crate) struct PlainFace {
    output: Output,
    painter: Painter,
    /// Every line says whose it is.
    many_jobs: bool,
    /// How the jobs ended, for the summary.
    ended: Mutex<Vec<String>>,
}

impl PlainFace {
    /// For a run of one job, or of many.
    pub(crate) fn new(output: Output, painter: Painter, many_jobs: bool) -> PlainFace {
        PlainFace { output, painter, many_jobs, ended: Mutex::default() }
    }

    /// Shows a job whose heading is shown already.
    pub(crate) fn watch(self: Arc<Self>, job: JobHeading) -> Arc<dyn Observer> {
        let prefix = if self.many_jobs {
            self.painter.paint(Meaning::Quiet, &format!("{} | ", wording::shown(&job.name)))
        } else {
            String::new()
        };
        Arc::new(PlainJob { face: self, job, prefix, state: Mutex::default() })
    }

    fn remember(&self, line: &str) {
        lock(&self.ended).push(line.to_owned());
    }
}

impl Face for PlainFace {
    fn job_started(self: Arc<Self>, job: JobHeading) -> Arc<dyn Observer> {
        let line = heading(&job, self.painter);
        self.output.write(format!("{line}\n").as_bytes());
        self.watch(job)
    }

    fn job_not_run(&self, _key: &str, name: &str, outcome: Outcome, error: Option<&str>) {
        let mut line = wording::job_line(name, outcome, None, self.painter);
        if let Some(error) = error {
            line.push_str(&format!("\n  {}", wording::shown(error)));
        }
        self.remember(&line);
        self.output.write(format!("{line}\n").as_bytes());
    }

    fn run_ended(&self, outcome: Outcome, took: Duration) {
        let ended = lock(&self.ended);
        if ended.len() < 2 {
            return;
        }
        let (_, meaning) = wording::mark(outcome, false);
        let verb = self.painter.paint(meaning, wording::verb(outcome));
        let summary = format!("\n{}\nthe run {verb} in {}\n", ended.join("\n"), wording::duration(took));
        self.output.write(summary.as_bytes());
    }

    fn suspend(&self) {}

    fn resume(&self) {}
}

struct PlainJob {
    face: Arc<PlainFace>,
    job: JobHeading,
    prefix: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Steps that have begun and are not over.
    steps: BTreeMap<StepPath, Begun>,
    /// The step whose heading stands above the next line. Of several that run at once each gets its heading again, as `tail`
    /// does it with files.
    speaker: Option<StepPath>,
}

#[derive(Default)]
struct Begun {
    heading: String,
    exit: Option<String>,
}

impl PlainJob {
    fn print(&self, line: &str) {
        self.face.output.write(format!("{}{line}\n", self.prefix).as_bytes());
    }
}

impl Observer for PlainJob {
    fn notice(&self, notice: Notice) {
        let painter = self.face.painter;
        match notice {
            // The steps of an action are part of it, and write into its log.
            Notice::StepStarted { step, .. } if step.level() > 0 => {}
            Notice::StepEnded(end) if end.step.level() > 0 => {}
            Notice::StepStarted { step, number, name, .. } => {
                let line = painter.paint(Meaning::Strong, &format!("▸ {number} {}", wording::shown(&name)));
                let mut state = lock(&self.state);
                state.speaker = None;
                state.steps.insert(step, Begun { heading: line, exit: None });
            }
            Notice::StepEnded(end) => {
                let exit = {
                    let mut state = lock(&self.state);
                    state.speaker = None;
                    state.steps.remove(&end.step).and_then(|step| step.exit)
                };
                let line = wording::step_line(self.job.name_columns, &end, exit.as_deref(), painter);
                self.face.output.write_soon(format!("{}{line}\n", self.prefix).as_bytes());
            }
            Notice::JobEnded { outcome, took, .. } => {
                let line = wording::job_line(&self.job.name, outcome, Some(took), painter);
                self.face.remember(&line);
                self.face.output.write(format!("{line}\n").as_bytes());
            }
            Notice::JobLog { tag, text } => self.print(&format!("{}{}", tag.prefix(), wording::shown(&text))),
            Notice::Warning(text) => self.print(&format!(
                "{} {}",
                painter.paint(Meaning::Warning, "warning:"),
                wording::shown(&text)
            )),
            Notice::LogPoint { text, .. } => self.print(&format!("● {}", wording::shown(&text))),
            Notice::LaneStarted { .. }
            | Notice::Stopped(_)
            | Notice::Continued
            | Notice::BreakpointChanged(_) => {}
        }
    }

    fn log(&self, batch: &LogBatch) {
        let mut out = Vec::with_capacity(batch.text().len() + 256);
        {
            let mut state = lock(&self.state);
            let State { steps, speaker } = &mut *state;
            let outermost = batch.step.outermost();
            let mut step = steps.get_mut(&outermost);
            if let Some(step) = step.as_ref().filter(|_| speaker.as_ref() != Some(&outermost)) {
                push_line(&mut out, &self.prefix, "", step.heading.as_bytes(), true);
                *speaker = Some(outermost);
            }
            for (tag, block) in batch.spans() {
                if tag == LineTag::Error {
                    let line = String::from_utf8_lossy(block.strip_suffix(b"\n").unwrap_or(block));
                    if let (Some(step), Some(exit)) = (&mut step, wording::exit_of(&line)) {
                        step.exit = Some(exit);
                    }
                }
                push_block(&mut out, &self.prefix, tag, block, self.face.painter);
            }
        }
        self.face.output.write(&out);
    }
}

fn push_block(out: &mut Vec<u8>, prefix: &str, tag: LineTag, block: &[u8], painter: Painter) {
    if tag == LineTag::Plain && prefix.is_empty() && sanitize::block_is_clean(block) {
        out.extend_from_slice(block);
        return;
    }
    if tag == LineTag::Continued {
        if out.last() == Some(&b'\n') {
            out.pop();
        }
        push_line(out, "", "", block.strip_suffix(b"\n").unwrap_or(block), painter.colours());
        return;
    }
    let body = block.strip_suffix(b"\n").unwrap_or(block);
    let meaning = match tag {
        LineTag::Error => Some(Meaning::Bad),
        LineTag::Warning => Some(Meaning::Warning),
        LineTag::Group | LineTag::EndGroup | LineTag::Command | LineTag::Debug => Some(Meaning::Quiet),
        LineTag::Plain | LineTag::Continued | LineTag::Notice | LineTag::Section => None,
    };
    for line in body.split(|byte| *byte == b'\n') {
        match meaning.filter(|_| painter.colours()) {
            Some(meaning) => {
                let text = format!("{}{}", tag.prefix(), sanitize::line(line, false));
                push_line(out, prefix, "", painter.paint(meaning, &text).as_bytes(), true);
            }
            None => push_line(out, prefix, tag.prefix(), line, painter.colours()),
        }
    }
}

fn push_line(out: &mut Vec<u8>, prefix: &str, tag: &str, line: &[u8], colours: bool) {
    out.extend_from_slice(prefix.as_bytes());
    out.extend_from_slice(tag.as_bytes());
    out.extend_from_slice(sanitize::line(line, colours).as_bytes());
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::super::tail::tests::batch;
    use super::super::testing::{Written, heading};
    use super::*;
    use crate::output::text::tests::ended;

    fn started(observer: &Arc<dyn Observer>) {
        observer.notice(Notice::StepStarted {
            lane: engine::step_path::LaneId::FOREGROUND,
            step: StepPath::main(1),
            number: 2,
            name: "Test".into(),
            place: None,
        });
    }

    #[test]
    fn a_step_is_its_heading_its_lines_and_its_end() {
        let written = Written::default();
        let face = Arc::new(PlainFace::new(written.output(), Painter::new(false), false));
        let job = Arc::clone(&face).job_started(heading("build"));
        started(&job);
        let lines = [
            (LineTag::Group, "Run make"),
            (LineTag::Plain, "\u{1b}[31mmake\u{1b}[0m\u{1b}[2J"),
            (LineTag::EndGroup, ""),
            (LineTag::Plain, "part one"),
            (LineTag::Continued, ", part two"),
            (LineTag::Error, "Process completed with exit code 2."),
        ];
        job.log(&batch(&lines));
        job.notice(ended(StepPath::main(1), Outcome::Failure));
        job.notice(Notice::JobEnded {
            outcome: Outcome::Failure,
            took: Duration::from_secs(3),
            branch: session::moment::BranchId(1),
            artifacts: Vec::new(),
        });
        face.run_ended(Outcome::Failure, Duration::from_secs(3));
        assert_eq!(
            written.text(),
            "● build · 2 steps · ci.yml\n▸ 2 Test\n##[group]Run make\nmake\n##[endgroup]\npart one, part two\n\
             ##[error]Process completed with exit code 2.\n✗ 2 Test         1.0s   exit 2\n● build failed in 3.0s\n"
        );
    }

    #[test]
    fn a_step_that_writes_nothing_has_no_heading() {
        let written = Written::default();
        let face = Arc::new(PlainFace::new(written.output(), Painter::new(false), false));
        let job = Arc::clone(&face).job_started(heading("build"));
        started(&job);
        job.notice(ended(StepPath::main(1), Outcome::Skipped));
        assert_eq!(written.text(), "● build · 2 steps · ci.yml\n- 2 Test        skipped\n");
    }

    #[test]
    fn of_many_jobs_every_line_says_whose_it_is() {
        let written = Written::default();
        let face = Arc::new(PlainFace::new(written.output(), Painter::new(false), true));
        let job = Arc::clone(&face).job_started(heading("a"));
        started(&job);
        job.log(&batch(&[(LineTag::Plain, "one\ntwo")]));
        job.notice(Notice::JobEnded {
            outcome: Outcome::Success,
            took: Duration::from_secs(1),
            branch: session::moment::BranchId(1),
            artifacts: Vec::new(),
        });
        face.job_not_run("b", "b", Outcome::Skipped, None);
        face.job_not_run("c", "c", Outcome::Failure, Some("no matrix"));
        face.run_ended(Outcome::Failure, Duration::from_secs(2));
        assert_eq!(
            written.text(),
            "● a · 2 steps · ci.yml\na | ▸ 2 Test\na | one\na | two\n● a succeeded in 1.0s\n● b was skipped\n● c failed\n  no matrix\n\
             \n● a succeeded in 1.0s\n● b was skipped\n● c failed\n  no matrix\nthe run failed in 2.0s\n"
        );
    }
}

//! What a debugged job says by itself: steps that end, stops, warnings, the output of shell commands.
//!
//! An observer of the session. Step lines are drawn by the tree (or, with all log lines, by the plain face); stops and the
//! prompt are its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use engine::effect::Outcome;
use engine::lines::LineTag;
use host::log::LogBatch;
use session::moment::Point;
use session::notice::{Notice, Observer};
use session::request::Stop;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::output::json::JsonFace;
use crate::output::plain::PlainFace;
use crate::output::tree::TreeFace;
use crate::output::{Face, JobHeading, Output, lock};
use session::wording::Painter;
use session::wording::{self, sanitize};

/// Rings whenever the job comes to stand.
pub(crate) type Stops = UnboundedReceiver<()>;

/// Watches one debugged job.
pub(crate) struct Screen {
    output: Output,
    painter: Painter,
    job: JobHeading,
    steps: Arc<dyn Observer>,
    json: Option<Arc<JsonFace>>,
    stopped: UnboundedSender<()>,
    running: AtomicBool,
    shell: AtomicBool,
    /// The person has gone: where the job stands is of no interest any more.
    leaving: AtomicBool,
    /// The failure at which the job stands was shown when its step ended.
    failure_shown: AtomicBool,
    /// A shell command's log is in its heading.
    shell_heading: AtomicBool,
    /// The newest stop, for the prompt.
    last: Mutex<Option<Stop>>,
}

impl Screen {
    /// For a job that runs, or stands before its first step. `verbose`: with every log line; `json`: for a program.
    pub(crate) fn new(
        output: Output,
        painter: Painter,
        job: JobHeading,
        verbose: bool,
        json: bool,
    ) -> (Screen, Stops) {
        let (stopped, stops) = unbounded_channel();
        let json = json.then(|| Arc::new(JsonFace::new(output.clone())));
        let steps: Arc<dyn Observer> = match &json {
            Some(face) => Arc::clone(face).job_started(job.clone()),
            None if verbose => Arc::new(PlainFace::new(output.clone(), painter, false)).watch(job.clone()),
            None => Arc::new(TreeFace::still(output.clone(), painter)).watch(job.clone()),
        };
        let screen = Screen {
            output,
            painter,
            job,
            steps,
            json,
            stopped,
            running: AtomicBool::new(true),
            shell: AtomicBool::new(false),
            leaving: AtomicBool::new(false),
            failure_shown: AtomicBool::new(false),
            shell_heading: AtomicBool::new(false),
            last: Mutex::default(),
        };
        (screen, stops)
    }

    /// Whether the job runs.
    pub(super) fn is_running(&self) -> bool {
        self.running.load(Ordering::SeqCst)
    }

    /// The job goes on without having been told to continue: it was cancelled.
    pub(super) fn runs_on(&self) {
        self.running.store(
            !matches!(&*lock(&self.last), Some(stop) if matches!(stop.point, Point::End(_))),
            Ordering::SeqCst,
        );
    }

    /// The person leaves.
    pub(super) fn leave(&self) {
        self.leaving.store(true, Ordering::SeqCst);
    }

    /// A shell command of the debugger begins or ends: the log is its own.
    pub(super) fn shell_begins(&self, begins: bool) {
        self.shell.store(begins, Ordering::SeqCst);
        self.shell_heading.store(false, Ordering::SeqCst);
    }

    /// Something was changed at this stop.
    pub(super) fn edited(&self) {
        if let Some(stop) = &mut *lock(&self.last) {
            stop.edited = true;
        }
    }

    /// Prints text of ours; for a program, as an event.
    pub(super) fn say(&self, event: &str, text: &str) {
        match &self.json {
            Some(json) => json.event(event, serde_json::json!({"job": self.job.key, "text": text})),
            None => self.output.write(text.as_bytes()),
        }
    }

    /// `(build 3 ✗) `; nothing for a program.
    pub(super) fn prompt(&self) -> String {
        if self.json.is_some() {
            return String::new();
        }
        let name = wording::shown(&self.job.name);
        let last = lock(&self.last);
        match &*last {
            Some(stop) => format!("({}) ", wording::prompt(&name, stop)),
            None => format!("({name}) "),
        }
    }

    fn stand(&self, stop: Stop) {
        if self.json.is_none() && !self.leaving.load(Ordering::SeqCst) {
            let mut text = wording::stop(&stop, self.job.name_columns, self.painter);
            if !self.failure_shown.swap(false, Ordering::SeqCst) {
                text.insert_str(0, &wording::failure(&stop, self.painter));
            }
            self.output.write(text.as_bytes());
        }
        *lock(&self.last) = Some(stop);
    }

    /// What a shell command writes, without the heading that a step's log has.
    fn shell_output(&self, batch: &LogBatch) {
        let mut out = Vec::new();
        for line in batch.lines() {
            match line.tag {
                LineTag::Group => self.shell_heading.store(true, Ordering::SeqCst),
                LineTag::EndGroup => self.shell_heading.store(false, Ordering::SeqCst),
                _ if self.shell_heading.load(Ordering::SeqCst) => {}
                LineTag::Error if wording::exit_of(&String::from_utf8_lossy(line.text)).is_some() => {}
                tag => {
                    out.extend_from_slice(tag.prefix().as_bytes());
                    out.extend_from_slice(sanitize::line(line.text, self.painter.colours()).as_bytes());
                    out.push(b'\n');
                }
            }
        }
        if !out.is_empty() {
            self.output.write(&out);
        }
    }
}

impl Observer for Screen {
    fn notice(&self, notice: Notice) {
        if matches!(notice, Notice::Continued) {
            self.running.store(true, Ordering::SeqCst);
        }
        let stop = match &notice {
            Notice::Stopped(stop) => Some(Stop::clone(stop)),
            _ => None,
        };
        if let Notice::StepEnded(end) = &notice {
            self.failure_shown.store(end.outcome == Outcome::Failure, Ordering::SeqCst);
        }
        let is_dull = match &notice {
            Notice::Stopped(_) | Notice::Continued => true,
            // Somebody who leaves need not be told of every step that will not run.
            Notice::StepEnded(end) => end.outcome == Outcome::Skipped && self.leaving.load(Ordering::SeqCst),
            _ => false,
        };
        if self.json.is_some() || !is_dull {
            self.steps.notice(notice);
        }
        if let Some(stop) = stop {
            self.stand(stop);
            self.running.store(false, Ordering::SeqCst);
            // Nobody waits: the conversation is over.
            let _ = self.stopped.send(());
        }
    }

    fn log(&self, batch: &LogBatch) {
        if self.shell.load(Ordering::SeqCst) && self.json.is_none() {
            self.shell_output(batch);
        } else {
            self.steps.log(batch);
        }
    }
}

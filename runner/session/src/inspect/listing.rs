//! Lists: the steps, the source around one, its log, the moments.

use std::sync::Arc;
use std::time::Duration;

use engine::job::Job;
use engine::secrets::Secrets;
use engine::step_path::StepPath;
use host::contract::Host;
use indexmap::IndexMap;

use crate::breakpoint::place_in;
use crate::journal::{LogArchive, LogId};
use crate::lanes::background_state;
use crate::moment::{Cause, Moment};
use crate::reach;
use crate::request::{BackgroundState, Refusal, Reply, SourceExcerpt, StepLine, TimelineLine};
use crate::session::Session;

/// A longer log is shown from here back; all of it is in the recording.
const LOG_LINES_MAX: u64 = 10_000;

/// How many lines of source stand before and after a step's first line.
const SOURCE_LINES_AROUND: u32 = 5;

/// The steps of a job as lists show them, made when they are asked for: a long job has many.
pub(crate) struct StepLines<'a> {
    pub(crate) job: &'a Job,
    pub(crate) secrets: &'a Secrets,
    /// How long the bodies ran.
    pub(crate) took: &'a IndexMap<StepPath, Duration>,
}

impl StepLines<'_> {
    /// The main steps, then the post steps that are over or still to come.
    pub(crate) fn all(&self) -> Vec<StepLine> {
        let job = self.job;
        let plan = job.plan();
        let main = (0u32..).take(plan.steps.len()).map(StepPath::main);
        let is_post = |path: &&StepPath| path.stage() != engine::step_path::Stage::Main;
        let done = job.results().keys().filter(is_post).cloned();
        let to_come = job.registered_posts().iter().rev().cloned();
        let at_cursor = job.cursor().step().filter(is_post).cloned();
        let main = main.flat_map(|path| with_inner(job, path));
        let mut paths: Vec<StepPath> = main.chain(done).chain(at_cursor).chain(to_come).collect();
        let mut seen = std::collections::BTreeSet::new();
        paths.retain(|path| seen.insert(path.clone()));
        paths.iter().map(|path| self.of(path)).collect()
    }

    /// One of them.
    pub(crate) fn of(&self, path: &StepPath) -> StepLine {
        let job = self.job;
        let result = job.results().get(path);
        StepLine {
            path: path.clone(),
            number: path.index().saturating_add(1),
            id: job.definition(path).and_then(|step| step.id.as_ref()).map(|id| Arc::clone(&id.value)),
            name: job.step_name(path, self.secrets),
            outcome: result.map(|result| result.outcome),
            conclusion: result.map(|result| result.conclusion),
            took: result.and_then(|_| self.took.get(path).copied()),
            current: job.cursor().step() == Some(path),
            background: background_state(job, path)
                .filter(|state| !matches!(state, BackgroundState::Over(_))),
            place: place_in(job, path),
            reaches_outside: reach::reaches_outside(job, path).map(|command| self.secrets.mask(&command)),
        }
    }
}

impl<H: Host> Session<H> {
    /// `steps`.
    pub(super) fn step_list(&self) -> Vec<StepLine> {
        StepLines { job: self.looked_at(), secrets: &self.secrets, took: &self.clock.took }.all()
    }

    /// `list`: the source around a step.
    pub(super) fn source_around(&self, step: Option<StepPath>) -> Result<Reply, Refusal> {
        let job = self.looked_at();
        let path = step.or_else(|| self.step_looked_at()).ok_or_else(|| Refusal::new("no step to show"))?;
        let (file, span) =
            job.place(&path).ok_or_else(|| Refusal::new(format!("the workflow has no step at {path}")))?;
        let around = path.parent().and_then(|parent| job.action(&parent));
        let source = around.map_or(&self.source, |action| &action.text);
        let current = span.start.line;
        let first = current.saturating_sub(SOURCE_LINES_AROUND).max(1);
        let wanted = usize::try_from(current.saturating_add(SOURCE_LINES_AROUND).saturating_sub(first))
            .unwrap_or(usize::MAX)
            .saturating_add(1);
        let skipped = usize::try_from(first.saturating_sub(1)).unwrap_or(usize::MAX);
        Ok(Reply::Source(SourceExcerpt {
            file: Arc::clone(file),
            first_line: first,
            lines: source.lines().skip(skipped).take(wanted).map(str::to_owned).collect(),
            current,
            breakpoints: match around {
                None => self.breakpoints.lines_in_workflow(),
                Some(action) => self.breakpoints.lines_in(action),
            },
        }))
    }

    /// `log [STEP]`: of the recording all of it, without one the last lines that are kept in memory.
    pub(super) fn log_of(&self, step: Option<StepPath>) -> Result<Reply, Refusal> {
        let archive = self.log_archive();
        let printed = |path: &StepPath| -> bool {
            !self.log.last(path, 1).is_empty()
                || archive.as_ref().is_some_and(|archive| !recorded_logs(archive, path).is_empty())
        };
        let path = match step {
            Some(path) => path,
            None => {
                let at = self.looked_at();
                let cursor = at.cursor().step().filter(|path| printed(path));
                cursor
                    .or_else(|| at.results().keys().rev().find(|path| printed(path)))
                    .cloned()
                    .ok_or_else(|| Refusal::new("no step has printed anything yet"))?
            }
        };
        Ok(Reply::Log(self.recorded_lines(&path).unwrap_or_else(|| self.log.last(&path, usize::MAX))))
    }

    /// The log of a step as it stands in the recording.
    pub(crate) fn recorded_lines(&self, path: &StepPath) -> Option<Vec<String>> {
        let archive = self.log_archive()?;
        let logs = recorded_logs(&archive, path);
        let lines: Vec<String> =
            logs.into_iter().filter_map(|log| lines_of(&archive, log)).flatten().collect();
        (!lines.is_empty()).then_some(lines)
    }

    fn log_archive(&self) -> Option<LogArchive> {
        let Some(recorder) = &self.recorder else { return self.log.archive() };
        recorder.logs().flush();
        LogArchive::open(&recorder.recording().logs()).ok()
    }

    /// `timeline`.
    pub(super) fn timeline_lines(&self) -> Vec<TimelineLine> {
        self.timeline.moments().iter().map(|moment| self.timeline_line(moment)).collect()
    }

    fn timeline_line(&self, moment: &Moment) -> TimelineLine {
        let newest = self.rewound.as_ref().map_or(self.here, |rewound| rewound.newest);
        TimelineLine {
            moment: moment.id,
            parent: moment.parent,
            branch: moment.branch,
            point: moment.point.clone(),
            at: self.clock.reached.get(&moment.id).map(|(at, _)| *at),
            took: self.clock.reached.get(&moment.id).and_then(|(_, took)| *took),
            name: moment_name(moment, &self.secrets),
            place: moment.point.step().and_then(|path| self.place(path)),
            cause: match &moment.cause {
                Cause::Advanced => None,
                Cause::Edited(what) => Some(what.clone()),
                Cause::Left => Some("left from here".to_owned()),
            },
            current: moment.id == self.looked_at_id(),
            newest: moment.id == newest,
            has_files: moment.files.is_some(),
        }
    }
}

/// A step and, of an action that was entered, its steps.
fn with_inner(job: &Job, path: StepPath) -> Vec<StepPath> {
    let mut all = vec![path.clone()];
    if job.results().keys().chain(job.cursor().step()).any(|other| other.ancestors().contains(&path)) {
        let inner =
            (0u32..).map(|index| path.child(index)).take_while(|child| job.definition(child).is_some());
        all.extend(inner.flat_map(|child| with_inner(job, child)));
    }
    all
}

/// The logs of the step's last run: its own and, of an action, those of its steps, in the order in which they began.
fn recorded_logs(archive: &LogArchive, path: &StepPath) -> Vec<LogId> {
    let (own, inside) = (path.to_string(), format!("{path}."));
    let mut last: IndexMap<&str, LogId> = IndexMap::new();
    for (id, head, _) in archive.logs() {
        if head.step == own || head.step.starts_with(&inside) {
            last.insert(&head.step, id);
        }
    }
    let mut logs: Vec<LogId> = last.into_values().collect();
    logs.sort_unstable();
    logs
}

/// The last lines of a log, and how many come before them.
fn lines_of(archive: &LogArchive, log: LogId) -> Option<Vec<String>> {
    let end = archive.end(log)?.lines.saturating_add(1);
    let start = end.saturating_sub(LOG_LINES_MAX);
    let lines = archive.lines(log, start..end).ok()?;
    let before = (start > 0).then(|| format!("… {start} lines before these"));
    Some(
        before
            .into_iter()
            .chain(lines.iter().map(|line| String::from_utf8_lossy(&line.text).into_owned()))
            .collect(),
    )
}

/// The name of a moment's step, or `end`.
pub(crate) fn moment_name(moment: &Moment, secrets: &engine::secrets::Secrets) -> String {
    let step = moment.point.step();
    step.map_or_else(|| "end".to_owned(), |path| moment.job.step_name(path, secrets).to_string())
}

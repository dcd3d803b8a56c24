//! What a face asks of the session, and what it answers.
//!
//! One closed set for every face: the terminal, an editor, a test. Knows no protocol and no text of commands; all
//! text in replies is masked.

use std::sync::Arc;
use std::time::Duration;

use engine::effect::Outcome;
use engine::event::LaneChoice;
use engine::plan::Caller;
use engine::step_path::{LaneId, StepPath};

use crate::breakpoint::{Breakpoint, BreakpointId, BreakpointKind, BreakpointSpec};
use crate::exception::{ExceptionFilter, ExceptionFilters};
use crate::key::Key;
use crate::moment::{BranchId, MomentId, Point};
use crate::picture::Picture;

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Run the step at the cursor and stop before the next one.
    Next,
    /// The same, but stop before the first step of an action.
    StepIn,
    /// Run until the action around this step is left.
    StepOut,
    /// Run until something stops the job.
    Continue,
    /// Run from the first moment on, unless a breakpoint is there: whoever sets breakpoints before the job begins expects
    /// the first step's to count.
    Begin,
    /// Go back to before the step that was dispatched before, this many times.
    Back {
        /// At least 1.
        steps: u32,
    },
    /// Go back to the latest earlier moment at which a breakpoint or a stop on failure holds, else to the start.
    ReverseContinue,
    /// Go to a step or a moment: forwards skips, backwards rewinds.
    Goto(Target),
    /// Run the step again from its own before-moment.
    Rerun,
    /// Leave the past: back to the newest moment, as it was.
    Return,
    /// Look at a moment without moving anything; `None` ends that.
    View(Option<MomentId>),
    /// Stop at the next stop point; asked again while a step runs: freeze it now.
    Pause,
    /// End a shell command that runs, as Ctrl-C would; nothing else is touched.
    EndShell,
    /// Cancel the job as GitHub does; asked again: kill.
    Cancel,
    /// What to do with the three ways into the past of a lane, or a step that reached outside, when asked to confirm.
    Confirm(bool),
    /// Add a breakpoint.
    Break(BreakpointSpec),
    /// Delete a breakpoint.
    DeleteBreakpoint(BreakpointId),
    /// Replace the breakpoints of a kind, or all of them.
    SetBreakpoints {
        /// Which are replaced; `None` for all.
        kind: Option<BreakpointKind>,
        /// By what; the answer has the same order.
        specs: Vec<BreakpointSpec>,
    },
    /// All breakpoints.
    Breakpoints,
    /// Replace the exception filters. Under the debugger a failure that counts stops the job from the start.
    SetExceptionFilters(ExceptionFilters),
    /// Stop a background step, as a `cancel` step does.
    CancelLane(LaneId),
    /// What becomes of background steps that ran at this moment, when the job goes on from here.
    Lanes(LaneChoice),
    /// Switch one exception filter.
    Catch(ExceptionFilter, bool),
    /// Change something: `env.X`, `steps.ID.outputs.NAME`, `steps.ID.outcome`, `inputs.X`, `job.status`.
    Set {
        /// What.
        name: String,
        /// The new value; `None` removes a variable.
        value: Option<String>,
    },
    /// Run a command in the step's real environment and directory; what it changes is an edit of this moment.
    Shell {
        /// The command line, for `bash -c`.
        command: String,
    },
    /// Run a command on a scratch copy of the workspace; it leaves no trace.
    Try {
        /// The command line.
        command: String,
    },
    /// Take changes made in the repository since checkout into the workspace, as an edit.
    Sync,
    /// Write the workspace's changes back to the repository as a patch.
    Keep,
    /// The value of an expression.
    Print(String),
    /// The env context, and what the last step changed in it.
    Env,
    /// The outputs of all steps.
    Outputs,
    /// The steps with the cursor.
    Steps,
    /// The source around a step; `None` is the current one.
    Source(Option<StepPath>),
    /// The log of a step; `None` is the current one.
    Log(Option<StepPath>),
    /// Why the step at the cursor runs or does not.
    Why,
    /// Files changed by the last step, or between two moments.
    Diff {
        /// The moments; `None` is around the last step.
        between: Option<(MomentId, MomentId)>,
        /// Those in `.git` too.
        all: bool,
    },
    /// When something changed: `env.X`, `steps.a.outputs.b`, `job.status`, `file:path`.
    When(String),
    /// All moments.
    Timeline,
    /// The stop at which the job stands.
    Status,
    /// Everything that can be seen at this moment, as a value.
    Picture,
    /// Go on without a debugger: no stop, no breakpoint; the session ends with the job.
    Detach,
    /// Leave the debugger; the job, if it is not over, is cancelled.
    Quit,
}

/// Where to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Before this step.
    Step(StepPath),
    /// This moment.
    Moment(MomentId),
}

/// An answer. Movement is answered at once with `Done`; where it led comes as a notice.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// It is done, or under way.
    Done,
    /// It cannot be done; an error and a hint.
    Refused(Refusal),
    /// The stop at which the job stands.
    Stop(Box<Stop>),
    /// Everything that can be seen.
    Picture(Box<Picture>),
    /// A value, printed as a person reads it.
    Value(String),
    /// Names and values, in order.
    Variables(Vec<Variable>),
    /// Lines of source.
    Source(SourceExcerpt),
    /// Lines of a log, without time stamps.
    Log(Vec<String>),
    /// The steps.
    Steps(Vec<StepLine>),
    /// A condition and its parts.
    Why(Why),
    /// Changed files.
    Files(Vec<FileChange>),
    /// When something changed, earliest first.
    Changes(Vec<ChangeLine>),
    /// The moments, by branch.
    Timeline(Vec<TimelineLine>),
    /// Breakpoints.
    Breakpoints(Vec<Breakpoint>),
    /// A shell command is over.
    Shell(ShellReply),
    /// What `sync` or `keep` did.
    Text(String),
}

/// Why a request is refused, and what to do instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    /// What went wrong.
    pub text: String,
    /// What to try.
    pub hint: Option<String>,
}

impl Refusal {
    /// A refusal without a hint.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), hint: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A place in a workflow file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as shown to people.
    pub file: Arc<str>,
    /// From 1.
    pub line: u32,
}

/// Where and why the job stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// Why it stopped.
    pub reason: StopReason,
    /// The moment.
    pub moment: MomentId,
    /// The branch that this moment lies on.
    pub branch: BranchId,
    /// Where in the step.
    pub point: Point,
    /// The number of the step from 1 among the job's main steps, as people count; 0 when the job is over.
    pub number: u32,
    /// The step's display name, or the job's at its end.
    pub name: Arc<str>,
    /// The step's place.
    pub place: Option<Place>,
    /// True while the person is in the past and may `return`.
    pub rewound: bool,
    /// The job can only be looked at.
    pub runs_nothing: bool,
    /// True when an edit was made here that belongs to a branch which is not real yet.
    pub edited: bool,
    /// What going back undid.
    pub undone: Option<Undone>,
    /// The background step that the job stands for; number, name and place are its own then.
    pub background: Option<StepPath>,
    /// The jobs whose calls of workflows lead to this job, the innermost first.
    pub callers: Arc<[Caller]>,
    /// Things worth knowing: fuzzy snapshots, frozen lanes and for how long, steps that cannot be undone.
    pub notes: Vec<String>,
}

impl Stop {
    /// The step that the stop is about; `None` at the end of the job.
    pub fn step(&self) -> Option<&StepPath> {
        self.background.as_ref().or_else(|| self.point.step())
    }

    /// That step's number as people read it: `3`, or `3.1` inside of an action.
    pub fn step_number(&self) -> String {
        self.step().map(StepPath::number).unwrap_or_default()
    }
}

/// Why the job stands.
#[derive(Clone, Debug, PartialEq)]
pub enum StopReason {
    /// The first step has not begun.
    Entry,
    /// `next` came to its end.
    Step,
    /// A breakpoint.
    Breakpoint(BreakpointId),
    /// Something changed that is watched.
    DataBreakpoint(Box<DataChange>),
    /// A step failed, or ended in another way that stops.
    Failure(Failure),
    /// Somebody asked.
    Pause,
    /// Somebody went to this step or moment.
    Goto,
    /// Somebody went back here.
    Back,
    /// Going back has come to the start.
    Start,
    /// Somebody came back to the newest moment.
    Return,
    /// Something was changed here.
    Edit,
    /// The job is over.
    End(Outcome),
    /// Going on would run a step again that reached outside; `confirm` decides.
    Confirm(String),
}

/// A change of something that a breakpoint watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataChange {
    /// The breakpoint.
    pub breakpoint: BreakpointId,
    /// What it watches.
    pub key: Key,
    /// The value before, masked; `None` where there was none, and for files.
    pub before: Option<String>,
    /// The value now, masked; for files the path of the first one that differs.
    pub after: Option<String>,
}

/// A step that ended in a way that stops.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Which way.
    pub filter: ExceptionFilter,
    /// The exit code, where there was a process.
    pub exit_code: Option<i32>,
    /// The expression that could not be evaluated, in GitHub's words.
    pub error: Option<String>,
    /// The last lines of its log.
    pub last_lines: Vec<String>,
}

impl Failure {
    /// The failure does not count: `continue-on-error`.
    pub fn is_forgiven(&self) -> bool {
        self.filter == ExceptionFilter::ContinueOnError
    }
}

/// What going back undid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// Files that have another content, or came or went.
    pub files: usize,
    /// Outputs.
    pub outputs: usize,
    /// Variables.
    pub variables: usize,
}

/// A name and its value as a person may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// `NAME`, or `steps.ID.outputs.NAME`.
    pub name: String,
    /// Masked.
    pub value: String,
    /// The step at the cursor or the last step set it.
    pub fresh: bool,
}

/// A few lines of a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceExcerpt {
    /// The file as shown to people.
    pub file: Arc<str>,
    /// The number of the first line, from 1.
    pub first_line: u32,
    /// The lines.
    pub lines: Vec<String>,
    /// The line of the step.
    pub current: u32,
    /// Lines that have a breakpoint.
    pub breakpoints: Vec<u32>,
}

/// A step in the list of steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepLine {
    /// Its path.
    pub path: StepPath,
    /// From 1.
    pub number: u32,
    /// Its id, if it has one.
    pub id: Option<Arc<str>>,
    /// Its display name.
    pub name: Arc<str>,
    /// How it ended, on the current branch.
    pub outcome: Option<Outcome>,
    /// What counts for the job.
    pub conclusion: Option<Outcome>,
    /// How long its body ran.
    pub took: Option<Duration>,
    /// The cursor is here.
    pub current: bool,
    /// It runs in the background now, or waits for a slot there.
    pub background: Option<BackgroundState>,
    /// Its place.
    pub place: Option<Place>,
    /// Why it cannot be undone.
    pub reaches_outside: Option<String>,
}

/// A background step in the list of those that have begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackgroundLine {
    /// Its lane.
    pub lane: LaneId,
    /// Its path.
    pub step: StepPath,
    /// Where it is: itself, or a step of its action.
    pub at_step: StepPath,
    /// Its display name.
    pub name: Arc<str>,
    /// How far it has come.
    pub state: BackgroundState,
    /// What it wrote has reached the job, because a step waited for it.
    pub joined: bool,
    /// The foreground waits for it now.
    pub awaited: bool,
    /// When its body began, from the session's begin on.
    pub at: Option<Duration>,
    /// How long its body ran, or has run so far.
    pub took: Option<Duration>,
}

/// How far a background step has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackgroundState {
    /// It waits for one of the slots.
    Queued,
    /// Its body runs.
    Running,
    /// It is over.
    Over(Outcome),
}

impl BackgroundState {
    /// In a word: `queued`, `running`, or the outcome.
    pub fn as_str(self) -> &'static str {
        match self {
            BackgroundState::Queued => "queued",
            BackgroundState::Running => "running",
            BackgroundState::Over(outcome) => outcome.as_str(),
        }
    }
}

/// A condition and its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The condition with the implicit `success() &&`.
    pub condition: String,
    /// Its value, or the error.
    pub result: Result<bool, String>,
    /// The parts with their values, one to a line, indented.
    pub parts: Vec<String>,
}

/// A file that differs between two moments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Relative to its root.
    pub path: String,
    /// `workspace`, `temp` or `home`.
    pub root: String,
    /// `created`, `modified`, `deleted`, `mode` …
    pub kind: String,
    /// A text diff of a small text file, masked.
    pub diff: Option<String>,
}

/// One change of something that `when` was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeLine {
    /// After this moment it was so.
    pub moment: MomentId,
    /// The step that did it, or the edit.
    pub by: String,
    /// `created`, `changed` or `deleted`.
    pub kind: &'static str,
    /// The new value, masked.
    pub value: Option<String>,
    /// The step's place.
    pub place: Option<Place>,
}

/// A moment in the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineLine {
    /// The moment.
    pub moment: MomentId,
    /// The moment before it.
    pub parent: Option<MomentId>,
    /// Its branch.
    pub branch: BranchId,
    /// Where it lies.
    pub point: Point,
    /// When it was reached, from the session's begin on; `None` for one that an earlier session reached.
    pub at: Option<Duration>,
    /// How long the step's body ran that ended here.
    pub took: Option<Duration>,
    /// The step's name, or `end`.
    pub name: String,
    /// The step's place.
    pub place: Option<Place>,
    /// The text of an edit, or that somebody left from here.
    pub cause: Option<String>,
    /// The person is here.
    pub current: bool,
    /// The newest moment, where `return` leads.
    pub newest: bool,
    /// It can be gone back to with its files.
    pub has_files: bool,
}

/// How a shell command of the debugger ended. Its output came as notices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellReply {
    /// Its exit code.
    pub exit_code: i32,
    /// What it changed: files, variables; empty for none.
    pub changed: Vec<String>,
}

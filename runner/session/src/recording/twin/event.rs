//! What a job was told, for lanes, logs and checking: a state never depends on them when it is read.

use std::sync::Arc;

use engine::effect::TimerId;
use engine::event::{BodyEnd, Edit, Event, Exit, LaneChoice, MatcherChange};
use engine::file_command::{FileCommandError, FileCommandFailure, FileCommandResults};
use engine::lines::StepCommand;
use engine::plan::Plan;
use engine::step_path::LaneId;
use serde::{Deserialize, Serialize};

use super::action::{ActionPool, ActionTwin};
use super::matcher::{MatcherPool, text as matcher_text};
use super::place::{CancelTwin, HashTwin, OutcomeTwin, StepTwin};
use super::text::{Filling, Hiding, Text};
use super::{Twin, TwinError};

/// [`Event`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::recording) enum EventTwin<'a> {
    Advance,
    Command(u32, #[serde(borrow)] CommandTwin<'a>),
    AddMatchers(u32, #[serde(borrow)] Vec<Text<'a>>),
    RemoveMatchers(u32, #[serde(borrow)] Vec<Text<'a>>),
    BodyEnded(u32, #[serde(borrow)] EndTwin<'a>),
    HashReady(u32, #[serde(borrow)] HashTwin<'a>, Result<Text<'a>, Text<'a>>),
    StepTimer(u32, StepTwin),
    JobTimer,
    Cancel(CancelTwin),
    Edited(#[serde(borrow)] EditTwin<'a>),
    /// Background steps that ran at the moment start again (`true`), or are left out.
    Resumed(bool),
    CancelLane(u32),
    ActionReady(u32, StepTwin, #[serde(borrow)] Result<ActionTwin<'a>, Text<'a>>),
}

impl Twin for EventTwin<'_> {
    const KIND: &'static str = "events";
}

/// [`StepCommand`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::recording) enum CommandTwin<'a> {
    SetOutput(#[serde(borrow)] Text<'a>, Text<'a>),
    SaveState(#[serde(borrow)] Text<'a>, Text<'a>),
    SetEnv(#[serde(borrow)] Text<'a>, Text<'a>),
    AddPath(#[serde(borrow)] Text<'a>),
    AddMatcher(#[serde(borrow)] Text<'a>),
    RemoveMatcher(#[serde(borrow)] Text<'a>),
    RemoveMatchers(#[serde(borrow)] Text<'a>),
    Failed(#[serde(borrow)] Text<'a>, Text<'a>),
}

/// [`BodyEnd`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::recording) struct EndTwin<'a> {
    #[serde(borrow)]
    exit: ExitTwin<'a>,
    files: FilesTwin<'a>,
    command_failed: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum ExitTwin<'a> {
    Code(i32),
    Signal(i32),
    NotStarted(#[serde(borrow)] Text<'a>),
    Failed(#[serde(borrow)] Text<'a>),
}

/// [`FileCommandResults`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::recording) struct FilesTwin<'a> {
    #[serde(borrow)]
    env: Vec<(Text<'a>, Text<'a>)>,
    output: Vec<(Text<'a>, Text<'a>)>,
    state: Vec<(Text<'a>, Text<'a>)>,
    path: Vec<Text<'a>>,
    summary: Option<Text<'a>>,
    issues: Vec<Text<'a>>,
    failures: Vec<(FileTwin, FaultTwin<'a>)>,
}

/// Which command file broke off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum FileTwin {
    Env,
    Output,
    State,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum FaultTwin<'a> {
    Format(#[serde(borrow)] Text<'a>),
    EmptyNameOrDelimiter(#[serde(borrow)] Text<'a>),
    DelimiterNotFound(#[serde(borrow)] Text<'a>),
    MissingNewline,
}

/// [`Edit`]; a plan is named by its number in the recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::recording) enum EditTwin<'a> {
    Env(#[serde(borrow)] Text<'a>, Option<Text<'a>>),
    Output(#[serde(borrow)] Text<'a>, Text<'a>, Text<'a>),
    Outcome(#[serde(borrow)] Text<'a>, OutcomeTwin),
    Input(#[serde(borrow)] Text<'a>, Text<'a>),
    Status(OutcomeTwin),
    Files(#[serde(borrow)] FilesTwin<'a>),
    Plan(u32),
    Jump(StepTwin),
}

/// Appends the bytes of an event to `out`, which is emptied first. `plan` numbers the plan of an edit.
///
/// # Errors
/// `plan` does not know the plan.
pub(in crate::recording) fn write_event(
    event: &Event,
    hide: &Hiding<'_>,
    plan: impl Fn(&Arc<Plan>) -> Option<u32>,
    out: Vec<u8>,
) -> Result<Vec<u8>, TwinError> {
    let twin = match event {
        Event::Advance => EventTwin::Advance,
        Event::Command { lane, command } => EventTwin::Command(lane.0, CommandTwin::of(command, hide)),
        Event::Matchers { lane, change: MatcherChange::Add(matchers) } => EventTwin::AddMatchers(
            lane.0,
            matchers.iter().map(|matcher| Text(matcher_text(matcher, hide).into())).collect(),
        ),
        Event::Matchers { lane, change: MatcherChange::Remove(owners) } => {
            EventTwin::RemoveMatchers(lane.0, owners.iter().map(|owner| hide.text(owner)).collect())
        }
        Event::BodyEnded { lane, end } => EventTwin::BodyEnded(lane.0, EndTwin::of(end, hide)),
        Event::HashReady { lane, request, answer } => {
            let answer = match answer {
                Ok(digest) => Ok(hide.text(digest)),
                Err(why) => Err(hide.text(why)),
            };
            EventTwin::HashReady(lane.0, HashTwin::of(request, hide), answer)
        }
        Event::Timer(TimerId::Step(lane, path)) => EventTwin::StepTimer(lane.0, StepTwin::of(path)),
        Event::Timer(TimerId::Job) => EventTwin::JobTimer,
        Event::Cancel(reason) => EventTwin::Cancel((*reason).into()),
        Event::Edited(edit) => EventTwin::Edited(EditTwin::of(edit, hide, plan)?),
        Event::ActionReady { lane, step, answer } => {
            let answer = match answer {
                Ok(action) => Ok(ActionTwin::of(action, hide)),
                Err(why) => Err(hide.text(why)),
            };
            EventTwin::ActionReady(lane.0, StepTwin::of(step), answer)
        }
        Event::CancelLane(lane) => EventTwin::CancelLane(lane.0),
        Event::Resumed { lanes } => EventTwin::Resumed(*lanes == LaneChoice::Restart),
    };
    super::write(&twin, out)
}

/// Reads events.
#[derive(Debug, Default)]
pub(in crate::recording) struct EventReader {
    matchers: MatcherPool,
    actions: ActionPool,
}

impl EventReader {
    /// The event in `bytes`; `plan` gives the plan of a number.
    ///
    /// # Errors
    /// The bytes are no event, or `plan` does not know the number.
    pub(in crate::recording) fn read(
        &mut self,
        bytes: &[u8],
        fill: &Filling<'_>,
        plan: impl Fn(u32) -> Option<Arc<Plan>>,
    ) -> Result<Event, TwinError> {
        let twin: EventTwin<'_> = super::read(bytes)?;
        Ok(match twin {
            EventTwin::Advance => Event::Advance,
            EventTwin::Command(lane, command) => {
                Event::Command { lane: LaneId(lane), command: command.command(fill) }
            }
            EventTwin::AddMatchers(lane, texts) => {
                let change = MatcherChange::Add(self.matchers.list(texts, fill)?);
                Event::Matchers { lane: LaneId(lane), change }
            }
            EventTwin::RemoveMatchers(lane, owners) => {
                let change = MatcherChange::Remove(strings(owners, fill));
                Event::Matchers { lane: LaneId(lane), change }
            }
            EventTwin::BodyEnded(lane, end) => Event::BodyEnded { lane: LaneId(lane), end: end.end(fill) },
            EventTwin::HashReady(lane, request, answer) => Event::HashReady {
                lane: LaneId(lane),
                request: request.request(fill),
                answer: answer.map(|digest| fill.string(digest)).map_err(|why| fill.string(why)),
            },
            EventTwin::StepTimer(lane, path) => Event::Timer(TimerId::Step(LaneId(lane), path.path()?)),
            EventTwin::JobTimer => Event::Timer(TimerId::Job),
            EventTwin::Cancel(reason) => Event::Cancel(reason.into()),
            EventTwin::Edited(edit) => Event::Edited(edit.edit(fill, plan)?),
            EventTwin::ActionReady(lane, step, answer) => {
                let answer = match answer {
                    Ok(action) => Ok(self.actions.action(action, fill)?),
                    Err(why) => Err(fill.string(why)),
                };
                Event::ActionReady { lane: LaneId(lane), step: step.path()?, answer }
            }
            EventTwin::CancelLane(lane) => Event::CancelLane(LaneId(lane)),
            EventTwin::Resumed(restart) => {
                let lanes = if restart { LaneChoice::Restart } else { LaneChoice::LeaveOut };
                Event::Resumed { lanes }
            }
        })
    }
}

impl<'a> CommandTwin<'a> {
    fn of(command: &'a StepCommand, hide: &Hiding<'_>) -> Self {
        match command {
            StepCommand::SetOutput { name, value } => Self::SetOutput(hide.text(name), hide.text(value)),
            StepCommand::SaveState { name, value } => Self::SaveState(hide.text(name), hide.text(value)),
            StepCommand::SetEnv { name, value } => Self::SetEnv(hide.text(name), hide.text(value)),
            StepCommand::AddPath { path } => Self::AddPath(hide.text(path)),
            StepCommand::AddMatcher { file } => Self::AddMatcher(hide.text(file)),
            StepCommand::RemoveMatcher { owner } => Self::RemoveMatcher(hide.text(owner)),
            StepCommand::RemoveMatchers { file } => Self::RemoveMatchers(hide.text(file)),
            StepCommand::Failed { line, message } => Self::Failed(hide.text(line), hide.text(message)),
        }
    }

    fn command(self, fill: &Filling<'_>) -> StepCommand {
        let filled = |text| fill.string(text);
        match self {
            Self::SetOutput(name, value) => {
                StepCommand::SetOutput { name: filled(name), value: filled(value) }
            }
            Self::SaveState(name, value) => {
                StepCommand::SaveState { name: filled(name), value: filled(value) }
            }
            Self::SetEnv(name, value) => StepCommand::SetEnv { name: filled(name), value: filled(value) },
            Self::AddPath(path) => StepCommand::AddPath { path: filled(path) },
            Self::AddMatcher(file) => StepCommand::AddMatcher { file: filled(file) },
            Self::RemoveMatcher(owner) => StepCommand::RemoveMatcher { owner: filled(owner) },
            Self::RemoveMatchers(file) => StepCommand::RemoveMatchers { file: filled(file) },
            Self::Failed(line, message) => {
                StepCommand::Failed { line: filled(line), message: filled(message) }
            }
        }
    }
}

impl<'a> EndTwin<'a> {
    fn of(end: &'a BodyEnd, hide: &Hiding<'_>) -> Self {
        let exit = match &end.exit {
            Exit::Code(code) => ExitTwin::Code(*code),
            Exit::Signal(number) => ExitTwin::Signal(*number),
            Exit::NotStarted(why) => ExitTwin::NotStarted(hide.text(why)),
            Exit::Failed(why) => ExitTwin::Failed(hide.text(why)),
        };
        Self { exit, files: FilesTwin::of(&end.files, hide), command_failed: end.command_failed }
    }

    fn end(self, fill: &Filling<'_>) -> BodyEnd {
        let exit = match self.exit {
            ExitTwin::Code(code) => Exit::Code(code),
            ExitTwin::Signal(number) => Exit::Signal(number),
            ExitTwin::NotStarted(why) => Exit::NotStarted(fill.string(why)),
            ExitTwin::Failed(why) => Exit::Failed(fill.string(why)),
        };
        BodyEnd { exit, files: self.files.results(fill), command_failed: self.command_failed }
    }
}

impl<'a> FilesTwin<'a> {
    fn of(results: &'a FileCommandResults, hide: &Hiding<'_>) -> Self {
        let pairs = |pairs: &'a [(String, String)]| {
            pairs.iter().map(|(name, value)| (hide.text(name), hide.text(value))).collect()
        };
        let failure = |failure: &'a FileCommandFailure| {
            let file = match failure.context {
                "env" => FileTwin::Env,
                "output" => FileTwin::Output,
                _ => FileTwin::State,
            };
            (file, FaultTwin::of(&failure.error, hide))
        };
        Self {
            env: pairs(&results.env),
            output: pairs(&results.output),
            state: pairs(&results.state),
            path: results.path.iter().map(|folder| hide.text(folder)).collect(),
            summary: results.summary.as_ref().map(|summary| hide.text(summary)),
            issues: results.issues.iter().map(|issue| hide.text(issue)).collect(),
            failures: results.failures.iter().map(failure).collect(),
        }
    }

    fn results(self, fill: &Filling<'_>) -> FileCommandResults {
        let pairs = |pairs: Vec<(Text<'a>, Text<'a>)>| {
            pairs.into_iter().map(|(name, value)| (fill.string(name), fill.string(value))).collect()
        };
        let failure = |(file, fault): (FileTwin, FaultTwin<'a>)| FileCommandFailure {
            context: match file {
                FileTwin::Env => "env",
                FileTwin::Output => "output",
                FileTwin::State => "state",
            },
            error: fault.error(fill),
        };
        FileCommandResults {
            env: pairs(self.env),
            output: pairs(self.output),
            state: pairs(self.state),
            path: strings(self.path, fill),
            summary: self.summary.map(|summary| fill.string(summary)),
            issues: strings(self.issues, fill),
            failures: self.failures.into_iter().map(failure).collect(),
        }
    }
}

impl<'a> FaultTwin<'a> {
    fn of(error: &'a FileCommandError, hide: &Hiding<'_>) -> Self {
        match error {
            FileCommandError::Format(line) => Self::Format(hide.text(line)),
            FileCommandError::EmptyNameOrDelimiter(line) => Self::EmptyNameOrDelimiter(hide.text(line)),
            FileCommandError::DelimiterNotFound(delimiter) => Self::DelimiterNotFound(hide.text(delimiter)),
            FileCommandError::MissingNewline => Self::MissingNewline,
        }
    }

    fn error(self, fill: &Filling<'_>) -> FileCommandError {
        match self {
            Self::Format(line) => FileCommandError::Format(fill.string(line)),
            Self::EmptyNameOrDelimiter(line) => FileCommandError::EmptyNameOrDelimiter(fill.string(line)),
            Self::DelimiterNotFound(delimiter) => FileCommandError::DelimiterNotFound(fill.string(delimiter)),
            Self::MissingNewline => FileCommandError::MissingNewline,
        }
    }
}

impl<'a> EditTwin<'a> {
    fn of(
        edit: &'a Edit,
        hide: &Hiding<'_>,
        plan: impl Fn(&Arc<Plan>) -> Option<u32>,
    ) -> Result<Self, TwinError> {
        Ok(match edit {
            Edit::Env { name, value } => {
                Self::Env(hide.text(name), value.as_ref().map(|value| hide.text(value)))
            }
            Edit::Output { step, name, value } => {
                Self::Output(hide.text(step), hide.text(name), hide.text(value))
            }
            Edit::Outcome { step, outcome } => Self::Outcome(hide.text(step), (*outcome).into()),
            Edit::Input { name, value } => Self::Input(hide.text(name), hide.text(value)),
            Edit::Status(status) => Self::Status((*status).into()),
            Edit::Files(results) => Self::Files(FilesTwin::of(results, hide)),
            Edit::Plan(new) => Self::Plan(plan(new).ok_or(TwinError::Unwritable("plan of an edit"))?),
            Edit::Jump(path) => Self::Jump(StepTwin::of(path)),
        })
    }

    fn edit(self, fill: &Filling<'_>, plan: impl Fn(u32) -> Option<Arc<Plan>>) -> Result<Edit, TwinError> {
        Ok(match self {
            Self::Env(name, value) => {
                Edit::Env { name: fill.text(&name), value: value.map(|value| fill.text(&value)) }
            }
            Self::Output(step, name, value) => {
                Edit::Output { step: fill.text(&step), name: fill.text(&name), value: fill.text(&value) }
            }
            Self::Outcome(step, outcome) => Edit::Outcome { step: fill.text(&step), outcome: outcome.into() },
            Self::Input(name, value) => Edit::Input { name: fill.text(&name), value: fill.text(&value) },
            Self::Status(status) => Edit::Status(status.into()),
            Self::Files(files) => Edit::Files(Box::new(files.results(fill))),
            Self::Plan(number) => Edit::Plan(plan(number).ok_or(TwinError::Malformed("events"))?),
            Self::Jump(path) => Edit::Jump(path.path()?),
        })
    }
}

fn strings(texts: Vec<Text<'_>>, fill: &Filling<'_>) -> Vec<String> {
    texts.into_iter().map(|text| fill.string(text)).collect()
}

//! Requests and events of our own, which any client may use. They have one version together: it is raised when a member
//! changes its meaning or goes, not when one is added. docs/dap.md describes them for those who write clients.

use serde::{Deserialize, Serialize};

use super::source::Source;

/// The version of everything in this file.
pub const CUSTOM_VERSION: u32 = 1;

/// The requests there are.
pub const CUSTOM_REQUESTS: [&str; 7] = [
    "stepback/timeline",
    "stepback/view",
    "stepback/goto",
    "stepback/return",
    "stepback/sync",
    "stepback/keep",
    "stepback/diff",
];

/// Sent when there are new moments, or another one is looked at.
pub const TIMELINE_CHANGED: &str = "stepback/timelineChanged";

/// Sent in front of every `stopped`, with what a terminal shows of it.
pub const STOP: &str = "stepback/stop";

/// In the capabilities: that, and which of these there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Announcement {
    /// [`CUSTOM_VERSION`].
    pub version: u32,
    /// [`CUSTOM_REQUESTS`].
    pub requests: Vec<String>,
}

/// Which moment, by its number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MomentArguments {
    /// Its number; for `stepback/view` null ends the view.
    pub moment: Option<u32>,
}

/// Between which moments; absent for those around the last step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiffArguments {
    /// The earlier one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
    /// The later one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
}

/// What `stepback/sync` and `stepback/keep` did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TextBody {
    /// In words.
    pub text: String,
}

/// Files that differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiffBody {
    /// In the order of their paths.
    pub files: Vec<ChangedFile>,
}

/// A file that differs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangedFile {
    /// Relative to its root.
    pub path: String,
    /// `workspace`, `temp` or `home`.
    pub root: String,
    /// `created`, `modified`, `deleted` …
    pub kind: String,
    /// A unified diff of a small text file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// What a terminal shows of a stop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StopBody {
    /// Lines, each ended by a line break.
    pub text: String,
    /// `build 3 ✗`.
    pub prompt: String,
    /// The moment's number.
    pub moment: u32,
    /// The job is in the past.
    pub rewound: bool,
    /// The job is over.
    pub ended: bool,
}

/// In the answer to an `evaluate` of the console: what a terminal has to know to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsoleBody {
    /// So many stops come of the command.
    pub stops: u32,
    /// What the prompt says now, where the job still stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
}

/// The whole history of a job, as a picture of it needs it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimelineBody {
    /// All moments in the order of recording.
    pub moments: Vec<TimelineMoment>,
    /// Steps that ran, or run.
    pub runs: Vec<TimelineRun>,
    /// Lines of execution.
    pub lanes: Vec<TimelineLane>,
    /// The job is in the past and may return.
    pub rewound: bool,
    /// The branch of the present.
    pub branch: u32,
}

/// A moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimelineMoment {
    /// Its number.
    pub id: u32,
    /// The moment before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<u32>,
    /// Its branch, from 1.
    pub branch: u32,
    /// `before`, `decided`, `during`, `after` or `end`.
    pub point: String,
    /// The path of its step, such as `main.2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The number of its step among those of the job, from 1; 0 at the end. `step` has those inside of an action.
    pub number: u32,
    /// The step's name; `end` at the end.
    pub name: String,
    /// The lane that came to it; 0 is the foreground. In a moment of a background step the foreground is wherever it was.
    #[serde(default)]
    pub lane: u32,
    /// How the step or job ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// What a person did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The job stands here.
    pub current: bool,
    /// It is looked at without being there.
    pub viewed: bool,
    /// The newest one, where `stepback/return` leads.
    pub newest: bool,
    /// It can be gone to with its files.
    pub has_files: bool,
    /// When it was reached, in milliseconds since the job began.
    pub at_ms: u64,
}

/// A step that ran, or runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimelineRun {
    /// Its path.
    pub step: String,
    /// Its number from 1.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// The lane it ran in.
    pub lane: u32,
    /// The branch it ran on.
    pub branch: u32,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// In milliseconds since the job began.
    pub start_ms: u64,
    /// In milliseconds; absent while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// Its file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Its line, in the base that the client chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<i64>,
}

/// A line of execution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimelineLane {
    /// 0 is the foreground.
    pub id: u32,
    /// Its name.
    pub name: String,
}

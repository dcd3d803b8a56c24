//! What the host needs to know to run the body of one step.
//!
//! Plain data: nothing here says how a process is started, only with what.

use indexmap::IndexMap;
use std::sync::Arc;

use crate::lines::LineOptions;
use crate::matcher::Matchers;
use crate::step_path::StepPath;

/// The body of a `run` step, or a program of an action, ready to be started.
#[derive(Clone, PartialEq)]
pub struct ProcessSpec {
    /// The step that this body belongs to.
    pub step: StepPath,
    /// The heading of the step's log, printed as a folded group before the body starts (steps.md 3.1). `None` for a
    /// command of the debugger's own: who typed it knows what it is.
    pub heading: Option<Heading>,
    /// The script and the file it goes into.
    pub script: Script,
    /// Who reads the script.
    pub shell: ShellCommand,
    /// Absolute, or relative to the workspace (steps.md 3.1). Empty: the workspace itself.
    pub working_directory: Arc<str>,
    /// The env context: job `env`, `GITHUB_ENV`, step `env`. Over the host's own environment, below
    /// [`runner_environment`](Self::runner_environment) (steps.md 3.2).
    pub environment: IndexMap<Arc<str>, Arc<str>>,
    /// `GITHUB_*`, `RUNNER_*` and the like: they win over user values of the same name.
    pub runner_environment: IndexMap<Arc<str>, Arc<str>>,
    /// Entries for the front of PATH, the last added one first.
    pub path_prepends: Vec<Arc<str>>,
    /// Where the step's file commands are written.
    pub command_files: CommandFiles,
    /// What the reader of its output has to know.
    pub lines: LineOptions,
    /// The problem matchers in force when the body starts.
    pub matchers: Matchers,
    /// It is a program of a JavaScript action: the host adds access to its services, which `run` steps do not get
    /// (steps.md 3.2). Address and token differ from run to run, so they are not in here.
    pub action: Option<ActionProgram>,
}

/// What the program of a JavaScript action wants, besides what every step gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionProgram {
    /// The major version of Node.js that the manifest names: 20 for `node20`.
    pub node: u32,
}

/// What the log of a `run` step begins with.
#[derive(Clone, PartialEq, Eq)]
pub struct Heading {
    /// The first line, for instance `Run cargo test`.
    pub title: String,
    /// What an action is given, shown below it, in order.
    pub with: Vec<(Arc<str>, Arc<str>)>,
    /// The `env:` entries shown below it, in order.
    pub env: Vec<(Arc<str>, Arc<str>)>,
    /// It is a group that can be folded; otherwise the title is all of it.
    pub folds: bool,
}

/// A script file.
#[derive(Clone, PartialEq, Eq)]
pub struct Script {
    /// Path relative to `RUNNER_TEMP`, in [`CommandFiles::folder`]; that of an action's program is absolute.
    pub file: String,
    /// The script as the workflow gives it, for the heading of the log.
    pub text: Arc<str>,
    /// The file's content: `text` with the shell's fix-ups (steps.md 3.1). `None`: it is there already, a file of an action.
    pub content: Option<String>,
}

/// The shell's command line (steps.md 3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellCommand {
    /// Programs to look for on PATH (prepends included), the first one found is used.
    pub candidates: Vec<String>,
    /// The arguments with `{0}` in place of the script's path, as printed in the log: `-e {0}`.
    pub arguments: String,
}

/// The step's file commands: paths relative to `RUNNER_TEMP` (steps.md 5.2).
///
/// Upstream has the files of all steps side by side. Here each step has a folder of its own for them and for its script,
/// so that they come and go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandFiles {
    /// Holds the step's files and nothing else. Derived from the step path, so that equal runs use equal names.
    pub folder: String,
    /// `GITHUB_ENV`
    pub env: String,
    /// `GITHUB_OUTPUT`
    pub output: String,
    /// `GITHUB_PATH`
    pub path: String,
    /// `GITHUB_STATE`
    pub state: String,
    /// `GITHUB_STEP_SUMMARY`
    pub summary: String,
}

impl CommandFiles {
    /// The folder below `RUNNER_TEMP` that holds every step's folder.
    pub const FOLDER: &str = "_runner_file_commands";

    /// What they are called: env, output, path, state and summary.
    const NAMES: [&str; 5] = ["set_env", "set_output", "add_path", "save_state", "step_summary"];

    /// The files of the step at `path`; the same names in every run (DESIGN 3).
    pub fn of(path: &StepPath) -> Self {
        let folder = Self::folder_of(path);
        let [env, output, path, state, summary] = Self::NAMES.map(|file| [&folder, "/", file].concat());
        Self { folder, env, output, path, state, summary }
    }

    /// Where they lie when `RUNNER_TEMP` is this folder: env, output, path, state and summary.
    pub(crate) fn paths(path: &StepPath, temp: &str) -> [Arc<str>; 5] {
        let mut text = [temp, "/", &Self::folder_of(path), "/"].concat();
        let folder = text.len();
        Self::NAMES.map(|file| {
            text.truncate(folder);
            text.push_str(file);
            Arc::from(text.as_str())
        })
    }

    fn folder_of(path: &StepPath) -> String {
        [Self::FOLDER, "/", &path.file_stem()].concat()
    }

    /// The script in the step's folder, for a shell that wants this ending.
    pub fn script(&self, extension: &str) -> String {
        [&self.folder, "/script", extension].concat()
    }

    /// All five, in the order in which they are read after the body.
    pub fn all(&self) -> [&str; 5] {
        [&self.path, &self.env, &self.output, &self.state, &self.summary]
    }
}

/// The built-in `actions/checkout`: fills the workspace from the local repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckoutSpec {
    /// The step that asked for it.
    pub step: StepPath,
    /// The heading of the step's log.
    pub title: String,
    /// A commit, branch or tag; `None` is the working tree as it is, ignored files left out.
    pub reference: Option<String>,
    /// Where to, relative to the workspace; `None` is the workspace itself.
    pub path: Option<String>,
    /// `with.repository`: `None` or the repository at hand is the local one; another one cannot be had.
    pub repository: Option<String>,
}

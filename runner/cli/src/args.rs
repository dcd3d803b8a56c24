//! The command line, as clap reads it.
//!
//! Knows names and shapes of options; what a value means is decided where it is used. Values of secrets never get into a
//! message or a debug print.

use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;

use crate::terminal::ColourChoice;

const EXIT_CODES: &str = "Exit codes: 0 success · 1 a job failed · 2 bad usage or workflow · 130 cancelled";

/// A debugger for GitHub Actions jobs that can step backwards.
#[derive(Debug, Parser)]
#[command(name = "stepback", version, after_help = EXIT_CODES, max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// When to use colours (NO_COLOR and CLICOLOR are obeyed)
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: ColourChoice,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the jobs of a workflow
    #[command(after_help = EXIT_CODES)]
    Run(RunArguments),
    /// Run one job step by step: stop anywhere, look, change things, go back
    #[command(after_help = EXIT_CODES)]
    Debug(DebugArguments),
    /// Debug a job whose debugger listens: `stepback debug --listen`, or a runner's
    Attach(AttachArguments),
    /// Serve an editor that speaks the Debug Adapter Protocol
    Dap(DapArguments),
    /// Say what is wrong with workflow files
    #[command(after_help = EXIT_CODES)]
    Check(CheckArguments),
    /// List workflows, jobs and what they need
    #[command(after_help = EXIT_CODES)]
    List(ListArguments),
}

/// `stepback run`.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The workflow file; without it the one in .github/workflows
    pub(crate) file: Option<PathBuf>,
    /// Run only this job and those that it needs
    #[arg(long, short, value_name = "JOB")]
    pub(crate) job: Option<String>,
    /// Show every line of the logs, on a terminal too
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// What the job is given.
    #[command(flatten)]
    pub(crate) options: Options,
}

/// `stepback debug`.
#[derive(Debug, Args)]
pub(crate) struct DebugArguments {
    /// The workflow file; without it the one in .github/workflows
    pub(crate) file: Option<PathBuf>,
    /// The job to debug; those that it needs run first, without stops
    #[arg(long, short, value_name = "JOB")]
    pub(crate) job: Option<String>,
    /// Let an editor or `stepback attach` debug it, at the path of a socket or at 127.0.0.1:PORT
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, require_equals = true, default_missing_value = "",
          conflicts_with_all = ["last", "recording"])]
    pub(crate) listen: Option<String>,
    /// Reopen the last run at its failure, with its files
    #[arg(long, conflicts_with_all = ["file", "job"])]
    pub(crate) last: bool,
    /// Reopen this recording, by its name or its folder
    #[arg(long, value_name = "RECORDING", conflicts_with_all = ["file", "job", "last"])]
    pub(crate) recording: Option<String>,
    /// Show every line of the logs
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// What the job is given.
    #[command(flatten)]
    pub(crate) options: Options,
}

/// `stepback attach`.
#[derive(Debug, Args)]
pub(crate) struct AttachArguments {
    /// The path of a socket, or 127.0.0.1:PORT; for a port the token is taken from STEPBACK_TOKEN, or asked for
    pub(crate) address: String,
    /// Show every line of the logs
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// `stepback dap`.
#[derive(Debug, Args)]
pub(crate) struct DapArguments {
    /// Listen for a client, at the path of a socket or at 127.0.0.1:PORT, instead of serving standard input and output
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "")]
    pub(crate) listen: Option<String>,
}

/// `stepback check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// Workflow files; without any, all in .github/workflows
    pub(crate) files: Vec<PathBuf>,
    /// One JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}

/// `stepback list`.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Workflow files; without any, all in .github/workflows
    pub(crate) files: Vec<PathBuf>,
    /// One JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where a job works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WorkspaceChoice {
    /// An empty folder, filled by checkout as in CI
    Fresh,
    /// Your own working tree
    InPlace,
}

/// Which home a job has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HomeChoice {
    /// A folder of its own, which goes back with the job
    Fresh,
    /// Yours
    Own,
}

/// The same options for `run` and `debug`, and in `.stepback.toml`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Options {
    /// The event that starts the workflow; without it the first of push, pull_request, … that the workflow listens to
    #[arg(long, value_name = "EVENT", help_heading = "What the job is given")]
    pub(crate) event: Option<String>,
    /// The event's payload, a JSON file
    #[arg(long, value_name = "FILE", help_heading = "What the job is given")]
    pub(crate) event_path: Option<PathBuf>,
    /// An input of workflow_dispatch
    #[arg(long, value_name = "KEY=VALUE", help_heading = "What the job is given")]
    pub(crate) input: Vec<String>,
    /// A secret; without a value it is taken from the environment, which keeps it out of the shell's history
    #[arg(long, value_name = "KEY[=VALUE]", help_heading = "What the job is given")]
    pub(crate) secret: Vec<SecretText>,
    /// A file of secrets, KEY=VALUE lines
    #[arg(long, value_name = "FILE", help_heading = "What the job is given")]
    pub(crate) secret_file: Option<PathBuf>,
    /// A configuration variable (`vars`)
    #[arg(long, value_name = "KEY=VALUE", help_heading = "What the job is given")]
    pub(crate) var: Vec<String>,
    /// An environment variable, over the workflow's own
    #[arg(long, value_name = "KEY=VALUE", help_heading = "What the job is given")]
    pub(crate) env: Vec<String>,
    /// A file of environment variables, KEY=VALUE lines
    #[arg(long, value_name = "FILE", help_heading = "What the job is given")]
    pub(crate) env_file: Option<PathBuf>,
    /// Run only the combinations of the matrix that have this value
    #[arg(long, value_name = "KEY=VALUE", help_heading = "What the job is given")]
    pub(crate) matrix: Vec<String>,
    /// Take an action's repository from this folder, for one reference or, without @REF, for all
    #[arg(long, value_name = "OWNER/REPO[@REF]=FOLDER", help_heading = "What the job is given")]
    pub(crate) action: Vec<String>,
    /// Download no action: what is not on this machine is missing
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, help_heading = "What the job is given")]
    pub(crate) offline: Option<bool>,
    /// Ask anew which commits the branches and tags of actions mean
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, help_heading = "What the job is given")]
    pub(crate) refresh_actions: Option<bool>,
    /// The API that actions are downloaded from; without it GITHUB_API_URL, or that of github.com
    #[arg(long, value_name = "URL", help_heading = "What the job is given")]
    pub(crate) github_api_url: Option<ApiChoice>,
    /// Who started the workflow
    #[arg(long, value_name = "NAME", help_heading = "What the job is given")]
    pub(crate) actor: Option<String>,
    /// The repository's name; without it, from git's remote
    #[arg(long, value_name = "OWNER/NAME", help_heading = "What the job is given")]
    pub(crate) repository: Option<String>,
    /// Where the job works
    #[arg(long, value_enum, value_name = "WHERE", help_heading = "Where and how it runs")]
    pub(crate) workspace: Option<WorkspaceChoice>,
    /// Which home folder the job has
    #[arg(long, value_enum, value_name = "WHICH", help_heading = "Where and how it runs")]
    pub(crate) home: Option<HomeChoice>,
    /// Run jobs that want a container or services on this machine, without them
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, help_heading = "Where and how it runs")]
    pub(crate) host: Option<bool>,
    /// How many background steps of a job run at once; without it 10
    #[arg(long, value_name = "NUMBER", help_heading = "Where and how it runs")]
    pub(crate) background_slots: Option<NonZeroU32>,
    /// Keep no recording
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, help_heading = "Where and how it runs")]
    pub(crate) no_record: Option<bool>,
    /// One JSON object per line, for programs
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, help_heading = "Where and how it runs")]
    pub(crate) json: Option<bool>,
}

/// Who chose the API that actions come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ApiChoice {
    /// The command line: the person at this machine.
    Person(String),
    /// A file that may come with the repository: this machine's token is not sent there.
    Repository(String),
}

impl ApiChoice {
    /// The address, whoever chose it.
    pub(crate) fn url(&self) -> &str {
        match self {
            ApiChoice::Person(url) | ApiChoice::Repository(url) => url,
        }
    }
}

impl From<String> for ApiChoice {
    fn from(url: String) -> ApiChoice {
        ApiChoice::Person(url)
    }
}

/// `KEY` or `KEY=VALUE` of a secret; prints only its name.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SecretText(String);

impl SecretText {
    /// The name, and the value if one was given.
    pub(crate) fn parts(&self) -> (&str, Option<&str>) {
        match self.0.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (&self.0, None),
        }
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> SecretText {
        SecretText(text.to_owned())
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> SecretText {
        SecretText(text)
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.parts().0)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_secret_is_never_printed() {
        let arguments =
            Arguments::try_parse_from(["stepback", "run", "--secret", "TOKEN=hunter2", "--secret", "KEY"])
                .unwrap();
        let shown = format!("{arguments:?}");
        assert!(!shown.contains("hunter2") && shown.contains("TOKEN"), "{shown}");
        let Command::Run(run) = arguments.command else { panic!("run") };
        let parts: Vec<_> = run.options.secret.iter().map(SecretText::parts).collect();
        assert_eq!(parts, [("TOKEN", Some("hunter2")), ("KEY", None)]);
    }

    #[test]
    fn switches_can_be_switched_off_again() {
        let host = |text: &str| {
            let arguments = Arguments::try_parse_from(["stepback", "run", text, "ci.yml"]).unwrap();
            let Command::Run(run) = arguments.command else { panic!("run") };
            (run.options.host, run.file)
        };
        assert_eq!(host("--host"), (Some(true), Some(PathBuf::from("ci.yml"))));
        assert_eq!(host("--host=false"), (Some(false), Some(PathBuf::from("ci.yml"))));
    }
}

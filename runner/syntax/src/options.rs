//! What a reading allows and limits, and how it gets at other files.
//!
//! Defaults are those of the product; the tests against GitHub's reader switch things off.

use std::sync::Arc;

/// What the token of a workflow may do when nobody says so in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PermissionsPolicy {
    /// `contents` and `packages` may be read.
    LimitedRead,
    /// Everything may be written.
    Write,
}

/// How to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// YAML anchors and aliases.
    pub anchors: bool,
    /// `background`, `wait`, `wait-all`, `cancel` (steps.md 2.2).
    pub background_steps: bool,
    /// Whether `uses` of a job is followed to the called workflow.
    pub reusable_workflows: bool,
    /// The repository's setting, where called workflows are held to it; `None` checks only against
    /// permissions that a file states.
    pub permissions_policy: Option<PermissionsPolicy>,
    /// How many called workflows may call one another in a chain.
    pub max_reusable_depth: u32,
    /// Jobs of all files together; `None` is no limit.
    pub max_jobs: Option<u32>,
    /// Files of one reading.
    pub max_files: u32,
    /// What tokens of one reading may take, in GitHub's measure of bytes.
    pub max_result_size: usize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            anchors: true,
            background_steps: true,
            reusable_workflows: true,
            permissions_policy: None,
            // Ten levels of workflows, the first caller included.
            max_reusable_depth: 9,
            max_jobs: None,
            max_files: 51,
            max_result_size: 10 * 1024 * 1024,
        }
    }
}

/// Gives the text of called workflows; the crate itself touches no file.
pub trait FileProvider {
    /// The text of `./.github/workflows/x.yml` (in the caller's repository) or
    /// `owner/repo/path@ref`, or why there is none.
    ///
    /// # Errors
    /// A reason to show to people.
    fn read(&self, path: &str) -> Result<Arc<str>, String>;

    /// The commit at which `owner/repo/path@ref` was read, where that is known.
    fn commit(&self, _path: &str) -> Option<Arc<str>> {
        None
    }
}

/// No files at all: for reading with [`ReadOptions::reusable_workflows`] switched off.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl FileProvider for NoFiles {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        Err(format!("workflow was not found: {path}"))
    }
}

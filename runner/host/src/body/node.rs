//! Which Node.js runs the program of an action (steps.md 4.2).
//!
//! Knows versions, the folder with several of them, and PATH; not what the program does.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use engine::process::ProcessSpec;
use indexmap::IndexMap;

use super::BaseEnvironment;

/// Actions that want an older one get this one: older ones are not maintained any more.
const OLDEST: u32 = 20;
/// What takes its place where the variables say so.
const NEXT: u32 = 24;
/// Says that actions for node20 are to run with node24.
const FORCE: &str = "FORCE_JAVASCRIPT_ACTIONS_TO_NODE24";
/// Says that they are not.
const REFUSE: &str = "ACTIONS_ALLOW_USE_UNSECURE_NODE_VERSION";

/// What is known of the programs called `node`, and what was said about them.
#[derive(Default)]
pub(crate) struct Nodes {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    versions: IndexMap<PathBuf, Option<u32>>,
    /// Wanted and found: each pair is worth one warning in a job.
    told: BTreeSet<(u32, u32)>,
}

/// The version to run an action with, and a warning if the variables say two things at once.
pub(super) fn wanted(named: u32, spec: &ProcessSpec, base: &BaseEnvironment) -> (u32, Option<&'static str>) {
    let is_true = |name: &str| {
        let own = spec.environment.get(name).map(|value| OsStr::new(&**value));
        own.or_else(|| base.get(name)).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    };
    let version = named.max(OLDEST);
    match (version, is_true(FORCE), is_true(REFUSE)) {
        (OLDEST, true, false) => (NEXT, None),
        (OLDEST, true, true) => (
            OLDEST,
            Some(
                "FORCE_JAVASCRIPT_ACTIONS_TO_NODE24 and ACTIONS_ALLOW_USE_UNSECURE_NODE_VERSION are both true: neither is heeded.",
            ),
        ),
        _ => (version, None),
    }
}

/// `nodeNN/bin/node` below the folder that holds several versions, if it is there.
pub(super) fn own(externals: Option<&Path>, version: u32) -> Option<PathBuf> {
    let node = externals?.join(format!("node{version}/bin/node"));
    rustix::fs::access(&node, rustix::fs::Access::EXEC_OK).is_ok().then_some(node)
}

impl Nodes {
    /// What to say of running an action that wants `version` with `node`, the first time that this is so.
    pub(super) fn warning(&self, version: u32, node: &Path, path: &OsString) -> Option<String> {
        let mut known = self.lock();
        let found = *known.versions.entry(node.to_owned()).or_insert_with(|| version_of(node, path));
        let found = found.filter(|found| *found != version)?;
        known.told.insert((version, found)).then(|| {
            format!(
                "The action is made for Node.js {version} and runs with {found}, which is {}",
                node.display()
            )
        })
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The major version, asked of the program itself. `None` if it does not say.
fn version_of(node: &Path, path: &OsString) -> Option<u32> {
    // What stands in for node may be a script that needs PATH; nothing else of the job's is for it.
    let output = Command::new(node).arg("--version").env_clear().env("PATH", path).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

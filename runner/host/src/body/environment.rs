//! The environment of a step's process, layer over layer (steps.md 3.2).
//!
//! Knows names and values; not where they come from.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use engine::process::ProcessSpec;
use foldhash::fast::RandomState;
use indexmap::IndexMap;

use crate::proc::TRACKING_VARIABLE;
use crate::spawn::EnvironmentBlock;

/// The environment that every step's process starts from: that of the host, taken once.
#[derive(Clone, Default)]
pub struct BaseEnvironment {
    variables: IndexMap<OsString, OsString>,
}

impl BaseEnvironment {
    /// These variables.
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self { variables: variables.into_iter().collect() }
    }

    /// The environment of this process, as it is now.
    pub fn of_this_process() -> Self {
        Self::new(std::env::vars_os())
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }
}

impl std::fmt::Debug for BaseEnvironment {
    /// Values may be secrets: only their number is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BaseEnvironment({} variables)", self.variables.len())
    }
}

/// A step's environment and its PATH, by which its shell is looked up.
pub(super) struct StepEnvironment {
    pub(super) block: EnvironmentBlock,
    pub(super) path: OsString,
}

/// Builds the environment. `files` are names and paths of the command files, for what `runner_environment` does not name.
pub(super) fn build(
    base: &BaseEnvironment,
    spec: &ProcessSpec,
    tag: &str,
    files: &[(&str, OsString)],
) -> StepEnvironment {
    let room = base.variables.len() + spec.environment.len() + spec.runner_environment.len() + 16;
    let mut all: IndexMap<&OsStr, &OsStr, RandomState> =
        IndexMap::with_capacity_and_hasher(room, RandomState::default());
    all.extend(base.variables.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str())));
    all.extend(spec.environment.iter().map(|(name, value)| (OsStr::new(&**name), OsStr::new(&**value))));
    let path = with_prepends(all.get(OsStr::new("PATH")).copied().unwrap_or_default(), spec);
    if !path.is_empty() {
        all.insert(OsStr::new("PATH"), &path);
    }
    all.extend(files.iter().map(|(name, value)| (OsStr::new(*name), value.as_os_str())));
    all.extend(
        spec.runner_environment.iter().map(|(name, value)| (OsStr::new(&**name), OsStr::new(&**value))),
    );
    all.insert(OsStr::new("GITHUB_ACTIONS"), OsStr::new("true"));
    all.entry(OsStr::new("CI")).or_insert(OsStr::new("true"));
    all.insert(OsStr::new(TRACKING_VARIABLE), OsStr::new(tag));
    let bytes = all.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    let mut block = EnvironmentBlock::with_capacity(bytes);
    all.iter().for_each(|(name, value)| block.push(name, value));
    StepEnvironment { block, path }
}

/// Prepends go in front, the last added one first; what PATH begins with already is not said twice (steps.md 3.2).
fn with_prepends(path: &OsStr, spec: &ProcessSpec) -> OsString {
    let prepends = spec.path_prepends.join(":");
    if prepends.is_empty() || path.as_bytes().starts_with(prepends.as_bytes()) {
        return path.to_owned();
    }
    let mut all = OsString::from(prepends);
    if !path.is_empty() {
        all.push(":");
        all.push(path);
    }
    all
}

//! The environment of a step's process, layer over layer (steps.md 3.2).
//!
//! Knows names and values; not where they come from.

use std::ffi::{OsStr, OsString};
use std::hash::BuildHasher;
use std::os::unix::ffi::OsStrExt as _;

use engine::process::ProcessSpec;
use foldhash::fast::RandomState;
use indexmap::IndexMap;

use crate::proc::TRACKING_VARIABLE;
use crate::services::Access;
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

/// How a process of an action may use the cache: as on GitHub where nothing restricts it.
const CACHE_MODE: &str = "write";

/// Variables that name a proxy; their names in lower case do so as well.
const PROXIES: [&str; 3] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/// Builds the environment. `files` are names and paths of the command files, for what `runner_environment` does not name;
/// `access` is for the process of an action alone.
pub(super) fn build(
    base: &BaseEnvironment,
    spec: &ProcessSpec,
    tag: &str,
    files: &[(&str, OsString)],
    access: Option<&Access>,
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
    let no_proxy = access.map(|_| without_proxy(&all)).unwrap_or_default();
    all.extend(no_proxy.iter().map(|(name, value)| (OsStr::new(*name), value.as_os_str())));
    if let Some(access) = access {
        all.extend(of_services(access).map(|(name, value)| (OsStr::new(name), OsStr::new(value))));
    }
    if spec.action.is_some() {
        all.shift_remove(OsStr::new("NODE_ICU_DATA"));
    }
    all.insert(OsStr::new("GITHUB_ACTIONS"), OsStr::new("true"));
    all.entry(OsStr::new("CI")).or_insert(OsStr::new("true"));
    all.insert(OsStr::new(TRACKING_VARIABLE), OsStr::new(tag));
    let bytes = all.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    let mut block = EnvironmentBlock::with_capacity(bytes);
    all.iter().for_each(|(name, value)| block.push(name, value));
    StepEnvironment { block, path }
}

/// What the clients of caches and artifacts look for (service-protocol.md 5.4).
fn of_services(access: &Access) -> [(&'static str, &str); 6] {
    [
        ("ACTIONS_RUNTIME_URL", &access.url),
        ("ACTIONS_RUNTIME_TOKEN", &access.token),
        ("ACTIONS_CACHE_URL", &access.url),
        ("ACTIONS_RESULTS_URL", &access.url),
        ("ACTIONS_CACHE_MODE", CACHE_MODE),
        ("ACTIONS_CACHE_SERVICE_V2", "True"),
    ]
}

/// The storage client sends everything to the proxy that somebody set, also what is for this machine; only these variables
/// keep it from doing so.
fn without_proxy<S: BuildHasher>(all: &IndexMap<&OsStr, &OsStr, S>) -> Vec<(&'static str, OsString)> {
    let get = |name: &str| all.get(OsStr::new(name)).copied().filter(|value| !value.is_empty());
    if !PROXIES.iter().any(|name| get(name).is_some() || get(&name.to_lowercase()).is_some()) {
        return Vec::new();
    }
    let names = ["NO_PROXY", "no_proxy"];
    let both = names.map(|name| (name, get(name)));
    let lacking = |(name, value): (&'static str, Option<&OsStr>)| {
        let mut value = value?.to_owned();
        value.push(",127.0.0.1");
        Some((name, value))
    };
    let extended: Vec<_> = both.into_iter().filter_map(lacking).collect();
    if extended.is_empty() { vec![("NO_PROXY", "127.0.0.1".into())] } else { extended }
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

//! Where we keep things on this machine: recordings, history, fresh workspaces.
//!
//! Knows the XDG directories; makes no directory and keeps no file itself.

use std::env;
use std::path::PathBuf;

use crate::exit::Fault;

/// The two folders that are ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Paths {
    /// `$XDG_STATE_HOME/stepback`: what is to be kept (recordings, artifacts, the REPL's history).
    pub(crate) state: PathBuf,
    /// `$XDG_CACHE_HOME/stepback`: what can be made again (fresh workspaces, the tool cache, caches).
    pub(crate) cache: PathBuf,
}

impl Paths {
    /// From the environment, as the XDG base directory specification has it: a relative path counts as unset.
    ///
    /// # Errors
    /// Neither the variables nor `HOME` are set.
    pub(crate) fn from_environment() -> Result<Paths, Fault> {
        Paths::of(|name| env::var_os(name).map(PathBuf::from))
    }

    fn of(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Paths, Fault> {
        let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
        let below_home = |folder: &str| absolute("HOME").map(|home| home.join(folder));
        let missing = |name: &str| {
            Fault::new(format!("neither {name} nor HOME says where to keep things"))
                .hint(format!("set HOME, or {name}"))
        };
        let find = |name: &str, folder: &str| {
            absolute(name)
                .or_else(|| below_home(folder))
                .map(|path| path.join("stepback"))
                .ok_or_else(|| missing(name))
        };
        Ok(Paths { state: find("XDG_STATE_HOME", ".local/state")?, cache: find("XDG_CACHE_HOME", ".cache")? })
    }

    /// Actions of other repositories, laid out as GitHub's runner lays out its `_actions`.
    pub(crate) fn actions(&self) -> PathBuf {
        self.cache.join("_actions")
    }

    /// Versions of Node.js for actions, laid out as GitHub's runner lays out its `externals`. For a person to fill.
    pub(crate) fn externals(&self) -> PathBuf {
        self.cache.join("externals")
    }

    /// The caches that actions saved.
    pub(crate) fn caches(&self) -> PathBuf {
        self.cache.join("caches")
    }

    /// The artifacts of runs, a folder each.
    pub(crate) fn artifacts(&self) -> PathBuf {
        self.state.join("artifacts")
    }

    /// The REPL's history.
    pub(crate) fn history(&self) -> PathBuf {
        self.state.join("history")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], expected: Option<(&str, &str)>) {
        let found = Paths::of(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| PathBuf::from(value))
        });
        let expected = expected.map(|(state, cache)| Paths { state: state.into(), cache: cache.into() });
        assert_eq!(found.ok(), expected, "{variables:?}");
    }

    #[test]
    fn absolute_variables_win_over_home() {
        check(&[("HOME", "/h")], Some(("/h/.local/state/stepback", "/h/.cache/stepback")));
        check(&[("HOME", "/h"), ("XDG_STATE_HOME", "/s")], Some(("/s/stepback", "/h/.cache/stepback")));
        check(
            &[("HOME", "/h"), ("XDG_STATE_HOME", "relative")],
            Some(("/h/.local/state/stepback", "/h/.cache/stepback")),
        );
        check(&[("XDG_STATE_HOME", "/s")], None);
    }
}

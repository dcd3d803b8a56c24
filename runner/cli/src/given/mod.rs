//! What a run is given from outside: the contexts `github`, `runner`, `vars`, `inputs`, the secrets and the environment.
//!
//! Each comes from a module of its own. None of them evaluates an expression or starts a process.

pub(crate) mod actions;
pub(crate) mod dotenv;
pub(crate) mod environment;
pub(crate) mod event;
pub(crate) mod git;
pub(crate) mod github;
pub(crate) mod inputs;
pub(crate) mod matrix;
pub(crate) mod missing;
pub(crate) mod runner;
pub(crate) mod secrets;

//! JavaScript actions with the clients that actions really use: `@actions/core`, `cache`, `artifact` and `glob`.
//!
//! The actions are in `tests/actions-toolkit`.

mod artifacts;
mod caches;
mod core;
mod environment;
mod toolkit;

//! Keeps what commands and completion need to know up to date, by asking the session.
//!
//! Asks for names; values never stay here.

use std::sync::Arc;

use expr::{Object, Value};
use session::command::Known;
use session::handle::SessionHandle;
use session::request::{Reply, Request};

/// Contexts whose names are asked for once; they do not change while a job runs.
const FIXED: [&str; 7] = ["github", "vars", "runner", "strategy", "matrix", "needs", "inputs"];

/// What is known of the job.
#[derive(Default)]
pub(super) struct Knowledge {
    known: Known,
    has_fixed: bool,
}

impl Knowledge {
    /// What is known.
    pub(super) fn known(&self) -> &Known {
        &self.known
    }

    /// Asks for everything that may have changed. What is refused stays as it was.
    pub(super) async fn refresh(&mut self, handle: &SessionHandle) {
        if let Reply::Steps(steps) = handle.ask(Request::Steps).await {
            self.known.set_steps(&steps);
        }
        if let Reply::Timeline(lines) = handle.ask(Request::Timeline).await {
            self.known.set_moments(&lines);
        }
        if let Reply::Breakpoints(all) = handle.ask(Request::Breakpoints).await {
            self.known.breakpoints = all.iter().map(|breakpoint| breakpoint.id).collect();
        }
        if let Reply::Variables(variables) = handle.ask(Request::Env).await {
            let env: Object =
                variables.into_iter().map(|variable| (Arc::from(variable.name), Value::Null)).collect();
            self.known.set_context("env", &Value::from(env));
        }
        for name in ["steps", "job"] {
            self.context(handle, name).await;
        }
        if !self.has_fixed {
            self.has_fixed = true;
            for name in FIXED {
                self.context(handle, name).await;
            }
        }
    }

    async fn context(&mut self, handle: &SessionHandle, name: &str) {
        let Reply::Value(json) = handle.ask(Request::Print(format!("toJSON({name})"))).await else { return };
        if let Ok(value) = Value::from_json(&json) {
            self.known.set_context(name, &value);
        }
    }
}

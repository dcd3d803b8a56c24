//! Things that have a history: what `when` is asked about and what a data breakpoint watches.
//!
//! Knows how a person writes them and where a job keeps them; not which moments there are. Values may hold secrets.

use std::fmt;
use std::sync::Arc;

use engine::expr::Value;
use engine::job::Job;
use engine::syntax::filter::FilterPattern;

use crate::request::Refusal;

/// Something with a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// `env.NAME`: a variable of the job.
    Env(Arc<str>),
    /// `inputs.NAME`.
    Input(Arc<str>),
    /// `job.status`.
    JobStatus,
    /// `PATH`: what steps put in front of it.
    Path,
    /// `steps.ID.outputs.NAME`, `steps.ID.outcome`, `steps.ID.conclusion`: the id and what comes after it.
    Step(Arc<str>, Vec<Arc<str>>),
    /// `file:PATTERN`: files of the workspace, by a path or a pattern as in `on.push.paths`.
    Files(Arc<str>),
}

impl Key {
    /// Reads a key as a person writes it.
    ///
    /// # Errors
    /// It names nothing that has a history, or its pattern is wrong.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if let Some(pattern) = text.strip_prefix("file:") {
            return match FilterPattern::parse(pattern) {
                Ok(_) if !pattern.is_empty() => Ok(Key::Files(Arc::from(pattern))),
                Ok(_) => {
                    Err(Refusal::new("`file:` needs a path behind it").hint("for instance: file:src/main.rs"))
                }
                Err(error) => Err(Refusal::new(format!("`{pattern}`: {error}"))),
            };
        }
        let parts: Vec<&str> = text.split('.').collect();
        match parts.as_slice() {
            ["PATH"] => Ok(Key::Path),
            ["job", "status"] => Ok(Key::JobStatus),
            ["env", name] if !name.is_empty() => Ok(Key::Env(Arc::from(*name))),
            ["inputs", name] if !name.is_empty() => Ok(Key::Input(Arc::from(*name))),
            ["steps", id, rest @ ..] if !rest.is_empty() && !rest.contains(&"") => {
                Ok(Key::Step(Arc::from(*id), rest.iter().map(|part| Arc::from(*part)).collect()))
            }
            _ => Err(Refusal::new(format!("`{text}` has no history")).hint(
                "these have: env.NAME, steps.ID.outputs.NAME, steps.ID.outcome, inputs.NAME, job.status, PATH, file:PATH",
            )),
        }
    }

    /// The value in this state, as text; `None` where there is none. Files are not part of a state.
    pub(crate) fn value_in(&self, job: &Job) -> Option<String> {
        let value = match self {
            Key::Env(name) => job.env().get(name).cloned(),
            Key::Input(name) => job.inputs().get(name).cloned(),
            Key::JobStatus => Some(Value::string(job.status().as_str())),
            Key::Path => {
                let path: Vec<&str> = job.path().iter().rev().map(|folder| &**folder).collect();
                Some(Value::string(path.join(":")))
            }
            Key::Step(id, rest) => {
                let entry = job.steps().get(id).cloned();
                rest.iter().fold(entry, |value, key| value.as_ref()?.get(key).cloned())
            }
            Key::Files(_) => None,
        };
        value.filter(|value| !value.is_null()).map(|value| value.to_text().into_owned())
    }

    /// The pattern of files that it means.
    pub(crate) fn files(&self) -> Option<FilterPattern> {
        match self {
            Key::Files(pattern) => FilterPattern::parse(pattern).ok(),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Env(name) => write!(f, "env.{name}"),
            Key::Input(name) => write!(f, "inputs.{name}"),
            Key::JobStatus => f.write_str("job.status"),
            Key::Path => f.write_str("PATH"),
            Key::Step(id, rest) => write!(f, "steps.{id}.{}", rest.join(".")),
            Key::Files(pattern) => write!(f, "file:{pattern}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_as_they_are_read() {
        for text in [
            "env.A",
            "inputs.who",
            "job.status",
            "PATH",
            "steps.a.outputs.b",
            "steps.a.outcome",
            "file:src/**",
        ] {
            assert_eq!(Key::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_has_no_history_is_said() {
        for text in ["", "env", "env.", "steps.a", "steps.a.", "job", "github.sha", "file:", "file:[", "path"]
        {
            assert!(Key::parse(text).is_err(), "{text}");
        }
    }
}

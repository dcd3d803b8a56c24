//! Help texts, made from the table of commands.
//!
//! Plain text without colours; every line ends with a line break.

use super::error::CommandError;
use super::parse::find;
use super::table::{ENTRIES, Entry, Group};

/// The help for a command, or the list of all.
///
/// # Errors
/// There is no such command.
pub fn help(topic: Option<&str>) -> Result<String, CommandError> {
    match topic.map(str::trim).filter(|topic| !topic.is_empty()) {
        Some(topic) => find(topic).map(one),
        None => Ok(all()),
    }
}

fn one(entry: &Entry) -> String {
    let mut text = format!("{}\n  {}\n", signature(entry), entry.summary);
    if !entry.details.is_empty() {
        text.push_str(&format!("  {}\n", entry.details));
    }
    if !entry.aliases.is_empty() {
        text.push_str(&format!("  short: {}\n", entry.aliases.join(", ")));
    }
    text.push_str(&format!("  example: {}\n", entry.example));
    text
}

fn signature(entry: &Entry) -> String {
    format!("{} {}", entry.name, entry.usage).trim_end().to_owned()
}

fn all() -> String {
    let mut text = String::new();
    for group in Group::ALL {
        text.push_str(&format!("{}\n", group.heading()));
        for entry in ENTRIES.iter().filter(|entry| entry.group == group) {
            let short = entry.aliases.first().copied().unwrap_or_default();
            text.push_str(&format!("  {short:<4}{:<38}{}\n", signature(entry), entry.summary));
        }
    }
    text.push_str(
        "An expression that begins with a context is printed: env.VERSION, toJSON(github.event).\n",
    );
    text
}

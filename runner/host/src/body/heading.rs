//! What the log of a step begins with (steps.md 3.1).
//!
//! Knows the order and colours of the heading; masks it, starts nothing.

use std::path::Path;
use std::sync::Arc;

use engine::lines::LineTag;
use engine::mask::Masks;
use engine::process::ProcessSpec;

use crate::log::LogBatch;

/// Title, script, shell and `env:` as a folded group; or the title alone; or nothing.
pub(super) fn write(spec: &ProcessSpec, shell: Option<&Path>, masks: &Masks, batch: &mut LogBatch) {
    let Some(heading) = &spec.heading else { return };
    let mut line = |tag: LineTag, text: &str| {
        for (index, text) in masks.mask_text(text).split('\n').enumerate() {
            batch.push(if index == 0 { tag } else { LineTag::Plain }, text.as_bytes());
        }
    };
    if !heading.folds {
        return line(LineTag::Plain, &heading.title);
    }
    line(LineTag::Group, &heading.title);
    let mut buffer = String::new();
    // Masked as a whole first: a secret may go over several lines.
    for text in masks.mask_text(&spec.script.text).lines() {
        line(LineTag::Plain, joined(&mut buffer, &["\u{1b}[36;1m", text, "\u{1b}[0m"]));
    }
    list(&mut line, "with:", &heading.with, &mut buffer);
    if spec.script.content.is_some() {
        line(LineTag::Plain, &shell_line(spec, shell));
    }
    list(&mut line, "env:", &heading.env, &mut buffer);
    line(LineTag::EndGroup, "");
}

fn list(
    line: &mut impl FnMut(LineTag, &str),
    title: &str,
    pairs: &[(Arc<str>, Arc<str>)],
    buffer: &mut String,
) {
    if !pairs.is_empty() {
        line(LineTag::Plain, title);
    }
    for (name, value) in pairs {
        line(LineTag::Plain, joined(buffer, &["  ", name, ": ", value]));
    }
}

fn joined<'b>(buffer: &'b mut String, parts: &[&str]) -> &'b str {
    buffer.clear();
    parts.iter().for_each(|part| buffer.push_str(part));
    buffer
}

fn shell_line(spec: &ProcessSpec, shell: Option<&Path>) -> String {
    let name = || spec.shell.candidates.first().map(String::as_str).unwrap_or_default().into();
    let shell = shell.map_or_else(name, Path::to_string_lossy);
    format!("shell: {shell} {}", spec.shell.arguments)
}

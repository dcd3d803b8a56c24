//! From a line of text to a request.
//!
//! Knows the commands and what is known of the job; whether the request can be carried out is the session's to say.

use std::path::Path;

use engine::event::LaneChoice;
use engine::expr::Expression;
use engine::expr::Scope;
use engine::step_path::LaneId;

use super::error::CommandError;
use super::help::help;
use super::known::Known;
use super::nearest::did_you_mean;
use super::table::{Argument, ENTRIES, Entry, beginning, exactly};
use crate::breakpoint::{ActionFile, BreakpointId, BreakpointSpec, Location};
use crate::exception::ExceptionFilter;
use crate::key::Key;
use crate::moment::MomentId;
use crate::picture::CONTEXTS;
use crate::request::{Request, Target};

/// What a line means.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// To be asked of the session.
    Ask(Request),
    /// A text to be shown.
    Help(String),
    /// An empty line, or a comment.
    Nothing,
}

/// Reads one line.
///
/// # Errors
/// No command is called so, or its argument does not fit; with a hint.
pub fn parse(line: &str, known: &Known) -> Result<Command, CommandError> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(Command::Nothing);
    }
    if let Some(command) = line.strip_prefix('!') {
        return shell("!", command).map(|command| Command::Ask(Request::Shell { command }));
    }
    let (word, rest) = match line.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim()),
        None => (line, ""),
    };
    if word.starts_with('?') && word != "?" {
        return help(word.get(1..)).map(Command::Help);
    }
    match find(word) {
        Ok(entry) => meaning(entry, rest, known),
        Err(error) => bare_expression(line).unwrap_or(Err(error)),
    }
}

/// The command that a word names: in full, by a short form, or cut short.
pub(super) fn find(word: &str) -> Result<&'static Entry, CommandError> {
    if let Some(entry) = exactly(word) {
        return Ok(entry);
    }
    let begun: Vec<&str> = beginning(word).map(|entry| entry.name).collect();
    match begun.as_slice() {
        [only] => exactly(only).ok_or_else(|| unknown(word)),
        [] => Err(unknown(word)),
        several => Err(CommandError::new(format!("`{word}` is not the beginning of one command"))
            .hint(format!("{}?", several.join(", ")))),
    }
}

fn unknown(word: &str) -> CommandError {
    let names = ENTRIES.iter().map(|entry| entry.name);
    let error = CommandError::new(format!("there is no command `{word}`"));
    match did_you_mean(word, names) {
        Some(name) => error.hint(format!("did you mean `{name}`?")),
        None => {
            error.hint("`help` lists the commands, `print` evaluates an expression, `!` runs a shell command")
        }
    }
}

/// A line that is an expression; `None` if it does not look like one.
fn bare_expression(line: &str) -> Option<Result<Command, CommandError>> {
    let line = inside_braces(line);
    let length =
        line.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')).count();
    let (name, rest) = (line.get(..length)?, line.get(length..)?);
    // With these an expression may begin that is typed without `print`.
    let is_context = CONTEXTS.iter().any(|context| context.eq_ignore_ascii_case(name));
    let fits = (is_context && (rest.is_empty() || rest.starts_with(['.', '[', ' ', '=', '!'])))
        || rest.starts_with('(') && length > 0;
    if !fits {
        return None;
    }
    if is_context && let Some((name, value)) = assignment(line) {
        return Some(Err(
            CommandError::new("an expression cannot assign").hint(format!("set {name}={value}"))
        ));
    }
    Some(expression(line).map(|text| Command::Ask(Request::Print(text))))
}

fn assignment(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let plain = name.trim_end().chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    (plain && !value.starts_with('=')).then(|| (name.trim_end(), value.trim()))
}

fn inside_braces(text: &str) -> &str {
    let trimmed = text.trim();
    trimmed.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}")).map_or(trimmed, str::trim)
}

/// An expression, with or without `${{ }}` around it. Its grammar is checked at once, so that a slip is shown where it was
/// made.
///
/// # Errors
/// There is none, or it is wrong.
pub fn expression(text: &str) -> Result<String, CommandError> {
    let text = inside_braces(text);
    match Expression::parse(text, &Scope::any()) {
        Ok(Some(_)) => Ok(text.to_owned()),
        Ok(None) => Err(CommandError::new("an expression is missing")),
        Err(error) => Err(CommandError::new(error.text)),
    }
}

fn meaning(entry: &Entry, rest: &str, known: &Known) -> Result<Command, CommandError> {
    if entry.argument == Argument::None && !rest.is_empty() {
        return Err(CommandError::new(format!("`{}` takes nothing behind it", entry.name)));
    }
    if entry.name == "help" {
        return help(Some(rest)).map(Command::Help);
    }
    request(entry, rest, known).map(Command::Ask)
}

fn request(entry: &Entry, rest: &str, known: &Known) -> Result<Request, CommandError> {
    let step = |text: &str| match text {
        "" => Ok(None),
        text => known.step(text).map(|step| Some(step.path.clone())),
    };
    Ok(match entry.name {
        "next" => Request::Next,
        "step" => Request::StepIn,
        "finish" => Request::StepOut,
        "continue" => Request::Continue,
        "goto" => Request::Goto(target(entry, rest, known)?),
        "rerun" => Request::Rerun,
        "back" => Request::Back { steps: count(rest)? },
        "reverse-continue" => Request::ReverseContinue,
        "return" => Request::Return,
        "view" => Request::View(if matches!(rest, "" | "off") { None } else { Some(moment(rest)?) }),
        "timeline" => Request::Timeline,
        "when" => Request::When(key(entry, rest)?),
        "steps" => Request::Steps,
        "list" => Request::Source(step(rest)?),
        "log" => Request::Log(step(rest)?),
        "print" => Request::Print(expression(needed(entry, rest)?)?),
        "env" => Request::Env,
        "outputs" => Request::Outputs,
        "why" => Request::Why,
        "diff" => diff(rest)?,
        "status" => Request::Status,
        "set" => set(entry, rest)?,
        "unset" => Request::Set { name: variable(needed(entry, rest)?)?, value: None },
        "shell" => Request::Shell { command: shell(entry.name, rest)? },
        "try" => Request::Try { command: shell(entry.name, rest)? },
        "sync" => Request::Sync,
        "keep" => Request::Keep,
        "break" => Request::Break(breakpoint(rest, known)?),
        "breakpoints" => Request::Breakpoints,
        "delete" => delete(rest)?,
        "watch" => watch(entry, rest)?,
        "catch" => catch(entry, rest)?,
        "lanes" => Request::Lanes(lanes(entry, rest)?),
        "pause" => Request::Pause,
        "cancel" => {
            step(rest)?.map_or(Request::Cancel, |step| Request::CancelLane(LaneId::of_background(&step)))
        }
        "confirm" => Request::Confirm(yes_or_no(entry, rest)?),
        "quit" => Request::Quit,
        other => return Err(unknown(other)),
    })
}

fn usage(entry: &Entry) -> String {
    format!("usage: {} {}   for instance: {}", entry.name, entry.usage, entry.example)
}

fn needed<'a>(entry: &Entry, rest: &'a str) -> Result<&'a str, CommandError> {
    if rest.is_empty() {
        return Err(
            CommandError::new(format!("`{}` needs something behind it", entry.name)).hint(usage(entry))
        );
    }
    Ok(rest)
}

fn shell(name: &str, command: &str) -> Result<String, CommandError> {
    let command = command.trim();
    if command.is_empty() {
        return Err(CommandError::new(format!("`{name}` needs a command line behind it"))
            .hint(format!("for instance: {name} ls -l")));
    }
    Ok(command.to_owned())
}

fn count(text: &str) -> Result<u32, CommandError> {
    match text {
        "" => Ok(1),
        text => text.parse().ok().filter(|count| *count > 0).ok_or_else(|| {
            CommandError::new(format!("`{text}` is not a count of steps"))
                .hint(format!("`goto {text}` goes to a step by its number, id or name"))
        }),
    }
}

/// `m12`
fn moment(text: &str) -> Result<MomentId, CommandError> {
    let number = text.strip_prefix(['m', 'M']).and_then(|number| number.parse().ok());
    number.map(MomentId).ok_or_else(|| {
        CommandError::new(format!("`{text}` is not a moment"))
            .hint("moments are called m0, m1, …: `timeline` lists them")
    })
}

fn target(entry: &Entry, text: &str, known: &Known) -> Result<Target, CommandError> {
    let text = needed(entry, text)?;
    match (moment(text), known.step(text)) {
        (Ok(moment), _) => Ok(Target::Moment(moment)),
        (Err(_), Ok(step)) => Ok(Target::Step(step.path.clone())),
        (Err(_), Err(error)) => Err(error),
    }
}

fn diff(text: &str) -> Result<Request, CommandError> {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let all = words.pop_if(|word| word.eq_ignore_ascii_case("all")).is_some();
    let between = match words.as_slice() {
        [] => None,
        [from, to] => Some((moment(from)?, moment(to)?)),
        _ => {
            return Err(
                CommandError::new("`diff` takes two moments, or nothing").hint("for instance: diff m2 m5")
            );
        }
    };
    Ok(Request::Diff { between, all })
}

fn key(entry: &Entry, text: &str) -> Result<String, CommandError> {
    let text = needed(entry, text)?;
    match Key::parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(CommandError::new(format!("cannot tell when `{text}` changed")).hint(usage(entry))),
    }
}

fn watch(entry: &Entry, text: &str) -> Result<Request, CommandError> {
    let text = needed(entry, text)?;
    let (key, condition) = match text.split_once(" if ") {
        Some((key, condition)) => (key.trim(), Some(expression(condition)?)),
        None => (text, None),
    };
    let key = Key::parse(key)
        .map_err(|_| CommandError::new(format!("`{key}` cannot be watched")).hint(usage(entry)))?;
    Ok(Request::Break(BreakpointSpec { condition, ..BreakpointSpec::at(Location::Change(key)) }))
}

/// `off` alone is about failures that count.
fn catch(entry: &Entry, text: &str) -> Result<Request, CommandError> {
    let (name, on) = text.rsplit_once(char::is_whitespace).unwrap_or(("failed", text));
    let filter = ExceptionFilter::named(name.trim()).ok_or_else(|| {
        let names = ExceptionFilter::ALL.map(ExceptionFilter::name).join(", ");
        CommandError::new(format!("there is no filter `{}`", name.trim())).hint(format!("one of {names}"))
    })?;
    Ok(Request::Catch(filter, switch(entry, on)?))
}

fn lanes(entry: &Entry, text: &str) -> Result<LaneChoice, CommandError> {
    match needed(entry, text)? {
        "restart" => Ok(LaneChoice::Restart),
        "leave-out" => Ok(LaneChoice::LeaveOut),
        other => {
            Err(CommandError::new(format!("`{other}` is neither restart nor leave-out")).hint(usage(entry)))
        }
    }
}

fn set(entry: &Entry, text: &str) -> Result<Request, CommandError> {
    let text = needed(entry, text)?;
    let Some((name, value)) = text.split_once('=') else {
        return Err(CommandError::new("`set` needs NAME=VALUE").hint(if text.starts_with("env.") {
            format!("unset {text}")
        } else {
            usage(entry)
        }));
    };
    let value = value.trim();
    let quoted = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    let value = quoted('"').or_else(|| quoted('\'')).unwrap_or(value).to_owned();
    Ok(Request::Set { name: settable(name.trim())?, value: Some(value) })
}

/// The names that can be set, in the spelling in which they were typed.
fn settable(name: &str) -> Result<String, CommandError> {
    let parts: Vec<&str> = name.split('.').collect();
    let fits = matches!(
        parts.as_slice(),
        ["env" | "inputs", _, ..]
            | ["job", "status"]
            | ["steps", _, "outcome"]
            | ["steps", _, "outputs", _, ..]
    );
    if fits && !parts.contains(&"") {
        return Ok(name.to_owned());
    }
    let error = CommandError::new(format!("`{name}` cannot be set"));
    match parts.as_slice() {
        [plain] if !plain.is_empty() => Err(error.hint(format!("set env.{plain}=…"))),
        _ => {
            Err(error
                .hint("env.NAME, steps.ID.outputs.NAME, steps.ID.outcome, inputs.NAME and job.status can"))
        }
    }
}

fn variable(name: &str) -> Result<String, CommandError> {
    match name.strip_prefix("env.") {
        Some(rest) if !rest.is_empty() && !rest.contains(char::is_whitespace) => Ok(name.to_owned()),
        _ => Err(CommandError::new(format!("`{name}` cannot be removed"))
            .hint("only variables can: unset env.NAME")),
    }
}

fn breakpoint(text: &str, known: &Known) -> Result<BreakpointSpec, CommandError> {
    let (place, condition) = match text.split_once(" if ") {
        Some((place, condition)) => (place.trim(), Some(expression(condition)?)),
        None => match text.strip_prefix("if ") {
            Some(condition) => ("", Some(expression(condition)?)),
            None => (text, None),
        },
    };
    Ok(BreakpointSpec { condition, ..BreakpointSpec::at(location(place, known)?) })
}

fn location(place: &str, known: &Known) -> Result<Location, CommandError> {
    if place.is_empty() {
        let current = known.steps.iter().find(|step| step.current);
        let current = current
            .ok_or_else(|| CommandError::new("there is no current step").hint("for instance: break 3"))?;
        return Ok(Location::Step(current.number.to_string()));
    }
    let line = place.rsplit_once(':').and_then(|(_, line)| line.trim().parse().ok()).filter(|line| *line > 0);
    match (line, known.step(place)) {
        (_, Ok(step)) => Ok(Location::Step(step.number.to_string())),
        (Some(line), Err(_)) => Ok(match action_file(place) {
            Some(file) => Location::ActionLine(file, line),
            None => Location::Line(line),
        }),
        (None, Err(error)) => Err(error),
    }
}

/// The file of an action before a line's number. One that is absolute may be reached by links.
fn action_file(place: &str) -> Option<ActionFile> {
    let (file, _) = place.rsplit_once(':')?;
    let path = Path::new(file.trim());
    let real = path.is_absolute().then(|| std::fs::canonicalize(path).ok()).flatten();
    ActionFile::new(path, real)
}

fn delete(text: &str) -> Result<Request, CommandError> {
    if text.is_empty() {
        return Ok(Request::SetBreakpoints { kind: None, specs: Vec::new() });
    }
    let number = text.parse().map_err(|_| {
        CommandError::new(format!("`{text}` is not a breakpoint's number")).hint("`breakpoints` lists them")
    })?;
    Ok(Request::DeleteBreakpoint(BreakpointId(number)))
}

fn switch(entry: &Entry, text: &str) -> Result<bool, CommandError> {
    match needed(entry, text)? {
        "on" => Ok(true),
        "off" => Ok(false),
        other => Err(CommandError::new(format!("`{other}` is neither on nor off")).hint(usage(entry))),
    }
}

fn yes_or_no(entry: &Entry, text: &str) -> Result<bool, CommandError> {
    match text {
        "" | "yes" | "y" => Ok(true),
        "no" | "n" => Ok(false),
        other => Err(CommandError::new(format!("`{other}` is neither yes nor no")).hint(usage(entry))),
    }
}

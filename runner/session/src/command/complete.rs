//! What could be typed next: candidates for completion, and a hint behind the cursor.
//!
//! A pure function of the line, the cursor and what is known of the job.

use super::known::Known;
use super::parse::find;
use super::table::{Argument, ENTRIES, Entry, beginning};
use crate::picture::CONTEXTS;

/// Functions of the expression language.
const FUNCTIONS: [&str; 12] = [
    "always(",
    "cancelled(",
    "contains(",
    "endsWith(",
    "failure(",
    "format(",
    "fromJSON(",
    "hashFiles(",
    "join(",
    "startsWith(",
    "success(",
    "toJSON(",
];

/// What may take the place of the text from `start` to the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// The byte of the line at which the replaced word begins.
    pub start: usize,
    /// Candidates, in an order that helps.
    pub candidates: Vec<Candidate>,
}

/// One candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Takes the place of the word.
    pub text: String,
    /// What it is, in a few words; may be empty.
    pub note: String,
}

impl Candidate {
    fn new(text: impl Into<String>, note: impl Into<String>) -> Self {
        Self { text: text.into(), note: note.into() }
    }
}

/// Candidates for the word that ends at `cursor` (a byte of `line`).
pub fn complete(line: &str, cursor: usize, known: &Known) -> Completion {
    let typed = line.get(..cursor).unwrap_or(line);
    let indent = typed.len() - typed.trim_start().len();
    let body = typed.get(indent..).unwrap_or_default();
    if body.starts_with('!') {
        return Completion { start: cursor, candidates: Vec::new() };
    }
    let Some((word, rest)) = body.split_once(char::is_whitespace) else {
        return first_word(body, indent, known);
    };
    let rest_at = typed.len() - rest.len();
    match find(word) {
        Ok(entry) => argument(entry, rest, rest_at, known),
        Err(_) => expression(body, indent, known),
    }
}

/// Commands; and expressions, which need no command.
fn first_word(word: &str, start: usize, known: &Known) -> Completion {
    let commands: Vec<Candidate> =
        beginning(word).map(|entry| Candidate::new(entry.name, entry.summary)).collect();
    let mut found = expression(word, start, known);
    if word.contains(['.', '[', '(']) {
        return found;
    }
    found.candidates.retain(|candidate| {
        !word.is_empty() && !commands.iter().any(|command| command.text == candidate.text)
    });
    found.candidates.splice(0..0, commands);
    Completion { start, candidates: found.candidates }
}

fn argument(entry: &Entry, rest: &str, at: usize, known: &Known) -> Completion {
    let blanks = rest.len() - rest.trim_start().len();
    let (word, start) = (rest.trim_start(), at + blanks);
    let last_start = rest.rfind(char::is_whitespace).map_or(0, |blank| blank + 1);
    let last = rest.get(last_start..).unwrap_or_default();
    let matching = |candidates: Vec<Candidate>| Completion {
        start,
        candidates: candidates.into_iter().filter(|one| begins(&one.text, word)).collect(),
    };
    match entry.argument {
        Argument::None | Argument::Count | Argument::Shell => Completion { start, candidates: Vec::new() },
        Argument::Step => matching(steps(known)),
        Argument::StepOrMoment => matching(steps(known).into_iter().chain(moments(known)).collect()),
        Argument::Moment => matching(moments(known)),
        Argument::TwoMoments => {
            let candidates = moments(known).into_iter().filter(|one| begins(&one.text, last)).collect();
            Completion { start: at + last_start, candidates }
        }
        Argument::BreakpointId => {
            matching(known.breakpoints.iter().map(|id| Candidate::new(id.to_string(), "")).collect())
        }
        Argument::Lanes => matching(vec![Candidate::new("restart", ""), Candidate::new("leave-out", "")]),
        Argument::Switch => matching(vec![Candidate::new("on", ""), Candidate::new("off", "")]),
        Argument::YesNo => matching(vec![Candidate::new("yes", ""), Candidate::new("no", "")]),
        Argument::Command => {
            matching(ENTRIES.iter().map(|entry| Candidate::new(entry.name, entry.summary)).collect())
        }
        Argument::Breakpoint => match rest.split_once(" if ") {
            Some((place, condition)) => expression(condition, at + place.len() + " if ".len(), known),
            None => matching(steps(known)),
        },
        Argument::Expression => expression(rest, at, known),
        Argument::Assignment | Argument::Variable if word.contains('=') => {
            Completion { start, candidates: Vec::new() }
        }
        Argument::Assignment => {
            let mut found = path(word, start, known);
            found.candidates.retain(|candidate| {
                ["env", "steps", "inputs", "job"].iter().any(|context| candidate.text.starts_with(context))
            });
            found
        }
        Argument::Variable => {
            matching(known.keys("env").iter().map(|name| Candidate::new(format!("env.{name}"), "")).collect())
        }
        Argument::Key => {
            let mut found = path(word, start, known);
            found.candidates.retain(|candidate| {
                ["env", "steps", "inputs", "job"].iter().any(|context| candidate.text.starts_with(context))
            });
            if begins("file:", word) {
                found.candidates.push(Candidate::new("file:", "a file of the workspace"));
            }
            found
        }
    }
}

/// Ids first: they are short and do not change.
fn steps(known: &Known) -> Vec<Candidate> {
    known
        .steps
        .iter()
        .map(|step| match &step.id {
            Some(id) => Candidate::new(&**id, step.label()),
            None => Candidate::new(step.number.to_string(), &*step.name),
        })
        .collect()
}

fn moments(known: &Known) -> Vec<Candidate> {
    known.moments.iter().rev().map(|moment| Candidate::new(moment.to_string(), "")).collect()
}

fn begins(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// The last word of an expression: a context, a key, a function.
fn expression(text: &str, at: usize, known: &Known) -> Completion {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let start =
        text.char_indices().rev().find(|(_, c)| !fits(*c)).map_or(0, |(index, c)| index + c.len_utf8());
    let word = text.get(start..).unwrap_or_default();
    if text.get(..start).unwrap_or_default().matches('\'').count() % 2 == 1 {
        return Completion { start: at + start, candidates: Vec::new() };
    }
    let mut found = path(word, at + start, known);
    if !word.is_empty() && !word.contains('.') {
        found.candidates.extend(
            FUNCTIONS.iter().filter(|name| begins(name, word)).map(|name| Candidate::new(*name, "function")),
        );
    }
    found
}

/// A dotted path into the contexts.
fn path(word: &str, start: usize, known: &Known) -> Completion {
    let candidates = match word.rsplit_once('.') {
        Some((object, key)) => {
            let keys = known.keys(object).iter().filter(|name| begins(name, key));
            keys.map(|name| Candidate::new(format!("{object}.{name}"), "")).collect()
        }
        None => CONTEXTS
            .iter()
            .filter(|name| begins(name, word))
            .map(|name| Candidate::new(*name, "context"))
            .collect(),
    };
    Completion { start, candidates }
}

/// What to show dimly behind the cursor: the rest of the only command that begins so, or what a command takes.
pub fn hint(line: &str, known: &Known) -> Option<String> {
    let body = line.trim_start();
    if body.is_empty() || body.starts_with(['!', '#', '?']) {
        return None;
    }
    match body.split_once(char::is_whitespace) {
        None => {
            if let Some(entry) =
                ENTRIES.iter().find(|entry| entry.name == body || entry.aliases.contains(&body))
            {
                return (!entry.usage.is_empty()).then(|| format!(" {}", entry.usage));
            }
            let mut begun = beginning(body);
            let (first, second) = (begun.next(), begun.next());
            match (first, second) {
                (Some(entry), None) => entry.name.get(body.len()..).map(str::to_owned),
                _ => rest_of_only(body, line, known),
            }
        }
        Some((word, "")) => {
            find(word).ok().filter(|entry| !entry.usage.is_empty()).map(|entry| entry.usage.to_owned())
        }
        Some(_) => rest_of_only(body, line, known),
    }
}

fn rest_of_only(body: &str, line: &str, known: &Known) -> Option<String> {
    let completion = complete(line, line.len(), known);
    let [only] = completion.candidates.as_slice() else { return None };
    let typed = line.get(completion.start..)?;
    (!typed.is_empty() && !body.is_empty()).then(|| only.text.get(typed.len()..).map(str::to_owned))?
}

//! Texts without secrets, and the way back. Hiding puts `{secret NAME encoding}` where a secret or an encoding of one
//! stands; filling puts the values back, or leaves the placeholders and remembers what was missing.
//!
//! It knows names and values; not where a text belongs.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::sync::Arc;

use engine::mask::{FillError, Masks};
use engine::secrets::Secrets;
use indexmap::{IndexMap, IndexSet};
use serde::{Deserialize, Serialize};

/// What every placeholder begins with.
const OPEN: &str = "{secret ";
/// Name of what only a mask regex matched.
const PATTERN: &str = "?";

/// A text in which no secret is, as far as it was known when this was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// Takes secrets out of texts.
#[derive(Debug, Clone, Copy)]
pub(in crate::recording) struct Hiding<'m> {
    masks: &'m Masks,
}

impl<'m> Hiding<'m> {
    /// Hides what is masked.
    pub(in crate::recording) fn new(masks: &'m Masks) -> Self {
        Self { masks }
    }

    /// The text with placeholders. Nothing is copied unless there is something to hide.
    pub(super) fn text<'a>(&self, text: &'a str) -> Text<'a> {
        // The first test is much cheaper than the second, and nearly always enough.
        let ambiguous = text.as_bytes().contains(&b'{') && text.contains(OPEN);
        if ambiguous || self.masks.contains_secret(text.as_bytes()) {
            Text(Cow::Owned(self.masks.placeholders(text)))
        } else {
            Text(Cow::Borrowed(text))
        }
    }

    /// The bytes of a text that is no UTF-8, for which there are no placeholders: `***` for each secret.
    pub(super) fn bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        self.masks.mask(bytes)
    }

    /// Whether [`Hiding::text`] would put a placeholder in.
    pub(super) fn hides(&self, text: &str) -> bool {
        self.masks.contains_secret(text.as_bytes())
    }

    pub(super) fn generation(&self) -> u64 {
        self.masks.generation()
    }
}

/// By what a secret is recognised when a recording is opened: sixteen bits of a hash over its name and value. They tell a
/// wrong value in all but one of 65,536 cases, and tell whoever has only the recording no more than sixteen bits of the
/// value, however many recordings there are: the hash is the same in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SecretCheck(u16);

impl SecretCheck {
    /// The check of a secret.
    pub(super) fn of(name: &str, value: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("stepback recording 2026: check of a named secret");
        hasher.update(name.to_ascii_uppercase().as_bytes()).update(&[0]).update(value.as_bytes());
        let [low, high, ..] = *hasher.finalize().as_bytes();
        Self(u16::from_le_bytes([low, high]))
    }
}

/// What a recording needs to be read exactly, and was not given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecretsNeeded {
    /// Secrets that were not supplied.
    pub missing: IndexSet<String>,
    /// Secrets that had another value when this was recorded.
    pub different: IndexSet<String>,
    /// Values masked during the run, by `#N`, which are sealed under the key of another machine or user.
    pub sealed: IndexSet<String>,
    /// Text that only a mask pattern matched was left out for good.
    pub patterns: bool,
}

impl SecretsNeeded {
    /// Whether nothing is needed.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.different.is_empty() && self.sealed.is_empty() && !self.patterns
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> &'static str {
        if !self.missing.is_empty() || !self.different.is_empty() {
            "to run on in it, give these secrets the values of that time: `--secret NAME=…`, in an editor a `secretFile`"
        } else if !self.sealed.is_empty() {
            "it was recorded on another machine or by another person, and can be run on in there"
        } else {
            "what was masked then is gone for good"
        }
    }
}

impl std::fmt::Display for SecretsNeeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |names: &IndexSet<String>| names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let mut parts = Vec::new();
        if !self.missing.is_empty() {
            parts.push(format!("missing: {}", list(&self.missing)));
        }
        if !self.different.is_empty() {
            parts.push(format!("other values than when it was recorded: {}", list(&self.different)));
        }
        if !self.sealed.is_empty() {
            parts.push(format!(
                "{} values masked during the run, sealed under another key",
                self.sealed.len()
            ));
        }
        if self.patterns {
            parts.push("text that was masked by a pattern".to_owned());
        }
        f.write_str(&parts.join("; "))
    }
}

impl std::error::Error for SecretsNeeded {}

/// Puts secrets back into texts. A text for which something is missing keeps its placeholders.
#[derive(Default)]
pub(in crate::recording) struct Filling<'s> {
    secrets: Option<&'s Secrets>,
    checks: IndexMap<String, SecretCheck>,
    unnamed: IndexMap<String, Vec<u8>>,
    needed: RefCell<SecretsNeeded>,
}

// Holds values.
impl std::fmt::Debug for Filling<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filling").field("needed", &self.needed).finish_non_exhaustive()
    }
}

impl<'s> Filling<'s> {
    /// Fills in from these secrets.
    pub(in crate::recording) fn new(secrets: &'s Secrets) -> Self {
        Self { secrets: Some(secrets), ..Self::default() }
    }

    /// Leaves every placeholder in its place: for looking only.
    pub(in crate::recording) fn nothing() -> Self {
        Self::default()
    }

    /// What the secrets of the recording are recognised by.
    pub(super) fn check(&mut self, name: &str, check: SecretCheck) {
        self.checks.insert(name.to_owned(), check);
    }

    /// The value behind `#N` from here on; a later one takes the place of an earlier one.
    pub(in crate::recording) fn unnamed(&mut self, number: usize, value: Vec<u8>) {
        self.unnamed.insert(format!("#{number}"), value);
    }

    /// What was missing so far.
    pub(in crate::recording) fn needed(&self) -> SecretsNeeded {
        self.needed.borrow().clone()
    }

    /// The text with its secrets, or as it was written.
    pub(super) fn text(&self, text: &Text<'_>) -> Arc<str> {
        match self.filled(&text.0) {
            Some(filled) => filled.into(),
            None => text.0.as_ref().into(),
        }
    }

    /// [`Filling::text`] in a `String`.
    pub(super) fn string(&self, text: Text<'_>) -> String {
        self.filled(&text.0).unwrap_or_else(|| text.0.into_owned())
    }

    /// The filled text; `None` if there is nothing to fill in, or something is missing for it.
    pub(super) fn filled(&self, text: &str) -> Option<String> {
        if !text.as_bytes().contains(&b'{') || !text.contains(OPEN) {
            return None;
        }
        let unknown = Cell::new(false);
        // An unknown name gets an empty value, so that the names behind it are heard of too.
        let filled = Masks::fill(text, |name| {
            let value = self.value(name);
            unknown.set(unknown.get() || value.is_none());
            Some(value.unwrap_or_default())
        });
        let mut needed = self.needed.borrow_mut();
        match filled {
            Ok(filled) if !unknown.get() => return Some(filled),
            Err(FillError::Different(name)) if !unknown.get() => {
                needed.different.insert(name);
            }
            Err(FillError::Unrecoverable) => needed.patterns = true,
            _ => {}
        }
        None
    }

    fn value(&self, name: &str) -> Option<&[u8]> {
        let mut needed = self.needed.borrow_mut();
        if name.starts_with('#') {
            let value = self.unnamed.get(name).map(Vec::as_slice);
            if value.is_none() {
                needed.sealed.insert(name.to_owned());
            }
            return value;
        }
        let Some(value) = self.secrets.and_then(|secrets| secrets.value(name)) else {
            needed.missing.insert(name.to_owned());
            return None;
        };
        let expected = self.checks.get(name);
        if expected.is_some_and(|expected| *expected != SecretCheck::of(name, value)) {
            needed.different.insert(name.to_owned());
            return None;
        }
        Some(value.as_bytes())
    }

    /// A file's text in which what is missing becomes a word, `secret_NAME`: placeholders would change what the file says
    /// to its parser.
    pub(super) fn file(&self, text: &Text<'_>) -> Arc<str> {
        if let Some(filled) = self.filled(&text.0) {
            return filled.into();
        }
        let mut out = String::with_capacity(text.0.len());
        let mut rest = text.0.as_ref();
        while let Some((plain, after)) = rest.split_once(OPEN) {
            out.push_str(plain);
            let (body, after) = after.split_once('}').unwrap_or((after, ""));
            let name = body.split(' ').next().unwrap_or_default();
            match name {
                "" => out.push_str(OPEN),
                PATTERN => out.push_str("secret_pattern"),
                name => {
                    out.push_str("secret_");
                    out.extend(name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }));
                }
            }
            rest = after;
        }
        out.push_str(rest);
        out.into()
    }
}

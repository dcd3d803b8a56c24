//! Values of the expression language, written as one flat row of tokens: cheap to make, and a reader can bound the depth
//! before it builds anything.

use std::sync::Arc;

use engine::expr::{KeyCase, Object, Value};
use serde::{Deserialize, Serialize};

use super::TwinError;
use super::text::{Filling, Hiding, Text};

/// Deepest nesting that is read. What runs nests at most 64 deep from `fromJSON` and a few contexts deep around it; more
/// is a file made to overflow the stack.
const DEPTH_MAX: usize = 256;

/// A value and everything in it, parents before children; in objects each value follows its key.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Tree<'a>(#[serde(borrow)] Vec<Token<'a>>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Token<'a> {
    Null,
    No,
    Yes,
    Number(f64),
    Text(#[serde(borrow)] Text<'a>),
    /// A number whose digits hold a secret, as text.
    HiddenNumber(#[serde(borrow)] Text<'a>),
    /// How many items follow.
    Array(u32),
    /// How many entries follow, whose keys ignore case.
    Object(u32),
    /// The same with keys that mind their case.
    CasedObject(u32),
}

impl<'a> Tree<'a> {
    /// The twin of a value.
    pub(super) fn of(value: &'a Value, hide: &Hiding<'_>) -> Self {
        let mut tokens = Vec::new();
        push(&mut tokens, value, hide);
        Self(tokens)
    }

    /// The twin of an object.
    pub(super) fn of_object(object: &'a Object, hide: &Hiding<'_>) -> Self {
        let mut tokens = Vec::with_capacity(1 + 2 * object.len());
        push_object(&mut tokens, object, hide);
        Self(tokens)
    }

    /// The value.
    pub(super) fn value(self, fill: &Filling<'_>) -> Result<Value, TwinError> {
        let mut reader = Reader { tokens: self.0.into_iter(), fill };
        let value = reader.value(0)?;
        // Left-over tokens are no harm, but nobody writes them.
        if reader.tokens.next().is_some() { Err(MALFORMED) } else { Ok(value) }
    }

    /// The object.
    pub(super) fn object(self, fill: &Filling<'_>) -> Result<Arc<Object>, TwinError> {
        match self.value(fill)? {
            Value::Object(object) => Ok(object),
            _ => Err(MALFORMED),
        }
    }

    /// The object, not shared.
    pub(super) fn owned_object(self, fill: &Filling<'_>) -> Result<Object, TwinError> {
        self.object(fill).map(Arc::unwrap_or_clone)
    }
}

const MALFORMED: TwinError = TwinError::Malformed("values");

fn push<'a>(tokens: &mut Vec<Token<'a>>, value: &'a Value, hide: &Hiding<'_>) {
    match value {
        Value::Null => tokens.push(Token::Null),
        Value::Bool(false) => tokens.push(Token::No),
        Value::Bool(true) => tokens.push(Token::Yes),
        Value::Number(number) => tokens.push(self::number(*number, hide)),
        Value::String(text) => tokens.push(Token::Text(hide.text(text))),
        Value::Array(items) => {
            tokens.push(Token::Array(count(items.len())));
            items.iter().for_each(|item| push(tokens, item, hide));
        }
        Value::Object(object) => push_object(tokens, object, hide),
    }
}

fn push_object<'a>(tokens: &mut Vec<Token<'a>>, object: &'a Object, hide: &Hiding<'_>) {
    let entries = count(object.len());
    tokens.push(match object.key_case() {
        KeyCase::Insensitive => Token::Object(entries),
        KeyCase::Sensitive => Token::CasedObject(entries),
    });
    for (key, value) in object.iter() {
        tokens.push(Token::Text(hide.text(key)));
        push(tokens, value, hide);
    }
}

/// One form for the numbers that are equal: NaN and zero have many.
fn number<'a>(number: f64, hide: &Hiding<'_>) -> Token<'a> {
    if number.is_nan() {
        return Token::Number(f64::NAN);
    }
    if number == 0.0 {
        return Token::Number(0.0);
    }
    let digits = number.to_string();
    if hide.hides(&digits) {
        return Token::HiddenNumber(Text(hide.text(&digits).0.into_owned().into()));
    }
    Token::Number(number)
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

struct Reader<'t, 'f, 's> {
    tokens: std::vec::IntoIter<Token<'t>>,
    fill: &'f Filling<'s>,
}

impl Reader<'_, '_, '_> {
    fn value(&mut self, depth: usize) -> Result<Value, TwinError> {
        if depth > DEPTH_MAX {
            return Err(MALFORMED);
        }
        Ok(match self.tokens.next().ok_or(MALFORMED)? {
            Token::Null => Value::Null,
            Token::No => Value::Bool(false),
            Token::Yes => Value::Bool(true),
            Token::Number(number) => Value::Number(number),
            Token::Text(text) => Value::String(self.fill.text(&text)),
            Token::HiddenNumber(text) => self.hidden_number(&text)?,
            Token::Array(count) => {
                let items = (0..count).map(|_| self.value(depth + 1)).collect::<Result<Vec<_>, _>>()?;
                Value::Array(Arc::new(items))
            }
            Token::Object(count) => self.object(KeyCase::Insensitive, count, depth)?,
            Token::CasedObject(count) => self.object(KeyCase::Sensitive, count, depth)?,
        })
    }

    fn object(&mut self, case: KeyCase, count: u32, depth: usize) -> Result<Value, TwinError> {
        let mut object = Object::with_case(case);
        for _ in 0..count {
            let Some(Token::Text(key)) = self.tokens.next() else { return Err(MALFORMED) };
            object.insert(self.fill.text(&key), self.value(depth + 1)?);
        }
        Ok(Value::Object(Arc::new(object)))
    }

    /// A number whose secret is missing is shown as the text with the placeholder.
    fn hidden_number(&self, text: &Text<'_>) -> Result<Value, TwinError> {
        match self.fill.filled(&text.0) {
            Some(digits) => digits.parse().map(Value::Number).map_err(|_| MALFORMED),
            None => Ok(Value::String(text.0.as_ref().into())),
        }
    }
}

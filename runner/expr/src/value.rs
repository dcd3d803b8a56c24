//! A value of the expression language and its conversions (steps.md 6.2).
//! It does not know how a value came about, nor which of its texts are secret: whoever shows one masks it.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock};

use crate::error::JsonError;
use crate::object::Object;
use crate::{json_print, json_read, number};

/// One value. Cloning is cheap: text, arrays and objects are shared.
///
/// `==` here is structural (arrays and objects by content, in order; NaN equals NaN), for comparing states.
/// What `==` means inside an expression is [`Value::loosely_equals`].
#[derive(Clone, Default)]
pub enum Value {
    /// `null`, and what a missing key gives.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A double; there are no integers.
    Number(f64),
    /// Text.
    String(Arc<str>),
    /// An array.
    Array(Arc<Vec<Value>>),
    /// An object: keys to values, in the order in which they were filled.
    Object(Arc<Object>),
}

/// The kind of a [`Value`], under the names that GitHub prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`, `false`
    Boolean,
    /// a double
    Number,
    /// text
    String,
    /// an array
    Array,
    /// an object
    Object,
}

impl Kind {
    /// GitHub's name for it, as error texts and string conversion show it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Null => "Null",
            Kind::Boolean => "Boolean",
            Kind::Number => "Number",
            Kind::String => "String",
            Kind::Array => "Array",
            Kind::Object => "Object",
        }
    }

    /// Whether it is neither array nor object.
    pub fn is_primitive(self) -> bool {
        !matches!(self, Kind::Array | Kind::Object)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Value {
    /// A text value.
    pub fn string(text: impl Into<Arc<str>>) -> Value {
        Value::String(text.into())
    }

    /// An array of anything that can become a value.
    pub fn array<T: Into<Value>>(items: impl IntoIterator<Item = T>) -> Value {
        Value::Array(Arc::new(items.into_iter().map(Into::into).collect()))
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Boolean,
            Value::Number(_) => Kind::Number,
            Value::String(_) => Kind::String,
            Value::Array(_) => Kind::Array,
            Value::Object(_) => Kind::Object,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether a condition with this result holds: false are `null`, `false`, 0, −0, NaN and the empty text.
    pub fn is_truthy(&self) -> bool {
        match self {
            Value::Null => false,
            Value::Bool(flag) => *flag,
            Value::Number(number) => !(*number == 0.0 || number.is_nan()),
            Value::String(text) => !text.is_empty(),
            Value::Array(_) | Value::Object(_) => true,
        }
    }

    /// As a number: `null` 0, booleans 0 and 1, text by GitHub's rules, arrays and objects NaN.
    pub fn to_number(&self) -> f64 {
        match self {
            Value::Null => 0.0,
            Value::Bool(flag) => f64::from(u8::from(*flag)),
            Value::Number(number) => *number,
            Value::String(text) => number::parse(text),
            Value::Array(_) | Value::Object(_) => f64::NAN,
        }
    }

    /// As text: `null` is empty, numbers in `G15`, arrays `Array`, objects `Object`.
    pub fn to_text(&self) -> Cow<'_, str> {
        match self {
            Value::Null => Cow::Borrowed(""),
            Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
            Value::Number(number) => Cow::Owned(number::to_text(*number)),
            Value::String(text) => Cow::Borrowed(text),
            Value::Array(_) | Value::Object(_) => Cow::Borrowed(self.kind().name()),
        }
    }

    /// [`Value::to_text`] as shared text, without a copy when it is text already.
    pub fn to_shared_text(&self) -> Arc<str> {
        match self {
            Value::String(text) => Arc::clone(text),
            Value::Bool(true) => Arc::clone(&TRUE),
            Value::Bool(false) => Arc::clone(&FALSE),
            other => Arc::from(other.to_text()),
        }
    }

    /// What `toJSON()` gives: two-space indent, `\n`, keys in order, numbers in `G15` (steps.md 6.3).
    pub fn to_json(&self) -> String {
        json_print::print(self)
    }

    /// What `fromJSON()` gives for `text`: comments, single quotes and unquoted keys are accepted, what
    /// follows the first value is ignored.
    ///
    /// # Errors
    /// Text that the reader of GitHub's runner would refuse, with a text after its pattern.
    pub fn from_json(text: &str) -> Result<Value, JsonError> {
        json_read::read(text)
    }

    /// What `==` means inside an expression: conversion between kinds, text apart from case, NaN equal to
    /// nothing, arrays and objects only to themselves (steps.md 6.2).
    pub fn loosely_equals(&self, other: &Value) -> bool {
        crate::compare::equal(self, other)
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The items, if it is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The value under `key`, if it is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_object()?.get(key)
    }

    /// As an expression would have to be written to give it: text quoted, arrays and objects by kind only.
    pub fn to_literal(&self) -> Cow<'_, str> {
        match self {
            Value::Null => Cow::Borrowed("null"),
            Value::String(text) => Cow::Owned(quote(text)),
            other => other.to_text(),
        }
    }
}

/// What a condition among a step's variables gives, step after step.
static TRUE: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("true"));
static FALSE: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("false"));

/// Text as a string literal of the language.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(left), Value::Bool(right)) => left == right,
            (Value::Number(left), Value::Number(right)) => left == right || (left.is_nan() && right.is_nan()),
            (Value::String(left), Value::String(right)) => left == right,
            (Value::Array(left), Value::Array(right)) => Arc::ptr_eq(left, right) || left == right,
            (Value::Object(left), Value::Object(right)) => Arc::ptr_eq(left, right) || left == right,
            _ => false,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(flag) => write!(f, "{flag}"),
            Value::Number(number) => f.write_str(&number::to_text(*number)),
            Value::String(text) => write!(f, "{text:?}"),
            Value::Array(items) => f.debug_list().entries(items.iter()).finish(),
            Value::Object(object) => object.fmt(f),
        }
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Value {
        Value::Bool(flag)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Number(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Value {
        Value::Number(f64::from(number))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::string(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::string(text)
    }
}

impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Value {
        Value::String(text)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Value {
        Value::Array(Arc::new(items))
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Value {
        Value::Object(Arc::new(object))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_number_and_text() {
        let cases: [(Value, bool, f64, &str); 9] = [
            (Value::Null, false, 0.0, ""),
            (true.into(), true, 1.0, "true"),
            (false.into(), false, 0.0, "false"),
            (0.0.into(), false, 0.0, "0"),
            (f64::NAN.into(), false, f64::NAN, "NaN"),
            ("".into(), false, 0.0, ""),
            (" 0x10 ".into(), true, 16.0, " 0x10 "),
            (Value::array([1]), true, f64::NAN, "Array"),
            (Object::new().into(), true, f64::NAN, "Object"),
        ];
        for (value, truthy, number, text) in cases {
            assert_eq!(value.is_truthy(), truthy, "{value:?}");
            assert_eq!(Value::Number(value.to_number()), Value::Number(number), "{value:?}");
            assert_eq!(value.to_text(), text);
            assert_eq!(&*value.to_shared_text(), text);
        }
    }

    #[test]
    fn structure_decides_equality() {
        assert_eq!(Value::array([f64::NAN]), Value::array([f64::NAN]));
        assert_ne!(Value::from("a"), Value::from("A"));
        assert_ne!(Value::from(1), Value::from("1"));
        assert!(!Value::array([1]).loosely_equals(&Value::array([1])));
    }
}

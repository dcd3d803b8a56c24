//! `toJSON()`: two-space indent, `\n`, empty containers compact, numbers in `G15` (steps.md 6.3).
//! It does not know how to read JSON.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::memory::{Counter, Exceeded, text_bytes};
use crate::object::Object;
use crate::value::Value;

/// `value` as JSON.
pub(crate) fn print(value: &Value) -> String {
    // The counter cannot be exceeded, so there always is a text.
    print_counted(value, &mut Counter::new(usize::MAX)).unwrap_or_default()
}

/// `value` as JSON, as far as `counter` allows.
pub(crate) fn print_counted(value: &Value, counter: &mut Counter) -> Result<String, Exceeded> {
    let mut printer = Printer { text: String::new(), counter };
    printer.run(value)?;
    Ok(printer.text)
}

/// A container that has been opened.
enum Open<'v> {
    Array(std::slice::Iter<'v, Value>),
    Object(Box<dyn Iterator<Item = (&'v Arc<str>, &'v Value)> + 'v>),
}

struct Printer<'c> {
    text: String,
    counter: &'c mut Counter,
}

impl Printer<'_> {
    /// With a stack of its own: values may be nested deeper than a call stack.
    fn run(&mut self, root: &Value) -> Result<(), Exceeded> {
        let mut open: Vec<Open<'_>> = Vec::new();
        self.value(root, "", &mut open)?;
        while let Some(innermost) = open.last_mut() {
            let first = self.text.ends_with(['[', '{']);
            let next = match innermost {
                Open::Array(items) => items.next().map(|item| (None, item)),
                Open::Object(entries) => entries.next().map(|(key, value)| (Some(key), value)),
            };
            let bracket = if matches!(innermost, Open::Array(_)) { "]" } else { "}" };
            let Some((key, value)) = next else {
                open.pop();
                let indent = "  ".repeat(open.len());
                self.write(&format!("\n{indent}{bracket}"))?;
                continue;
            };
            let comma = if first { "" } else { "," };
            let prefix = format!("{comma}\n{}", "  ".repeat(open.len()));
            match key {
                None => self.value(value, &prefix, &mut open)?,
                Some(key) => {
                    self.write(&format!("{prefix}{}", quote(key)))?;
                    self.value(value, ": ", &mut open)?;
                }
            }
        }
        Ok(())
    }

    /// Writes a primitive or an empty container; opens any other.
    fn value<'v>(
        &mut self,
        value: &'v Value,
        prefix: &str,
        open: &mut Vec<Open<'v>>,
    ) -> Result<(), Exceeded> {
        let text = match value {
            Value::Null => "null".into(),
            Value::Bool(_) | Value::Number(_) => value.to_text(),
            Value::String(text) => quote(text).into(),
            Value::Array(items) if items.is_empty() => "[]".into(),
            Value::Object(object) if object.is_empty() => "{}".into(),
            Value::Array(items) => {
                open.push(Open::Array(items.iter()));
                "[".into()
            }
            Value::Object(object) => {
                open.push(Open::Object(Box::new(Object::iter(object))));
                "{".into()
            }
        };
        self.write(&format!("{prefix}{text}"))
    }

    fn write(&mut self, piece: &str) -> Result<(), Exceeded> {
        self.counter.add(text_bytes(piece))?;
        self.text.push_str(piece);
        Ok(())
    }
}

/// Text as a JSON string. Only what must be escaped is, and the line ends that JavaScript knows besides.
fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{C}' => quoted.push_str("\\f"),
            '\0'..='\u{1F}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_indented_and_empty_ones_are_not() {
        let inner = Object::from([("x", Value::Null), ("y", Value::array::<Value>([]))]);
        let value =
            Value::array([Value::from(1), inner.into(), Object::new().into(), "a[".into(), "b".into()]);
        let expected = "[\n  1,\n  {\n    \"x\": null,\n    \"y\": []\n  },\n  {},\n  \"a[\",\n  \"b\"\n]";
        assert_eq!(print(&value), expected);
    }

    #[test]
    fn text_is_escaped_where_it_must_be() {
        assert_eq!(print(&"a\"\\\n\t\u{1}\u{2028}é/'".into()), "\"a\\\"\\\\\\n\\t\\u0001\\u2028é/'\"");
    }

    #[test]
    fn depth_costs_no_stack_and_size_is_counted() {
        let mut value = Value::Null;
        for _ in 0..1_000 {
            value = Value::array([value]);
        }
        assert!(print(&value).ends_with("\n  ]\n]"));
        assert_eq!(print_counted(&value, &mut Counter::new(10_000)), Err(Exceeded));
    }
}

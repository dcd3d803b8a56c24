//! `fromJSON()`: a reader as lenient as the one in GitHub's runner (steps.md 6.3): comments, single quotes,
//! unquoted keys, trailing commas, `NaN` and hexadecimal numbers are read, what follows the first value is
//! not looked at. It does not know expressions; its errors carry path, line and position within the text.

use std::fmt::Write as _;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::error::JsonError;
use crate::limit::JSON_DEPTH;
use crate::object::Object;
use crate::value::Value;

/// The first value in `text`.
pub(crate) fn read(text: &str) -> Result<Value, JsonError> {
    let mut reader = Reader { text, at: 0, path: SmallVec::new() };
    reader.skip_blanks()?;
    if reader.peek().is_none() {
        return Err(reader.error("Error reading JToken from JsonReader."));
    }
    reader.value()
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    path: SmallVec<[Step; 4]>,
}

/// One step from the root to where the reader stands.
enum Step {
    Key(Arc<str>),
    Item(usize),
}

type Read<T> = Result<T, JsonError>;

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn eat(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    fn take_while(&mut self, test: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|c| !test(c)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// `message`, then where: an untouched text is at line 0.
    fn error(&self, message: &str) -> JsonError {
        let before = self.text.get(..self.at).unwrap_or_default();
        let line = if self.at == 0 { 0 } else { before.matches('\n').count() + 1 };
        let position = before.rsplit('\n').next().map_or(0, crate::error::utf16_length);
        let path = self.path_text();
        JsonError { text: format!("{message} Path '{path}', line {line}, position {position}.") }
    }

    fn path_text(&self) -> String {
        let mut text = String::new();
        for step in &self.path {
            // Writing to a String cannot fail.
            let _ = match step {
                Step::Item(index) => write!(text, "[{index}]"),
                Step::Key(key)
                    if key.contains(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$' || c == '-')) =>
                {
                    write!(text, "['{}']", key.replace('\'', "\\'"))
                }
                Step::Key(key) if text.is_empty() => write!(text, "{key}"),
                Step::Key(key) => write!(text, ".{key}"),
            };
        }
        text
    }

    fn unexpected(&self, doing: &str) -> JsonError {
        match self.peek() {
            Some(c) => self.error(&format!("Unexpected character encountered while parsing {doing}: {c}.")),
            None => self.error("Unexpected end of content while loading JToken."),
        }
    }

    /// Blanks and both kinds of comment.
    fn skip_blanks(&mut self) -> Read<()> {
        loop {
            self.take_while(char::is_whitespace);
            if self.eat("//") {
                self.take_while(|c| c != '\n' && c != '\r');
            } else if self.eat("/*") {
                match self.rest().find("*/") {
                    Some(length) => self.at += length + 2,
                    None => return Err(self.error("Unexpected end while parsing comment.")),
                }
            } else {
                return Ok(());
            }
        }
    }

    fn value(&mut self) -> Read<Value> {
        match self.peek() {
            Some('{') => self.container(Self::object),
            Some('[') => self.container(Self::array),
            Some('"' | '\'') => self.string().map(Value::string),
            Some(c) if c == '-' || c == '.' || c.is_ascii_digit() => self.number(),
            Some('a'..='z' | 'A'..='Z') => self.word(),
            _ => Err(self.unexpected("value")),
        }
    }

    fn container(&mut self, read: fn(&mut Self) -> Read<Value>) -> Read<Value> {
        self.next();
        if self.path.len() >= JSON_DEPTH {
            return Err(self.error(&format!("The reader's MaxDepth of {JSON_DEPTH} has been exceeded.")));
        }
        read(self)
    }

    fn array(&mut self) -> Read<Value> {
        let mut items = Vec::new();
        loop {
            self.skip_blanks()?;
            if self.eat("]") {
                return Ok(items.into());
            }
            self.path.push(Step::Item(items.len()));
            // A missing item, as in `[1,,2]`, is undefined there, which reads as empty text.
            items.push(if self.peek() == Some(',') { Value::string("") } else { self.value()? });
            self.path.pop();
            self.skip_blanks()?;
            if !self.eat(",") && self.peek() != Some(']') {
                return Err(self.after_value());
            }
        }
    }

    fn object(&mut self) -> Read<Value> {
        let mut object = Object::new();
        loop {
            self.skip_blanks()?;
            if self.eat("}") {
                return Ok(object.into());
            }
            let key: Arc<str> = self.key()?.into();
            self.path.push(Step::Key(Arc::clone(&key)));
            self.skip_blanks()?;
            if !self.eat(":") {
                let found = self.peek().map(String::from).unwrap_or_default();
                return Err(self.error(&format!(
                    "Invalid character after parsing property name. Expected ':' but got: {found}."
                )));
            }
            self.skip_blanks()?;
            let value = self.value()?;
            self.path.pop();
            object.insert(key, value);
            self.skip_blanks()?;
            if !self.eat(",") && self.peek() != Some('}') {
                return Err(self.after_value());
            }
        }
    }

    fn after_value(&self) -> JsonError {
        match self.peek() {
            Some(c) => {
                self.error(&format!("After parsing a value an unexpected character was encountered: {c}."))
            }
            None => self.unexpected("value"),
        }
    }

    fn key(&mut self) -> Read<String> {
        match self.peek() {
            Some('"' | '\'') => self.string(),
            Some(c) if is_bare_key(c) => Ok(self.take_while(is_bare_key).to_owned()),
            Some(c) => Err(self.error(&format!("Invalid property identifier character: {c}."))),
            None => Err(self.unexpected("value")),
        }
    }

    fn string(&mut self) -> Read<String> {
        let Some(delimiter) = self.next() else { return Err(self.unexpected("value")) };
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|c| c != delimiter && c != '\\'));
            match self.next() {
                Some('\\') => self.escape(&mut text)?,
                Some(_) => return Ok(text),
                None => {
                    return Err(self.error(&format!("Unterminated string. Expected delimiter: {delimiter}.")));
                }
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Read<()> {
        let plain = match self.next() {
            Some('b') => '\u{8}',
            Some('t') => '\t',
            Some('n') => '\n',
            Some('f') => '\u{C}',
            Some('r') => '\r',
            Some(c @ ('\\' | '"' | '\'' | '/')) => c,
            Some('u') => return self.unicode_escape(text),
            Some(c) => return Err(self.error(&format!("Bad JSON escape sequence: \\{c}."))),
            None => return Err(self.error("Unterminated string. Expected delimiter: \".")),
        };
        text.push(plain);
        Ok(())
    }

    /// A `\u` escape, with the second half of a pair; an unpaired half becomes the replacement character.
    fn unicode_escape(&mut self, text: &mut String) -> Read<()> {
        let mut units = vec![self.hex_unit()?];
        while units.last().is_some_and(|unit| (0xD800..0xDC00).contains(unit)) && self.eat("\\u") {
            units.push(self.hex_unit()?);
        }
        text.push_str(&String::from_utf16_lossy(&units));
        Ok(())
    }

    fn hex_unit(&mut self) -> Read<u16> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
            Some(unit) => {
                self.at += 4;
                Ok(unit)
            }
            None => Err(self.error("Unexpected end while parsing Unicode escape sequence.")),
        }
    }

    fn word(&mut self) -> Read<Value> {
        let start = self.at;
        let value = match self.take_while(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            "NaN" => Value::Number(f64::NAN),
            "Infinity" => Value::Number(f64::INFINITY),
            "undefined" => Value::string(""),
            _ => {
                self.at = start;
                return Err(self.unexpected("value"));
            }
        };
        Ok(value)
    }

    fn number(&mut self) -> Read<Value> {
        if self.eat("-Infinity") {
            return Ok(Value::Number(f64::NEG_INFINITY));
        }
        let text = self.take_while(|c| c.is_ascii_hexdigit() || matches!(c, '-' | '+' | '.' | 'x' | 'X'));
        if self.peek().is_some_and(|c| !(c.is_whitespace() || matches!(c, ',' | '}' | ']' | ')' | '/'))) {
            return Err(self.unexpected("number"));
        }
        match number_value(text) {
            Some(number) => Ok(Value::Number(number)),
            None => Err(self.error(&format!("Input string '{text}' is not a valid number."))),
        }
    }
}

fn is_bare_key(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// Decimal; a leading zero before more digits means octal, `0x` hexadecimal.
fn number_value(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('0').filter(|rest| !rest.is_empty() && !rest.starts_with(['.', 'e', 'E']));
    let Some(digits) = digits else {
        // What Rust reads beyond decimal numbers ("inf", "nan") has letters that cannot get here.
        return text.parse().ok();
    };
    let value = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => i64::from_str_radix(hex, 16),
        None => i64::from_str_radix(digits, 8),
    };
    // Beyond 2^53 the nearest double is what a double can say.
    #[allow(clippy::cast_precision_loss)]
    value.ok().map(|value| value as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: &str) {
        let found = match read(text) {
            Ok(value) => format!("{value:?}"),
            Err(error) => error.text,
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn strict_json() {
        check(
            r#" {"a": [1, -2.5e3, true, null, "x\n\u00e9\ud83d\ude00"], "b": {}} "#,
            r#"{"a": [1, -2500, true, null, "x\né😀"], "b": {}}"#,
        );
        check("[]", "[]");
        check(r#"{"A":1,"a":2}"#, r#"{"A": 2}"#);
        check(r#""\ud83d""#, "\"\u{FFFD}\"");
    }

    #[test]
    fn what_a_lenient_reader_takes() {
        check("/* c */ {a: 'it', // d\n $b_1: \"s\",}", r#"{"a": "it", "$b_1": "s"}"#);
        check("[1,,2,]", r#"[1, "", 2]"#);
        check("[0x1F, 017, .5, NaN, -Infinity, undefined]", r#"[31, 15, 0.5, NaN, -Infinity, ""]"#);
        check("1 what follows", "1");
        check("'a\nb'", r#""a\nb""#);
    }

    #[test]
    fn errors_say_where() {
        check("", "Error reading JToken from JsonReader. Path '', line 0, position 0.");
        check("abc", "Unexpected character encountered while parsing value: a. Path '', line 0, position 0.");
        check(
            "{\"a\": [1, x]}",
            "Unexpected character encountered while parsing value: x. Path 'a[1]', line 1, position 10.",
        );
        check(
            "{\n \"a b\": 1 2",
            "After parsing a value an unexpected character was encountered: 2. Path '', line 2, position 10.",
        );
        check(
            "{a.b: 1}",
            "Invalid character after parsing property name. Expected ':' but got: .. Path 'a', line 1, position 2.",
        );
        check("'a", "Unterminated string. Expected delimiter: '. Path '', line 1, position 2.");
        check("[1", "Unexpected end of content while loading JToken. Path '', line 1, position 2.");
        check("08", "Input string '08' is not a valid number. Path '', line 1, position 2.");
    }

    #[test]
    fn depth_is_limited() {
        assert!(read(&format!("{}{}", "[".repeat(64), "]".repeat(64))).is_ok());
        let error = read(&"[".repeat(100_000)).unwrap_err().text;
        assert!(error.starts_with("The reader's MaxDepth of 64 has been exceeded."), "{error}");
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 30, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((".{0,5}", inner), 0..5)
                    .prop_map(|entries| entries.into_iter().collect::<Object>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(value in value()) {
            prop_assert_eq!(read(&value.to_json()).unwrap(), value);
        }

        #[test]
        fn any_text_is_read_or_refused(text in r#"[\[\]{}:,'"a0-9x\\u/* \n.-]{0,40}"#) {
            let _ = read(&text);
        }
    }
}

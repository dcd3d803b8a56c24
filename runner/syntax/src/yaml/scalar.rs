//! GitHub's reading of scalars: which plain text is null, a boolean or a number (crates.md B.1).
//!
//! Facts are those of actions/runner `YamlObjectReader`: the YAML 1.2 core schema, no
//! underscores, no dates, hexadecimal and octal through a 32-bit integer. Knows no position.

/// What a scalar means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Number(f64),
    /// The text itself.
    String,
}

/// Why a scalar means nothing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ScalarFault {
    /// The text does not fit its tag, or is a number out of range.
    Invalid { tag: &'static str },
    /// Only plain text may have this tag.
    Style { tag: String },
    /// No tag of the core schema.
    Tag { tag: String },
}

const BOOL: &str = "tag:yaml.org,2002:bool";
const FLOAT: &str = "tag:yaml.org,2002:float";
const INT: &str = "tag:yaml.org,2002:int";
const NULL: &str = "tag:yaml.org,2002:null";
const STR: &str = "tag:yaml.org,2002:str";

/// Reads a scalar.
pub(crate) fn resolve(text: &str, plain: bool, tag: Option<&str>) -> Result<Literal, ScalarFault> {
    let Some(tag) = tag else {
        return if plain { resolve_plain(text) } else { Ok(Literal::String) };
    };
    if tag == STR {
        return Ok(Literal::String);
    }
    if !plain {
        return Err(ScalarFault::Style { tag: tag.to_owned() });
    }
    let (found, tag) = match tag {
        BOOL => (boolean(text), BOOL),
        FLOAT => (float(text), FLOAT),
        INT => (integer(text)?, INT),
        NULL => (null(text), NULL),
        _ => return Err(ScalarFault::Tag { tag: tag.to_owned() }),
    };
    found.ok_or(ScalarFault::Invalid { tag })
}

fn resolve_plain(text: &str) -> Result<Literal, ScalarFault> {
    // What means something begins with one of these, and most text does not.
    let first = text.bytes().next();
    if !matches!(
        first,
        None | Some(b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'0'..=b'9' | b'+' | b'-' | b'.')
    ) {
        return Ok(Literal::String);
    }
    if let Some(literal) = null(text).or_else(|| boolean(text)) {
        return Ok(literal);
    }
    Ok(integer(text)?.or_else(|| float(text)).unwrap_or(Literal::String))
}

fn null(text: &str) -> Option<Literal> {
    matches!(text, "" | "null" | "Null" | "NULL" | "~").then_some(Literal::Null)
}

fn boolean(text: &str) -> Option<Literal> {
    match text {
        "true" | "True" | "TRUE" => Some(Literal::Bool(true)),
        "false" | "False" | "FALSE" => Some(Literal::Bool(false)),
        _ => None,
    }
}

fn integer(text: &str) -> Result<Option<Literal>, ScalarFault> {
    let invalid = ScalarFault::Invalid { tag: INT };
    let radix = |digits: &str, radix: u32| {
        // .NET reads the digits as the bits of an Int32, so `0xFFFFFFFF` is -1.
        let bits = u32::from_str_radix(digits, radix).map_err(|_| invalid.clone())?;
        Ok(Some(Literal::Number(f64::from(bits.cast_signed()))))
    };
    let all =
        |digits: &str, wanted: fn(&u8) -> bool| !digits.is_empty() && digits.as_bytes().iter().all(wanted);
    let hexadecimal = text.strip_prefix("0x").filter(|digits| all(digits, u8::is_ascii_hexdigit));
    let octal = text.strip_prefix("0o").filter(|digits| all(digits, |byte| matches!(byte, b'0'..=b'7')));
    match (hexadecimal, octal) {
        (Some(digits), _) => return radix(digits, 16),
        (None, Some(digits)) => return radix(digits, 8),
        (None, None) => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    Ok(text.parse().ok().map(Literal::Number))
}

fn float(text: &str) -> Option<Literal> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        let infinity = if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY };
        return Some(Literal::Number(infinity));
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Literal::Number(f64::NAN));
    }
    is_decimal(unsigned).then(|| text.parse().ok().map(Literal::Number)).flatten()
}

/// `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_decimal(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    exponent_fits && digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str, expected: f64) {
        assert_eq!(resolve(text, true, None), Ok(Literal::Number(expected)), "{text}");
    }

    fn string(text: &str) {
        assert_eq!(resolve(text, true, None), Ok(Literal::String), "{text}");
    }

    #[test]
    fn numbers_follow_the_core_schema() {
        for (text, expected) in [("012", 12.0), ("-00755", -755.0), ("0xff", 255.0), ("0o10", 8.0)] {
            number(text, expected);
        }
        for (text, expected) in
            [("0xFFFFFFFF", -1.0), ("3.10", 3.1), ("+.5", 0.5), ("2.", 2.0), ("1.2e+2", 120.0)]
        {
            number(text, expected);
        }
        number("-.INF", f64::NEG_INFINITY);
        number(&"9".repeat(400), f64::INFINITY);
        assert!(matches!(resolve(".nan", true, None), Ok(Literal::Number(value)) if value.is_nan()));
    }

    #[test]
    fn what_looks_like_other_yaml_dialects_is_text() {
        for text in
            ["yes", "no", "on", "off", "12_345", "2002-12-14", "1:30", "NaN", "Infinity", "-.nan", "."]
        {
            string(text);
        }
        for text in ["1e", "e1", "0x", "0o8", "tRUE", "+", "--1", "0b1", "-0x1"] {
            string(text);
        }
    }

    #[test]
    fn numbers_beyond_32_bits_in_other_bases_are_refused() {
        for text in ["0x1FFFFFFFF", "0o777777777777"] {
            assert_eq!(resolve(text, true, None), Err(ScalarFault::Invalid { tag: INT }), "{text}");
        }
    }

    #[test]
    fn tags_must_fit() {
        assert_eq!(resolve("1", true, Some(FLOAT)), Ok(Literal::Number(1.0)));
        assert_eq!(resolve("", true, Some(NULL)), Ok(Literal::Null));
        assert_eq!(resolve("true", true, Some(STR)), Ok(Literal::String));
        assert_eq!(resolve("test", true, Some(BOOL)), Err(ScalarFault::Invalid { tag: BOOL }));
        assert_eq!(resolve("true", false, Some(BOOL)), Err(ScalarFault::Style { tag: BOOL.into() }));
        assert!(matches!(resolve("x", true, Some("!x")), Err(ScalarFault::Tag { .. })));
    }
}

//! Numbers as text and text as numbers: .NET's `G15` format and GitHub's `ParseNumber` (steps.md 6.2).
//! It does not know where a number stands in an expression.

/// Digits that `G15` keeps.
const DIGITS: i32 = 15;
/// From here on a whole number has more digits than that.
const WHOLE_LIMIT: f64 = 1e15;

/// A number in the form in which every string conversion shows it: at most 15 significant digits, and an
/// exponent (`1E+21`, `1E-05`) when the point would stand outside them. Minus zero prints as `0`.
pub(crate) fn to_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if number.abs() < WHOLE_LIMIT && number.fract() == 0.0 {
        // In range and whole, so the cast is exact. It has no minus zero.
        #[allow(clippy::cast_possible_truncation)]
        return (number as i64).to_string();
    }
    let scientific = format!("{:.14e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let sign = if number < 0.0 { "-" } else { "" };
    let body = place_point(digits.trim_end_matches('0'), exponent);
    format!("{sign}{body}")
}

/// Writes significant `digits` (the first one before the point) times ten to the `exponent`.
fn place_point(digits: &str, exponent: i32) -> String {
    if !(-5 < exponent && exponent < DIGITS) {
        let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, ""));
        let point = if rest.is_empty() { "" } else { "." };
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{first}{point}{rest}E{sign}{:02}", exponent.unsigned_abs());
    }
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    if exponent < 0 {
        return format!("0.{}{digits}", zeros(-exponent - 1));
    }
    let whole = usize::try_from(exponent + 1).unwrap_or(0);
    match digits.split_at_checked(whole) {
        Some((whole, "")) => whole.to_owned(),
        Some((whole, fraction)) => format!("{whole}.{fraction}"),
        None => format!("{digits}{}", "0".repeat(whole.saturating_sub(digits.len()))),
    }
}

/// Text to number by GitHub's rules: trimmed; empty is 0; decimal with sign, point and exponent; `0x…` and
/// `0o…` within 32 bits (`0xFFFFFFFF` is −1); `Infinity` with an optional sign; anything else is NaN.
pub(crate) fn parse(text: &str) -> f64 {
    let text = text.trim();
    if text.is_empty() {
        return 0.0;
    }
    if is_decimal(text) {
        return text.parse().unwrap_or(f64::NAN);
    }
    match text {
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ => parse_radix(text, "0x", 16).or_else(|| parse_radix(text, "0o", 8)).unwrap_or(f64::NAN),
    }
}

/// `[+-]? (digits [. digits?] | . digits) ([eE] [+-]? digits)?`
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

/// Digits after `prefix` as a 32-bit two's complement number.
fn parse_radix(text: &str, prefix: &str, radix: u32) -> Option<f64> {
    let digits = text.strip_prefix(prefix)?;
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let bits = u32::from_str_radix(digits, radix).ok()?;
    Some(f64::from(bits.cast_signed()))
}

#[cfg(test)]
mod tests;

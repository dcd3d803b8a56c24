//! Numbers from text and back, as .NET writes them.

use super::*;
use proptest::prelude::*;

#[test]
fn text_of_numbers() {
    for (number, expected) in [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1 + 0.2, "0.3"),
        (1e15, "1E+15"),
        (1e14, "100000000000000"),
        (999_999_999_999_999.0, "999999999999999"),
        (999_999_999_999_999.9, "1E+15"),
        (1e21, "1E+21"),
        (123_456_789_012_345_678.0, "1.23456789012346E+17"),
        (12_345_678_901_234_567_890.0, "1.23456789012346E+19"),
        (0.0001, "0.0001"),
        (0.00001, "1E-05"),
        (0.000012345, "1.2345E-05"),
        (1e-300, "1E-300"),
        (f64::MAX, "1.79769313486232E+308"),
        (5e-324, "4.94065645841247E-324"),
        (1.0 / 3.0, "0.333333333333333"),
        (123_456.789, "123456.789"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "Infinity"),
        (f64::NEG_INFINITY, "-Infinity"),
    ] {
        assert_eq!(to_text(number), expected, "{number:e}");
    }
}

#[test]
fn numbers_in_text() {
    for (text, expected) in [
        ("", 0.0),
        ("  ", 0.0),
        (" 1.5 ", 1.5),
        ("1.", 1.0),
        (".5", 0.5),
        ("+1.2E+2", 120.0),
        ("0xff", 255.0),
        ("0xFFFFFFFF", -1.0),
        ("0x000000000ff", 255.0),
        ("0o17", 15.0),
        ("0o37777777777", -1.0),
        ("Infinity", f64::INFINITY),
        ("+Infinity", f64::INFINITY),
        ("-Infinity", f64::NEG_INFINITY),
        ("1e400", f64::INFINITY),
    ] {
        assert_eq!(parse(text), expected, "{text:?}");
    }
    for text in [
        ".",
        "-",
        "+",
        "1e",
        "1e+",
        "e1",
        "inf",
        "nan",
        "NaN",
        "infinity",
        "0x",
        "0o",
        "0x1FFFFFFFF",
        "0o8",
        "-0xff",
        "1_000",
        "1 2",
        "0X1",
        "1,000",
        "0x+1",
        "--1",
        "1.2.3",
    ] {
        assert!(parse(text).is_nan(), "{text:?}");
    }
}

/// `G15` from the exact decimal expansion, in schoolbook arithmetic.
fn slow_text(number: f64) -> String {
    let bits = number.abs().to_bits();
    let (biased, fraction) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
    let (mut mantissa, power) =
        if biased == 0 { (fraction, -1074) } else { (fraction | 1 << 52, biased - 1075) };
    // Decimal digits, least significant first, of mantissa × 2^power × 10^scale.
    let mut digits = Vec::new();
    while mantissa > 0 {
        digits.push((mantissa % 10) as u32);
        mantissa /= 10;
    }
    let scale = if power < 0 { -power } else { 0 };
    for _ in 0..power.abs() {
        let factor = if power < 0 { 5 } else { 2 };
        let mut carry = 0;
        for digit in &mut digits {
            let product = *digit * factor + carry;
            *digit = product % 10;
            carry = product / 10;
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    }
    let mut exponent = digits.len() as i32 - 1 - scale;
    digits.reverse();
    if digits.len() > 15 {
        let rest = digits.split_off(15);
        let half = rest[0].cmp(&5).then(if rest[1..].iter().any(|&d| d > 0) {
            std::cmp::Ordering::Greater
        } else {
            std::cmp::Ordering::Equal
        });
        if half.is_gt() || (half.is_eq() && digits[14] % 2 == 1) {
            let mut at = 15;
            while at > 0 {
                at -= 1;
                digits[at] = (digits[at] + 1) % 10;
                if digits[at] != 0 {
                    break;
                }
            }
            if digits.iter().all(|&d| d == 0) {
                digits[0] = 1;
                exponent += 1;
            }
        }
    }
    while digits.last() == Some(&0) {
        digits.pop();
    }
    let text: String = digits.iter().map(|d| char::from(b'0' + *d as u8)).collect();
    let sign = if number < 0.0 { "-" } else { "" };
    if exponent >= 15 || exponent <= -5 {
        let point = if text.len() > 1 { "." } else { "" };
        let mark = if exponent < 0 { '-' } else { '+' };
        {
            let (first, rest) = text.split_at(1);
            format!("{sign}{first}{point}{rest}E{mark}{:02}", exponent.abs())
        }
    } else if exponent < 0 {
        format!("{sign}0.{}{text}", "0".repeat((-exponent - 1) as usize))
    } else if text.len() as i32 <= exponent + 1 {
        format!("{sign}{text}{}", "0".repeat((exponent + 1) as usize - text.len()))
    } else {
        let (whole, fraction) = text.split_at((exponent + 1) as usize);
        format!("{sign}{whole}.{fraction}")
    }
}

proptest! {
    #[test]
    fn agrees_with_the_exact_expansion(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        prop_assume!(number.is_finite() && number != 0.0);
        prop_assert_eq!(to_text(number), slow_text(number));
    }

    #[test]
    fn ties_and_short_numbers_agree(whole in 0_u64..1 << 53, shift in 0_i32..60) {
        let number = whole as f64 / 2_f64.powi(shift);
        prop_assume!(number != 0.0);
        prop_assert_eq!(to_text(number), slow_text(number));
    }

    #[test]
    fn fifteen_digits_survive_the_round_trip(digits in 1_i64..1_000_000_000_000_000, exponent in -290_i32..290) {
        let number: f64 = format!("{digits}e{exponent}").parse().unwrap();
        prop_assert_eq!(parse(&to_text(number)), number);
        prop_assert_eq!(parse(&to_text(-number)), -number);
    }

    #[test]
    fn any_text_is_some_number(text in ".{0,20}") {
        parse(&text);
    }
}

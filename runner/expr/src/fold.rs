//! Comparison of text as .NET's `OrdinalIgnoreCase` does it: by upper case of single characters, without
//! culture (steps.md 6.2). It does not know about values or keys; it sees only text.

use std::cmp::Ordering;

/// The upper-case form used for comparing: one character always becomes one character.
///
/// Letters whose only upper case is in ASCII (`ı`, `ſ`) stay as they are, as in .NET.
pub(crate) fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_uppercase();
    }
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) if !single.is_ascii() => single,
        (Some(_), Some(_)) => fold_iota_subscript(c),
        _ => c,
    }
}

/// Greek letters with iota subscript have a one-letter upper case beside the two-letter one.
fn fold_iota_subscript(c: char) -> char {
    let code = u32::from(c);
    let upper = match code {
        0x1F80..=0x1F87 | 0x1F90..=0x1F97 | 0x1FA0..=0x1FA7 => code + 8,
        0x1FB3 | 0x1FC3 | 0x1FF3 => code + 9,
        _ => code,
    };
    char::from_u32(upper).unwrap_or(c)
}

/// Every character of `text` folded.
pub(crate) fn folded(text: &str) -> impl DoubleEndedIterator<Item = char> + '_ {
    text.chars().map(fold)
}

/// Whether both texts are the same apart from case.
pub(crate) fn equals(left: &str, right: &str) -> bool {
    let first = |text: &str| text.chars().next().map(fold);
    // Most names differ at once; most keys are spelled alike.
    left == right
        || (first(left) == first(right)
            && (left.eq_ignore_ascii_case(right)
                || (!(left.is_ascii() && right.is_ascii()) && folded(left).eq(folded(right)))))
}

/// Order by UTF-16 units of the folded text.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    units(left).cmp(units(right))
}

fn units(text: &str) -> impl Iterator<Item = u16> + '_ {
    folded(text).flat_map(|c| {
        let mut buffer = [0; 2];
        let length = c.encode_utf16(&mut buffer).len();
        buffer.into_iter().take(length)
    })
}

/// A needle of at most so many bytes is compared at each place of a text; a longer one could take too long that way.
const SHORT_NEEDLE: usize = 32;

/// Whether `text` begins with `prefix` apart from case.
pub(crate) fn starts_with(text: &str, prefix: &str) -> bool {
    if prefix.is_ascii() {
        // Only ASCII folds to ASCII, so bytes can be compared.
        let start = text.as_bytes().get(..prefix.len());
        return start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()));
    }
    let mut rest = folded(text);
    folded(prefix).all(|wanted| rest.next() == Some(wanted))
}

/// Whether `text` ends with `suffix` apart from case.
pub(crate) fn ends_with(text: &str, suffix: &str) -> bool {
    if suffix.is_ascii() {
        let start = text.len().checked_sub(suffix.len());
        let end = start.and_then(|start| text.as_bytes().get(start..));
        return end.is_some_and(|end| end.eq_ignore_ascii_case(suffix.as_bytes()));
    }
    let mut rest = folded(text).rev();
    folded(suffix).rev().all(|wanted| rest.next() == Some(wanted))
}

/// Whether `needle` occurs in `text` apart from case; the empty needle always does.
pub(crate) fn contains(text: &str, needle: &str) -> bool {
    if needle.is_empty() {
        return true;
    }
    if needle.is_ascii() && needle.len() <= SHORT_NEEDLE {
        let mut places = text.as_bytes().windows(needle.len());
        return places.any(|place| place.eq_ignore_ascii_case(needle.as_bytes()));
    }
    let text: String = folded(text).collect();
    let needle: String = folded(needle).collect();
    text.contains(&needle)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn letters_fold_as_in_dotnet() {
        for (left, right, same) in [
            ("abc", "ABC", true),
            ("ü", "Ü", true),
            ("ς", "Σ", true),
            ("ς", "σ", true),
            ("i", "İ", false),
            ("ı", "I", false),
            ("ſ", "S", false),
            ("ß", "SS", false),
            ("ᾳ", "ᾼ", true),
            ("ⓐ", "Ⓐ", true),
        ] {
            assert_eq!(equals(left, right), same, "{left} {right}");
            assert_eq!(compare(left, right) == Ordering::Equal, same, "{left} {right}");
        }
    }

    #[test]
    fn order_is_by_upper_case() {
        assert_eq!(compare("a", "_"), Ordering::Less);
        assert_eq!(compare("a", "B"), Ordering::Less);
        assert_eq!(compare("\u{1F600}", "\u{FFFD}"), Ordering::Less);
    }

    #[test]
    fn parts_of_text() {
        assert!(starts_with("Hello", "hEL") && !starts_with("He", "hel") && starts_with("x", ""));
        assert!(ends_with("Hello", "LLO") && !ends_with("lo", "llo") && ends_with("x", ""));
        assert!(contains("Hello", "ELL") && !contains("Hello", "z") && contains("", ""));
    }

    proptest! {
        /// Where bytes are compared, the answer is that of folding everything.
        #[test]
        fn bytes_and_letters_agree(text in "[aAkKsSıſ\\u{212A}ü]{0,40}", part in "[aAkKsSıſü]{0,4}", times in 0..12_usize) {
            let part = part.repeat(times);
            let (whole, sought): (String, String) = (folded(&text).collect(), folded(&part).collect());
            prop_assert_eq!(starts_with(&text, &part), whole.starts_with(&sought));
            prop_assert_eq!(ends_with(&text, &part), whole.ends_with(&sought));
            prop_assert_eq!(contains(&text, &part), whole.contains(&sought));
        }
    }
}

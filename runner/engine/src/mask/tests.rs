//! What is masked, in which encodings, and across the ends of reads.

use super::*;
use proptest::prelude::*;

fn masks(secrets: &[(&str, &str)]) -> Masks {
    let mut masks = Masks::default();
    masks.extend(secrets.iter().map(|(name, value)| {
        let origin =
            if name.is_empty() { Origin::Unnamed } else { Origin::Secret { name: Arc::from(*name) } };
        (*value, origin)
    }));
    masks
}

fn check(secrets: &[&str], text: &str, expected: &str) {
    let secrets: Vec<_> = secrets.iter().map(|secret| ("S", *secret)).collect();
    assert_eq!(masks(&secrets).mask_text(text), expected, "{secrets:?} in {text:?}");
}

#[test]
fn overlapping_and_touching_secrets_share_one_mask() {
    check(&["abc", "cde"], "xabcdex", "x***x");
    check(&["abc", "def"], "abcdef abc def", "*** *** ***");
    check(&["a"], "aaab", "***b");
    check(&["abab"], "ababab", "***");
    check(&["inner", "an inner secret"], "an inner secret", "***");
    check(&[""], "x", "x");
}

#[test]
fn lines_of_a_value_are_masked_too() {
    check(&[" one \r\n\n  two\n"], "a one b two c", "a *** b *** c");
    check(&["k1\nk2"], "k1\nk2", "***");
}

#[test]
fn regexes_mask_overlapping_matches() {
    let mut masks = masks(&[("S", "zz")]);
    masks.add_regex(r"(?<=id=)\d\d").expect("valid");
    masks.add_regex("aba").expect("valid");
    assert_eq!(masks.mask_text("id=123 ababa zz"), "id=***3 *** ***");
    assert_eq!(masks.mask(b"\xFFid=12\xFF"), b"\xFFid=***\xFF".as_slice());
    assert!(masks.add_regex("(").is_err());
}

#[test]
fn nothing_found_means_nothing_allocated() {
    let masks = masks(&[("S", "secret")]);
    assert!(matches!(masks.mask(b"some text"), Cow::Borrowed(_)));
    assert!(matches!(masks.mask_text("some text"), Cow::Borrowed(_)));
}

#[test]
fn debug_shows_no_value_and_clones_do_not_see_later_masks() {
    let mut masks = masks(&[("S", "hunter2")]);
    let before = masks.clone();
    masks.add("other", Origin::Unnamed);
    assert_eq!(before.mask_text("other"), "other");
    assert_eq!(masks.mask_text("other"), "***");
    assert!(masks.generation() > before.generation());
    let generation = masks.generation();
    masks.add("other", Origin::Unnamed);
    assert_eq!(masks.generation(), generation);
    let shown = format!("{masks:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("other"), "{shown}");
}

#[test]
fn find_names_the_secret_and_its_encoding() {
    let masks = masks(&[("", "token"), ("A", "pass word"), ("B", "token")]);
    let text = "x pass%20word cGFzcyB3b3Jk token";
    let found: Vec<_> = masks
        .find(text.as_bytes())
        .into_iter()
        .map(|found| {
            let shown = text.get(found.range).unwrap_or_default();
            format!("{} {:?} {shown}", found.name.unwrap_or_default(), found.encoder)
        })
        .collect();
    assert_eq!(found, ["A UriData pass%20word", "A Base64 cGFzcyB3b3Jk", "B Plain token"]);
}

fn round_trip(masks: &Masks, text: &str) -> String {
    let kept = masks.placeholders(text);
    let value_of = |name: &str| {
        let known = masks.unnamed().find(|(known, _)| *known == name).map(|(_, value)| value);
        known.or(match name {
            "A" => Some(b"abcdef".as_slice()),
            "B b}" => Some(b"defghi"),
            "C" => Some(b"one\ntwo"),
            _ => None,
        })
    };
    assert_eq!(Masks::fill(&kept, value_of).as_deref(), Ok(text), "{kept}");
    kept
}

#[test]
fn placeholders() {
    let masks = masks(&[("A", "abcdef"), ("B b}", "defghi"), ("C", "one\ntwo"), ("", "mine")]);
    assert_eq!(round_trip(&masks, "x abcdef y"), "x {secret A plain} y");
    assert_eq!(round_trip(&masks, "YWJjZGVm"), "{secret A base64}");
    assert_eq!(round_trip(&masks, "abcdefghi"), "{secret A plain}{secret B%20b%7D plain from=3 to=6}");
    assert_eq!(round_trip(&masks, "two"), "{secret C plain line=1}");
    assert_eq!(round_trip(&masks, "mine"), "{secret #0 plain}");
    assert_eq!(
        round_trip(&masks, "{secret A plain}{secret {secret }"),
        "{secret }A plain}{secret }{secret }}"
    );
    assert_eq!(round_trip(&masks, "{secretabcdef {secret"), "{secret{secret A plain} {secret");
}

#[test]
fn filling_in_can_fail() {
    let with = |value: &'static str| move |_: &str| Some(value.as_bytes());
    assert_eq!(Masks::fill("{secret A plain}", |_| None), Err(FillError::Missing("A".into())));
    assert_eq!(
        Masks::fill("{secret A plain from=2 to=9}", with("short")),
        Err(FillError::Different("A".into()))
    );
    assert_eq!(Masks::fill("x {secret A", with("v")), Err(FillError::Malformed(2)));
    assert_eq!(Masks::fill("{secret A rot13}", with("v")), Err(FillError::Malformed(0)));
    let mut masks = Masks::default();
    masks.add_regex("secret-[0-9]+").expect("valid");
    assert_eq!(masks.placeholders("a secret-1"), "a {secret ? plain}");
    assert_eq!(Masks::fill("{secret ? plain}", with("v")), Err(FillError::Unrecoverable));
}

/// What the automaton, the screen and the merging must agree with: every pattern at every place.
fn naive(secrets: &[Vec<u8>], text: &[u8]) -> Vec<u8> {
    let mut secret = vec![false; text.len() + 1];
    // `joined[i]`: a match ends at i or goes over it, so that a match from i on shares its mask.
    let mut joined = vec![false; text.len() + 1];
    for value in secrets {
        for (part, _) in parts(value) {
            for pattern in Encoder::ALL.map(|encoder| encoder.encode(part)) {
                for at in 0..text.len() {
                    if !pattern.is_empty() && text[at..].starts_with(&pattern) {
                        secret[at..at + pattern.len()].fill(true);
                        joined[at + 1..=at + pattern.len()].fill(true);
                    }
                }
            }
        }
    }
    let mut out = Vec::new();
    for at in 0..text.len() {
        match (secret[at], joined[at]) {
            (false, _) => out.push(text[at]),
            (true, false) => out.extend_from_slice(b"***"),
            (true, true) => {}
        }
    }
    out
}

fn secrets() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let byte = prop_oneof![8 => b'a'..b'd', 1 => Just(b'&'), 1 => Just(b'+'), 1 => Just(b'"'), 1 => Just(b'\n'), 1 => any::<u8>()];
    proptest::collection::vec(proptest::collection::vec(byte, 1..14), 0..5)
}

fn text_with(secrets: Vec<Vec<u8>>) -> impl Strategy<Value = (Vec<Vec<u8>>, Vec<u8>)> {
    let mut pieces: Vec<Vec<u8>> =
        vec![b"a".to_vec(), b"b".to_vec(), b"x".to_vec(), "é😀".into(), vec![0xFF]];
    pieces.extend(secrets.iter().flat_map(|secret| Encoder::ALL.map(|encoder| encoder.encode(secret))));
    let text =
        proptest::collection::vec(proptest::sample::select(pieces), 0..14).prop_map(|pieces| pieces.concat());
    text.prop_map(move |text| (secrets.clone(), text))
}

proptest! {
    #[test]
    fn agrees_with_the_naive_masker((secrets, text) in secrets().prop_flat_map(text_with)) {
        let mut masks = Masks::default();
        masks.extend(secrets.iter().map(|secret| (secret, Origin::Unnamed)));
        let expected = naive(&secrets, &text);
        prop_assert_eq!(masks.mask(&text).into_owned(), expected.clone());
        prop_assert_eq!(masks.contains_secret(&text), expected != text);
        let mut slow = Vec::new();
        masks.inner.search_one_by_one(&text, &mut slow);
        let mut fast = Vec::new();
        masks.inner.search(&text, &mut fast);
        let pairs = |hits: &[Hit]| {
            let mut pairs: Vec<_> = hits.iter().map(|hit| (hit.start, hit.end)).collect();
            pairs.sort_unstable();
            pairs
        };
        prop_assert_eq!(pairs(&slow), pairs(&fast));
    }

    #[test]
    fn a_stream_agrees_with_the_whole_at_every_split(
        (secrets, text) in secrets().prop_flat_map(text_with),
        piece_bytes in 1usize..12,
    ) {
        let one_line = |bytes: &Vec<u8>| bytes.iter().copied().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect::<Vec<_>>();
        let (secrets, text) = (secrets.iter().map(one_line).collect::<Vec<_>>(), one_line(&text));
        let mut masks = Masks::default();
        masks.extend(secrets.iter().map(|secret| (secret, Origin::Unnamed)));
        let mut reference: Option<Vec<Vec<u8>>> = None;
        for split in 0..=text.len() {
            let mut pieces: Vec<Vec<u8>> = Vec::new();
            let mut stream = MaskStream::default();
            stream.push(&text[..split], &masks, piece_bytes, |piece| pieces.push(piece.to_vec()));
            stream.push(&text[split..], &masks, piece_bytes, |piece| pieces.push(piece.to_vec()));
            stream.finish(&masks, piece_bytes, |piece| pieces.push(piece.to_vec()));
            prop_assert_eq!(pieces.concat(), naive(&secrets, &text));
            prop_assert_eq!(reference.get_or_insert_with(|| pieces.clone()), &pieces);
        }
    }

    #[test]
    fn placeholders_hide_and_come_back((secrets, text) in secrets().prop_flat_map(text_with)) {
        let text = String::from_utf8_lossy(&text).into_owned();
        let secrets: Vec<_> = secrets.into_iter().filter(|secret| std::str::from_utf8(secret).is_ok()).collect();
        let mut masks = Masks::default();
        masks.extend(secrets.iter().map(|secret| (secret, Origin::Unnamed)));
        let kept = masks.placeholders(&text);
        let filled = Masks::fill(&kept, |name| masks.unnamed().find(|(known, _)| *known == name).map(|(_, value)| value));
        prop_assert_eq!(filled, Ok(text.clone()));
        if masks.contains_secret(text.as_bytes()) {
            let marked = kept.contains("{secret #");
            prop_assert!(marked);
        }
    }
}

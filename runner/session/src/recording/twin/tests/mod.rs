//! Twins of random states: there and back, canonical, and without secrets. Unoptimised code says nothing about cost:
//! `cargo test --release -p session recording -- --nocapture`.

#[cfg(not(debug_assertions))]
mod cost;
mod dice;

use std::sync::Arc;

use engine::expr::{Object, Value};
use engine::job::JobState;
use engine::mask::{Encoder, Masks, Origin};
use engine::matcher::Matchers;
use engine::secrets::Secrets;
use engine::slots::BackgroundSlots;
use indexmap::IndexMap;
use proptest::prelude::*;

use super::*;
use dice::dice;

/// With everything that an encoder looks for: quotes, ampersands, control characters, lines.
const NAMED: [(&str, &str); 3] = [
    ("TOKEN", "ghs_canary0123456789abcdef"),
    ("ODD", "\"q'uo\\te <x>&y\tz&+ab c\u{e9}wxyz0123\""),
    ("LINES", "first canary line \n  second/canary=line\r\nthird canary"),
];
const UNNAMED: [&str; 2] = ["learnt-canary-7788", "0987654321"];

fn secrets() -> Secrets {
    let named = NAMED.iter().map(|(name, value)| (Arc::from(*name), Arc::from(*value))).collect();
    let secrets = Secrets::new(named);
    let mut masks = secrets.masks().clone();
    masks.extend(UNNAMED.map(|value| (value, Origin::Unnamed)));
    secrets.with_masks(masks)
}

fn filling(secrets: &Secrets) -> Filling<'_> {
    let mut fill = Filling::new(secrets);
    for (number, (_, value)) in secrets.masks().unnamed().enumerate() {
        fill.unnamed(number, value.to_vec());
    }
    fill
}

/// Every form in which a value must not be written.
fn forms(value: &str) -> Vec<Vec<u8>> {
    let whole = [value, value.trim()].into_iter();
    let parts = whole.chain(value.lines().map(str::trim));
    let encoded = parts.flat_map(|part| Encoder::ALL.map(|encoder| encoder.encode(part.as_bytes())));
    encoded.filter(|form| form.len() >= 4).collect()
}

fn assert_no_secret(bytes: &[u8]) {
    if let Some(form) = secret_in(bytes) {
        panic!("{:?} is in the bytes", String::from_utf8_lossy(&form));
    }
}

fn secret_in(bytes: &[u8]) -> Option<Vec<u8>> {
    let values = NAMED.map(|(_, value)| value).into_iter().chain(UNNAMED);
    values.flat_map(forms).find(|form| bytes.windows(form.len()).any(|window| window == form))
}

#[test]
fn the_canaries_are_seen_where_nothing_hides_them() {
    let none = Masks::default();
    let hide = Hiding::new(&none);
    let seen = |seed: u64| {
        let state = secret_in(StateWriter::default().write(&dice(seed).state(), 0, &hide).unwrap());
        let event = write_event(&dice(seed).event(), &hide, |_| None, Vec::new()).unwrap();
        (state.is_some(), secret_in(&event).is_some())
    };
    let (states, events): (Vec<bool>, Vec<bool>) = (0..60).map(seen).unzip();
    assert!(states.iter().filter(|seen| **seen).count() > 50);
    assert!(events.contains(&true));
}

proptest! {
    #[test]
    fn states_come_back_without_having_shown_a_secret(seed in any::<u64>()) {
        let secrets = secrets();
        let hide = Hiding::new(secrets.masks());
        let state = dice(seed).state();
        let mut writer = StateWriter::default();
        let bytes = writer.write(&state, 3, &hide).unwrap().to_vec();
        assert_no_secret(&bytes);

        let fill = filling(&secrets);
        let (plan, back) = StateReader::default().read(&bytes, &fill).unwrap();
        prop_assert!(fill.needed().is_empty(), "{}", fill.needed());
        prop_assert_eq!(plan, 3);
        prop_assert!(back == state, "another state");

        prop_assert!(writer.write(&back, 3, &hide).unwrap() == bytes, "what was read is written alike");
        let again = dice(seed).state();
        prop_assert!(StateWriter::default().write(&again, 3, &hide).unwrap() == bytes, "equal states differ");
    }

    #[test]
    fn events_come_back_without_having_shown_a_secret(seed in any::<u64>()) {
        let secrets = secrets();
        let event = dice(seed).event();
        let bytes = write_event(&event, &Hiding::new(secrets.masks()), |_| None, Vec::new()).unwrap();
        assert_no_secret(&bytes);
        let back = EventReader::default().read(&bytes, &filling(&secrets), |_| None).unwrap();
        prop_assert!(back == event, "another event");
    }

    #[test]
    fn facts_come_back_without_having_shown_a_secret(seed in any::<u64>()) {
        let secrets = secrets();
        let facts = dice(seed).facts();
        let bytes = FactsTwin::write(&facts, &secrets).unwrap();
        assert_no_secret(&bytes);
        let mut fill = filling(&secrets);
        prop_assert!(FactsTwin::read(&bytes, &mut fill).unwrap() == facts, "other facts");
        prop_assert!(fill.needed().is_empty(), "{}", fill.needed());
    }

    #[test]
    fn a_look_without_secrets_shows_none(seed in any::<u64>()) {
        let secrets = secrets();
        let hide = Hiding::new(secrets.masks());
        let bytes = StateWriter::default().write(&dice(seed).state(), 0, &hide).unwrap().to_vec();
        let (_, seen) = StateReader::default().read(&bytes, &Filling::nothing()).unwrap();
        // Written without any mask, whatever secret were in it would be seen.
        let none = Masks::default();
        assert_no_secret(StateWriter::default().write(&seen, 0, &Hiding::new(&none)).unwrap());
    }

    #[test]
    fn damaged_bytes_are_an_error_or_another_state(seed in any::<u64>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let none = Masks::default();
        let mut bytes = StateWriter::default().write(&dice(seed).state(), 0, &Hiding::new(&none)).unwrap().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = StateReader::default().read(&bytes, &Filling::nothing());
        let _ = StateReader::default().read(&bytes[..at], &Filling::nothing());
    }
}

fn state_with(text: &str) -> JobState {
    let mut state = dice(1).state();
    state.env = Arc::new(Object::from([("A", text)]));
    state
}

fn read_with(bytes: &[u8], secrets: &[(&str, &str)], checks: &[(&str, &str)]) -> (String, String) {
    let map: IndexMap<Arc<str>, Arc<str>> =
        secrets.iter().map(|(n, v)| (Arc::from(*n), Arc::from(*v))).collect();
    let secrets = Secrets::new(map);
    let mut fill = Filling::new(&secrets);
    for (name, value) in checks {
        fill.check(name, text::SecretCheck::of(name, value));
    }
    let (_, state) = StateReader::default().read(bytes, &fill).unwrap();
    (state.env.get("A").unwrap().to_text().into_owned(), fill.needed().to_string())
}

#[test]
fn missing_and_different_secrets_are_named() {
    let secrets = secrets();
    let mut writer = StateWriter::default();
    let text = format!("{} then {}", NAMED[0].1, UNNAMED[0]);
    let mut state = dice(0).state();
    // Nothing random that could need another secret.
    state.lanes.clear();
    state.matchers = Matchers::default();
    (state.inputs, state.steps, state.outputs) = Default::default();
    (state.path, state.saved_state, state.results) = Default::default();
    (state.actions, state.composites) = Default::default();
    state.env = Arc::new(Object::from([("A", text.as_str())]));
    let bytes = writer.write(&state, 0, &Hiding::new(secrets.masks())).unwrap().to_vec();
    let placeholders = "{secret TOKEN plain} then {secret #0 plain}";
    let sealed = "1 values masked during the run, sealed under another key";
    assert_eq!(read_with(&bytes, &[], &[]), (placeholders.to_owned(), format!("missing: TOKEN; {sealed}")));
    assert_eq!(
        read_with(&bytes, &[("TOKEN", "other")], &[NAMED[0]]),
        (placeholders.to_owned(), format!("other values than when it was recorded: TOKEN; {sealed}"))
    );
    assert_eq!(
        read_with(&bytes, &[("token", NAMED[0].1)], &[NAMED[0]]),
        (placeholders.to_owned(), sealed.to_owned())
    );
}

#[test]
fn equal_numbers_are_written_alike() {
    let none = Masks::default();
    let bytes = |number: f64| {
        let mut state = state_with("");
        state.env = Arc::new(Object::from([("A", number)]));
        StateWriter::default().write(&state, 0, &Hiding::new(&none)).unwrap().to_vec()
    };
    assert!(bytes(0.0) == bytes(-0.0));
    assert!(bytes(f64::NAN) == bytes(-f64::NAN));
    assert!(bytes(1.0) != bytes(2.0));
}

#[test]
fn a_number_that_is_a_secret_is_hidden() {
    let mut masks = Masks::default();
    masks.add("0987654321", Origin::Unnamed);
    masks.add("2718281828", Origin::Unnamed);
    let mut state = state_with("");
    state.env = Arc::new(Object::from([("A", 2_718_281_828.0)]));
    let bytes = StateWriter::default().write(&state, 0, &Hiding::new(&masks)).unwrap().to_vec();
    let (_, seen) = StateReader::default().read(&bytes, &Filling::nothing()).unwrap();
    assert_eq!(seen.env.get("A"), Some(&"{secret #1 plain}".into()));
    let mut fill = Filling::nothing();
    fill.unnamed(1, b"2718281828".to_vec());
    let (_, back) = StateReader::default().read(&bytes, &fill).unwrap();
    assert_eq!(back.env.get("A"), Some(&2_718_281_828.0.into()));
}

#[test]
fn another_major_is_refused_and_another_minor_read() {
    let none = Masks::default();
    let state = state_with("x");
    let mut bytes = StateWriter::default().write(&state, 0, &Hiding::new(&none)).unwrap().to_vec();
    bytes[1] = 9;
    bytes.extend_from_slice(b"what a newer minor adds");
    assert!(StateReader::default().read(&bytes, &Filling::nothing()).unwrap().1 == state);
    bytes[0] = 1;
    let error = StateReader::default().read(&bytes, &Filling::nothing()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "its states have format 1.9, this release reads 3.2\nhint: open it with a release of that format"
    );
}

#[test]
fn what_3_1_wrote_is_read_without_what_came_later() {
    let mut facts = dice(1).facts();
    facts.inputs.background_slots = BackgroundSlots::default();
    let mut bytes = FactsTwin::write(&facts, &Secrets::default()).unwrap();
    assert_eq!(bytes.pop(), Some(10), "the slots stand last");
    bytes[1] = 1;
    assert!(FactsTwin::read(&bytes, &mut Filling::nothing()).unwrap() == facts);
    bytes.pop();
    assert!(FactsTwin::read(&bytes, &mut Filling::nothing()).is_err());
}

#[test]
fn nesting_made_to_overflow_the_stack_is_refused() {
    let mut value = Value::Null;
    for _ in 0..1000 {
        value = Value::array([value]);
    }
    let mut state = state_with("");
    state.env = Arc::new(Object::from([("A", value)]));
    let none = Masks::default();
    let bytes = StateWriter::default().write(&state, 0, &Hiding::new(&none)).unwrap().to_vec();
    let error = StateReader::default().read(&bytes, &Filling::nothing()).err();
    assert_eq!(error, Some(TwinError::Malformed("values")));
}

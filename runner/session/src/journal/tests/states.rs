//! States packed as deltas come back as they were.

use super::*;
use proptest::prelude::*;

/// Packs each state against the one before it and checks all of them, forwards and backwards.
fn check(states: &[Vec<u8>]) -> Vec<StoredState> {
    let mut encoder = StateEncoder::new();
    let mut archive = StateArchive::default();
    let mut stored = Vec::new();
    for (id, state) in (0_u64..).zip(states) {
        let parent = id.checked_sub(1).map(MomentId);
        let packed = encoder.encode(MomentId(id), parent, state).unwrap();
        archive.add(MomentId(id), parent, packed.clone());
        stored.push(packed);
    }
    let ids: Vec<MomentId> = archive.ids().collect();
    for id in ids.iter().rev().chain(&ids) {
        assert_eq!(archive.get(*id).unwrap().as_ref(), states[id.0 as usize], "moment {}", id.0);
    }
    stored
}

/// A state of `entries` named values, of which some change from one to the next.
fn job_like(entries: usize, version: usize) -> Vec<u8> {
    let mut state = format!("cursor {version};").into_bytes();
    for entry in 0..entries {
        let value = if entry % 97 == version % 97 { version } else { entry };
        state.extend_from_slice(format!("steps.step_{entry}.outputs.value={value:x};").as_bytes());
    }
    state.extend_from_slice(format!("status after {version}").as_bytes());
    state
}

fn size(stored: &StoredState) -> usize {
    match &stored.form {
        StoredForm::Full(bytes) | StoredForm::Zstd(bytes) | StoredForm::Delta(bytes) => bytes.0.len(),
    }
}

#[test]
fn small_changes_make_small_deltas_and_full_copies_come_now_and_then() {
    let states: Vec<_> = (0..200).map(|version| job_like(500, version)).collect();
    let stored = check(&states);
    let full = stored.iter().filter(|state| !matches!(state.form, StoredForm::Delta(_))).count();
    assert_eq!(full, 200_usize.div_ceil(STATE_DELTAS_MAX as usize + 1));
    let deltas = stored.iter().filter(|state| matches!(state.form, StoredForm::Delta(_)));
    let worst = deltas.map(size).max().unwrap();
    assert!(worst < 300, "{worst} bytes for a few changed values of {}", states[0].len());
}

#[test]
fn unlike_equal_and_empty_states() {
    check(&[vec![], vec![], b"a".to_vec(), vec![], vec![0; 5000], vec![0; 4999], vec![1; 5000], vec![]]);
}

#[test]
fn a_parent_that_is_not_held_means_a_full_copy() {
    let mut encoder = StateEncoder::new();
    for id in 0..10 {
        encoder.encode(MomentId(id), id.checked_sub(1).map(MomentId), &job_like(100, 1)).unwrap();
    }
    let stored = encoder.encode(MomentId(10), Some(MomentId(1)), &job_like(100, 1)).unwrap();
    assert!(!matches!(stored.form, StoredForm::Delta(_)));
}

#[test]
fn siblings_may_rest_on_one_parent() {
    let mut encoder = StateEncoder::new();
    let mut archive = StateArchive::default();
    for (id, parent) in [(0, None), (1, Some(0)), (2, Some(0)), (3, Some(1))] {
        let (id, parent) = (MomentId(id), parent.map(MomentId));
        archive.add(id, parent, encoder.encode(id, parent, &job_like(50, id.0 as usize)).unwrap());
    }
    for id in 0..4 {
        assert_eq!(archive.get(MomentId(id)).unwrap().as_ref(), job_like(50, id as usize));
    }
}

#[test]
fn a_wrong_or_missing_base_is_an_error_and_never_a_wrong_state() {
    let mut encoder = StateEncoder::new();
    let first = encoder.encode(MomentId(0), None, &job_like(50, 0)).unwrap();
    let second = encoder.encode(MomentId(1), Some(MomentId(0)), &job_like(50, 1)).unwrap();
    let other = StateEncoder::new().encode(MomentId(0), None, &[7; 9000]).unwrap();

    let mut archive = StateArchive::default();
    archive.add(MomentId(1), Some(MomentId(0)), second.clone());
    assert_eq!(archive.get(MomentId(1)), Err(StateError::Missing(MomentId(0))));
    assert_eq!(archive.get(MomentId(2)), Err(StateError::Missing(MomentId(2))));
    archive.add(MomentId(0), None, other);
    assert_eq!(archive.get(MomentId(1)), Err(StateError::Damaged(MomentId(1))));

    let mut looped = StateArchive::default();
    looped.add(MomentId(0), Some(MomentId(1)), second.clone());
    looped.add(MomentId(1), Some(MomentId(0)), second);
    assert_eq!(looped.get(MomentId(1)), Err(StateError::Damaged(MomentId(0))));

    let mut lying = StateArchive::default();
    lying.add(MomentId(0), None, StoredState { length: u32::MAX, ..first });
    assert!(matches!(lying.get(MomentId(0)), Err(StateError::TooLarge { .. })));
}

fn state() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..60),
        (any::<u8>(), 0_usize..200).prop_map(|(byte, count)| vec![byte; count]),
        (0_usize..40).prop_map(|entries| job_like(entries, 3)),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_row_of_states_comes_back(states in prop::collection::vec(state(), 1..8)) {
        check(&states);
    }

    #[test]
    fn any_delta_comes_back(old in state(), new in state()) {
        let delta = delta::DeltaEncoder::default().encode(&old, &new);
        prop_assert_eq!(delta::apply(&old, &delta, new.len()), Ok(new));
    }

    #[test]
    fn noise_is_no_reason_to_panic(
        old in prop::collection::vec(any::<u8>(), 0..100),
        noise in prop::collection::vec(any::<u8>(), 0..100),
        length in 0_usize..200,
    ) {
        if let Ok(new) = delta::apply(&old, &noise, length) {
            prop_assert_eq!(new.len(), length);
        }
    }
}

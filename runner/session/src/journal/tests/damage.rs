//! Files that are cut, altered or reordered: what is read is always a part of what was written, from its
//! beginning, and the reader says where it stopped.

use super::*;
use proptest::prelude::*;

/// Where each frame begins, and the end.
fn boundaries(bytes: &[u8]) -> Vec<usize> {
    let opened = reader::parse(bytes).unwrap();
    let starts = opened.records.iter().map(|entry| entry.position.offset as usize);
    starts.chain([bytes.len()]).collect()
}

#[test]
fn cut_at_every_byte() {
    let bytes = journal_bytes(&one_of_each());
    let boundaries = boundaries(&bytes);
    let whole = records(&reader::parse(&bytes).unwrap());
    for cut in 0..bytes.len() {
        let Ok(opened) = reader::parse(&bytes[..cut]) else {
            assert!(cut < header::HEADER_BYTES, "opens from the header on");
            continue;
        };
        let frames = boundaries.iter().filter(|boundary| **boundary <= cut).count() - 1;
        assert_eq!(records(&opened), whole[..frames], "cut at {cut}");
        let torn = cut - boundaries[frames];
        let expected = (torn > 0).then(|| TornTail {
            offset: boundaries[frames] as u64,
            bytes: torn as u64,
            reason: TailReason::Short,
        });
        assert_eq!(opened.dropped_tail, expected, "cut at {cut}");
        assert!(!opened.complete, "cut at {cut}");
    }
}

#[test]
fn a_torn_tail_is_cut_when_opened_for_writing_and_not_before() {
    let bytes = journal_bytes(&one_of_each());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let cut = bytes.len() - 3;
    std::fs::write(&path, &bytes[..cut]).unwrap();
    let opened = read(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap().len(), cut, "reading changes nothing");
    let (mut writer, reopened) = JournalWriter::reopen(&path).unwrap();
    assert_eq!(reopened, opened);
    writer.append(&Note { text: "on".into() }.into()).unwrap();
    let mut expected = records(&opened);
    expected.push(Note { text: "on".into() }.into());
    let after = read(&path).unwrap();
    assert_eq!(records(&after), expected);
    assert_eq!(after.dropped_tail, None);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "an unfinished write is not kept");
}

#[test]
fn damage_is_kept_beside_the_journal_when_opened_for_writing() {
    let mut bytes = journal_bytes(&one_of_each());
    let third = boundaries(&bytes)[3];
    bytes[third + 12] ^= 4;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    std::fs::write(&path, &bytes).unwrap();
    let (_writer, opened) = JournalWriter::reopen(&path).unwrap();
    assert_eq!(records(&opened), one_of_each()[..3]);
    assert_eq!(opened.dropped_tail.unwrap().reason, TailReason::Checksum);
    let kept = folder.path().join(format!("journal.damaged-{third}"));
    assert_eq!(std::fs::read(kept).unwrap(), &bytes[third..]);
}

#[test]
fn swapped_removed_and_foreign_frames_are_seen() {
    let notes: Vec<Record> = ["one", "two", "six"].map(|text| Note { text: text.into() }.into()).into();
    let bytes = journal_bytes(&notes);
    let at = boundaries(&bytes);
    let (first, second) = (&bytes[at[0]..at[1]], &bytes[at[1]..at[2]]);
    let head = &bytes[..at[0]];
    let check = |file: Vec<u8>, good: usize| {
        let opened = reader::parse(&file).unwrap();
        assert_eq!(records(&opened), notes[..good]);
        assert_eq!(opened.dropped_tail.unwrap().reason, TailReason::Chain);
    };
    check([head, second, first].concat(), 0);
    check([head, first, first].concat(), 1);
    check([head, first, &bytes[at[2]..]].concat(), 1);
    let other = Header::new(1_700_000_000_000, [8; 16]).to_bytes();
    check([&other, first].concat(), 0);
}

#[test]
fn a_hole_of_zeros_after_a_power_cut_is_no_frame() {
    let bytes = journal_bytes(&one_of_each());
    let at = boundaries(&bytes)[5];
    let file = [&bytes[..at], &[0; 4096]].concat();
    let opened = reader::parse(&file).unwrap();
    assert_eq!(records(&opened), one_of_each()[..5]);
    assert_eq!(opened.dropped_tail.unwrap().bytes, 4096);
}

#[test]
fn every_single_bit_flip_is_seen() {
    let bytes = journal_bytes(&one_of_each());
    let whole = reader::parse(&bytes).unwrap();
    for bit in 0..bytes.len() * 8 {
        check_flips(&bytes, &whole, &[bit]);
    }
}

/// After the flips, what is read is what stood before the first of them.
fn check_flips(bytes: &[u8], whole: &Opened, bits: &[usize]) {
    let mut flipped = bytes.to_vec();
    bits.iter().for_each(|bit| flipped[bit / 8] ^= 1 << (bit % 8));
    let Ok(opened) = reader::parse(&flipped) else {
        assert!(bits.iter().any(|bit| bit / 8 < header::HEADER_BYTES));
        return;
    };
    if flipped != bytes {
        assert!(!opened.complete, "flipped {bits:?}");
    }
    assert!(opened.records.len() <= whole.records.len());
    assert_eq!(opened.records, whole.records[..opened.records.len()], "flipped {bits:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn flips_and_cuts_never_give_an_altered_record(
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let bytes = journal_bytes(&one_of_each());
        let whole = reader::parse(&bytes).unwrap();
        let bytes = &bytes[..cut.index(bytes.len()) + 1];
        let bits: Vec<usize> = places.iter().map(|place| place.index(bytes.len() * 8)).collect();
        if bytes.len() >= header::HEADER_BYTES {
            check_flips(bytes, &whole, &bits);
        }
    }

    #[test]
    fn noise_behind_a_header_is_never_a_record(noise in prop::collection::vec(any::<u8>(), 1..300)) {
        let file = [header().to_bytes(), noise].concat();
        let opened = reader::parse(&file).unwrap();
        prop_assert_eq!(opened.records.len(), 0);
        prop_assert_eq!(opened.dropped_tail.unwrap().offset, header::HEADER_BYTES as u64);
    }

    #[test]
    fn payloads_of_noise_never_panic(kind in 0_u8..20, noise in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(record) = Record::decode(kind, &noise) {
            prop_assert_eq!(record.kind(), kind);
        }
    }
}

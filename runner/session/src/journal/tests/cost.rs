//! What the journal costs in an optimised build, against a base measured in the same run. Bounds are wide: they
//! catch a change of order, not of taste. The figures are printed.

use super::*;
use std::time::{Duration, Instant};

/// The fastest of some runs: what it costs when nobody disturbs it.
fn fastest(runs: usize, mut run: impl FnMut()) -> Duration {
    let timed = (0..runs).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed()
    });
    timed.min().unwrap()
}

fn state(bytes: usize, version: usize) -> Vec<u8> {
    let mut state = format!("cursor {version};").into_bytes();
    for entry in 0.. {
        if state.len() >= bytes {
            break;
        }
        let value = if entry % 97 == version % 97 { version } else { entry };
        state.extend_from_slice(format!("steps.step_{entry}.outputs.value={value:x};").as_bytes());
    }
    state
}

#[test]
fn a_moment_costs_little_more_than_hashing_its_state() {
    for bytes in [2_000, 20_000, 50_000] {
        let versions: Vec<_> = (0..330).map(|version| state(bytes, version)).collect();
        let hashing = fastest(5, || {
            for state in &versions {
                std::hint::black_box(blake3::hash(state));
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let mut run = 0;
        let journal = fastest(5, || {
            run += 1;
            let path = folder.path().join(format!("journal-{run}"));
            let mut writer = JournalWriter::create(&path, &header()).unwrap();
            let mut states = StateEncoder::new();
            for (id, state) in (0_u64..).zip(&versions) {
                writer.append(&moment(&mut states, id, id.checked_sub(1), state).into()).unwrap();
            }
        });
        let each = |total: Duration| total.as_nanos() as f64 / 1000.0 / versions.len() as f64;
        println!("moment of {bytes} bytes: {:.1} us, hashing it {:.1} us", each(journal), each(hashing));
        // Per moment: eight times its hash, and 100 µs for the write and the small parts, unoptimised.
        assert!(each(journal) < 8.0 * each(hashing) + 100.0);
    }
}

#[test]
fn a_log_costs_little_more_than_writing_a_file() {
    let line = b"2026-01-31T14:25:07.0000000Z    Compiling some-crate v1.2.3 (registry)\n";
    let batch = line.repeat(64 * 1024 / line.len());
    let batches = 8 * 1024 * 1024 / batch.len();
    let folder = tempfile::tempdir().unwrap();
    let mut run = 0;
    let plain = fastest(3, || {
        run += 1;
        let mut file = std::fs::File::create(folder.path().join(format!("plain-{run}"))).unwrap();
        (0..batches).for_each(|_| io::Write::write_all(&mut file, &batch).unwrap());
    });
    let store = LogStore::open(folder.path()).unwrap();
    let logged = fastest(3, || {
        let head = LogHead { lane: 0, step: "a".into(), epoch: 1, started_unix_ms: 0 };
        let log = store.begin(&head).unwrap();
        (0..batches).for_each(|at| store.append(log, at as i64, &batch).unwrap());
        store.finish(log).unwrap();
    });
    println!("8 MiB of log: {logged:?}, the same as a plain file: {plain:?}");
    assert!(logged < plain * 8 + Duration::from_millis(200));
}

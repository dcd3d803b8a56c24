//! Tests of the journal as a whole, and what they share: one record of each kind, and a disk that fails.

// Unoptimised code says nothing about cost: `cargo test --release -p session cost -- --nocapture`.
#[cfg(not(debug_assertions))]
mod cost;
mod damage;
mod faults;
mod killed;
mod logs;
mod recovery;
mod round_trip;
mod shelf;
mod states;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::*;

/// A header that is the same in every run.
fn header() -> Header {
    Header::new(1_700_000_000_000, [7; 16])
}

fn moment(states: &mut StateEncoder, id: u64, parent: Option<u64>, state: &[u8]) -> Moment {
    let (id, parent) = (MomentId(id), parent.map(MomentId));
    Moment {
        id,
        parent,
        branch: 1,
        epoch: 1,
        point: Point::Ready,
        step: format!("build/{}", id.0),
        at_unix_ms: 1_700_000_000_001,
        state: states.encode(id, parent, state).unwrap(),
        files: Some(FilesRef { manifest: [9; 32], fuzzy: false }),
        logs: vec![LogPosition { log: LogId(1), lines: 3, bytes: 40 }],
        cause: Cause::Passed,
    }
}

fn intent(step: &str, epoch: u64) -> StepIntent {
    StepIntent { lane: 0, step: step.into(), epoch, description: "run: cargo test".into() }
}

fn result(step: &str, epoch: u64, outcome: Outcome) -> StepResult {
    StepResult { lane: 0, step: step.into(), epoch, outcome, exit_code: Some(1) }
}

fn stored(bytes: &[u8]) -> StoredState {
    StateEncoder::new().encode(MomentId(0), None, bytes).unwrap()
}

/// One record of every kind that can be written, except the footer.
fn one_of_each() -> Vec<Record> {
    let mut states = StateEncoder::new();
    vec![
        Record::from(Begin {
            stepback_version: "0.1.0".into(),
            engine_version: "1".into(),
            workflow_path: ".github/workflows/ci.yml".into(),
            job_id: "build".into(),
            created_unix_ms: 1_700_000_000_000,
        }),
        Facts { packed: stored(b"what the job was given") }.into(),
        Plan { number: 0, packed: stored(b"on: push") }.into(),
        moment(&mut states, 1, None, b"state of the first moment").into(),
        intent("build/1", 1).into(),
        Event { epoch: 1, bytes: Bytes(vec![1, 2, 3]) }.into(),
        Sealed { first: 0, key: [3; 8], nonce: [4; 24], bytes: Bytes(vec![5; 40]) }.into(),
        result("build/1", 1, Outcome::Failure).into(),
        moment(&mut states, 2, Some(1), b"state of the second moment").into(),
        Edit { moment: MomentId(2), what: "env.A".into(), bytes: Bytes(b"A=1".to_vec()) }.into(),
        Bookmark { moment: MomentId(1), name: "here".into() }.into(),
        RestoreBegin { from: MomentId(2), to: MomentId(1) }.into(),
        RestoreEnd { to: MomentId(1), result: RestoreResult::Failed("no space".into()) }.into(),
        BranchBegan { branch: 2, epoch: 2, from: MomentId(1) }.into(),
        Note { text: "slept for an hour".into() }.into(),
        Finished { outcome: Outcome::Success }.into(),
    ]
}

fn records(opened: &Opened) -> Vec<Record> {
    opened.records.iter().map(|entry| entry.record.clone()).collect()
}

/// Writes `records` as a finished journal and gives its bytes.
fn journal_bytes(records: &[Record]) -> Vec<u8> {
    journal_bytes_of(&header(), records)
}

fn journal_bytes_of(header: &Header, records: &[Record]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    write_with(&path, header, records).finish().unwrap();
    std::fs::read(path).unwrap()
}

fn write(path: &Path, records: &[Record]) -> JournalWriter {
    write_with(path, &header(), records)
}

fn write_with(path: &Path, header: &Header, records: &[Record]) -> JournalWriter {
    let mut writer = JournalWriter::create(path, header).unwrap();
    for record in records {
        assert!(matches!(writer.append(record).unwrap(), Written::At(_)));
    }
    writer
}

/// A disk in memory whose `fail_at`-th operation (writes, cuts and syncs counted together) and all after it fail.
/// A failing write first writes half of what it was given, as a full disk does.
#[derive(Clone)]
struct FailingDisk {
    content: Arc<Mutex<Vec<u8>>>,
    operations: Arc<AtomicU64>,
    fail_at: u64,
}

impl FailingDisk {
    fn new(fail_at: u64) -> Self {
        FailingDisk { content: Arc::default(), operations: Arc::default(), fail_at }
    }

    fn fails(&self) -> bool {
        self.operations.fetch_add(1, Ordering::SeqCst) + 1 >= self.fail_at
    }

    fn put(&self, bytes: &[u8], offset: u64) {
        let mut content = self.content.lock().unwrap();
        let end = offset as usize + bytes.len();
        if content.len() < end {
            content.resize(end, 0);
        }
        content[offset as usize..end].copy_from_slice(bytes);
    }
}

impl Storage for FailingDisk {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        if self.fails() {
            self.put(&bytes[..bytes.len() / 2], offset);
            return Err(io::ErrorKind::StorageFull.into());
        }
        // Never all at once: whoever writes must go on after a short write.
        let some = bytes.len().div_ceil(2);
        self.put(&bytes[..some], offset);
        Ok(some)
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        if self.fails() {
            return Err(io::Error::other("input/output error"));
        }
        self.content.lock().unwrap().truncate(length as usize);
        Ok(())
    }

    fn sync_handle(&self) -> io::Result<Box<dyn SyncHandle>> {
        Ok(Box::new(self.clone()))
    }
}

impl SyncHandle for FailingDisk {
    fn sync_data(&self) -> io::Result<()> {
        if self.fails() { Err(io::Error::other("input/output error")) } else { Ok(()) }
    }
}

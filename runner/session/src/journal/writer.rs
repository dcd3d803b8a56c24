//! Appending to a journal so that `kill -9` loses nothing that was appended. It orders and wraps records; it
//! does not know why they are written.
//!
//! Each append is one `write(2)`: once it returned, the kernel has the bytes and the death of this process
//! cannot take them back. Only a power cut can, and against that a background thread syncs. When the disk
//! refuses, the journal ends there, marked as truncated and readable up to the last whole frame; the job is
//! not told to stop.

use std::io;
use std::path::{Path, PathBuf};

use super::chain::Chain;
use super::frame::{self, WrapError};
use super::header::{HEADER_BYTES, Header, MARK_OFFSET, MARK_TRUNCATED};
use super::limits::FRAME_BYTES_MAX;
use super::reader::{self, OpenError, Opened, TornTail};
use super::record::{Footer, Record};
use super::storage::{FileStorage, Storage, write_all_at};
use super::sync::BackgroundSync;

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// How many records are before it.
    pub index: u64,
    /// Where its frame begins, in bytes from the start of the file.
    pub offset: u64,
}

/// What became of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is in the file.
    At(Position),
    /// The journal ended earlier because of a failure that has been reported; this record is not kept.
    Lost,
}

/// Why a record was not written. Each failure of the disk is reported by one call; later appends are
/// [`Written::Lost`].
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The disk is full or broken.
    #[error(
        "failed to write the journal: {0}\nhint: the job goes on; what happens from here on is not recorded"
    )]
    Storage(#[from] io::Error),
    /// The record is longer than a frame may be. It is left out; the journal goes on.
    #[error("failed to record {bytes} bytes at once\nhint: a record may have {FRAME_BYTES_MAX} bytes")]
    TooLarge {
        /// Length of its payload.
        bytes: usize,
    },
    /// The record has no written form. It is left out; the journal goes on.
    #[error("failed to encode a record of kind {kind}: {source}")]
    Encode {
        /// Its kind.
        kind: u8,
        /// What the encoder said.
        source: postcard::Error,
    },
}

/// The one writer of a journal. Whoever has it holds the recording's lock (see `Recording`).
pub struct JournalWriter {
    storage: Box<dyn Storage>,
    sync: BackgroundSync,
    chain: Chain,
    length: u64,
    counts: Footer,
    lost: u64,
    failed: bool,
    /// Reused between appends, so that an append allocates little.
    buffer: Vec<u8>,
}

impl std::fmt::Debug for JournalWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (length, counts) = (self.length, &self.counts);
        f.debug_struct("JournalWriter")
            .field("length", &length)
            .field("counts", counts)
            .finish_non_exhaustive()
    }
}

/// Where a journal that was read goes on.
#[derive(Debug)]
pub struct Continuation {
    path: PathBuf,
    torn: Option<TornTail>,
    tail: Vec<u8>,
    chain: Chain,
    end: u64,
    counts: Footer,
}

impl Continuation {
    /// Opens it to be written on, and cuts off what is no record at its end.
    pub fn write_on(self) -> Result<JournalWriter, OpenError> {
        let mut storage: Box<dyn Storage> = Box::new(FileStorage::open(&self.path)?);
        if let Some(torn) = &self.torn {
            if !torn.is_unfinished_write() {
                reader::keep_damaged(&self.path, torn, &self.tail)?;
            }
            storage.set_len(self.end)?;
        }
        Ok(JournalWriter::resume(storage, self.chain, self.end, self.counts)?)
    }
}

impl JournalWriter {
    /// Begins a journal in a new file at `path`. Fails when the file exists or the header cannot be written.
    pub fn create(path: &Path, header: &Header) -> Result<Self, WriteError> {
        Self::begin(Box::new(FileStorage::create(path)?), header)
    }

    /// Begins a journal on `storage`, which is empty.
    pub fn begin(mut storage: Box<dyn Storage>, header: &Header) -> Result<Self, WriteError> {
        write_all_at(storage.as_mut(), &header.to_bytes(), 0)?;
        let counts = Footer { records: 0, moments: 0 };
        Ok(Self::resume(storage, header.chain(), HEADER_BYTES as u64, counts)?)
    }

    /// Opens the journal at `path` to write on, and gives what is in it. Bytes behind the last good frame are cut
    /// off here; when they are more than a frame that was being written, they are first copied to a file beside
    /// it, `<name>.damaged-<offset>`. Fails on a newer format and on a journal that is marked truncated: its later
    /// history is missing, so nothing can follow it.
    pub fn reopen(path: &Path) -> Result<(Self, Opened), OpenError> {
        let (continuation, opened) = Self::look(path)?;
        Ok((continuation.write_on()?, opened))
    }

    /// Reads a journal that may be written to later: nothing of it has changed yet.
    pub fn look(path: &Path) -> Result<(Continuation, Opened), OpenError> {
        let (opened, tail) = reader::read_with_tail(path)?;
        opened.check_writable()?;
        let (torn, counts) = (opened.dropped_tail, opened.counts());
        let continuation =
            Continuation { path: path.to_owned(), torn, tail, chain: opened.chain, end: opened.end, counts };
        Ok((continuation, opened))
    }

    fn resume(storage: Box<dyn Storage>, chain: Chain, length: u64, counts: Footer) -> io::Result<Self> {
        // Nothing is known to be on disk yet: the process that wrote it may have died before its sync.
        let sync = BackgroundSync::start(storage.sync_handle()?, 0)?;
        sync.written(length);
        Ok(JournalWriter { storage, sync, chain, length, counts, lost: 0, failed: false, buffer: Vec::new() })
    }

    /// Appends one record in one `write(2)`. When it returns, `kill -9` cannot lose the record.
    pub fn append(&mut self, record: &Record) -> Result<Written, WriteError> {
        self.append_all(std::slice::from_ref(record))
    }

    /// Appends several records in one `write(2)`, all or none, and gives the position of the first.
    pub fn append_all(&mut self, records: &[Record]) -> Result<Written, WriteError> {
        if self.failed {
            self.lost += records.len() as u64;
            return Ok(Written::Lost);
        }
        if let Some(error) = self.sync.take_failure() {
            return Err(self.fail(error, records.len()));
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let written = self.write(&mut buffer, records);
        self.buffer = buffer;
        written
    }

    fn write(&mut self, buffer: &mut Vec<u8>, records: &[Record]) -> Result<Written, WriteError> {
        let mut chain = self.chain;
        for record in records {
            chain = wrap(buffer, &chain, record)?;
        }
        let position = Position { index: self.counts.records, offset: self.length };
        if let Err(error) = write_all_at(self.storage.as_mut(), buffer, self.length) {
            return Err(self.fail(error, records.len()));
        }
        self.chain = chain;
        self.length += buffer.len() as u64;
        self.counts.records += records.len() as u64;
        self.counts.moments += records.iter().filter(|r| matches!(r, Record::Moment(_))).count() as u64;
        self.sync.written(self.length);
        Ok(Written::At(position))
    }

    /// Ends the journal at the last whole frame. What cannot be cut or marked now is found as a torn tail later,
    /// so failures of these two steps change nothing.
    fn fail(&mut self, error: io::Error, records: usize) -> WriteError {
        self.failed = true;
        self.lost += records as u64;
        let _ = self.storage.set_len(self.length);
        let _ = write_all_at(self.storage.as_mut(), &MARK_TRUNCATED, MARK_OFFSET);
        WriteError::Storage(error)
    }

    /// Starts a sync to disk and returns at once. Called at every stop (DESIGN 4); without it one starts within 50
    /// ms of an append anyway.
    pub fn start_sync(&self) {
        self.sync.start_now();
    }

    /// Brings everything appended to the disk and waits for it. `RestoreBegin` is the one record that needs it.
    /// After an earlier failure it does nothing, since that has been reported; who must not go on without a record
    /// asks [`Self::is_truncated`].
    pub fn sync_now(&mut self) -> Result<(), WriteError> {
        if self.failed {
            return Ok(());
        }
        self.sync.wait().map_err(|error| self.fail(error, 0))
    }

    /// Closes the journal properly: a footer, and a sync that is started and not waited for. A run that is over would
    /// wait for the disk longer than for its steps.
    pub fn finish(mut self) -> Result<(), WriteError> {
        let footer = Record::Footer(self.counts.clone());
        self.append(&footer)?;
        self.sync.finish();
        Ok(())
    }

    /// Records that were given to the writer and are not in the file.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Whether the journal ended early because of a failure.
    pub fn is_truncated(&self) -> bool {
        self.failed
    }

    /// Length of the file in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Bytes at the front of the file that a power cut cannot take.
    pub fn durable(&self) -> u64 {
        self.sync.durable()
    }
}

fn wrap(buffer: &mut Vec<u8>, chain: &Chain, record: &Record) -> Result<Chain, WriteError> {
    let kind = record.kind();
    frame::wrap(buffer, chain, kind, |out| record.encode(out)).map_err(|error| match error {
        WrapError::Fill(source) => WriteError::Encode { kind, source },
        WrapError::TooLarge(bytes) => WriteError::TooLarge { bytes },
    })
}

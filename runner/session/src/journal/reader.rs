//! Reading a journal back, whatever happened to it. It stops at the first byte it cannot vouch for and says
//! where; it never changes a file and never guesses what a damaged frame meant.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::chain::Chain;
use super::frame::{self, BadFrame};
use super::header::{BadHeader, HEADER_BYTES, Header, Version};
use super::record::{Footer, Record};
use super::writer::Position;

/// A record and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub position: Position,
    /// What.
    pub record: Record,
}

/// A journal that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// The head of the file.
    pub header: Header,
    /// All records up to the first that is not whole, in order.
    pub records: Vec<Entry>,
    /// Closed properly: the last record is a footer, nothing follows it, and its counts agree.
    pub complete: bool,
    /// The writer ran out of disk: the job went on after the last record.
    pub truncated: bool,
    /// What was left aside at the end.
    pub dropped_tail: Option<TornTail>,
    pub(super) end: u64,
    pub(super) chain: Chain,
}

/// Bytes at the end of a file that are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TornTail {
    /// Where they begin: the end of the last good frame.
    pub offset: u64,
    /// How many there are.
    pub bytes: u64,
    /// What is wrong with the first of them.
    pub reason: TailReason,
}

/// Why a frame was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TailReason {
    /// The file ends inside it: it was being written when the writer died.
    Short,
    /// Its length is impossible.
    Length,
    /// Its bytes were altered.
    Checksum,
    /// It is whole but does not follow the frame before it: altered with care, moved, or from another journal.
    Chain,
    /// It is what was written, and is no record of its kind.
    Payload,
}

impl TornTail {
    /// Whether this is what a writer leaves that dies while writing, and not damage.
    pub fn is_unfinished_write(&self) -> bool {
        self.reason == TailReason::Short
    }
}

/// Why a journal cannot be opened at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be read or written.
    #[error("failed to open the journal: {0}")]
    Storage(#[from] io::Error),
    /// Not a journal, or not even its head was written.
    #[error("failed to open the journal: it has no header\nhint: the recording ended before it began")]
    NoHeader,
    /// The head is damaged, so nothing behind it can be checked.
    #[error("failed to open the journal: its header is damaged")]
    DamagedHeader,
    /// Written by a newer release in a format this one does not know.
    #[error(
        "failed to open the journal: its format is {found}, this release reads {ours}\nhint: open it with a newer release"
    )]
    Newer {
        /// The version of the file.
        found: Version,
        /// The version of this build.
        ours: Version,
    },
    /// Written by a newer release; can be read, is not written to.
    #[error(
        "failed to write on in the journal: its format is {found}, this release writes {ours}\nhint: it can be viewed; run on with a newer release"
    )]
    NewerForWriting {
        /// The version of the file.
        found: Version,
        /// The version of this build.
        ours: Version,
    },
    /// The disk was full while it was written; its later history is missing.
    #[error(
        "failed to write on in the journal: its end is missing because the disk was full\nhint: it can be viewed"
    )]
    Truncated,
}

impl Opened {
    /// Whether this build may append: never to a newer format, never behind a gap.
    pub(super) fn check_writable(&self) -> Result<(), OpenError> {
        let (found, ours) = (self.header.version, Version::OURS);
        if found > ours {
            return Err(OpenError::NewerForWriting { found, ours });
        }
        if self.truncated {
            return Err(OpenError::Truncated);
        }
        Ok(())
    }

    /// What a footer behind the last record would say.
    pub(super) fn counts(&self) -> Footer {
        counts(&self.records)
    }
}

/// Reads the journal at `path`. Opens whatever has a header of a known major version.
pub fn read(path: &Path) -> Result<Opened, OpenError> {
    parse(&fs::read(path)?)
}

/// As [`read`], with the bytes that were left aside.
pub(super) fn read_with_tail(path: &Path) -> Result<(Opened, Vec<u8>), OpenError> {
    let mut file = fs::read(path)?;
    let opened = parse(&file)?;
    let tail = file.split_off(file.len().min(opened.end as usize));
    Ok((opened, tail))
}

/// The header of the journal at `path`, when it has a good one.
pub(super) fn read_header(path: &Path) -> Option<Header> {
    let mut bytes = [0; HEADER_BYTES];
    fs::File::open(path).and_then(|mut file| file.read_exact(&mut bytes)).ok()?;
    Header::parse(&bytes).ok().map(|(header, _)| header)
}

/// Keeps damaged bytes before they are cut off: frames behind them may still mean something to a person.
pub(super) fn keep_damaged(journal: &Path, torn: &TornTail, tail: &[u8]) -> io::Result<()> {
    let mut name = journal.as_os_str().to_owned();
    name.push(format!(".damaged-{}", torn.offset));
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(PathBuf::from(name))?;
    file.write_all(tail)
}

/// The journal in `file`.
pub(super) fn parse(file: &[u8]) -> Result<Opened, OpenError> {
    let (header, truncated) = Header::parse(file).map_err(|bad| match bad {
        BadHeader::Short | BadHeader::Magic => OpenError::NoHeader,
        BadHeader::Crc => OpenError::DamagedHeader,
    })?;
    let (found, ours) = (header.version, Version::OURS);
    if found.major > ours.major {
        return Err(OpenError::Newer { found, ours });
    }
    let mut scan = Scan { file, offset: HEADER_BYTES, chain: header.chain(), records: Vec::new() };
    let reason = scan.run();
    let offset = scan.offset as u64;
    let dropped_tail = reason.map(|reason| TornTail { offset, bytes: file.len() as u64 - offset, reason });
    let complete = dropped_tail.is_none() && !truncated && is_closed(&scan.records);
    Ok(Opened {
        header,
        complete,
        truncated,
        dropped_tail,
        end: offset,
        chain: scan.chain,
        records: scan.records,
    })
}

struct Scan<'a> {
    file: &'a [u8],
    offset: usize,
    chain: Chain,
    records: Vec<Entry>,
}

impl Scan<'_> {
    /// Takes frames until the end of the file, which gives none, or to the first that is not good.
    fn run(&mut self) -> Option<TailReason> {
        while let Some(rest) = self.file.get(self.offset..).filter(|rest| !rest.is_empty()) {
            let frame = match frame::unwrap(rest, &self.chain) {
                Ok(frame) => frame,
                Err(bad) => return Some(reason(bad)),
            };
            let Ok(record) = Record::decode(frame.kind, frame.payload) else {
                return Some(TailReason::Payload);
            };
            let position = Position { index: self.records.len() as u64, offset: self.offset as u64 };
            self.records.push(Entry { position, record });
            self.offset += frame.bytes;
            self.chain = frame.chain;
        }
        None
    }
}

fn reason(bad: BadFrame) -> TailReason {
    match bad {
        BadFrame::Short => TailReason::Short,
        BadFrame::Length => TailReason::Length,
        BadFrame::Crc => TailReason::Checksum,
        BadFrame::Link => TailReason::Chain,
    }
}

fn is_closed(records: &[Entry]) -> bool {
    match records.split_last() {
        Some((Entry { record: Record::Footer(footer), .. }, before)) => *footer == counts(before),
        _ => false,
    }
}

fn counts(records: &[Entry]) -> Footer {
    let moments = records.iter().filter(|entry| matches!(entry.record, Record::Moment(_))).count();
    Footer { records: records.len() as u64, moments: moments as u64 }
}

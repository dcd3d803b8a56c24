//! From the bytes of an archive to files below one folder: a gzipped tar with one folder at its top, as GitHub makes them
//! (steps.md 4.1).
//!
//! An archive comes from a stranger. What is not a plain file, a folder or a link that stays inside is refused, and with it
//! the whole archive; an honest one of a repository has nothing else. Knows bytes and names, neither repositories nor the
//! network.

mod member;
mod path;
mod place;

use std::io::{self, BufReader, Read};
use std::os::fd::OwnedFd;

use flate2::bufread::GzDecoder;
use tar::{Archive, EntryType};

use member::{Ahead, records, small};
use place::Placer;

/// As much is shown of an error that repeats an archive's bytes.
const ERROR_CHARS: usize = 60;

/// What an archive may have at most. The unit stands last in each name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// All files together. The largest action that is known takes about 1 GiB.
    pub(super) unpacked_bytes: u64,
    /// Files, folders, links, and records about them.
    pub(super) entries: u64,
    /// All names together: they are kept in memory, so that two that clash are seen.
    pub(super) names_bytes: usize,
    /// One name with its folders: the longest that Linux takes.
    pub(super) path_bytes: usize,
    /// One record about an entry: names are the longest things in it.
    pub(super) record_bytes: u64,
    /// What may follow the last entry: tar fills its last block up with zeros.
    pub(super) padding_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            unpacked_bytes: 4 << 30,
            entries: 250_000,
            names_bytes: 64 << 20,
            path_bytes: 4096,
            record_bytes: 64 << 10,
            padding_bytes: 1 << 20,
        }
    }
}

/// Why nothing came of an archive.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnpackError {
    /// It has something that is not taken.
    #[error("{0}")]
    Refused(String),
    /// It ends too early, or its bytes are not what they were.
    #[error("it cannot be read: {0}")]
    Broken(io::Error),
    /// The disk does not take it.
    #[error("{0}")]
    Disk(String),
}

/// Unpacks `archive` into the empty folder `into`, without the folder at its top. Returns the commit that the archive says it is of.
///
/// # Errors
/// See [`UnpackError`]; `into` then holds a part of it, which is good for nothing.
pub(super) fn unpack(
    archive: impl Read,
    into: OwnedFd,
    limits: Limits,
) -> Result<Option<String>, UnpackError> {
    let mut tar = Archive::new(GzDecoder::new(BufReader::with_capacity(64 << 10, archive)));
    let commit = entries(&mut tar, Placer::new(into, limits), limits)?;
    ends(tar.into_inner(), limits)?;
    Ok(commit)
}

fn entries(
    tar: &mut Archive<impl Read>,
    mut placer: Placer,
    limits: Limits,
) -> Result<Option<String>, UnpackError> {
    let mut budget = Budget { bytes: limits.unpacked_bytes, entries: limits.entries };
    let (mut ahead, mut commit) = (Ahead::default(), None);
    // As they stand in the file: what the crate would gather about an entry has no limit.
    for entry in tar.entries().map_err(broken)?.raw(true) {
        let mut entry = entry.map_err(broken)?;
        budget.take(entry.size())?;
        match entry.header().entry_type() {
            EntryType::XGlobalHeader => {
                let found = records(&small(&mut entry, limits.record_bytes)?)?;
                commit = found.into_iter().find(|(key, _)| key == b"comment").map(|(_, value)| value);
            }
            EntryType::XHeader => ahead.read(&small(&mut entry, limits.record_bytes)?)?,
            EntryType::GNULongName => ahead.name(&small(&mut entry, limits.record_bytes)?)?,
            EntryType::GNULongLink => ahead.link(&small(&mut entry, limits.record_bytes)?)?,
            _ => {
                let member = std::mem::take(&mut ahead).member(entry.header(), entry.size())?;
                placer.place(&member, &mut entry)?;
            }
        }
    }
    if !ahead.is_empty() {
        return Err(UnpackError::Refused("it ends after a name, without the file of that name".to_owned()));
    }
    placer.finish()?;
    Ok(commit.and_then(|value| String::from_utf8(value).ok()))
}

/// What the archive may still have.
struct Budget {
    bytes: u64,
    entries: u64,
}

impl Budget {
    /// Before anything of the entry is read.
    fn take(&mut self, size: u64) -> Result<(), UnpackError> {
        self.entries = self
            .entries
            .checked_sub(1)
            .ok_or_else(|| UnpackError::Refused("it has too many entries".to_owned()))?;
        self.bytes = self
            .bytes
            .checked_sub(size)
            .ok_or_else(|| UnpackError::Refused("it is too large when unpacked".to_owned()))?;
        Ok(())
    }
}

/// Reads on to the end, so that the checksum in the gzip format is looked at; nothing but padding may come.
fn ends<R: io::BufRead>(mut gzip: GzDecoder<R>, limits: Limits) -> Result<(), UnpackError> {
    let mut room = limits.padding_bytes;
    let mut buffer = [0; 8 << 10];
    loop {
        let count = gzip.read(&mut buffer).map_err(broken)?;
        let zeros = buffer.iter().take(count).all(|byte| *byte == 0);
        room = match room.checked_sub(count.try_into().unwrap_or(u64::MAX)) {
            Some(room) if zeros => room,
            _ => return Err(UnpackError::Refused("it goes on after its end".to_owned())),
        };
        if count == 0 {
            break;
        }
    }
    match gzip.into_inner().read(&mut buffer).map_err(broken)? {
        0 => Ok(()),
        _ => Err(UnpackError::Refused("something follows after its end".to_owned())),
    }
}

/// The crate repeats what it has found, which may be anything.
fn broken(error: io::Error) -> UnpackError {
    let text = error.to_string();
    if !text.contains(char::is_control) {
        return UnpackError::Broken(error);
    }
    let cut = text.chars().take(ERROR_CHARS).map(|c| if c.is_control() { '?' } else { c });
    UnpackError::Broken(io::Error::new(error.kind(), cut.collect::<String>()))
}

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(super) use tests::archive_of;

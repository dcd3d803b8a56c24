//! One member of an archive: what its header and the records before it say.
//!
//! Two programs that read a name differently are how archives deceive, so every record is read by its length, and whatever
//! is said twice is refused.

use std::io::Read;

use tar::{Entry, EntryType, Header};

use super::{UnpackError, broken};

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    SymbolicLink,
    HardLink,
}

/// A member as it wants to be placed.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) kind: Kind,
    /// As written.
    pub(super) name: Vec<u8>,
    /// What a link points at, as written.
    pub(super) target: Vec<u8>,
    /// Somebody may run it.
    pub(super) executable: bool,
}

/// What was said about the next member.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
}

impl Ahead {
    pub(super) fn is_empty(&self) -> bool {
        self.name.is_none() && self.link.is_none()
    }

    /// A GNU record with a long name.
    pub(super) fn name(&mut self, record: &[u8]) -> Result<(), UnpackError> {
        once(&mut self.name, without_end(record).to_vec())
    }

    /// A GNU record with a long link target.
    pub(super) fn link(&mut self, record: &[u8]) -> Result<(), UnpackError> {
        once(&mut self.link, without_end(record).to_vec())
    }

    /// A record of the pax format. A size in it could differ from the header's, so none is taken; sparse files neither.
    pub(super) fn read(&mut self, record: &[u8]) -> Result<(), UnpackError> {
        for (key, value) in records(record)? {
            match key.as_slice() {
                b"path" => once(&mut self.name, value)?,
                b"linkpath" => once(&mut self.link, value)?,
                b"size" => return Err(refused("it gives the size of a file in a second place")),
                key if key.starts_with(b"GNU.sparse.") => return Err(refused("it has a sparse file")),
                _ => {}
            }
        }
        Ok(())
    }

    /// The member with this header.
    pub(super) fn member(self, header: &Header, size: u64) -> Result<Member, UnpackError> {
        let name = self.name.unwrap_or_else(|| header.path_bytes().into_owned());
        let kind = kind(header, &name, size)?;
        let target = self.link.or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned));
        let is_link = matches!(kind, Kind::SymbolicLink | Kind::HardLink);
        let target = target.filter(|_| is_link).unwrap_or_default();
        let mode = header.mode().map_err(broken)?;
        Ok(Member { kind, name, target, executable: mode & 0o111 != 0 })
    }
}

fn kind(header: &Header, name: &[u8], size: u64) -> Result<Kind, UnpackError> {
    let what = match header.entry_type() {
        // Before there were types, a slash at the end made a folder.
        EntryType::Regular | EntryType::Continuous if name.ends_with(b"/") && size == 0 => {
            return Ok(Kind::Folder);
        }
        EntryType::Regular | EntryType::Continuous => return Ok(Kind::File),
        EntryType::Directory => return Ok(Kind::Folder),
        EntryType::Symlink => return Ok(Kind::SymbolicLink),
        EntryType::Link => return Ok(Kind::HardLink),
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a named pipe",
        EntryType::GNUSparse => "a sparse file",
        _ => "neither file, folder nor link",
    };
    Err(UnpackError::Refused(format!("{} is {what}", super::path::shown(name))))
}

/// A record about an entry, which has no business being large.
pub(super) fn small<R: Read>(entry: &mut Entry<'_, R>, most: u64) -> Result<Vec<u8>, UnpackError> {
    if entry.size() > most {
        return Err(refused("it says too much about one file"));
    }
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).map_err(broken)?;
    Ok(bytes)
}

/// Keys and values.
type Records = Vec<(Vec<u8>, Vec<u8>)>;

/// The records of the pax format: `LENGTH KEY=VALUE\n` each, the length that of the whole record.
pub(super) fn records(mut bytes: &[u8]) -> Result<Records, UnpackError> {
    let malformed = || refused("it has a record that cannot be read");
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let blank = bytes.iter().position(|byte| *byte == b' ').ok_or_else(malformed)?;
        let length = bytes.get(..blank).and_then(|digits| std::str::from_utf8(digits).ok());
        let length: usize = length.and_then(|digits| digits.parse().ok()).ok_or_else(malformed)?;
        let record = bytes.get(blank + 1..length).and_then(|record| record.strip_suffix(b"\n"));
        let record = record.ok_or_else(malformed)?;
        let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(malformed)?;
        let (key, value) = record.split_at_checked(equals).ok_or_else(malformed)?;
        all.push((key.to_vec(), value.get(1..).unwrap_or_default().to_vec()));
        bytes = bytes.get(length..).unwrap_or_default();
    }
    Ok(all)
}

fn once(place: &mut Option<Vec<u8>>, value: Vec<u8>) -> Result<(), UnpackError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(refused("it names one file twice")),
    }
}

/// GNU writes a NUL at the end.
fn without_end(record: &[u8]) -> &[u8] {
    record.strip_suffix(b"\0").unwrap_or(record)
}

fn refused(text: &str) -> UnpackError {
    UnpackError::Refused(text.to_owned())
}

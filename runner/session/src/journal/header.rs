//! The first 48 bytes of a journal: what it is, which format, when it began. It knows no frame.
//!
//! ```text
//! 0  magic "SBJOURN\n"     8 bytes
//! 8  format major          u16 LE
//! 10 format minor          u16 LE
//! 12 reserved, zero        u32
//! 16 created               i64 LE, milliseconds since 1970
//! 24 salt                  16 bytes, so that no frame fits into another journal
//! 40 CRC32 of bytes 0..40  u32 LE
//! 44 truncation mark       u32, zero while everything appended has been written
//! ```
//! The mark is outside of the CRC and of the chain because it is set in place when the disk is full, where an
//! overwrite still succeeds and an append does not.

use super::chain::Chain;

/// Length of the header in bytes.
pub(super) const HEADER_BYTES: usize = 48;
/// Where the truncation mark is.
pub(super) const MARK_OFFSET: u64 = 44;
/// What is put there.
pub(super) const MARK_TRUNCATED: [u8; 4] = *b"TRNC";

const MAGIC: [u8; 8] = *b"SBJOURN\n";
const CHECKED_BYTES: usize = 40;
const CHAINED_BYTES: usize = 44;

/// Version of the file format. A minor adds record kinds, or fields at the end of a record, and older readers
/// skip them; a major changes what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Readers refuse a major that is newer than their own.
    pub major: u16,
    /// Readers accept any minor; writers append only to a minor that is not newer than their own.
    pub minor: u16,
}

impl Version {
    /// The version this build writes. 1.1 added facts, plans and sealed values; 1.2 moments of background steps.
    pub const OURS: Version = Version { major: 1, minor: 2 };
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// What the head of a journal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Format of the frames that follow.
    pub version: Version,
    /// When the recording began, in milliseconds since 1970 UTC.
    pub created_unix_ms: i64,
    /// Random bytes that start the hash chain.
    pub salt: [u8; 16],
}

/// Why the head of a file is not one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadHeader {
    Short,
    Magic,
    Crc,
}

impl Header {
    /// A header of our own version.
    pub fn new(created_unix_ms: i64, salt: [u8; 16]) -> Self {
        Header { version: Version::OURS, created_unix_ms, salt }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&self.version.major.to_le_bytes());
        out.extend_from_slice(&self.version.minor.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.created_unix_ms.to_le_bytes());
        out.extend_from_slice(&self.salt);
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out
    }

    /// The header at the front of `file`, and whether the truncation mark is set. Any mark but zero counts: a
    /// damaged mark is no proof that nothing is missing.
    pub(super) fn parse(file: &[u8]) -> Result<(Header, bool), BadHeader> {
        let bytes: &[u8; HEADER_BYTES] = file.first_chunk().ok_or(BadHeader::Short)?;
        let (magic, rest) = bytes.split_first_chunk().ok_or(BadHeader::Short)?;
        if magic != &MAGIC {
            return Err(BadHeader::Magic);
        }
        let (major, rest) = rest.split_first_chunk().ok_or(BadHeader::Short)?;
        let (minor, rest) = rest.split_first_chunk().ok_or(BadHeader::Short)?;
        let (_reserved, rest) = rest.split_first_chunk::<4>().ok_or(BadHeader::Short)?;
        let (created, rest) = rest.split_first_chunk().ok_or(BadHeader::Short)?;
        let (salt, rest) = rest.split_first_chunk().ok_or(BadHeader::Short)?;
        let (crc, mark) = rest.split_first_chunk().ok_or(BadHeader::Short)?;
        let checked = bytes.get(..CHECKED_BYTES).ok_or(BadHeader::Short)?;
        if u32::from_le_bytes(*crc) != crc32fast::hash(checked) {
            return Err(BadHeader::Crc);
        }
        let version = Version { major: u16::from_le_bytes(*major), minor: u16::from_le_bytes(*minor) };
        let header = Header { version, created_unix_ms: i64::from_le_bytes(*created), salt: *salt };
        Ok((header, mark != [0; 4]))
    }

    /// The link before the first frame.
    pub(super) fn chain(&self) -> Chain {
        let bytes = self.to_bytes();
        Chain::start(bytes.get(..CHAINED_BYTES).unwrap_or(&bytes))
    }
}

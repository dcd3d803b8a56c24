//! Names of stored things: 32-byte blake3 hashes, in three types that cannot be confused.
//!
//! Knows nothing of what was hashed or where it is kept.

use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::str::FromStr;

/// A text was not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a snapshot id: 64 hexadecimal digits are needed")]
pub struct NotAnId(String);

macro_rules! hash_type {
    ($(#[$doc:meta])* $vis:vis $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis struct $name([u8; 32]);

        impl $name {
            /// The 32 bytes as they are stored.
            $vis const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The value whose stored bytes are `bytes`.
            $vis const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                unhex(text).map(Self).ok_or_else(|| NotAnId(text.to_owned()))
            }
        }
    };
}

hash_type! {
    /// One snapshot: the hash of all its roots. Two trees equal in names, content, types, modes, owners, link
    /// targets, holes, extended attributes and modification times have equal ids.
    pub SnapshotId
}

hash_type! {
    /// What the law of DESIGN 3 compares: names, content, types, modes and link targets. Modification times, owners,
    /// holes, hard links and extended attributes are left out.
    pub ContentId
}

hash_type! {
    /// The address of one stored object.
    pub(crate) Digest
}

impl Digest {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The first eight bytes, for uses where a collision does no harm.
    pub(crate) fn prefix(&self) -> u64 {
        self.0.iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let bytes = text.as_bytes();
    if bytes.len() != 64 {
        return None;
    }
    let mut out = [0; 32];
    for (slot, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *slot = (digit(high)? << 4) | digit(low)?;
    }
    Some(out)
}

/// Takes eight bytes of a hash as they are: they are already evenly spread.
#[derive(Default)]
pub(crate) struct PrefixHasher(u64);

impl Hasher for PrefixHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().take(8) {
            self.0 = (self.0 << 8) | u64::from(*byte);
        }
    }

    fn write_usize(&mut self, _length: usize) {}
}

pub(crate) type DigestMap<V> = std::collections::HashMap<Digest, V, BuildHasherDefault<PrefixHasher>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let id = SnapshotId::from_bytes(*Digest::of(b"x").as_bytes());
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(format!("{id:?}").len(), 64);
        assert!("".parse::<SnapshotId>().is_err());
        assert!("g".repeat(64).parse::<SnapshotId>().is_err());
    }
}

//! Sealing values that nobody can supply again, under a key that stays on this machine and outside of every recording.
//!
//! It knows bytes, keys and one file; not what the values are or where they are written.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::journal::{Bytes, Sealed};

/// Name of the key's file in the state root.
const FILE: &str = "seal.key";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// What the name of a key is derived with; it says nothing about the key.
const NAME_CONTEXT: &str = "stepback recording 2026: name of a seal key";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The system refused.
    #[error("failed to use the key that recordings are sealed under, {path}: {source}")]
    Storage {
        /// The key's file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not 32 bytes long.
    #[error(
        "failed to use the key that recordings are sealed under: {path} is damaged\nhint: move it away to get a new one; \
         values masked in earlier recordings stay sealed"
    )]
    Damaged {
        /// The key's file.
        path: PathBuf,
    },
}

/// The key of this machine and user.
#[derive(Clone)]
pub struct SealKey {
    cipher: XChaCha20Poly1305,
    name: [u8; 8],
}

// Never shows the key.
impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey")
    }
}

impl SealKey {
    /// The key in the file `seal.key` (0600) under `root`, which is `$XDG_STATE_HOME/stepback` in ordinary use; made when
    /// there is none. Two processes that make it at once get the same one.
    ///
    /// # Errors
    /// The file cannot be read or made, or is no key.
    pub fn under(root: &Path) -> Result<SealKey, SealError> {
        let path = root.join(FILE);
        let storage = |source| SealError::Storage { path: path.clone(), source };
        if !path.exists() {
            make(root, &path).map_err(storage)?;
        }
        let bytes = fs::read(&path).map_err(storage)?;
        let key: [u8; KEY_BYTES] = bytes.try_into().map_err(|_| SealError::Damaged { path: path.clone() })?;
        Ok(Self::of(&key))
    }

    /// The key with these bytes.
    pub(super) fn of(key: &[u8; KEY_BYTES]) -> SealKey {
        let hash = blake3::derive_key(NAME_CONTEXT, key);
        let name = hash.first_chunk().copied().unwrap_or_default();
        SealKey { cipher: XChaCha20Poly1305::new(key.into()), name }
    }

    /// Seals `values`, the first of which is `#first`, for the recording with this salt. `None` if the system gives no
    /// random bytes.
    pub(super) fn seal(&self, salt: &[u8; 16], first: u32, values: &[&[u8]]) -> Option<Sealed> {
        let nonce = XNonce::try_generate().ok()?;
        let values: Vec<Bytes> = values.iter().map(|value| Bytes(value.to_vec())).collect();
        let plain = postcard::to_stdvec(&values).ok()?;
        let aad = bound_to(salt, first);
        let bytes = self.cipher.encrypt(&nonce, Payload { msg: &plain, aad: &aad }).ok()?;
        Some(Sealed { first, key: self.name, nonce: nonce.into(), bytes: Bytes(bytes) })
    }

    /// The values; `None` if they are sealed under another key or were altered.
    pub(super) fn open(&self, salt: &[u8; 16], sealed: &Sealed) -> Option<Vec<Vec<u8>>> {
        if sealed.key != self.name {
            return None;
        }
        let aad = bound_to(salt, sealed.first);
        let payload = Payload { msg: &sealed.bytes.0, aad: &aad };
        let plain = self.cipher.decrypt(&XNonce::from(sealed.nonce), payload).ok()?;
        let values: Vec<Bytes> = postcard::from_bytes(&plain).ok()?;
        Some(values.into_iter().map(|value| value.0).collect())
    }
}

impl SealKey {
    /// Seals the content with this hash: the key's name, the nonce, and what is sealed. `None` if the system gives no random
    /// bytes.
    pub(super) fn seal_content(&self, content: &[u8; 32], bytes: &[u8]) -> Option<Vec<u8>> {
        let nonce = XNonce::try_generate().ok()?;
        let sealed = self.cipher.encrypt(&nonce, Payload { msg: bytes, aad: content }).ok()?;
        Some([self.name.as_slice(), nonce.as_slice(), &sealed].concat())
    }

    /// The content with this hash; `None` if it is sealed under another key or was altered.
    pub(super) fn open_content(&self, content: &[u8; 32], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.strip_prefix(&self.name)?.split_first_chunk::<NONCE_BYTES>()?;
        self.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: content }).ok()
    }
}

/// Sealed values open only in the recording and at the number that they were sealed for.
fn bound_to(salt: &[u8; 16], first: u32) -> Vec<u8> {
    [salt.as_slice(), &first.to_le_bytes()].concat()
}

/// Written beside and linked into place: whoever sees the file sees all of it, and the first one wins.
fn make(root: &Path, path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(root)?;
    let key = <[u8; KEY_BYTES]>::try_generate().map_err(io::Error::other)?;
    let beside = root.join(format!(".{FILE}-{}-{:08x}", std::process::id(), fastrand::u32(..)));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| file.write_all(&key).and_then(|()| file.sync_all()));
    let linked = written.and_then(|()| match fs::hard_link(&beside, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    // Left over, it is a second copy of the key with the same mode.
    let removed = fs::remove_file(&beside);
    linked.and(removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const SALT: [u8; 16] = [9; 16];

    #[test]
    fn values_open_with_the_key_of_the_machine_alone() {
        let root = tempfile::tempdir().unwrap();
        let key = SealKey::under(&root.path().join("stepback")).unwrap();
        let sealed = key.seal(&SALT, 2, &[b"learnt", b"\xff\x00"]).unwrap();
        assert!(!sealed.bytes.0.windows(6).any(|window| window == b"learnt"));

        let same = SealKey::under(&root.path().join("stepback")).unwrap();
        assert_eq!(same.open(&SALT, &sealed), Some(vec![b"learnt".to_vec(), b"\xff\x00".to_vec()]));
        assert_eq!(SealKey::of(&[1; 32]).open(&SALT, &sealed), None);
        assert_eq!(key.open(&[8; 16], &sealed), None, "another recording");
        assert_eq!(key.open(&SALT, &Sealed { first: 3, ..sealed.clone() }), None, "another number");
        let mut altered = sealed;
        altered.bytes.0[0] ^= 1;
        assert_eq!(key.open(&SALT, &altered), None);
    }

    #[test]
    fn contents_open_with_the_key_of_the_machine_alone() {
        let (key, other) = (SealKey::of(&[1; 32]), SealKey::of(&[2; 32]));
        let sealed = key.seal_content(&[7; 32], b"it is hunter2").unwrap();
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
        assert_ne!(
            sealed,
            key.seal_content(&[7; 32], b"it is hunter2").unwrap(),
            "equal contents look alike"
        );
        assert_eq!(key.open_content(&[7; 32], &sealed).unwrap(), b"it is hunter2");
        assert_eq!(other.open_content(&[7; 32], &sealed), None);
        assert_eq!(key.open_content(&[8; 32], &sealed), None, "another content");
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(key.open_content(&[7; 32], &altered), None);
            assert_eq!(key.open_content(&[7; 32], &sealed[..at]), None);
        }
    }

    #[test]
    fn the_key_is_private_and_made_once() {
        let root = tempfile::tempdir().unwrap();
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let root = root.path().to_owned();
                std::thread::spawn(move || SealKey::under(&root).unwrap().name)
            })
            .collect();
        let names: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(names.iter().all(|name| *name == names[0]));
        let files: Vec<_> =
            fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(files, [FILE]);
        let mode = fs::metadata(root.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_key_is_not_replaced() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(FILE), b"short").unwrap();
        let error = SealKey::under(root.path()).unwrap_err().to_string();
        assert!(error.contains("is damaged\nhint: move it away"), "{error}");
        assert_eq!(fs::read(root.path().join(FILE)).unwrap(), b"short");
    }
}

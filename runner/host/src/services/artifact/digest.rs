//! The digest by which a client knows that its content has arrived.

use std::fs::File;
use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// `sha256:` and the hexadecimal digits of what is in the file.
///
/// # Errors
/// It cannot be read.
pub(super) fn digest(content: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut File::open(content)?, &mut HashWriter(&mut hash))?;
    let digits: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("sha256:{digits}"))
}

struct HashWriter<'h>(&'h mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

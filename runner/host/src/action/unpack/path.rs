//! Names in an archive: which of them lead where they say, and none of them out.
//!
//! Knows bytes; no file is looked at.

use super::UnpackError;

/// The longest name that a file system takes.
const NAME_BYTES: usize = 255;
/// No repository nests folders so deep; looking at them one inside of another has to end somewhere.
const DEPTH: usize = 256;
/// As much of a name is shown in a message.
const SHOWN_BYTES: usize = 120;

/// A name below the folder at the top of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Inside {
    /// The folder at the top.
    pub(super) top: Vec<u8>,
    /// The rest, parts joined by `/`; empty for the top itself.
    pub(super) rest: Vec<u8>,
}

/// Reads a name as written.
pub(super) fn inside(name: &[u8], most: usize) -> Result<Inside, UnpackError> {
    let refuse = |why: &str| Err(UnpackError::Refused(format!("{} {why}", shown(name))));
    if name.len() > most {
        return refuse("is too long a name");
    }
    if name.starts_with(b"/") {
        return refuse("is an absolute path");
    }
    if name.contains(&0) {
        return refuse("has a NUL in its name");
    }
    let mut parts = name.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".");
    let Some(top) = parts.next() else { return refuse("is no name") };
    let parts: Vec<&[u8]> = parts.collect();
    if top == b".." || parts.contains(&b"..".as_slice()) {
        return refuse("leads out by `..`");
    }
    if parts.iter().any(|part| part.len() > NAME_BYTES) {
        return refuse("is too long a name");
    }
    if parts.len() > DEPTH {
        return refuse("is in too many folders");
    }
    Ok(Inside { top: top.to_vec(), rest: parts.join(&b'/') })
}

/// Whether a link in a folder `depth` levels below the top stays below it. Steps up may stand only at the beginning, where
/// they go through real folders: behind another link they would lead from wherever that points.
pub(super) fn stays_inside(target: &[u8], depth: usize) -> bool {
    if target.is_empty() || target.starts_with(b"/") || target.contains(&0) {
        return false;
    }
    let parts = target.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".");
    let (mut ups, mut downs) = (0, 0);
    for part in parts {
        match part {
            b".." if downs > 0 => return false,
            b".." => ups += 1,
            _ => downs += 1,
        }
    }
    ups <= depth
}

/// The name as file systems see it for which `A` and `a` are the same.
pub(super) fn folded(path: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(path).to_lowercase().into_bytes()
}

/// For a message: on one line, and not longer than one.
pub(super) fn shown(name: &[u8]) -> String {
    let cut = name.get(..SHOWN_BYTES).unwrap_or(name);
    let dots = if cut.len() < name.len() { "…" } else { "" };
    format!("`{}{dots}`", cut.escape_ascii())
}

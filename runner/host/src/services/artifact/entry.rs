//! An artifact: on its way in, kept, and on its way out; and what its file is called.
//!
//! Knows names and types; not where files are, nor who asks.

use std::path::PathBuf;

use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use super::super::store::Entry;
use super::super::token::Maker;

/// The most characters of a name of ours.
const FILE_CHARS_MAX: usize = 100;
/// What a client uploads that does not say what it is.
pub(super) const ZIP: &str = "application/zip";

/// An artifact on its way in.
pub(in super::super) struct Wish {
    pub(super) name: String,
    pub(super) mime: String,
}

/// The same name is the same artifact.
impl PartialEq for Wish {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// An artifact that is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct ArtifactEntry {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) mime: String,
    pub(super) file: String,
    pub(super) size: u64,
    /// `sha256:` and hexadecimal digits.
    pub(super) digest: String,
    pub(super) maker: Maker,
    /// RFC 3339.
    pub(super) created: String,
}

impl Entry for ArtifactEntry {
    fn file(&self) -> &str {
        &self.file
    }

    fn size(&self) -> u64 {
        self.size
    }
}

/// What a download needs to know.
pub(in super::super) struct Content {
    pub(in super::super) path: PathBuf,
    pub(super) mime: String,
    pub(super) name: String,
}

impl Content {
    /// By which the client knows an archive that it is to unpack, and what to call a file that is none.
    pub(in super::super) fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let name: String = self.name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let ending = if self.mime == ZIP && !self.name.ends_with(".zip") { ".zip" } else { "" };
        let disposition = format!("attachment; filename*=UTF-8''{name}{ending}");
        let pairs = [(CONTENT_TYPE, self.mime.as_str()), (CONTENT_DISPOSITION, disposition.as_str())];
        pairs
            .into_iter()
            .filter_map(|(name, value)| Some((name, HeaderValue::from_str(value).ok()?)))
            .collect()
    }
}

/// The name of the file that a person finds: the artifact's own as far as it is plain, and made plain otherwise.
pub(super) fn file_name(name: &str, mime: &str, id: u64, is_there: impl Fn(&str) -> bool) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ' ');
    let plain: String =
        name.chars().take(FILE_CHARS_MAX).map(|c| if is_plain(c) { c } else { '_' }).collect();
    let plain = plain.replacen('.', if plain.starts_with('.') { "_" } else { "." }, 1);
    let (stem, ending) = match mime {
        ZIP => (plain.strip_suffix(".zip").unwrap_or(&plain), ".zip"),
        _ => plain.rfind('.').map_or((plain.as_str(), ""), |at| plain.split_at(at)),
    };
    let file = format!("{stem}{ending}");
    let kept = plain == name && name.trim() == name;
    if kept && !is_there(&file) {
        return file;
    }
    format!("{}-{id}{ending}", stem.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_names_that_lead_nowhere() {
        let name = |name: &str, mime: &str| file_name(name, mime, 7, |file| file == "taken.zip");
        assert_eq!(name("report", ZIP), "report.zip");
        assert_eq!(name("my report 1.2", ZIP), "my report 1.2.zip");
        assert_eq!(name("notes.txt", "text/plain"), "notes.txt");
        assert_eq!(name("archive.zip", ZIP), "archive.zip");
        assert_eq!(name("taken", ZIP), "taken-7.zip");
        assert_eq!(name(".store", ZIP), "_store-7.zip");
        assert_eq!(name("..", "text/plain"), "_-7.");
        assert_eq!(name("../../x", ZIP), "_._.._x-7.zip");
        assert_eq!(name("größe\0.txt", "text/plain"), "gr__e_-7.txt");
        assert_eq!(name(&"x".repeat(300), ZIP), format!("{}-7.zip", "x".repeat(FILE_CHARS_MAX)));
    }
}

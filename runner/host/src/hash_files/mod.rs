//! `hashFiles()` in our own process: the SHA-256 over the SHA-256 digests of the files that the patterns name, in the order in
//! which `@actions/glob` finds them (steps.md 1.4).
//!
//! Knows patterns and files; not expressions, and not when it is called.

mod pattern;
mod segment;
mod walk;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use pattern::Bases;
use walk::Walk;

/// How long one call may take (steps.md 1.4).
const WITHIN: Duration = Duration::from_secs(120);

/// The digest in hex, or an empty text when no regular file below the workspace matches. Blocks while files are read.
///
/// # Errors
/// A text as GitHub words it: a bad pattern, a file that cannot be read, or more than 120 seconds.
pub fn hash_files(
    workspace: &Path,
    patterns: &[String],
    follow_symbolic_links: bool,
) -> Result<String, String> {
    hash_files_within(workspace, patterns, follow_symbolic_links, WITHIN)
}

enum Failure {
    Files(String),
    TooSlow,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Files(error.to_string())
    }
}

fn hash_files_within(
    workspace: &Path,
    texts: &[String],
    follow_links: bool,
    within: Duration,
) -> Result<String, String> {
    let patterns = texts.join(", ").replace('\'', "''");
    digest(workspace, texts, follow_links, Instant::now() + within).map_err(|failure| match failure {
        Failure::TooSlow => {
            format!("hashFiles('{patterns}') couldn't finish within {} seconds.", within.as_secs())
        }
        Failure::Files(cause) => format!(
            "hashFiles('{patterns}') failed. Fail to hash files under directory '{}'\n{cause}",
            workspace.display()
        ),
    })
}

fn digest(
    workspace: &Path,
    texts: &[String],
    follow_links: bool,
    deadline: Instant,
) -> Result<String, Failure> {
    // Like a process that was started there: the real path, whatever links lead to it.
    let real = std::fs::canonicalize(workspace)?;
    let home = std::env::home_dir();
    let (real_text, home) = (real.to_string_lossy(), home.as_ref().map(|home| home.to_string_lossy()));
    let bases = Bases { workspace: &real_text, home: home.as_deref() };
    let patterns = pattern::parse_all(texts, bases).map_err(|error| Failure::Files(error.to_string()))?;
    let mut walk = Walk::new(&patterns, follow_links)?;
    let mut all = Sha256::new();
    let mut any = false;
    let mut buffer = vec![0; 256 << 10];
    while let Some(file) = walk.next_file()? {
        if Instant::now() >= deadline {
            return Err(Failure::TooSlow);
        }
        if is_below(&file, [&real, workspace]) && std::fs::metadata(&file)?.is_file() {
            all.update(file_digest(&file, &mut buffer, deadline)?);
            any = true;
        }
    }
    Ok(if any { hex(&all.finalize()) } else { String::new() })
}

/// A workspace may have two names, one of them by a link; patterns may use either.
fn is_below(file: &Path, folders: [&Path; 2]) -> bool {
    folders.iter().any(|folder| file != *folder && file.starts_with(folder))
}

fn file_digest(path: &PathBuf, buffer: &mut [u8], deadline: Instant) -> Result<[u8; 32], Failure> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    loop {
        let read = file.read(buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        digest.update(bytes);
        if Instant::now() >= deadline {
            return Err(Failure::TooSlow);
        }
    }
    Ok(digest.finalize().into())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn hash(folder: &tempfile::TempDir, patterns: &str, follow_links: bool) -> Result<String, String> {
        let patterns: Vec<String> = patterns.lines().map(str::to_owned).collect();
        hash_files(folder.path(), &patterns, follow_links)
    }

    /// The digest that the named files give in this order.
    fn expected(files: &[&str]) -> String {
        let mut all = Sha256::new();
        files.iter().for_each(|content| all.update(Sha256::digest(content.as_bytes())));
        hex(&all.finalize())
    }

    fn workspace() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.txt", "b.txt", "sub/c.txt", "sub/deep/d.txt", "z/.hidden"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        folder
    }

    #[track_caller]
    fn check(patterns: &str, files: &[&str]) {
        let folder = workspace();
        assert_eq!(hash(&folder, patterns, false).unwrap(), expected(files), "{patterns}");
    }

    #[test]
    fn files_are_hashed_in_walk_order() {
        check("**/*.txt", &["a.txt", "b.txt", "sub/c.txt", "sub/deep/d.txt"]);
        check("b.txt\na.txt", &["b.txt", "a.txt"]);
        check("sub\na.txt\nsub/c.txt", &["sub/c.txt", "sub/deep/d.txt", "a.txt"]);
        check("**\n!**/*.txt", &["z/.hidden"]);
    }

    #[test]
    fn nothing_found_is_an_empty_text() {
        let folder = workspace();
        assert_eq!(hash(&folder, "*.lock", false).unwrap(), "");
        assert_eq!(hash(&folder, "/etc/passwd", false).unwrap(), "");
        assert_eq!(hash(&folder, "# a.txt", false).unwrap(), "");
    }

    #[test]
    fn links_are_followed_when_asked() {
        let folder = workspace();
        symlink("sub", folder.path().join("link")).unwrap();
        symlink("..", folder.path().join("sub/up")).unwrap();
        symlink("nowhere", folder.path().join("sub/broken")).unwrap();
        assert_eq!(hash(&folder, "link/**/*.txt", false).unwrap(), "");
        let found = ["sub/c.txt", "sub/deep/d.txt", "a.txt", "b.txt"];
        assert_eq!(hash(&folder, "link/**/*.txt", true).unwrap(), expected(&found));
    }

    #[test]
    fn failures_speak_like_github() {
        let folder = workspace();
        let text = hash(&folder, "../x", false).unwrap_err();
        let place = folder.path().display();
        assert!(
            text.starts_with(&format!(
                "hashFiles('../x') failed. Fail to hash files under directory '{place}'"
            ))
        );
        let text = hash_files_within(folder.path(), &["**".to_owned()], false, Duration::ZERO).unwrap_err();
        assert_eq!(text, "hashFiles('**') couldn't finish within 0 seconds.");
    }
}

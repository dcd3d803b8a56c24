//! Honest archives, and many that are not: unpacked side by side in one folder, after which nothing around it has changed.

mod malicious;
mod tape;

use std::cell::RefCell;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::*;
use tape::{Tape, gzip};

/// A folder with things in it that nobody may touch, and one to unpack in.
struct Yard {
    dir: tempfile::TempDir,
    unpacked: RefCell<Vec<PathBuf>>,
}

impl Yard {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("victim/inner")).unwrap();
        fs::write(dir.path().join("victim/file"), "mine").unwrap();
        fs::create_dir(dir.path().join("actions")).unwrap();
        fs::write(dir.path().join("actions/v1.completed"), "mine").unwrap();
        Self { dir, unpacked: RefCell::default() }
    }

    fn path(&self) -> String {
        self.dir.path().to_str().unwrap().to_owned()
    }

    fn unpack(
        &self,
        name: &str,
        archive: impl Read,
        limits: Limits,
    ) -> (PathBuf, Result<Option<String>, String>) {
        let folder = self.dir.path().join("actions").join(name);
        fs::create_dir(&folder).unwrap();
        self.unpacked.borrow_mut().push(folder.clone());
        let opened = OwnedFd::from(fs::File::open(&folder).unwrap());
        (folder, unpack(archive, opened, limits).map_err(|error| error.to_string()))
    }

    /// Everything but what was to be unpacked, with its content.
    fn surroundings(&self) -> Vec<String> {
        let mut all = Vec::new();
        visit(self.dir.path(), &mut |path| {
            let is_unpacked = self.unpacked.borrow().iter().any(|folder| folder == path);
            if !is_unpacked {
                let state = fs::symlink_metadata(path).unwrap();
                let links = if state.is_dir() { 0 } else { state.nlink() };
                let content = fs::read(path).unwrap_or_default();
                all.push(format!("{} {:o} {links} {content:?}", path.display(), state.mode()));
            }
            !is_unpacked
        });
        all.sort();
        all
    }
}

/// Visits all below `folder`, through no link, and goes into a folder if `look` says so.
fn visit(folder: &Path, look: &mut dyn FnMut(&Path) -> bool) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if look(&path) && fs::symlink_metadata(&path).unwrap().is_dir() {
            visit(&path, look);
        }
    }
}

/// What no archive may leave behind.
#[track_caller]
fn is_harmless(name: &str, folder: &Path) {
    visit(folder, &mut |path| {
        let state = fs::symlink_metadata(path).unwrap();
        let kind = state.file_type();
        assert!(
            kind.is_file() || kind.is_dir() || kind.is_symlink(),
            "{name}: {} is {kind:?}",
            path.display()
        );
        assert!(!kind.is_char_device() && !kind.is_block_device() && !kind.is_fifo(), "{name}");
        assert!(
            kind.is_symlink() || state.mode() & 0o7022 == 0,
            "{name}: {} {:o}",
            path.display(),
            state.mode()
        );
        if kind.is_symlink() {
            let leads_to = fs::canonicalize(path);
            let root = fs::canonicalize(folder).unwrap();
            assert!(
                leads_to.is_err() || leads_to.unwrap().starts_with(root),
                "{name}: {} leads out",
                path.display()
            );
        }
        true
    });
}

/// An archive of one folder, `top`, with these files.
pub(in crate::action) fn archive_of(commit: Option<&str>, files: &[(&str, &str)]) -> Vec<u8> {
    let tape =
        commit.map_or_else(Tape::new, |commit| Tape::new().pax(true, &[("comment", commit.as_bytes())]));
    let put = |tape: Tape, (name, text): &(&str, &str)| {
        tape.member(EntryType::Regular, &format!("top/{name}"), "", text.as_bytes())
    };
    files.iter().fold(tape.folder("top/"), put).gzip()
}

#[test]
fn an_archive_as_github_makes_them_is_unpacked_without_its_top() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(120));
    let archive = Tape::new()
        .pax(true, &[("comment", commit.as_bytes())])
        .folder("top/")
        .file("top/action.yml")
        .folder("top/dist/")
        .mode("top/dist/run.sh", 0o775)
        .pax(false, &[("path", format!("top/{long}").as_bytes()), ("mtime", b"1.5")])
        .file("cut")
        .symlink("top/link", "dist/run.sh")
        .symlink("top/dist/up", "../action.yml")
        .hard_link("top/again", "top/action.yml")
        .member(EntryType::GNULongName, "././@LongLink", "", b"top/dist/named\0")
        .file("cut")
        .gzip();
    let yard = Yard::new();
    let (folder, result) = yard.unpack("honest", archive.as_slice(), Limits::default());
    assert_eq!(result.unwrap().as_deref(), Some(commit));
    for file in ["action.yml", "dist/run.sh", "link", "dist/up", "again", "dist/named", &long] {
        assert_eq!(fs::read_to_string(folder.join(file)).unwrap(), "text", "{file}");
    }
    let mode = |file: &str| fs::metadata(folder.join(file)).unwrap().mode() & 0o111;
    assert!(mode("dist/run.sh") & 0o100 != 0 && mode("action.yml") == 0);
    assert_eq!(fs::metadata(folder.join("again")).unwrap().nlink(), 2);
}

/// Every name of the table is one archive; what is expected is a part of the refusal, or nothing where it is taken as harmless.
#[test]
fn malicious_archives_leave_nothing_outside_no_device_and_no_bits_of_others() {
    let yard = Yard::new();
    let before = yard.surroundings();
    let table = malicious::table(&yard.path());
    assert!(table.len() >= 60, "{}", table.len());
    for case in table {
        let (folder, result) = yard.unpack(case.name, case.archive, case.limits);
        match (result, case.refused) {
            (Ok(_), None) => {}
            (Err(text), Some(part)) => {
                assert!(text.contains(part), "{}: {text}", case.name);
                assert!(!text.contains(char::is_control), "{}: {text:?}", case.name);
            }
            (result, expected) => panic!("{}: {result:?}, expected {expected:?}", case.name),
        }
        is_harmless(case.name, &folder);
    }
    assert_eq!(yard.surroundings(), before);
}

#[test]
fn nothing_of_a_file_that_says_that_it_is_too_large_is_written() {
    let yard = Yard::new();
    let archive = Tape::new().folder("top").header(
        |header| {
            tape::put(&mut header.as_old_mut().name, b"top/zeros");
            header.set_size(100 << 30);
        },
        b"",
    );
    let (folder, result) = yard.unpack("zeros", archive.then_zeros(100 << 30), Limits::default());
    assert_eq!(result.unwrap_err(), "it is too large when unpacked");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
}

#[test]
fn a_broken_archive_is_told_from_a_refused_one() {
    let whole = Tape::new().file("top/a").gzip();
    let broken = |bytes: &[u8]| {
        let yard = Yard::new();
        let folder = OwnedFd::from(fs::File::open(yard.dir.path().join("actions")).unwrap());
        unpack(bytes, folder, Limits::default()).unwrap_err()
    };
    for cut in [0, 5, 20, whole.len() - 9, whole.len() - 1] {
        let error = broken(&whole[..cut]);
        let is_cut =
            matches!(&error, UnpackError::Broken(error) if error.kind() == io::ErrorKind::UnexpectedEof);
        assert!(is_cut, "{cut}: {error:?}");
    }
    let mut wrong = whole.clone();
    let checksum = wrong.len() - 6;
    wrong[checksum] ^= 1;
    assert!(
        matches!(broken(&wrong), UnpackError::Broken(error) if error.kind() != io::ErrorKind::UnexpectedEof)
    );
    assert!(matches!(broken(b"<!DOCTYPE html>"), UnpackError::Broken(_)));
    assert!(matches!(broken(&gzip(b"")), UnpackError::Refused(_)));
}

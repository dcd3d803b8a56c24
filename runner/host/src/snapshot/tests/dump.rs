//! The model: everything a person could tell about a tree, read path by path with ordinary calls.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Dump {
    entries: BTreeMap<PathBuf, (String, u64)>,
}

impl Dump {
    pub(super) fn of(top: &Path) -> Self {
        let mut dump = Self { entries: BTreeMap::new() };
        // Names are counted here: what is parked may be a further name of the same file, and the system counts that too.
        let mut inodes: BTreeMap<u64, (PathBuf, u32)> = BTreeMap::new();
        let mut rest = vec![PathBuf::new()];
        let mut found = Vec::new();
        while let Some(path) = rest.pop() {
            let meta = top.join(&path).symlink_metadata().unwrap();
            if meta.is_dir() {
                let children = std::fs::read_dir(top.join(&path)).unwrap();
                rest.extend(children.map(|child| path.join(child.unwrap().file_name())));
            } else {
                let (first, names) = inodes.entry(meta.ino()).or_insert_with(|| (path.clone(), 0));
                *first = first.clone().min(path.clone());
                *names += 1;
            }
            found.push((path, meta));
        }
        for (path, meta) in found {
            let text = describe(&top.join(&path), &meta, inodes.get(&meta.ino()));
            dump.entries.insert(path, (text, meta.ino()));
        }
        dump
    }

    /// The differences in words, leaving inode numbers out; empty when there are none.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        self.compare(other, |one| one.0.clone())
    }

    /// The same with inode numbers.
    pub(super) fn differences_with_inodes(&self, other: &Self) -> Vec<String> {
        self.compare(other, |one| format!("inode {} {}", one.1, one.0))
    }

    fn compare(&self, other: &Self, text: impl Fn(&(String, u64)) -> String) -> Vec<String> {
        let paths: std::collections::BTreeSet<&PathBuf> =
            self.entries.keys().chain(other.entries.keys()).collect();
        let side = |dump: &Self, path: &PathBuf| dump.entries.get(path).map(&text);
        paths
            .into_iter()
            .filter(|path| side(self, path) != side(other, path))
            .map(|path| format!("{path:?}: {:?} != {:?}", side(self, path), side(other, path)))
            .collect()
    }
}

fn describe(path: &Path, meta: &std::fs::Metadata, names: Option<&(PathBuf, u32)>) -> String {
    let kind = meta.file_type();
    let mut text =
        format!("{:o} {}:{} {}.{:09}", meta.mode(), meta.uid(), meta.gid(), meta.mtime(), meta.mtime_nsec());
    if kind.is_file() {
        let bytes = std::fs::read(path).unwrap();
        write!(text, " {} bytes {}", bytes.len(), blake3::hash(&bytes)).unwrap();
        let (first, count) = names.cloned().unwrap_or_default();
        write!(text, " names {count} first {first:?} holes {:?}", holes(path)).unwrap();
    }
    if kind.is_symlink() {
        let target = std::fs::read_link(path).unwrap();
        write!(text, " -> {:?}", target.into_os_string().into_vec()).unwrap();
    } else if !kind.is_socket() {
        write!(text, " {:?}", xattrs(path)).unwrap();
    }
    text
}

fn holes(path: &Path) -> Vec<(u64, u64)> {
    let file = std::fs::File::open(path).unwrap();
    let size = file.metadata().unwrap().len();
    let mut holes = Vec::new();
    let mut at = 0;
    while at < size {
        let hole = rustix::fs::seek(&file, rustix::fs::SeekFrom::Hole(at)).unwrap();
        if hole >= size {
            break;
        }
        at = rustix::fs::seek(&file, rustix::fs::SeekFrom::Data(hole)).unwrap_or(size);
        holes.push((hole, at));
    }
    holes
}

fn xattrs(path: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut names = [0; 4096];
    let length = rustix::fs::llistxattr(path, &mut names).unwrap_or(0);
    let mut found: Vec<_> = names[..length]
        .split(|byte| *byte == 0)
        .filter(|name| name.starts_with(b"user."))
        .map(|name| {
            let mut value = [0; 4096];
            let length = rustix::fs::lgetxattr(path, name, &mut value).unwrap();
            (name.to_vec(), value[..length].to_vec())
        })
        .collect();
    found.sort();
    found
}

pub(super) fn name(bytes: &[u8]) -> &std::ffi::OsStr {
    std::ffi::OsStr::from_bytes(bytes)
}

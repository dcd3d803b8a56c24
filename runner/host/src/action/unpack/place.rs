//! Puts members where they belong, below an open folder and never through a link.
//!
//! What was placed is kept in mind by name, so that no member takes the place of another, on no file system.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::io::{self, Read, Write as _};
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags};

use super::member::{Kind, Member};
use super::path::{Inside, folded, inside, shown, stays_inside};
use super::{Limits, UnpackError, broken};
use crate::snapshot::open_beneath;

const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR).union(Mode::RGRP).union(Mode::ROTH);
const PROGRAM_MODE: Mode = FILE_MODE.union(Mode::XUSR).union(Mode::XGRP).union(Mode::XOTH);
const FOLDER_MODE: Mode = PROGRAM_MODE;

/// What stands at a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum There {
    /// A folder; `true` once a member said so itself.
    Folder(bool),
    File,
    Link,
}

/// Places members below one folder.
pub(super) struct Placer {
    root: OwnedFd,
    limits: Limits,
    top: Option<Vec<u8>>,
    /// By folded name: the name itself, and what stands there.
    known: BTreeMap<Vec<u8>, (Vec<u8>, There)>,
    names_bytes: usize,
    /// Members of a folder come one after another.
    last: Option<(Vec<u8>, OwnedFd)>,
}

impl Placer {
    pub(super) fn new(root: OwnedFd, limits: Limits) -> Self {
        Self { root, limits, top: None, known: BTreeMap::new(), names_bytes: 0, last: None }
    }

    /// Places one member with its data.
    pub(super) fn place(&mut self, member: &Member, data: &mut impl Read) -> Result<(), UnpackError> {
        let rest = self.below_the_top(inside(&member.name, self.limits.path_bytes)?, &member.name)?;
        if rest.is_empty() {
            return match member.kind {
                Kind::Folder => Ok(()),
                _ => Err(refused(&member.name, "is not in a folder")),
            };
        }
        match member.kind {
            Kind::Folder => self.folder(&rest, true),
            Kind::File => self.file(&rest, member.executable, data),
            Kind::SymbolicLink => self.symbolic_link(&rest, &member.target),
            Kind::HardLink => self.hard_link(&rest, &member.target),
        }
    }

    /// After the last member.
    pub(super) fn finish(&self) -> Result<(), UnpackError> {
        match self.top {
            Some(_) => Ok(()),
            None => Err(UnpackError::Refused("nothing is in it".to_owned())),
        }
    }

    fn below_the_top(&mut self, name: Inside, written: &[u8]) -> Result<Vec<u8>, UnpackError> {
        if *self.top.get_or_insert_with(|| name.top.clone()) != name.top {
            return Err(refused(written, "is not in the one folder that is to be at the top"));
        }
        Ok(name.rest)
    }

    /// The folder at `path` and all above it; `said` by a member of its own.
    fn folder(&mut self, path: &[u8], said: bool) -> Result<(), UnpackError> {
        match self.known.get_mut(&folded(path)) {
            Some((name, There::Folder(before))) if name == path && !(*before && said) => {
                *before |= said;
                Ok(())
            }
            Some((name, there)) => Err(taken(path, name, *there)),
            None => {
                let name = self.claim(path, There::Folder(said))?;
                let above = self.parent(path)?;
                rustix::fs::mkdirat(above, &name, FOLDER_MODE).map_err(|error| disk(path, error.into()))
            }
        }
    }

    fn file(&mut self, path: &[u8], executable: bool, data: &mut impl Read) -> Result<(), UnpackError> {
        let name = self.claim(path, There::File)?;
        // Bits that let a program run as somebody else are not among them.
        let mode = if executable { PROGRAM_MODE } else { FILE_MODE };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(self.parent(path)?, &name, flags, mode);
        let mut file = std::fs::File::from(file.map_err(|error| disk(path, error.into()))?);
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = data.read(&mut buffer).map_err(broken)?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
            file.write_all(bytes).map_err(|error| disk(path, error))?;
        }
    }

    fn symbolic_link(&mut self, path: &[u8], target: &[u8]) -> Result<(), UnpackError> {
        let depth = path.iter().filter(|byte| **byte == b'/').count();
        if !stays_inside(target, depth) {
            return Err(refused(path, &format!("is a link to {}, which leads out", shown(target))));
        }
        let name = self.claim(path, There::Link)?;
        rustix::fs::symlinkat(target, self.parent(path)?, &name).map_err(|error| disk(path, error.into()))
    }

    /// A second name for a file that is there already.
    fn hard_link(&mut self, path: &[u8], target: &[u8]) -> Result<(), UnpackError> {
        let written = inside(target, self.limits.path_bytes)?;
        let from = self.below_the_top(written, target)?;
        if !matches!(self.known.get(&folded(&from)), Some((name, There::File)) if *name == from) {
            return Err(refused(
                path,
                &format!("is a link to {}, which is no file before it", shown(target)),
            ));
        }
        let name = self.claim(path, There::File)?;
        let old_name = last_name(&from)?;
        let (above, _) = split(&from);
        let old = open_beneath(self.root.as_fd(), above).map_err(|error| disk(&from, error))?;
        rustix::fs::linkat(old, &old_name, self.parent(path)?, &name, AtFlags::empty())
            .map_err(|error| disk(path, error.into()))
    }

    /// Takes a name that nobody has, with the folders above it; gives its last part.
    fn claim(&mut self, path: &[u8], there: There) -> Result<CString, UnpackError> {
        let (above, _) = split(path);
        let is_last = self.last.as_ref().is_some_and(|(last, _)| last == above);
        if !above.is_empty() && !is_last {
            self.folder(above, false)?;
        }
        self.names_bytes += path.len();
        if self.names_bytes > self.limits.names_bytes {
            return Err(UnpackError::Refused("its names are too long".to_owned()));
        }
        let key = folded(path);
        if let Some((name, there)) = self.known.get(&key) {
            return Err(taken(path, name, *there));
        }
        self.known.insert(key, (path.to_vec(), there));
        last_name(path)
    }

    /// The open folder that holds `path`.
    fn parent(&mut self, path: &[u8]) -> Result<&OwnedFd, UnpackError> {
        let (above, _) = split(path);
        if above.is_empty() {
            return Ok(&self.root);
        }
        let folder = match self.last.take() {
            Some((last, folder)) if last == above => folder,
            _ => open_beneath(self.root.as_fd(), above).map_err(|error| disk(path, error))?,
        };
        Ok(&self.last.insert((above.to_vec(), folder)).1)
    }
}

/// The folder of a path, and its last part.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (path.get(..slash).unwrap_or_default(), path.get(slash + 1..).unwrap_or_default()),
        None => (&[], path),
    }
}

fn last_name(path: &[u8]) -> Result<CString, UnpackError> {
    CString::new(split(path).1).map_err(|_| refused(path, "has a NUL in its name"))
}

fn taken(path: &[u8], by: &[u8], there: There) -> UnpackError {
    if path != by {
        return refused(path, &format!("differs from {} in nothing but the case of letters", shown(by)));
    }
    match there {
        There::Folder(_) => refused(path, "is there already"),
        There::File => refused(path, "is a file already"),
        There::Link => refused(path, "is a link already"),
    }
}

fn refused(name: &[u8], why: &str) -> UnpackError {
    UnpackError::Refused(format!("{} {why}", shown(name)))
}

fn disk(path: &[u8], error: io::Error) -> UnpackError {
    UnpackError::Disk(format!("{} cannot be written: {error}", shown(path)))
}

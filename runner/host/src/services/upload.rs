//! Blobs on their way in, piece by piece as the storage client sends them: one piece, or blocks and then their list.
//!
//! Knows the order of pieces and their bytes on disk; not HTTP, and not what becomes of the whole.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indexmap::IndexMap;

use super::token::Maker;

/// The most bytes of one blob: what GitHub lets all caches of a repository have.
pub(super) const BLOB_BYTES_MAX: u64 = 10 * 1024 * 1024 * 1024;
/// The most blocks of one blob, as the storage service has it.
pub(super) const BLOCKS_MAX: usize = 50_000;
/// An upload that nothing came for in this time keeps nobody from beginning another one.
pub(super) const ABANDONED_AFTER: Duration = Duration::from_secs(600);

/// Why a piece is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum UploadError {
    /// More than [`BLOB_BYTES_MAX`] or [`BLOCKS_MAX`].
    #[error("the blob is larger than {BLOB_BYTES_MAX} bytes or has more than {BLOCKS_MAX} blocks")]
    TooLarge,
    /// The list names a block that nobody sent.
    #[error("the list of blocks names one that was not sent")]
    UnknownBlock,
    /// Something between two chunks is missing.
    #[error("the chunks do not follow one another")]
    Gap,
    /// It is complete already.
    #[error("the blob was finished already")]
    Finished,
    /// The disk says no.
    #[error("the blob cannot be written: {0}")]
    Disk(#[from] io::Error),
}

/// One blob on its way in.
pub(super) struct Upload<W> {
    /// Its number, in this process.
    pub(super) id: u64,
    /// Who sends it.
    pub(super) maker: Maker,
    /// What it is to be.
    pub(super) what: W,
    folder: PathBuf,
    state: Mutex<State>,
}

struct State {
    blocks: IndexMap<String, (PathBuf, u64)>,
    next_piece: u64,
    /// The bytes of all pieces that are here.
    bytes: u64,
    whole: Option<u64>,
    touched: Instant,
}

/// A piece that is being written. Dropped without [`Upload::keep_block`] or [`Upload::keep_whole`], it goes.
pub(super) struct Piece {
    file: File,
    path: PathBuf,
    size: u64,
    kept: bool,
}

impl Piece {
    /// The bytes so far.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Adds these bytes.
    ///
    /// # Errors
    /// The piece is too large, or the disk is full.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), UploadError> {
        self.size += bytes.len() as u64;
        if self.size > BLOB_BYTES_MAX {
            return Err(UploadError::TooLarge);
        }
        Ok(self.file.write_all(bytes)?)
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl<W> Upload<W> {
    /// An upload into `folder`, which is empty.
    pub(super) fn new(id: u64, folder: PathBuf, maker: Maker, what: W) -> Self {
        let state =
            State { blocks: IndexMap::new(), next_piece: 0, bytes: 0, whole: None, touched: Instant::now() };
        Self { id, maker, what, folder, state: Mutex::new(state) }
    }

    /// Nothing came for a long time.
    pub(super) fn is_abandoned(&self) -> bool {
        self.lock().touched.elapsed() > ABANDONED_AFTER
    }

    /// The whole blob and its size, once it is complete.
    pub(super) fn whole(&self) -> Option<(PathBuf, u64)> {
        self.lock().whole.map(|size| (self.content(), size))
    }

    /// A file for the next piece. It has a name of ours, whatever the block is called.
    ///
    /// # Errors
    /// It cannot be made, or the blob is complete.
    pub(super) fn piece(&self) -> Result<Piece, UploadError> {
        let mut state = self.lock();
        if state.whole.is_some() {
            return Err(UploadError::Finished);
        }
        state.touched = Instant::now();
        let path = self.folder.join(format!("piece-{}", state.next_piece));
        state.next_piece += 1;
        drop(state);
        let file = File::create(&path)?;
        Ok(Piece { file, path, size: 0, kept: false })
    }

    /// Keeps the piece as the block `name`; one of this name that is there already goes.
    ///
    /// # Errors
    /// There are too many, or too many bytes.
    pub(super) fn keep_block(&self, name: &str, mut piece: Piece) -> Result<(), UploadError> {
        let mut state = self.lock();
        state.touched = Instant::now();
        let old = state.blocks.get(name).map_or(0, |(_, size)| *size);
        let bytes = state.bytes - old + piece.size;
        let is_new = !state.blocks.contains_key(name);
        if bytes > BLOB_BYTES_MAX || (is_new && state.blocks.len() == BLOCKS_MAX) {
            return Err(UploadError::TooLarge);
        }
        state.bytes = bytes;
        piece.kept = true;
        if let Some((old, _)) = state.blocks.insert(name.to_owned(), (piece.path.clone(), piece.size)) {
            let _ = fs::remove_file(old);
        }
        Ok(())
    }

    /// The piece is all of the blob.
    ///
    /// # Errors
    /// It cannot be put in its place.
    pub(super) fn keep_whole(&self, mut piece: Piece) -> Result<(), UploadError> {
        let mut state = self.lock();
        fs::rename(&piece.path, self.content())?;
        piece.kept = true;
        state.whole = Some(piece.size);
        state.touched = Instant::now();
        Ok(())
    }

    /// Puts the blocks together in this order. A list that comes again after it was done changes nothing.
    ///
    /// # Errors
    /// A block is missing or named twice, or the disk is full.
    pub(super) fn join_blocks(&self, names: &[String]) -> Result<(), UploadError> {
        let mut state = self.lock();
        if state.whole.is_some() {
            return Ok(());
        }
        let found: Option<Vec<PathBuf>> =
            names.iter().map(|name| state.blocks.get(name).map(|(path, _)| path.clone())).collect();
        let found = found.ok_or(UploadError::UnknownBlock)?;
        let content = self.content();
        let size = join(&found, &content)?;
        state.blocks.clear();
        state.whole = Some(size);
        state.touched = Instant::now();
        Ok(())
    }

    /// Puts blocks together whose names are their offsets.
    ///
    /// # Errors
    /// They overlap, or something between them is missing; the disk is full.
    pub(super) fn join_ranges(&self) -> Result<(), UploadError> {
        let parse = |(name, (_, size)): (&String, &(PathBuf, u64))| Some((name.parse().ok()?, *size));
        let ranges: Option<Vec<(u64, u64)>> = self.lock().blocks.iter().map(parse).collect();
        let mut ranges = ranges.ok_or(UploadError::Gap)?;
        ranges.sort_unstable();
        let mut at = 0;
        for (start, size) in &ranges {
            if *start != at {
                return Err(UploadError::Gap);
            }
            at += size;
        }
        self.join_blocks(&ranges.iter().map(|(start, _)| start.to_string()).collect::<Vec<_>>())
    }

    fn content(&self) -> PathBuf {
        self.folder.join("content")
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W> Drop for Upload<W> {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The files one after the other, by the system's own copying. They are left where they are.
fn join(files: &[PathBuf], to: &Path) -> io::Result<u64> {
    let mut out = File::create(to)?;
    files.iter().try_fold(0, |size, file| Ok(size + io::copy(&mut File::open(file)?, &mut out)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload() -> (tempfile::TempDir, Upload<()>) {
        let folder = tempfile::tempdir().unwrap();
        let text = String::new;
        let maker = Maker { run: text(), job: text(), step: text(), execution: text() };
        let inner = folder.path().join("1");
        fs::create_dir(&inner).unwrap();
        (folder, Upload::new(1, inner, maker, ()))
    }

    fn block(upload: &Upload<()>, name: &str, bytes: &str) {
        let mut piece = upload.piece().unwrap();
        piece.write(bytes.as_bytes()).unwrap();
        upload.keep_block(name, piece).unwrap();
    }

    #[test]
    fn blocks_are_joined_in_the_order_of_their_list() {
        let (_folder, upload) = upload();
        block(&upload, "../../b", "second");
        block(&upload, "a", "old");
        block(&upload, "a", "first ");
        assert!(upload.whole().is_none());
        let list = ["a".to_owned(), "../../b".to_owned()];
        assert!(matches!(upload.join_blocks(&["c".to_owned()]), Err(UploadError::UnknownBlock)));
        upload.join_blocks(&list).unwrap();
        upload.join_blocks(&list).unwrap();
        let (path, size) = upload.whole().unwrap();
        assert_eq!((fs::read_to_string(path).unwrap().as_str(), size), ("first second", 12));
        assert!(matches!(upload.piece(), Err(UploadError::Finished)));
    }

    #[test]
    fn a_piece_that_breaks_off_leaves_nothing() {
        let (folder, upload) = upload();
        let mut piece = upload.piece().unwrap();
        piece.write(b"half").unwrap();
        drop(piece);
        assert_eq!(fs::read_dir(folder.path().join("1")).unwrap().count(), 0);
        drop(upload);
        assert!(!folder.path().join("1").exists());
    }

    #[test]
    fn a_blob_has_a_largest_size() {
        let (_folder, upload) = upload();
        let mut piece = upload.piece().unwrap();
        piece.size = BLOB_BYTES_MAX;
        assert!(matches!(piece.write(b"x"), Err(UploadError::TooLarge)));
        let mut piece = upload.piece().unwrap();
        piece.size = BLOB_BYTES_MAX - 1;
        upload.keep_block("a", piece).unwrap();
        block(&upload, "b", "x");
        let mut piece = upload.piece().unwrap();
        piece.write(b"x").unwrap();
        assert!(matches!(upload.keep_block("c", piece), Err(UploadError::TooLarge)));
    }
}

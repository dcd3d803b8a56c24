//! Times of a checkpoint against a bare look at every file's state, and of a restore; prints medians.
//!
//! `cargo bench -p host --bench snapshot [-- FILES...]`; 10, 10,000 and 100,000 files unless told. Pairs are
//! interleaved, because only ratios within one run can be trusted on a shared machine.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::path::Path;
use std::time::{Duration, Instant};

use host::snapshot::{RestoreMode, Root, Roots, Store};

const FILES_PER_DIR: usize = 50;

type AnyError = Box<dyn std::error::Error>;

fn main() -> Result<(), AnyError> {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![10, 10_000, 100_000] } else { sizes };
    sizes.into_iter().try_for_each(measure)
}

fn measure(files: usize) -> Result<(), AnyError> {
    let dir = std::env::temp_dir().join(format!("stepback-bench-{}", std::process::id()));
    let tree = dir.join("work");
    make_tree(&tree, files)?;
    let roots = Roots::new([Root::new("workspace", &tree)])?;
    let mut store = Store::open(&dir.join("store"))?;
    let (first, start) = timed(|| store.take(&roots))?;
    let rounds = (400_000 / files).clamp(11, 2000);
    let (mut walks, mut takes) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        walks.push(timed(|| walk(&tree))?.1);
        takes.push(timed(|| store.take(&roots))?.1);
    }
    let changed = (files / 100).max(1);
    let mut changes = Vec::new();
    let mut restores = Vec::new();
    for round in 0..11 {
        for index in 0..changed {
            std::fs::write(
                file(&tree, index * (files / changed)),
                format!("round {round} file {index}\n").repeat(300),
            )?;
        }
        changes.push(timed(|| store.take(&roots))?.1);
        let restore = || store.restore(first.id, &roots, RestoreMode::Replace);
        let (report, time) = timed(restore)?;
        assert!(report.exact, "{report:?}");
        restores.push(time);
    }
    let (walk, take) = (median(&mut walks), median(&mut takes));
    println!("{files} files: first snapshot {start:?}");
    println!("  stat walk (one thread)   {walk:?}");
    println!("  checkpoint, no change    {take:?} = {:.2} x walk", take.as_secs_f64() / walk.as_secs_f64());
    println!("  checkpoint, {changed} changed   {:?}", median(&mut changes));
    println!("  restore of {changed} changed    {:?}", median(&mut restores));
    drop(store);
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

fn file(tree: &Path, index: usize) -> std::path::PathBuf {
    tree.join(format!("dir{}", index / FILES_PER_DIR)).join(format!("file{index}.rs"))
}

fn make_tree(tree: &Path, files: usize) -> std::io::Result<()> {
    for index in 0..files {
        let path = file(tree, index);
        if let Some(dir) = path.parent().filter(|_| index % FILES_PER_DIR == 0) {
            std::fs::create_dir_all(dir)?;
        }
        std::fs::write(path, format!("content of file {index}\n").repeat(20 + index % 300))?;
    }
    Ok(())
}

/// What every snapshot tool must do at least: list the directories and look at each entry.
fn walk(tree: &Path) -> Result<usize, rustix::io::Errno> {
    use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawDir, StatxFlags, openat, statx};
    let mut rest = vec![tree.to_owned()];
    let mut seen = 0;
    let mut buffer = [std::mem::MaybeUninit::<u8>::uninit(); 16 * 1024];
    while let Some(path) = rest.pop() {
        let dir = openat(CWD, &path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
        let mut entries = RawDir::new(&dir, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            seen += 1;
            let stat =
                statx(&dir, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS | StatxFlags::BTIME)?;
            if stat.stx_mode & 0o170_000 == 0o040_000 {
                rest.push(path.join(String::from_utf8_lossy(name.to_bytes()).as_ref()));
            }
        }
    }
    Ok(seen)
}

fn timed<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<(T, Duration), E> {
    let start = Instant::now();
    let result = work()?;
    Ok((result, start.elapsed()))
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

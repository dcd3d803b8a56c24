//! A job that swaps a directory for a link to the outside, again and again, while we take and restore.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, RenameFlags};

use super::super::RestoreMode;
use super::Bench;
use super::dump::Dump;

#[test]
fn nothing_outside_is_ever_touched() {
    let mut bench = Bench::new();
    let outside = tempfile::tempdir().unwrap();
    for name in ["one", "two", "deep/three"] {
        bench.write(&format!("dir/{name}"), "first");
        let path = outside.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "must stay").unwrap();
    }
    let first = bench.take();
    for name in ["one", "two", "deep/three"] {
        bench.write(&format!("dir/{name}"), "second, and longer");
    }
    bench.write("dir/four", "4");
    let second = bench.take();
    let untouched = Dump::of(outside.path());

    let swap = bench.tree.parent().unwrap().join("swap");
    std::os::unix::fs::symlink(outside.path(), &swap).unwrap();
    let target = bench.path("dir");
    let stop = AtomicBool::new(false);
    let mut swaps = 0_u64;
    std::thread::scope(|scope| {
        let racer = scope.spawn(|| {
            let mut count = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                let exchanged = rustix::fs::renameat_with(CWD, &swap, CWD, &target, RenameFlags::EXCHANGE);
                count += u64::from(exchanged.is_ok());
                if target.symlink_metadata().is_err() {
                    let _ = std::os::unix::fs::symlink(outside.path(), &target);
                }
            }
            count
        });
        for round in 0..400 {
            let id = if round % 2 == 0 { first } else { second };
            // An error is a fair answer to being raced; writing outside is not.
            let _ = bench.store.restore(id, &bench.roots, RestoreMode::Replace);
            if round % 16 == 0 {
                let _ = bench.store.take(&bench.roots);
            }
        }
        stop.store(true, Ordering::Relaxed);
        swaps = racer.join().unwrap();
    });
    assert!(swaps > 100, "only {swaps} swaps");
    assert_eq!(untouched.differences_with_inodes(&Dump::of(outside.path())), Vec::<String>::new());
    assert!(bench.restore(first).exact);
    assert_eq!(std::fs::read(bench.path("dir/one")).unwrap(), b"first");
}

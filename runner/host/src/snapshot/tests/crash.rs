//! Cut off at every point, by a failing disk and by `kill -9`, and made again: the target exactly.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::fault::{FaultKind, Faults};
use super::super::{ParkingLot, RestoreMode, Root, Roots, SnapshotId, Store};
use super::Bench;
use super::dump::Dump;

const EIO: i32 = 5;

/// A bit of everything a restore does.
fn before(bench: &Bench) {
    for name in ["edited", "gone/one", "gone/deep/two", "type", "linked", "times"] {
        bench.write(name, format!("{name} before"));
    }
    std::fs::hard_link(bench.path("linked"), bench.path("gone/link")).unwrap();
    std::os::unix::fs::symlink("edited", bench.path("link")).unwrap();
    bench.write("large", vec![1; (5 << 20) + 1]);
}

fn after(bench: &Bench) {
    bench.write("edited", "edited after");
    std::fs::remove_dir_all(bench.path("gone")).unwrap();
    std::fs::remove_file(bench.path("type")).unwrap();
    bench.write("type/now/dir", "d");
    bench.write("new/file", "n");
    std::fs::remove_file(bench.path("link")).unwrap();
    std::os::unix::fs::symlink("elsewhere", bench.path("link")).unwrap();
    std::fs::File::open(bench.path("times")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    let mut large = vec![1; (5 << 20) + 1];
    large[3 << 20] = 2;
    bench.write("large", large);
}

struct Scene {
    bench: Bench,
    old: (SnapshotId, Dump),
    new: (SnapshotId, Dump),
}

fn scene() -> Scene {
    let mut bench = Bench::new();
    before(&bench);
    let old = (bench.take(), bench.dump());
    after(&bench);
    let new = (bench.take(), bench.dump());
    Scene { bench, old, new }
}

fn assert_same(found: &[String], point: u64) {
    assert!(found.is_empty(), "cut off at {point}: {}", found.join("\n"));
}

#[test]
fn a_restore_that_failed_anywhere_can_be_made_again() {
    for point in 0.. {
        let Scene { mut bench, old, new } = scene();
        bench.store.set_faults(Faults::after(point, FaultKind::Error(EIO)));
        let failed = bench.store.restore(old.0, &bench.roots, RestoreMode::Replace).is_err();
        bench.store.set_faults(Faults::default());
        // Either way must be open: on to the target, or back.
        let (id, dump) = if point % 2 == 0 { &old } else { &new };
        let report = bench.restore(*id);
        assert_same(&dump.differences(&bench.dump()), point);
        assert!(report.exact, "{report:?}");
        if !failed {
            assert!(point > 20, "the faults fired");
            return;
        }
    }
}

#[test]
fn parking_that_failed_anywhere_can_be_undone() {
    for point in 0.. {
        let Scene { mut bench, old, new } = scene();
        let mut lot = bench.lot();
        bench.store.set_faults(Faults::after(point, FaultKind::Error(EIO)));
        let failed = bench.store.restore(old.0, &bench.roots, RestoreMode::Park(&mut lot)).is_err();
        bench.store.set_faults(Faults::default());
        drop(lot);
        let mut lot = bench.lot();
        let report = bench.store.unpark(&mut lot, new.0, &bench.roots).unwrap();
        assert_same(&new.1.differences_with_inodes(&bench.dump()), point);
        assert!(report.exact && lot.is_empty(), "{report:?}");
        if !failed {
            assert!(point > 20, "the faults fired");
            return;
        }
    }
}

#[test]
fn returning_that_failed_anywhere_can_be_made_again() {
    for point in 0.. {
        let Scene { mut bench, old, new } = scene();
        let mut lot = bench.lot();
        bench.store.restore(old.0, &bench.roots, RestoreMode::Park(&mut lot)).unwrap();
        assert_same(&old.1.differences(&bench.dump()), point);
        bench.store.set_faults(Faults::after(point, FaultKind::Error(EIO)));
        let failed = bench.store.unpark(&mut lot, new.0, &bench.roots).is_err();
        bench.store.set_faults(Faults::default());
        drop(lot);
        let mut lot = bench.lot();
        let report = bench.store.unpark(&mut lot, new.0, &bench.roots).unwrap();
        assert_same(&new.1.differences_with_inodes(&bench.dump()), point);
        assert!(report.exact && lot.is_empty(), "{report:?}");
        if !failed {
            assert!(point > 10, "the faults fired");
            return;
        }
    }
}

const ROLE: &str = "STEPBACK_TEST_KILLED_AT";

/// The child's part: do one thing to the scene in `dir` and be killed at the given change.
fn be_killed(order: &str) {
    let [what, point, id, dir] = order.splitn(4, ' ').collect::<Vec<_>>()[..] else { panic!("{order}") };
    let dir = PathBuf::from(dir);
    let (mut store, roots) = open(&dir);
    let id: SnapshotId = id.parse().unwrap();
    store.set_faults(Faults::after(point.parse().unwrap(), FaultKind::Kill));
    let mut lot = ParkingLot::open(&dir.join("store/parked"), &roots).unwrap();
    match what {
        "take" => drop(store.take(&roots).unwrap()),
        "replace" => drop(store.restore(id, &roots, RestoreMode::Replace).unwrap()),
        "park" => drop(store.restore(id, &roots, RestoreMode::Park(&mut lot)).unwrap()),
        _ => drop(store.unpark(&mut lot, id, &roots).unwrap()),
    }
}

fn open(dir: &Path) -> (Store, Roots) {
    let roots = Roots::new([Root::new("workspace", dir.join("work"))]).unwrap();
    (Store::open(&dir.join("store")).unwrap(), roots)
}

/// True when the child was killed, false when it came to its end first.
fn kill_at(what: &str, point: u64, id: SnapshotId, dir: &Path) -> bool {
    use std::os::unix::process::ExitStatusExt;
    let order = format!("{what} {point} {id} {}", dir.display());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "snapshot::tests::crash::killed_anywhere", "--nocapture"])
        .env(ROLE, order)
        .output()
        .unwrap();
    let killed = output.status.signal() == Some(9);
    assert!(killed || output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    killed
}

/// Takes the scene out of this process: the store must be free for the child.
fn close(scene: &mut Scene) -> PathBuf {
    let dir = scene.bench.tree.parent().unwrap().to_owned();
    let spare = Store::temporary(&dir).unwrap();
    drop(std::mem::replace(&mut scene.bench.store, spare));
    dir
}

#[test]
fn killed_anywhere() {
    if let Ok(order) = std::env::var(ROLE) {
        return be_killed(&order);
    }
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut killed = 0;
    for round in 0..40 {
        let what = ["take", "replace", "park", "unpark"][round % 4];
        let mut scene = scene();
        if what == "take" {
            scene.bench.write("untaken", "u");
            scene.bench.write("edited", "again");
            scene.new.1 = scene.bench.dump();
        }
        if what == "unpark" {
            let mut lot = scene.bench.lot();
            scene.bench.store.restore(scene.old.0, &scene.bench.roots, RestoreMode::Park(&mut lot)).unwrap();
        }
        let dir = close(&mut scene);
        let point = random.u64(..if what == "take" { 4 } else { 60 });
        let id = if what == "unpark" { scene.new.0 } else { scene.old.0 };
        killed += u64::from(kill_at(what, point, id, &dir));
        let (mut store, roots) = open(&dir);
        let mut lot = ParkingLot::open(&dir.join("store/parked"), &roots).unwrap();
        let work = dir.join("work");
        match what {
            "take" => {
                let taken = store.take(&roots).unwrap().id;
                assert!(store.restore(scene.old.0, &roots, RestoreMode::Replace).unwrap().exact);
                assert!(store.restore(taken, &roots, RestoreMode::Replace).unwrap().exact);
                assert_same(&scene.new.1.differences(&Dump::of(&work)), point);
            }
            "replace" => {
                assert!(store.restore(scene.old.0, &roots, RestoreMode::Replace).unwrap().exact);
                assert_same(&scene.old.1.differences(&Dump::of(&work)), point);
            }
            _ => {
                assert!(store.unpark(&mut lot, scene.new.0, &roots).unwrap().exact);
                assert_same(&scene.new.1.differences_with_inodes(&Dump::of(&work)), point);
            }
        }
    }
    assert!(killed > 15, "only {killed} were killed, seed {seed}");
}

//! Tests of whole snapshots against a model that knows nothing of them: a dump of the tree made with `std::fs`.

mod crash;
mod dump;
mod lifelike;
mod operations;
mod parking;
mod property;
mod races;
mod sealing;
mod storing;

use std::path::{Path, PathBuf};

use super::{Root, Roots, Store};
use dump::Dump;

/// A workspace and a store beside it.
struct Bench {
    _dir: tempfile::TempDir,
    tree: PathBuf,
    roots: Roots,
    store: Store,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().canonicalize().unwrap().join("work");
        std::fs::create_dir(&tree).unwrap();
        let roots = Roots::new([Root::new("workspace", &tree)]).unwrap();
        let store = Store::open(&dir.path().join("store")).unwrap();
        Self { _dir: dir, tree, roots, store }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.tree.join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn take(&mut self) -> super::SnapshotId {
        self.store.take(&self.roots).unwrap().id
    }

    fn dump(&self) -> Dump {
        Dump::of(&self.tree)
    }

    fn restore(&mut self, id: super::SnapshotId) -> super::RestoreReport {
        self.store.restore(id, &self.roots, super::RestoreMode::Replace).unwrap()
    }

    fn lot(&self) -> super::ParkingLot {
        super::ParkingLot::open(&self.store.dir().join("parked"), &self.roots).unwrap()
    }
}

fn mtime(path: &Path) -> std::time::SystemTime {
    path.symlink_metadata().unwrap().modified().unwrap()
}

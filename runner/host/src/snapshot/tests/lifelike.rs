//! What real jobs and real tools make of it: freshness, permissions, unreadable files.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::super::{NoteKind, RestoreMode, Store};
use super::{Bench, mtime};

#[test]
fn a_build_tool_finds_nothing_to_do() {
    let mut bench = Bench::new();
    bench.write("src/main.c", "int main() {}");
    bench.write("target/main.o", "object");
    let source = std::fs::File::open(bench.path("src/main.c")).unwrap();
    source.set_modified(mtime(&bench.path("target/main.o")) - std::time::Duration::from_nanos(1)).unwrap();
    let built = bench.take();
    let times = [mtime(&bench.path("src/main.c")), mtime(&bench.path("target/main.o"))];
    assert!(times[0] < times[1]);
    bench.write("src/main.c", "int main() { return 1; }");
    std::fs::remove_dir_all(bench.path("target")).unwrap();
    bench.take();
    assert!(bench.restore(built).exact);
    assert_eq!(times, [mtime(&bench.path("src/main.c")), mtime(&bench.path("target/main.o"))]);
}

#[test]
fn unchanged_files_are_not_opened_and_changed_ones_keep_their_inode() {
    use std::os::unix::fs::MetadataExt;
    let mut bench = Bench::new();
    bench.write("unchanged", "u");
    bench.write("changed", "before");
    let id = bench.take();
    bench.write("changed", "after, and longer");
    let inode = bench.path("changed").metadata().unwrap().ino();
    let state = bench.path("unchanged").metadata().unwrap();
    let report = bench.restore(id);
    assert_eq!((report.files_written, report.bytes_written, report.metadata), (1, 6, 0));
    let now = bench.path("unchanged").metadata().unwrap();
    assert_eq!((state.ctime(), state.ctime_nsec()), (now.ctime(), now.ctime_nsec()));
    assert_eq!(bench.path("changed").metadata().unwrap().ino(), inode);
}

/// A process that another test is just starting has our copy open for writing until its exec.
fn run(program: &std::path::Path) -> std::process::Child {
    loop {
        match Command::new(program).stdin(std::process::Stdio::piped()).spawn() {
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            started => return started.unwrap(),
        }
    }
}

#[test]
fn a_running_program_is_replaced_not_written() {
    let mut bench = Bench::new();
    std::fs::copy("/bin/sleep", bench.path("tool")).unwrap();
    let id = bench.take();
    std::fs::remove_file(bench.path("tool")).unwrap();
    std::fs::copy("/bin/cat", bench.path("tool")).unwrap();
    let newest = bench.take();
    let mut running = run(&bench.path("tool"));
    let report = bench.restore(id);
    assert!(report.exact, "{report:?}");
    assert!(bench.restore(newest).exact);
    drop(running.stdin.take());
    assert!(running.wait().unwrap().success());
}

const TREE: &str = "STEPBACK_TEST_ORDINARY_USER";

/// As root every mode is allowed, so the test runs itself again as somebody else.
#[test]
fn forbidden_files_and_directories_as_an_ordinary_user() {
    if let Some(dir) = std::env::var_os(TREE) {
        return as_ordinary_user(std::path::Path::new(&dir));
    }
    let dir = tempfile::tempdir().unwrap();
    let mut again = Command::new(std::env::current_exe().unwrap());
    let name = "snapshot::tests::lifelike::forbidden_files_and_directories_as_an_ordinary_user";
    again.args(["--exact", name, "--nocapture"]).env(TREE, dir.path());
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(dir.path(), Some(65534), Some(65534)).unwrap();
        again.uid(65534).gid(65534);
    }
    let output = again.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(dir.path().join("done").exists(), "it ran");
}

fn as_ordinary_user(dir: &std::path::Path) {
    let dir = dir.canonicalize().unwrap();
    let tree = dir.join("work");
    std::fs::create_dir(&tree).unwrap();
    let roots = super::Roots::new([super::Root::new("workspace", &tree)]).unwrap();
    let mut store = Store::open(&dir.join("store")).unwrap();
    let mode = |name: &str, mode| {
        std::fs::set_permissions(tree.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for name in ["closed/inside", "readonly/kept", "secret", "plain"] {
        std::fs::create_dir_all(tree.join(name).parent().unwrap()).unwrap();
        std::fs::write(tree.join(name), name).unwrap();
    }
    mode("readonly", 0o555);
    let open = store.take(&roots).unwrap();
    assert_eq!(open.notes, []);

    mode("closed", 0o000);
    mode("secret", 0o000);
    mode("readonly", 0o755);
    std::fs::write(tree.join("readonly/new"), "n").unwrap();
    std::fs::remove_file(tree.join("readonly/kept")).unwrap();
    mode("readonly", 0o555);
    let shut = store.take(&roots).unwrap();
    let kinds: Vec<_> = shut.notes.iter().map(|note| (note.path.to_str().unwrap(), note.kind)).collect();
    // The bytes of `secret` were read before and it has not changed since but for its mode.
    assert_eq!(kinds, [("closed", NoteKind::Unreadable), ("secret", NoteKind::Unreadable)]);

    let mut lot = super::super::ParkingLot::open(&dir.join("store/parked"), &roots).unwrap();
    let report = store.restore(open.id, &roots, RestoreMode::Park(&mut lot)).unwrap();
    assert!(report.exact, "{report:?}");
    assert_eq!(std::fs::read(tree.join("closed/inside")).unwrap(), b"closed/inside");
    assert_eq!(std::fs::read(tree.join("readonly/kept")).unwrap(), b"readonly/kept");
    store.unpark(&mut lot, shut.id, &roots).unwrap();
    assert_eq!(tree.join("secret").metadata().unwrap().permissions().mode() & 0o7777, 0);
    assert!(tree.join("readonly/new").exists() && !tree.join("readonly/kept").exists());
    assert_eq!(tree.join("closed").metadata().unwrap().permissions().mode() & 0o7777, 0);
    let report = store.restore(open.id, &roots, RestoreMode::Replace).unwrap();
    assert!(report.exact, "{report:?}");
    std::fs::write(dir.join("done"), "").unwrap();
}

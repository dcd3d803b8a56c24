//! Checkout against real repositories in temporary folders.

use super::*;
use engine::step_path::StepPath;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::process::Command;

struct Fixture {
    _root: tempfile::TempDir,
    repository: PathBuf,
    workspace: PathBuf,
}

impl Fixture {
    fn empty() -> Self {
        let root = tempfile::tempdir().unwrap();
        let real = root.path().canonicalize().unwrap();
        let (repository, workspace) = (real.join("repository"), real.join("workspace"));
        fs::create_dir(&repository).unwrap();
        fs::create_dir(&workspace).unwrap();
        Self { _root: root, repository, workspace }
    }

    /// A commit with two files, then: one changed, one new, one ignored.
    fn with_history() -> Self {
        let fixture = Self::empty();
        fixture.git("init -q -b main");
        fixture.git("remote add origin https://github.com/octo/hello.git");
        fixture.write("src/one.txt", "one\n");
        fixture.write("run.sh", "#!/bin/sh\n");
        fixture.write(".gitignore", "target/\n");
        fs::set_permissions(fixture.repository.join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("src/one.txt", fixture.repository.join("link")).unwrap();
        fixture.git("add -A");
        fixture.git("commit -q -m first");
        fixture.git("tag v1");
        fixture.write("src/one.txt", "changed\n");
        fixture.write("new.txt", "new\n");
        fixture.write("target/built", "ignored\n");
        fixture
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.repository.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn git(&self, arguments: &str) -> String {
        git_in(&self.repository, arguments)
    }

    fn check_out(
        &self,
        change: impl FnOnce(&mut CheckoutSpec, &mut Origin),
    ) -> Result<String, CheckoutError> {
        let mut spec = CheckoutSpec {
            step: StepPath::main(0),
            title: String::new(),
            reference: None,
            path: None,
            repository: None,
        };
        let name = Some("octo/hello".to_owned());
        let mut origin = Origin { folder: self.repository.clone(), name, in_place: false };
        change(&mut spec, &mut origin);
        let mut notes = String::new();
        checkout(&origin, &self.workspace, &spec, &mut |line| notes.push_str(line))?;
        Ok(notes)
    }

    fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.workspace.join(name)).ok()
    }
}

fn git_in(folder: &Path, arguments: &str) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Everything below a folder with what must not change: type, mode, size, times, content.
fn fingerprint(folder: &Path) -> Vec<String> {
    let mut files = IndexSet::new();
    fn all(top: &Path, below: &Path, files: &mut IndexSet<PathBuf>) {
        for entry in fs::read_dir(top.join(below)).unwrap() {
            let path = below.join(entry.unwrap().file_name());
            files.insert(path.clone());
            if fs::symlink_metadata(top.join(&path)).unwrap().is_dir() {
                all(top, &path, files);
            }
        }
    }
    all(folder, Path::new(""), &mut files);
    files.sort();
    let describe = |file: &PathBuf| {
        let path = folder.join(file);
        let found = fs::symlink_metadata(&path).unwrap();
        let content = if found.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        let hash = blake3::hash(&content).to_hex();
        // git itself may renew the time of an object that somebody makes again, in a borrowed store too.
        let object = file.starts_with(".git/objects");
        let time = if object { (0, 0) } else { (found.mtime(), found.mtime_nsec()) };
        format!("{} {:o} {}.{} {hash}", file.display(), found.mode(), time.0, time.1)
    };
    files.iter().map(describe).collect()
}

#[test]
fn the_working_tree_comes_as_it_is() {
    let fixture = Fixture::with_history();
    // `git status` may refresh the index: it comes before the fingerprint.
    let status = fixture.git("status --porcelain");
    let before = fingerprint(&fixture.repository);
    let notes = fixture.check_out(|_, _| {}).unwrap();
    assert!(notes.ends_with("(5 files)"), "{notes}");
    assert_eq!(fixture.read("src/one.txt").as_deref(), Some("changed\n"));
    assert_eq!(fixture.read("new.txt").as_deref(), Some("new\n"));
    assert_eq!(fixture.read("target/built"), None);
    assert_eq!(fs::read_link(fixture.workspace.join("link")).unwrap(), Path::new("src/one.txt"));
    for name in ["run.sh", "src", "src/one.txt", "link"] {
        let [original, copy] = [&fixture.repository, &fixture.workspace]
            .map(|folder| fs::symlink_metadata(folder.join(name)).unwrap())
            .map(|found| (found.mode(), found.mtime(), found.mtime_nsec()));
        assert_eq!(copy, original, "{name}");
    }
    assert_eq!(git_in(&fixture.workspace, "status --porcelain"), status);
    assert_eq!(git_in(&fixture.workspace, "log --format=%s main"), "first\n");
    assert_eq!(git_in(&fixture.workspace, "remote get-url origin"), "https://github.com/octo/hello.git\n");
    git_in(&fixture.workspace, "commit -q -a -m second");
    fs::write(fixture.workspace.join("run.sh"), "other").unwrap();
    assert_unchanged(&fixture, &before);
}

#[track_caller]
fn assert_unchanged(fixture: &Fixture, before: &[String]) {
    let now = fingerprint(&fixture.repository);
    let changed: Vec<&String> = now
        .iter()
        .filter(|line| !before.contains(line))
        .chain(before.iter().filter(|line| !now.contains(line)))
        .collect();
    assert!(changed.is_empty(), "{changed:#?}");
}

#[test]
fn a_reference_is_a_branch_a_tag_or_a_commit() {
    let fixture = Fixture::with_history();
    let commit = fixture.git("rev-parse HEAD").trim().to_owned();
    let branch = |reference: &str| {
        fixture.check_out(|spec, _| spec.reference = Some(reference.to_owned())).unwrap();
        assert_eq!(fixture.read("src/one.txt").as_deref(), Some("one\n"));
        assert_eq!(fixture.read("new.txt"), None);
        git_in(&fixture.workspace, "rev-parse --abbrev-ref HEAD").trim().to_owned()
    };
    assert_eq!(branch("main"), "main");
    assert_eq!(branch("refs/heads/main"), "main");
    assert_eq!(branch("v1"), "HEAD");
    assert_eq!(branch("refs/tags/v1"), "HEAD");
    assert_eq!(branch(&commit), "HEAD");
    let error = fixture.check_out(|spec, _| spec.reference = Some("v9".to_owned())).unwrap_err().to_string();
    assert!(error.contains("has no such commit, branch or tag\nhint: fetch it first"), "{error}");
    assert!(fixture.check_out(|spec, _| spec.reference = Some("--help".to_owned())).is_err());
}

#[test]
fn a_path_is_filled_alone_and_must_stay_inside() {
    let fixture = Fixture::with_history();
    fs::create_dir(fixture.workspace.join("sub")).unwrap();
    fs::write(fixture.workspace.join("sub/old"), "old").unwrap();
    fs::write(fixture.workspace.join("kept"), "kept").unwrap();
    fixture.check_out(|spec, _| spec.path = Some("sub".to_owned())).unwrap();
    assert_eq!(fixture.read("sub/new.txt").as_deref(), Some("new\n"));
    assert_eq!(fixture.read("sub/old"), None);
    assert_eq!(fixture.read("kept").as_deref(), Some("kept"));
    let error = fixture.check_out(|spec, _| spec.path = Some("../x".to_owned())).unwrap_err().to_string();
    assert_eq!(error, "failed to check out into ../x: it is not under the workspace");
}

#[test]
fn another_repository_cannot_be_had() {
    let fixture = Fixture::with_history();
    fixture.check_out(|spec, _| spec.repository = Some("Octo/Hello".to_owned())).unwrap();
    let error =
        fixture.check_out(|spec, _| spec.repository = Some("octo/other".to_owned())).unwrap_err().to_string();
    assert!(
        error.starts_with("failed to check out octo/other: only the repository at hand (octo/hello) can be")
    );
    assert!(error.contains("\nhint: clone octo/other beside it"));
}

#[test]
fn a_folder_without_repository_is_copied_whole() {
    let fixture = Fixture::empty();
    fixture.write("a/b", "b");
    fs::create_dir(fixture.repository.join("empty")).unwrap();
    let notes = fixture.check_out(|_, _| {}).unwrap();
    assert!(notes.ends_with("(1 files); it is no git repository"), "{notes}");
    assert_eq!(fixture.read("a/b").as_deref(), Some("b"));
    assert!(fixture.workspace.join("empty").is_dir());
    let error =
        fixture.check_out(|spec, _| spec.reference = Some("main".to_owned())).unwrap_err().to_string();
    assert!(error.contains("is no git repository\nhint: leave `ref` out"), "{error}");
}

#[test]
fn in_place_nothing_moves() {
    let fixture = Fixture::with_history();
    let before = fingerprint(&fixture.repository);
    let notes = fixture.check_out(|_, origin| origin.in_place = true).unwrap();
    assert_eq!(notes, "The workspace is the repository itself: nothing is checked out");
    assert_unchanged(&fixture, &before);
    assert_eq!(fs::read_dir(&fixture.workspace).unwrap().count(), 0);
}

#[test]
fn repositories_inside_and_many_files_come_along() {
    let fixture = Fixture::with_history();
    for number in 0..300 {
        fixture.write(&format!("many/{number}"), "x");
    }
    fixture.write("inner/file", "inner");
    git_in(&fixture.repository.join("inner"), "init -q");
    fs::remove_file(fixture.repository.join("run.sh")).unwrap();
    fixture.check_out(|_, _| {}).unwrap();
    assert_eq!(fixture.read("inner/file").as_deref(), Some("inner"));
    assert_eq!(fixture.read("run.sh"), None);
    assert_eq!(fs::read_dir(fixture.workspace.join("many")).unwrap().count(), 300);
}

#[test]
fn a_repository_without_commits_works() {
    let fixture = Fixture::empty();
    fixture.git("init -q -b main");
    fixture.write("a", "a");
    fixture.check_out(|_, _| {}).unwrap();
    assert_eq!(fixture.read("a").as_deref(), Some("a"));
    assert_eq!(git_in(&fixture.workspace, "status --porcelain"), "?? a\n");
}

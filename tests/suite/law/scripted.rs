//! The scripted side: bodies that write real files, without a process.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use engine::effect::Body;
use engine::event::Exit;
use engine::job::Job;
use engine::secrets::Secrets;
use engine::step_path::LaneId;
use host::scripted::{Play, Script, ScriptedHost};
use host::snapshot::{ContentId, Store};
use session::session::Mode;

use super::job::Generated;
use super::walk::{self, Count};
use crate::debugger::{Debugger, Place, block_on, inputs};

/// Runs the little language of [`super::job`] in a workspace.
pub struct Little {
    pub workspace: PathBuf,
}

impl Script for Little {
    fn play(&mut self, _lane: LaneId, body: &Body) -> Play {
        let Body::Process(spec) = body else { return Play::default() };
        let mut play = Play::default();
        for line in spec.script.text.lines() {
            let line = spec
                .environment
                .iter()
                .fold(line.to_owned(), |line, (name, value)| line.replace(&format!("${name}"), value));
            let line = line.replace("$K2", "").replace("$S", "");
            self.line(&line, &mut play);
        }
        play
    }
}

impl Little {
    fn line(&self, line: &str, play: &mut Play) {
        let words: Vec<&str> = line.split(' ').collect();
        let path = |name: &str| self.workspace.join(name);
        match words.as_slice() {
            ["write", name, text] => {
                parent(&path(name));
                if !path(name).is_dir() {
                    let _ = fs::remove_file(path(name));
                    fs::write(path(name), text).unwrap();
                }
            }
            ["append", name, text] => {
                parent(&path(name));
                if !path(name).is_dir() && !path(name).is_symlink() {
                    let mut file = fs::OpenOptions::new().create(true).append(true).open(path(name)).unwrap();
                    file.write_all(text.as_bytes()).unwrap();
                }
            }
            ["remove", name] => drop(fs::remove_file(path(name))),
            ["link", name, target] => {
                parent(&path(name));
                let _ = fs::remove_file(path(name));
                let _ = symlink(target, path(name));
            }
            ["mode", name] => {
                if path(name).is_file() && !path(name).is_symlink() {
                    fs::set_permissions(path(name), fs::Permissions::from_mode(0o755)).unwrap();
                }
            }
            ["folder", name] => fs::create_dir_all(path(name)).unwrap(),
            ["output", name, value] => play.files.output.push(((*name).to_owned(), (*value).to_owned())),
            ["variable", name, value] => play.files.env.push(((*name).to_owned(), (*value).to_owned())),
            ["prepend", entry] => play.files.path.push((*entry).to_owned()),
            ["exit", code] => play.exit = Exit::Code(code.parse().unwrap()),
            other => panic!("unknown line {other:?}"),
        }
    }
}

fn parent(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
}

/// The job and the files at the end.
pub struct End {
    job: Job,
    content: ContentId,
    tree: BTreeMap<String, String>,
}

impl End {
    pub fn new(job: Job, place: &Place) -> Self {
        let mut store = Store::open(&place.dir.path().join("compare")).unwrap();
        let content = store.take(&place.roots()).unwrap().content_id;
        Self { job, content, tree: tree(&place.workspace()) }
    }

    #[track_caller]
    pub fn must_equal(&self, other: &End, what: &str) {
        assert_eq!(self.tree, other.tree, "{what}: the files differ");
        assert!(self.content == other.content, "{what}: the workspaces differ in modes or links");
        assert!(
            self.job == other.job,
            "{what}: the jobs differ\n{:#?}\n{:#?}\n{:?}\n{:?}",
            self.job,
            other.job,
            self.job.results(),
            other.job.results()
        );
    }
}

/// Names and contents, to see what differs.
fn tree(dir: &Path) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).unwrap().map(Result::unwrap) {
            let name = entry.path().strip_prefix(dir).unwrap().display().to_string();
            let kind = entry.file_type().unwrap();
            let text = if kind.is_symlink() {
                format!("-> {}", fs::read_link(entry.path()).unwrap().display())
            } else if kind.is_dir() {
                open.push(entry.path());
                "folder".to_owned()
            } else {
                fs::read_to_string(entry.path()).unwrap()
            };
            all.insert(name, text);
        }
    }
    all
}

/// A session of the generated job in `place`.
pub fn session(generated: &Generated, place: &Place, mode: Mode) -> Debugger {
    let workspace = place.workspace();
    let host = Little { workspace: workspace.clone() };
    Debugger::start(
        generated.plan(),
        inputs("/t", "/w"),
        Secrets::default(),
        Some(place.files()),
        &workspace,
        mode,
        |_, _| ScriptedHost::new(host),
    )
}

/// The straight run and a walk end the same.
pub fn check(generated: &Generated, seed: u64) -> Count {
    block_on(async {
        let straight = Place::new();
        let ended = session(generated, &straight, Mode::Headless).ended().await;
        let expected = End::new(ended.job, &straight);

        let place = Place::new();
        let mut debugger = session(generated, &place, Mode::Debug);
        let count = walk::random(&mut debugger, seed).await;
        let ended = debugger.quit().await;
        End::new(ended.job, &place).must_equal(&expected, "after a walk");
        count
    })
}

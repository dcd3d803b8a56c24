//! The scripted side: bodies that write real files, without a process.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use engine::job::Job;
use engine::secrets::Secrets;
use host::scripted::ScriptedHost;
use host::snapshot::{ContentId, Store};
use session::session::Mode;

use super::job::Generated;
use super::walk::{self, Count};
use crate::debugger::little::Little;
use crate::debugger::{Debugger, Place, block_on, inputs};

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

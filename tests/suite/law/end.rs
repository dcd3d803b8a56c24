//! What two runs of a job are compared by.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use engine::effect::Outcome;
use engine::job::Job;
use host::snapshot::{ContentId, Store};
use session::session::Ended;

use crate::debugger::Place;

/// The job and the files at the end.
pub struct End {
    outcome: Outcome,
    job: Job,
    content: ContentId,
    tree: BTreeMap<String, String>,
}

impl End {
    pub fn new(ended: Ended, place: &Place) -> Self {
        let mut store = Store::open(&place.dir.path().join("compare")).unwrap();
        let content = store.take(&place.roots()).unwrap().content_id;
        Self { outcome: ended.outcome, job: ended.job, content, tree: trees(place) }
    }

    /// The other host ran the same lines: the workspaces are equal, actions apart, whose scripts are longer for a real shell, and so are the outcomes and outputs of all steps.
    #[track_caller]
    pub fn must_resemble(&self, other: &End) {
        let outcomes =
            |end: &End| -> Vec<Outcome> { end.job.results().values().map(|step| step.outcome).collect() };
        let workspace = |end: &End| -> BTreeMap<String, String> {
            let is_compared = |name: &str| !name.starts_with("temp/") && !name.starts_with("act/");
            end.tree.clone().into_iter().filter(|(name, _)| is_compared(name)).collect()
        };
        assert_eq!(workspace(self), workspace(other));
        assert_eq!((self.outcome, outcomes(self)), (other.outcome, outcomes(other)));
        assert!(self.job.steps() == other.job.steps(), "the outputs differ");
        assert!(self.job.env() == other.job.env() && self.job.path() == other.job.path());
    }

    #[track_caller]
    pub fn must_equal(&self, other: &End, what: &str) {
        assert_eq!(self.outcome, other.outcome, "{what}: the outcomes differ");
        let files = differences(&self.tree, &other.tree);
        assert!(files.is_empty(), "{what}: the files differ\n{files}");
        assert!(self.content == other.content, "{what}: the workspaces differ in modes or links");
        assert!(self.job == other.job, "{what}: the jobs differ\n{}", of_jobs(&self.job, &other.job));
    }
}

/// What differs that can be looked at.
fn of_jobs(one: &Job, other: &Job) -> String {
    let shown = |job: &Job| -> BTreeMap<String, String> {
        let results = job.results().iter().map(|(path, result)| (path.to_string(), format!("{result:?}")));
        let steps = job.steps().iter().map(|(id, step)| (format!("steps.{id}"), format!("{step:?}")));
        let env = job.env().iter().map(|(name, value)| (format!("env.{name}"), format!("{value:?}")));
        let state = job.saved_state().iter();
        let state = state.map(|(path, state)| (format!("state of {path}"), format!("{state:?}")));
        let lanes = job.lanes().iter();
        let lanes = lanes.map(|(id, lane)| (format!("lane {id}"), format!("{:?}", lane.cursor)));
        let path = [("path".to_owned(), format!("{:?}", job.path()))];
        results.chain(steps).chain(env).chain(state).chain(lanes).chain(path).collect()
    };
    let differences = differences(&shown(one), &shown(other));
    if differences.is_empty() {
        "in something else: composites, actions, outputs".to_owned()
    } else {
        differences
    }
}

fn differences(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> String {
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let differ = names.into_iter().filter(|name| one.get(*name) != other.get(*name));
    differ.map(|name| format!("{name}: {:?}, not {:?}\n", one.get(name), other.get(name))).collect()
}

/// Workspace and temporary files.
fn trees(place: &Place) -> BTreeMap<String, String> {
    let mut all = tree(&place.workspace());
    all.extend(tree(&place.temp()).into_iter().map(|(name, text)| (format!("temp/{name}"), text)));
    all
}

/// Names and contents, to see what differs.
pub fn tree(dir: &Path) -> BTreeMap<String, String> {
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

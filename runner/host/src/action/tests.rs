//! Actions looked for in folders made for the test.

use std::fs;
use std::path::{Path, PathBuf};

use engine::action::ResolvedAction;

use super::{ActionStore, Errand, Places, find};

const COMPOSITE: &str = "runs:\n  using: composite\n  steps: []\n";

struct Bench {
    dir: tempfile::TempDir,
    store: ActionStore,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let cache = dir.path().join("cache");
        Self { dir, store: ActionStore::default().with_cache(cache) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn find(&self, reference: &str, commit: Option<&str>) -> Result<ResolvedAction, String> {
        let (workspace, origin) = (self.path("workspace"), self.path("origin"));
        let places = Places { workspace: &workspace, origin: &origin, store: &self.store };
        let (errand, _call_off) = Errand::new(|text| panic!("nothing is downloaded: {text}"));
        find(places, reference, commit, &errand)
    }

    #[track_caller]
    fn found(&self, reference: &str, file: &str) {
        let action = self.find(reference, None).unwrap();
        assert_eq!(action.file.replace(&*self.dir.path().to_string_lossy(), "DIR"), file);
        assert!(Path::new(&*action.directory).is_absolute());
    }

    #[track_caller]
    fn refused(&self, reference: &str, error: &str) {
        let text = self.find(reference, None).unwrap_err();
        assert_eq!(text.replace(&*self.dir.path().to_string_lossy(), "DIR"), error);
    }
}

#[test]
fn local_actions_are_folders_of_the_workspace() {
    let bench = Bench::new();
    bench.write("workspace/build/action.yml", COMPOSITE);
    bench.write("workspace/old/action.yaml", COMPOSITE);
    bench.write("workspace/image/Dockerfile", "FROM x");
    bench.write("workspace/action.yml", COMPOSITE);
    bench.write("origin/own/action.yml", COMPOSITE);
    bench.found("./build", "./build/action.yml");
    bench.found("./old/", "./old/action.yaml");
    bench.found("./image", "./image/Dockerfile");
    bench.found("./", "./action.yml");
    bench.found("$/own", "./own/action.yml");
    bench.refused("./../../etc", "./../../etc leads out of DIR/workspace");
    bench.refused(
        "./none",
        "Can't find 'action.yml', 'action.yaml' or 'Dockerfile' under 'DIR/workspace/none'. Did you forget to run actions/checkout before running your local action?",
    );
}

#[test]
fn actions_of_other_repositories_come_from_named_folders_or_the_cache() {
    let mut bench = Bench::new();
    bench.write("cache/a/b/v1/sub/action.yml", COMPOSITE);
    bench.write("cache/a/b/v1.completed", "0123abc\n");
    bench.write("cache/a/half/v1/action.yml", COMPOSITE);
    bench.write("mine/action.yml", COMPOSITE);
    bench.store = bench.store.clone().with_overrides([
        ("me/mine".to_owned(), bench.path("mine")),
        ("a/b@v2".to_owned(), bench.path("mine")),
        ("a/gone".to_owned(), bench.path("gone")),
    ]);
    bench.found("a/b/sub@v1", "DIR/cache/a/b/v1/sub/action.yml");
    assert_eq!(bench.find("a/b/sub@v1", None).unwrap().commit.as_deref(), Some("0123abc"));
    bench.found("Me/Mine@any", "DIR/mine/action.yml");
    bench.found("a/b@v2", "DIR/mine/action.yml");
    bench.refused("a/gone@v1", "the folder DIR/gone that was named for a/gone is not there");
    let not_here = |name: &str| {
        format!(
            "the action {name}@v1 is not on this machine in DIR/cache\nhint: run once without `--offline`; or clone https://github.com/{name} somewhere and name the folder: \
             `--action {name}@v1=FOLDER`, or in .stepback.toml under [action]"
        )
    };
    bench.refused("a/half@v1", &not_here("a/half"));
    assert!(bench.find("a/b@../../../x", None).unwrap_err().contains("is not on this machine"));
}

#[test]
fn a_version_whose_commit_is_settled_is_not_looked_up_again() {
    let bench = Bench::new();
    let (settled, moved) = ("1".repeat(40), "2".repeat(40));
    for commit in [&settled, &moved] {
        bench.write(&format!("cache/a/b/{commit}/inner/action.yml"), COMPOSITE);
        bench.write(&format!("cache/a/b/{commit}.completed"), &format!("{commit}\n"));
    }
    bench.write("cache/a/b/v1.completed", &format!("{moved}\n"));
    let found = |commit| bench.find("a/b/inner@v1", commit).unwrap().directory;
    assert!(found(None).ends_with(&format!("{moved}/inner")), "{}", found(None));
    assert!(found(Some(&settled)).ends_with(&format!("{settled}/inner")), "{}", found(Some(&settled)));
}

//! Programs of actions: what they are told besides, and which node runs them. A script stands in for node.

use super::*;
use crate::services::{ServiceSettings, Services};
use engine::process::ActionProgram;

impl Fixture {
    /// A host with other settings in the place of the one that has done nothing yet.
    fn change(&mut self, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.host.shared.settings.clone();
        change(&mut settings);
        let sink = Arc::clone(&self.log);
        let sink = Box::new(move |batch: LogBatch| sink.write(&batch));
        self.host = LiveHost::new(settings, self.masks.clone(), sink);
    }

    fn with_services(mut self) -> Self {
        let folder = self.folder.path().to_owned();
        let services = Services::new(ServiceSettings {
            run: "run".to_owned(),
            repository: "o/r".to_owned(),
            scopes: vec!["main".to_owned()],
            caches: folder.join("caches"),
            artifacts: folder.join("artifacts"),
        });
        self.change(|settings| settings.services = Some(services.for_job("build")));
        self
    }

    /// A `node` in `folder` that says it is of this version.
    fn node(&self, folder: &str, version: &str) -> PathBuf {
        let folder = self.folder.path().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let node = folder.join("node");
        let script = format!(
            "#!/bin/sh\ncase $1 in --version) echo v{version} ;; *) echo runs {version}; exec /bin/sh \"$@\" ;; esac\n"
        );
        std::fs::write(&node, script).unwrap();
        std::fs::set_permissions(&node, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        folder
    }

    /// Runs `program` as that of an action for this version, with the node in `path`; the log without the heading.
    fn act(&mut self, lane: u32, version: u32, path: &std::path::Path, program: &str) -> String {
        self.act_with(lane, version, path, program, &[])
    }

    /// The same with variables of the step's own.
    fn act_with(
        &mut self,
        lane: u32,
        version: u32,
        path: &std::path::Path,
        program: &str,
        variables: &[(&str, &str)],
    ) -> String {
        let file = self.folder.path().join(format!("{lane}.js"));
        std::fs::write(&file, program).unwrap();
        let spec = self.spec(lane, "");
        let spec = ProcessSpec {
            script: Script { file: file.display().to_string(), text: "".into(), content: None },
            shell: ShellCommand { candidates: vec!["node".to_owned()], arguments: "{0}".to_owned() },
            path_prepends: vec![path.display().to_string().into()],
            action: Some(ActionProgram { node: version }),
            environment: variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            ..spec
        };
        let before = self.log.text().len();
        self.start_spec(lane, spec);
        assert_eq!(self.end().2.exit, Exit::Code(0), "{}", self.log.text());
        let text = self.log.text().split_off(before);
        let body = text.split_once("##[endgroup]\n").unwrap().1;
        body.lines().map(|line| format!("{}\n", line.split_once(' ').unwrap().1)).collect()
    }
}

const SHOW: &str =
    "env | grep -c ^ACTIONS_; echo \"[$NODE_ICU_DATA] $ACTIONS_CACHE_SERVICE_V2 $ACTIONS_CACHE_MODE\"
echo \"token $ACTIONS_RUNTIME_TOKEN\"; echo \"$ACTIONS_RUNTIME_URL $ACTIONS_CACHE_URL $ACTIONS_RESULTS_URL\"";

#[test]
fn the_program_of_an_action_reaches_the_services_and_a_script_does_not() {
    let mut fixture = Fixture::new().with_services();
    fixture.change(|settings| {
        settings.base = BaseEnvironment::new([
            ("PATH".into(), std::env::var_os("PATH").unwrap()),
            ("NODE_ICU_DATA".into(), "x".into()),
        ])
    });
    let (_, log) = fixture.run("env | grep -c ^ACTIONS_ || echo \"[$NODE_ICU_DATA]\"");
    assert_eq!(log, "0\n[x]\n");
    assert!(!fixture.folder.path().join("caches").exists(), "nothing is made for a script");
    let node = fixture.node("bin", "20.1.0");
    let log = fixture.act(1, 20, &node, SHOW);
    let (said, addresses) = log.split_once(".***\n").unwrap_or_else(|| panic!("{log}"));
    assert!(said.starts_with("runs 20.1.0\n6\n[] True write\ntoken ey"), "{said}");
    let addresses: Vec<&str> = addresses.trim().split(' ').collect();
    assert!(addresses[0].starts_with("http://127.0.0.1:") && addresses[0].ends_with('/'), "{addresses:?}");
    assert!(addresses.iter().all(|address| *address == addresses[0]) && addresses.len() == 3);
    assert!(fixture.folder.path().join("caches").exists());
}

#[test]
fn a_proxy_is_not_asked_for_what_is_here() {
    let mut fixture = Fixture::new().with_services();
    fixture.change(|settings| {
        settings.base = BaseEnvironment::new([("PATH".into(), std::env::var_os("PATH").unwrap())])
    });
    let node = fixture.node("bin", "20.1.0");
    let mut check = |lane: u32, variables: &[(&str, &str)], expected: &str| {
        let log = fixture.act_with(lane, 20, &node, "echo \"[$NO_PROXY] [$no_proxy]\"", variables);
        assert_eq!(log.lines().last(), Some(expected), "{variables:?}");
    };
    check(0, &[], "[] []");
    check(1, &[("NO_PROXY", "a")], "[a] []");
    check(2, &[("http_proxy", "http://p")], "[127.0.0.1] []");
    check(3, &[("HTTPS_PROXY", "http://p"), ("no_proxy", "a")], "[] [a,127.0.0.1]");
}

#[test]
fn services_that_cannot_start_are_a_warning() {
    let mut fixture = Fixture::new().with_services();
    std::fs::write(fixture.folder.path().join("caches"), "a file").unwrap();
    let node = fixture.node("bin", "20.1.0");
    let log = fixture.act(0, 20, &node, "echo \"[$ACTIONS_RUNTIME_TOKEN]\"");
    assert!(log.starts_with("##[warning]Caches and artifacts cannot be used in this step: "), "{log}");
    assert!(log.ends_with("runs 20.1.0\n[]\n"), "{log}");
}

#[test]
fn an_action_runs_with_its_version_where_there_is_one() {
    let mut fixture = Fixture::new();
    let externals = fixture.folder.path().join("externals");
    let path = fixture.node("bin", "22.0.0");
    fixture.change(|settings| settings.externals = Some(externals));
    for version in [20, 24] {
        fixture.node(&format!("externals/node{version}/bin"), &format!("{version}.9.9"));
    }
    let mut check = |lane: u32, version: u32, variables: &[(&str, &str)], expected: &str| {
        assert_eq!(
            fixture.act_with(lane, version, &path, "", variables),
            expected,
            "{version} {variables:?}"
        );
    };
    let force = ("FORCE_JAVASCRIPT_ACTIONS_TO_NODE24", "true");
    let refuse = ("ACTIONS_ALLOW_USE_UNSECURE_NODE_VERSION", "True");
    check(0, 12, &[], "runs 20.9.9\n");
    check(1, 16, &[], "runs 20.9.9\n");
    check(2, 20, &[], "runs 20.9.9\n");
    check(3, 24, &[], "runs 24.9.9\n");
    check(4, 16, &[force], "runs 24.9.9\n");
    check(5, 20, &[refuse], "runs 20.9.9\n");
    let both = "##[warning]FORCE_JAVASCRIPT_ACTIONS_TO_NODE24 and ACTIONS_ALLOW_USE_UNSECURE_NODE_VERSION are both true: neither is heeded.\nruns 20.9.9\n";
    check(6, 20, &[force, refuse], both);
    check(7, 24, &[force, refuse], "runs 24.9.9\n");
}

#[test]
fn another_version_on_the_path_is_worth_one_warning() {
    let mut fixture = Fixture::new();
    let path = fixture.node("bin", "22.0.0");
    let warning = |version: u32| {
        let node = path.join("node");
        format!(
            "##[warning]The action is made for Node.js {version} and runs with 22, which is {}\nruns 22.0.0\n",
            node.display()
        )
    };
    assert_eq!(fixture.act(0, 20, &path, ""), warning(20));
    assert_eq!(fixture.act(1, 16, &path, ""), "runs 22.0.0\n");
    assert_eq!(fixture.act(2, 24, &path, ""), warning(24));
    let same = fixture.node("other", "20.0.0");
    assert_eq!(fixture.act(3, 20, &same, ""), "runs 20.0.0\n");
    let silent = fixture.node("silent", "nonsense");
    assert_eq!(fixture.act(4, 20, &silent, ""), "runs nonsense\n");
}

#[test]
fn nobody_waits_for_a_node_that_takes_its_time() {
    let mut fixture = Fixture::new();
    let path = fixture.node("bin", "20.0.0");
    let go = fixture.fifo();
    let script = format!("#!/bin/sh\ncase $1 in --version) cat {} ;; esac\n", go.display());
    std::fs::write(path.join("node"), script).unwrap();
    let spec = fixture.spec(0, "");
    let spec = ProcessSpec {
        shell: ShellCommand { candidates: vec!["node".to_owned()], arguments: "{0}".to_owned() },
        path_prepends: vec![path.display().to_string().into()],
        action: Some(ActionProgram { node: 20 }),
        ..spec
    };
    fixture.start_spec(0, spec);
    // Reached while `node` still waits for this.
    std::fs::write(go, "v20.0.0\n").unwrap();
    assert_eq!(fixture.end().2.exit, Exit::Code(0));
}

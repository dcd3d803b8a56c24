//! What one step costs in a session over the live host, next to bare `bash`: `cargo bench -p session --bench steps`.

#![allow(clippy::unwrap_used, clippy::print_stdout, unreachable_pub)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use engine::expr::{Object, Value};
use engine::job::JobInputs;
use engine::plan::{JobKey, Plan};
use engine::process::CommandFiles;
use engine::secrets::Secrets;
use engine::syntax::{self, NoFiles, ReadOptions, Sources};
use host::checkout::Origin;
use host::live::{BaseEnvironment, LiveHost, Settings, SpareFolders};
use host::log::LogBatch;
use host::masks::SharedMasks;
use host::snapshot::{Root, Roots, Store};
use host::times::Times;
use session::files::Files;
use session::notice::{Notice, Observer};
use session::session::{Mode, Session, Setup};
use session::sink::SessionLog;

const STEPS: usize = 200;
const ROUNDS: usize = 7;

struct Deaf;

impl Observer for Deaf {
    fn notice(&self, _: Notice) {}
    fn log(&self, _: &LogBatch) {}
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut least = [f64::MAX; 3];
    for _ in 0..ROUNDS {
        let place = tempfile::tempdir().unwrap();
        for (slot, run) in
            least.iter_mut().zip([floor as fn(&Path, &tokio::runtime::Runtime), bare, checkpointed])
        {
            let start = Instant::now();
            run(place.path(), &runtime);
            *slot = slot.min(start.elapsed().as_secs_f64() * 1e3 / STEPS as f64);
        }
    }
    let [floor, bare, checkpointed] = least;
    println!(
        "per step: floor {floor:.3} ms, session {bare:.3} ms ({:.2}), with checkpoints {checkpointed:.3} ms ({:.2})",
        bare / floor,
        checkpointed / floor
    );
}

fn floor(place: &Path, _: &tokio::runtime::Runtime) {
    for _ in 0..STEPS {
        let script = place.join("step.sh");
        std::fs::write(&script, "true\n").unwrap();
        for file in 0..4 {
            std::fs::write(place.join(file.to_string()), "").unwrap();
        }
        assert!(
            Command::new("/bin/bash")
                .args(["--noprofile", "--norc", "-eo", "pipefail"])
                .arg(&script)
                .output()
                .unwrap()
                .status
                .success()
        );
    }
}

fn bare(place: &Path, runtime: &tokio::runtime::Runtime) {
    run(place, runtime, false);
}

fn checkpointed(place: &Path, runtime: &tokio::runtime::Runtime) {
    run(place, runtime, true);
}

fn run(place: &Path, runtime: &tokio::runtime::Runtime, files: bool) {
    let (workspace, temp) = (place.join("workspace"), place.join("temp"));
    std::fs::create_dir_all(&workspace).unwrap();
    std::fs::create_dir_all(&temp).unwrap();
    let roots = Roots::new([
        Root::new("workspace", &workspace),
        Root::new("temp", &temp).without(CommandFiles::FOLDER),
    ])
    .unwrap();
    let files = files.then(|| Files::new(Store::temporary(place).unwrap(), roots).unwrap());
    let log = SessionLog::new(Arc::new(Deaf));
    let masks = SharedMasks::default();
    let settings = Settings {
        workspace: workspace.clone(),
        temp: temp.clone(),
        spare: SpareFolders::kept_in(place.join("spare")),
        base: BaseEnvironment::of_this_process(),
        tracking: "github_bench".to_owned(),
        origin: Origin { folder: workspace.clone(), name: None, in_place: true },
        actions: Default::default(),
        times: Times::default(),
        guardian: false,
        server_url: String::new(),
        repository: String::new(),
        services: None,
        externals: None,
    };
    let host = LiveHost::new(settings, masks.clone(), Box::new(log.clone()));
    let runner = Object::from([("temp", Value::string(temp.to_string_lossy().into_owned()))]);
    let setup = Setup {
        plan: Arc::new(plan()),
        inputs: JobInputs { runner: Arc::new(runner), ..JobInputs::default() },
        secrets: Secrets::default(),
        host,
        files,
        recorder: None,
        log,
        masks,
        origin: None,
        workspace,
        mode: Mode::Headless,
        source: Arc::from(""),
        workflow: None,
    };
    let (session, _handle, calls) = Session::new(setup);
    let ended = runtime.block_on(session.run(calls));
    assert_eq!(ended.outcome, engine::effect::Outcome::Success);
}

fn plan() -> Plan {
    let step = "      - shell: bash\n        run: 'true'\n";
    let text =
        format!("on: push\njobs:\n  j:\n    runs-on: ubuntu-latest\n    steps:\n{}", step.repeat(STEPS));
    let mut sources = Sources::new();
    let id = sources.add("ci.yml", text);
    let (workflow, _) = syntax::parse_workflow(&mut sources, id, &ReadOptions::default(), &NoFiles);
    Plan::new(Arc::new(workflow.unwrap()), "ci.yml".into(), JobKey::single("j"), "j".into()).unwrap()
}

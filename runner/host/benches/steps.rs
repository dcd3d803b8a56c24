//! What a step costs beside the bare shell, and how fast its output flows.
//!
//! `cargo bench -p host --bench steps`. The floor is `../shared/bench/floor.c` (or what `STEPBACK_FLOOR` names): the same
//! files, shell and pipe without us. Both alternate, and minima are compared, for machines are noisy.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout, clippy::print_stderr, unreachable_pub)]

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use engine::effect::{Body, Effect};
use engine::event::{Event, Exit};
use engine::lines::LineOptions;
use engine::matcher::Matchers;
use engine::process::{CommandFiles, Heading, ProcessSpec, Script, ShellCommand};
use engine::step_path::{LaneId, StepPath};
use host::checkout::Origin;
use host::contract::Host as _;
use host::live::{BaseEnvironment, LiveHost, Settings, SpareFolders};
use host::log::LogBatch;
use host::masks::SharedMasks;
use host::times::Times;

const STEPS: usize = 200;
const ROUNDS: usize = 9;
const LINES: usize = 1_000_000;

struct Bench {
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    host: LiveHost,
    received: Arc<AtomicUsize>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let received = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&received);
        let settings = Settings {
            workspace: folder.path().to_owned(),
            temp: folder.path().to_owned(),
            spare: SpareFolders::kept_in(folder.path().join("spare")),
            base: BaseEnvironment::of_this_process(),
            tracking: format!("bench_{}", std::process::id()),
            origin: Origin { folder: folder.path().to_owned(), name: None, in_place: true },
            actions: Default::default(),
            times: Times::default(),
            guardian: false,
            server_url: String::new(),
            repository: String::new(),
            services: None,
            externals: None,
        };
        let sink = move |batch: LogBatch| {
            count.fetch_add(batch.text().len(), Ordering::Relaxed);
        };
        let host = LiveHost::new(settings, SharedMasks::default(), Box::new(sink));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { folder, runtime, host, received }
    }

    fn run(&mut self, script: &str) {
        let step = StepPath::main(0);
        let command_files = CommandFiles::of(&step);
        let spec = ProcessSpec {
            heading: Some(Heading {
                title: "Run it".to_owned(),
                with: Vec::new(),
                env: Vec::new(),
                folds: true,
            }),
            script: Script {
                file: command_files.script(".sh"),
                text: script.into(),
                content: Some(script.to_owned()),
            },
            shell: ShellCommand {
                candidates: vec!["bash".to_owned()],
                arguments: "--noprofile --norc -e -o pipefail {0}".to_owned(),
            },
            working_directory: "".into(),
            environment: Default::default(),
            runner_environment: Default::default(),
            path_prepends: Vec::new(),
            command_files,
            lines: LineOptions::default(),
            matchers: Matchers::default(),
            action: None,
            step,
        };
        self.host.perform(Effect::Spawn { lane: LaneId(0), body: Box::new(Body::Process(spec)) });
        let event = self.runtime.block_on(self.host.next()).event;
        assert!(matches!(event, Event::BodyEnded { end, .. } if end.exit == Exit::Code(0)));
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn main() {
    let mut bench = Bench::new();
    steps(&mut bench);
    output(&mut bench);
}

fn steps(bench: &mut Bench) {
    let Some(floor) = floor(bench.folder.path()) else {
        println!(
            "steps: skipped, no floor program (set STEPBACK_FLOOR, or have ../shared/bench/floor.c and cc)"
        );
        return;
    };
    let (mut ours, mut bare) = (Duration::MAX, Duration::MAX);
    let (mut our_ticks, mut bare_ticks) = (0, 0);
    for _ in 0..ROUNDS {
        let start = ticks();
        bare = bare.min(timed(|| {
            assert!(Command::new(&floor).args([&STEPS.to_string(), "bash"]).status().unwrap().success());
        }));
        let middle = ticks();
        ours = ours.min(timed(|| (0..STEPS).for_each(|_| bench.run("true\n"))));
        bare_ticks += middle - start;
        our_ticks += ticks() - middle;
    }
    let each = |total: Duration| total.as_secs_f64() * 1e6 / STEPS as f64;
    let ratio = ours.as_secs_f64() / bare.as_secs_f64();
    println!("steps: {:.0} us each, bare shell {:.0} us, ratio {ratio:.3}", each(ours), each(bare));
    // A session of its own gets its own share of a busy machine, which flatters us above: processor time does not know that.
    println!("steps: processor time {:.3} of that of the bare shell", our_ticks as f64 / bare_ticks as f64);
}

/// Processor time of this process and its collected children, in the kernel's ticks.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(4);
    fields.map(|field| field.parse::<u64>().unwrap()).sum()
}

fn floor(folder: &Path) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("STEPBACK_FLOOR") {
        return Some(named.into());
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/bench/floor.c");
    let program = folder.join("floor");
    let built = Command::new("cc").args(["-O2", "-w", "-o"]).arg(&program).arg(source).status().ok()?;
    built.success().then_some(program)
}

fn output(bench: &mut Bench) {
    let file = bench.folder.path().join("lines.txt");
    let text: String = (0..LINES)
        .map(|n| format!("{n:07} the quick brown fox jumps over the lazy dog, again and again, and so on\n"))
        .collect();
    std::fs::write(&file, &text).unwrap();
    let script = format!("cat {}\n", file.display());
    let (mut ours, mut bare) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        bare = bare.min(timed(|| pipe(&script)));
        bench.received.store(0, Ordering::Relaxed);
        ours = ours.min(timed(|| bench.run(&script)));
        assert!(bench.received.load(Ordering::Relaxed) > text.len());
    }
    let speed = text.len() as f64 / 1e6 / ours.as_secs_f64();
    let ratio = ours.as_secs_f64() / bare.as_secs_f64();
    println!("output: {LINES} lines at {speed:.0} MB/s, {ratio:.2} of the same through a bare pipe");
    let hundred = timed(|| bench.run("head -c 100M /dev/zero | tr '\\0' a\n"));
    println!("output: a line of 100 MiB at {:.0} MB/s", (100 << 20) as f64 / 1e6 / hundred.as_secs_f64());
}

fn pipe(script: &str) {
    let mut shell = Command::new("bash")
        .args(["-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut buffer = vec![0; 64 << 10];
    let mut output = shell.stdout.take().unwrap();
    while output.read(&mut buffer).unwrap() > 0 {}
    assert!(shell.wait().unwrap().success());
}

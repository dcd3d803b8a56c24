//! A job with background steps in real shells. Its scripts speak with each other and with the test through named pipes beside
//! the workspace, `../pipes/NAME`, so that nobody waits for a time.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::sync::{Arc, Mutex};

use engine::effect::Outcome;
use engine::job::Job;
use engine::plan::{JobKey, Plan};
use engine::step_path::{LaneId, StepPath};
use expr::Value;
use host::lane::Scan;
use host::times::Times;
use session::notice::{Notice, StepEnd};
use session::request::{Request, Stop};
use session::session::Mode;
use syntax::{NoFiles, ReadOptions, Sources, StepBody};

use crate::debugger::little::workflow;
use crate::debugger::live::{Live, TIMES, alone};
use crate::debugger::{Debugger, Place, block_on, plan};
use crate::law::tree;

/// Where a job in real shells is.
pub struct Shells {
    pub place: Place,
    pub times: Times,
    /// Whether its log has debug lines.
    pub step_debug: bool,
    tracking: String,
    pipes: BTreeMap<String, Arc<Mutex<BufReader<File>>>>,
    /// The texts of the workspace's actions.
    actions: Vec<String>,
}

impl Shells {
    pub fn new(times: Times) -> Self {
        Self {
            place: Place::new(),
            times,
            step_debug: false,
            tracking: crate::debugger::live::tracking(),
            pipes: BTreeMap::new(),
            actions: Vec::new(),
        }
    }

    /// A composite action of the workspace: everything below its `steps:`, without its indentation, each step a `run` of bash or a
    /// `uses`; and what goes before them.
    pub fn action(&mut self, name: &str, before: &str, steps: &str) {
        let folder = self.place.workspace().join(name);
        fs::create_dir(&folder).unwrap();
        let steps: String = steps.lines().map(|line| format!("    {line}\n")).collect();
        let text = format!("{before}runs:\n  using: composite\n  steps:\n{steps}");
        fs::write(folder.join("action.yml"), &text).unwrap();
        self.actions.push(text);
    }

    /// Starts the job, with a pipe for each that a script names.
    pub fn start(&mut self, plan: Plan, mode: Mode) -> Debugger {
        self.make_pipes(&plan);
        let mut live = Live { mode, tracking: self.tracking.clone(), ..Live::debug(&self.place) };
        live.times = self.times;
        if self.step_debug {
            std::sync::Arc::make_mut(&mut live.inputs.runner).insert("debug", Value::string("1"));
        }
        live.start(plan)
    }

    fn make_pipes(&mut self, plan: &Plan) {
        let folder = self.place.dir.path().join("pipes");
        fs::create_dir(&folder).unwrap();
        let scripts = plan.steps.iter().filter_map(|step| match &step.definition.body {
            StepBody::Run { script, .. } => Some(script.value.source()),
            _ => None,
        });
        for text in scripts.chain(self.actions.iter().map(String::as_str)) {
            for rest in text.split("../pipes/").skip(1) {
                let name = rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap().to_owned();
                let path = folder.join(&name);
                if !path.exists() {
                    let kind = rustix::fs::FileType::Fifo;
                    rustix::fs::mknodat(rustix::fs::CWD, &path, kind, rustix::fs::Mode::RWXU, 0).unwrap();
                    // Both ends are ours, so that neither side waits for the other to open its own.
                    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
                    self.pipes.insert(name, Arc::new(Mutex::new(BufReader::new(file))));
                }
            }
        }
    }

    /// Waits until a script says something.
    pub async fn hear(&self, pipe: &str) -> String {
        let pipe = Arc::clone(&self.pipes[pipe]);
        let reading = move || {
            let mut line = String::new();
            pipe.lock().unwrap().read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        };
        tokio::task::spawn_blocking(reading).await.unwrap()
    }

    /// Says something to a script.
    pub fn tell(&self, pipe: &str, word: &str) {
        writeln!(self.pipes[pipe].lock().unwrap().get_mut(), "{word}").unwrap();
    }

    /// What every tracking id of the job begins with.
    pub fn tracking(&self) -> String {
        format!("{}.", self.tracking)
    }

    /// The processes of the job.
    pub fn processes(&self) -> Vec<i32> {
        let tagged = Scan::now().unwrap().tagged(&self.tracking());
        tagged.iter().map(|process| process.id.pid).collect()
    }

    /// Waits for the end of the job. No lane is left then, and no process.
    pub async fn end(&self, mut debugger: Debugger) -> End {
        let mut steps = Vec::new();
        loop {
            match debugger.notice().await {
                Notice::StepEnded(end) => steps.push(end),
                Notice::JobEnded { .. } => break,
                _ => {}
            }
        }
        let said = Arc::clone(&debugger.said);
        let ended = debugger.quit().await;
        assert_eq!(self.processes(), Vec::<i32>::new(), "processes are left");
        assert_eq!(ended.job.background().count(), 0, "lanes are left");
        let log = said.log.lock().unwrap().clone();
        let files = tree(&self.place.workspace());
        End { outcome: ended.outcome, job: ended.job, log, files, steps }
    }
}

/// Moves a debugged job over the step it stands before, and waits until this step, in the background, is over too.
pub async fn over_and_out(debugger: &mut Debugger, step: u32) -> (Stop, StepEnd) {
    debugger.ask(Request::Next).await;
    let (mut stop, mut end) = (None, None);
    loop {
        match debugger.notice().await {
            Notice::Stopped(stopped) => stop = Some(*stopped),
            Notice::StepEnded(ended) if ended.lane == LaneId::of_background(&StepPath::main(step)) => {
                end = Some(ended);
            }
            _ => {}
        }
        if let (Some(stop), Some(end)) = (&stop, &end) {
            return (stop.clone(), end.clone());
        }
    }
}

/// What a job has come to.
pub struct End {
    pub outcome: Outcome,
    pub job: Job,
    pub log: String,
    pub files: BTreeMap<String, String>,
    /// The ends of steps, in the order in which they were told.
    pub steps: Vec<StepEnd>,
}

impl End {
    /// Outcome and conclusion of a step in the `steps` context.
    pub fn step(&self, id: &str) -> String {
        let Some(Value::Object(step)) = self.job.steps().get(id) else { return "absent".to_owned() };
        let word = |key: &str| step.get(key).map_or_else(String::new, |word| word.to_text().to_string());
        format!("{}/{}", word("outcome"), word("conclusion"))
    }

    pub fn steps<const N: usize>(&self, ids: [&str; N]) -> [String; N] {
        ids.map(|id| self.step(id))
    }

    /// An output of a step.
    pub fn output(&self, id: &str, name: &str) -> Option<String> {
        let Some(Value::Object(step)) = self.job.steps().get(id) else { return None };
        let Some(Value::Object(outputs)) = step.get("outputs") else { return None };
        outputs.get(name).map(|value| value.to_text().to_string())
    }

    pub fn env(&self, name: &str) -> Option<String> {
        self.job.env().get(name).map(|value| value.to_text().to_string())
    }

    pub fn path(&self) -> Vec<&str> {
        self.job.path().iter().map(AsRef::as_ref).collect()
    }

    /// Whether the log has this line.
    pub fn says(&self, line: &str) -> bool {
        self.log.lines().any(|said| said == line)
    }

    /// A file that a step wrote, without its last line end.
    pub fn file(&self, name: &str) -> Option<&str> {
        self.files.get(name).map(|text| text.trim_end())
    }
}

/// Runs a job of these steps to its end, with short times.
pub fn run(steps: &str) -> End {
    run_plan(plan(&workflow(steps)))
}

/// Runs a plan to its end, with short times.
pub fn run_plan(plan: Plan) -> End {
    let _turn = alone();
    block_on(async {
        let mut shells = Shells::new(TIMES);
        let debugger = shells.start(plan, Mode::Headless);
        shells.end(debugger).await
    })
}

/// What is wrong with a job of these steps, each fault with its place, and the plan that is made of it all the same.
pub fn refused(steps: &str) -> (Plan, Vec<String>) {
    let mut sources = Sources::new();
    let id = sources.add("ci.yml", workflow(steps));
    let (read, diagnostics) = syntax::parse_workflow(&mut sources, id, &ReadOptions::default(), &NoFiles);
    let told = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).map(|diagnostic| {
        let at = diagnostic.span.start;
        let file = sources.path(diagnostic.span.source);
        format!("{file}:{}:{} {}", at.line, at.column, diagnostic.message)
    });
    let told = told.collect();
    let mut workflow = read.unwrap();
    workflow.jobs = std::mem::take(&mut workflow.faulty);
    let plan = Plan::new(Arc::new(workflow), "ci.yml".into(), JobKey::single("j"), "j".into());
    (plan.unwrap(), told)
}

//! What a simulated job is to do, and the plan that the engine makes of it.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use engine::plan::{JobKey, Plan};
use expr::{Condition, Scope, Template};
use fastrand::Rng;
use syntax::{JobBody, NoFiles, ReadOptions, Sources, Step, StepBody, Token, Workflow};

/// Steps that run in the background, at most; more than there are slots.
const BACKGROUND_MAX: usize = 14;
/// Steps before those that the engine adds, at most.
const STEPS_MAX: usize = 24;

/// A job: its steps as they are to stand in the plan.
pub struct Spec {
    pub steps: Vec<StepSpec>,
    /// The members of groups; the wait for them is the step after.
    groups: Vec<Range<usize>>,
    /// The last step is the wait that GitHub adds.
    implicit: bool,
}

/// One step.
#[derive(Clone, Debug)]
pub struct StepSpec {
    pub does: Does,
    pub background: bool,
    pub condition: If,
    pub forgiven: bool,
    pub limited: bool,
    /// Its script needs `hashFiles`.
    pub asks: bool,
    /// The step whose results its script reads.
    pub reads: usize,
    pub writes: Vec<Write>,
}

#[derive(Clone, Debug)]
pub enum Does {
    Run,
    Wait(Vec<usize>),
    WaitAll,
    Cancel(usize),
}

/// A step's condition.
#[derive(Clone, Copy, Debug)]
pub enum If {
    Success,
    Always,
    Failure,
    NotCancelled,
    Never,
    /// A step has failed, and the job has not.
    Failed(usize),
    /// A step has failed, whatever the job.
    FailedAnyhow(usize),
    /// A variable has been set.
    Set(usize),
}

/// Something that a step writes for later ones.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    Output(String),
    Variable(usize, String),
    Entry(String),
}

impl Spec {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut spec = Self { steps: Vec::new(), groups: Vec::new(), implicit: false };
        let background = rng.usize(1..=BACKGROUND_MAX);
        let crowded = rng.bool();
        while spec.background().count() < background && spec.steps.len() < STEPS_MAX {
            match rng.u8(0..20) {
                _ if crowded && spec.steps.len() + 2 < background => spec.run(&mut rng, true),
                0..=8 => spec.run(&mut rng, true),
                9..=12 => spec.run(&mut rng, false),
                13..=15 => {
                    let ids = (0..rng.usize(1..4)).map(|_| spec.any(&mut rng)).collect();
                    spec.control(Does::Wait(ids));
                }
                16 => spec.control(Does::WaitAll),
                17 | 18 => {
                    let id = spec.any(&mut rng);
                    spec.control(Does::Cancel(id));
                }
                _ => spec.group(&mut rng),
            }
        }
        if rng.bool() {
            spec.run(&mut rng, false);
        }
        let open = spec.background().any(|(step, _)| !spec.is_awaited(step));
        spec.implicit = open;
        if open {
            spec.control(Does::WaitAll);
        }
        spec
    }

    fn background(&self) -> impl Iterator<Item = (usize, &StepSpec)> {
        self.steps.iter().enumerate().filter(|(_, step)| step.background)
    }

    /// A step to be waited for: mostly one in the background, sometimes another one, or one that comes later.
    fn any(&self, rng: &mut Rng) -> usize {
        let background: Vec<usize> = self.background().map(|(step, _)| step).collect();
        match rng.choice(background) {
            Some(step) if rng.u8(0..8) > 0 => step,
            _ => rng.usize(0..=self.steps.len() + 1),
        }
    }

    fn run(&mut self, rng: &mut Rng, background: bool) {
        let step = self.steps.len();
        let other = rng.usize(0..=step);
        let condition = match rng.u8(0..24) {
            0 | 1 => If::Always,
            2 => If::Failure,
            3 => If::NotCancelled,
            4 => If::Never,
            5 => If::Failed(other),
            6 => If::FailedAnyhow(other),
            7 => If::Set(rng.usize(0..3)),
            _ => If::Success,
        };
        let writes = (0..rng.usize(0..4)).map(|number| match rng.u8(0..3) {
            0 => Write::Output(format!("o{step}-{number}")),
            1 => Write::Variable(rng.usize(0..3), format!("v{step}-{number}")),
            // Entries come again, and move to the front then.
            _ => Write::Entry(format!("/p{}", rng.u8(0..6))),
        });
        let writes = writes.collect();
        let (forgiven, limited) = (rng.u8(0..5) == 0, rng.u8(0..5) == 0);
        let asks = background && rng.u8(0..6) == 0;
        let does = Does::Run;
        let reads = rng.usize(0..=step);
        self.steps.push(StepSpec { does, background, condition, forgiven, limited, asks, reads, writes });
    }

    fn control(&mut self, does: Does) {
        self.steps.push(StepSpec {
            does,
            background: false,
            condition: If::Always,
            forgiven: false,
            limited: false,
            asks: false,
            reads: 0,
            writes: Vec::new(),
        });
    }

    fn group(&mut self, rng: &mut Rng) {
        let first = self.steps.len();
        (0..rng.usize(1..4)).for_each(|_| self.run(rng, true));
        let members = first..self.steps.len();
        self.control(Does::Wait(members.clone().collect()));
        self.groups.push(members);
    }

    /// The background steps among these that come before `step`, once each.
    pub fn named(&self, step: usize, ids: &[usize]) -> Vec<usize> {
        let mut named = Vec::new();
        for id in ids {
            if *id < step && self.steps[*id].background && !named.contains(id) {
                named.push(*id);
            }
        }
        named
    }

    /// The wait that GitHub adds has none.
    pub fn has_name(&self, step: usize) -> bool {
        !self.implicit || step + 1 < self.steps.len()
    }

    fn is_awaited(&self, step: usize) -> bool {
        (step + 1..self.steps.len()).any(|later| match &self.steps[later].does {
            Does::Run => false,
            Does::Wait(ids) => ids.contains(&step),
            Does::WaitAll => true,
            Does::Cancel(id) => *id == step,
        })
    }

    /// Made by the engine: it lays groups open, and adds the last wait.
    pub fn plan(&self) -> Plan {
        let mut workflow = template().clone();
        let job = workflow.jobs.get_mut("j").unwrap();
        let JobBody::Steps { steps, .. } = &mut job.body else { panic!("a job with steps") };
        let model = steps[0].clone();
        let written = self.steps.len() - usize::from(self.implicit);
        *steps = Vec::new();
        let mut at = 0;
        while at < written {
            let group = self.groups.iter().find(|group| group.start == at);
            let Some(group) = group else {
                steps.push(self.step(at, &model));
                at += 1;
                continue;
            };
            let members = group.clone().map(|member| self.step(member, &model)).collect();
            let body = StepBody::Parallel { steps: members };
            steps.push(Step {
                body,
                background: model.background.with(false),
                ..self.step(group.end, &model)
            });
            at = group.end + 1;
        }
        let plan = Plan::new(Arc::new(workflow), "ci.yml".into(), JobKey::single("j"), "j".into()).unwrap();
        assert_eq!(plan.steps.len(), self.steps.len(), "the wait at the end");
        plan
    }

    fn step(&self, index: usize, model: &Step) -> Step {
        let spec = &self.steps[index];
        let id = |step: usize| model.background.with(Arc::from(format!("s{step}")));
        // Ids are the same in any case.
        let named = |step: usize| model.background.with(Arc::from(format!("S{step}")));
        let body = match &spec.does {
            Does::Run => {
                let StepBody::Run { script, .. } = &model.body else { panic!("a script") };
                let text = spec.script();
                let script = script.with(Template::parse(text, &Scope::any()).unwrap());
                StepBody::Run { script, first_line: 1, shell: None, working_directory: None }
            }
            Does::Wait(ids) => StepBody::Wait { ids: ids.iter().map(|step| named(*step)).collect() },
            Does::WaitAll => StepBody::WaitAll,
            Does::Cancel(step) => StepBody::Cancel { id: named(*step) },
        };
        let condition = Condition::parse(Some(&spec.condition.text()), &Scope::any()).unwrap();
        let yes = |token: Token| Some(model.background.with(token));
        Step {
            id: Some(id(index)),
            context_name: id(index).value,
            condition: model.condition.with(condition),
            continue_on_error: spec.forgiven.then(|| yes(Token::Bool(true))).flatten(),
            timeout_minutes: spec.limited.then(|| yes(Token::Number(5.0))).flatten(),
            background: model.background.with(spec.background && !self.is_member(index)),
            body,
            ..model.clone()
        }
    }

    fn is_member(&self, step: usize) -> bool {
        self.groups.iter().any(|group| group.contains(&step))
    }
}

impl StepSpec {
    /// What it sees of the job when it starts.
    fn script(&self) -> String {
        let read = self.reads;
        let hash = if self.asks { " ${{ hashFiles('x') }}" } else { "" };
        format!("${{{{ steps.s{read}.outputs.v }}}} ${{{{ steps.s{read}.outcome }}}} ${{{{ env.K0 }}}}{hash}")
    }
}

impl If {
    fn text(self) -> String {
        match self {
            If::Success => String::new(),
            If::Always => "always()".to_owned(),
            If::Failure => "failure()".to_owned(),
            If::NotCancelled => "!cancelled()".to_owned(),
            If::Never => "false".to_owned(),
            If::Failed(step) => format!("steps.s{step}.outcome == 'failure'"),
            If::FailedAnyhow(step) => format!("always() && steps.s{step}.outcome == 'failure'"),
            If::Set(name) => format!("env.K{name} != ''"),
        }
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().enumerate().try_for_each(|(index, step)| writeln!(f, "s{index} {step:?}"))
    }
}

/// A workflow that is parsed once; only its steps are exchanged.
fn template() -> &'static Workflow {
    static TEMPLATE: OnceLock<Workflow> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let text = "on: push\njobs:\n  j:\n    runs-on: x\n    outputs: {o: '${{ steps.s0.outputs.v }}', k: '${{ env.K1 }}'}\n    steps: [{run: x}]\n";
        let mut sources = Sources::new();
        let id = sources.add("ci.yml", text);
        let (workflow, faults) = syntax::parse_workflow(&mut sources, id, &ReadOptions::default(), &NoFiles);
        assert!(faults.is_empty(), "{faults:?}");
        workflow.unwrap()
    })
}

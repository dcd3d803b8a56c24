//! The model: what a job with background steps is after each thing that happened, written down as plainly as it can be said.
//! It shares nothing with the engine, and knows no expressions, templates or effects.

use indexmap::IndexMap;

use super::spec::{Does, If, Spec, Write};

/// How many background steps run at once.
const SLOTS: usize = 10;

/// The outcomes, in GitHub's words.
pub const SUCCESS: &str = "success";
pub const FAILURE: &str = "failure";
pub const CANCELLED: &str = "cancelled";
pub const SKIPPED: &str = "skipped";

/// Where the foreground stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Front {
    Before(usize),
    Decided(usize, bool),
    Running(usize, Option<Why>),
    Waiting(usize, Vec<usize>),
    After(usize),
    Over,
}

/// Why a body is being ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Why {
    TimedOut,
    WithTheJob,
    ByAStep,
}

/// How far a background step has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Back {
    Queued,
    Asking,
    Running(Option<Why>),
    Over,
}

/// A background step that nobody has waited for.
#[derive(Clone, Debug)]
pub struct Launched {
    pub step: usize,
    pub back: Back,
    env: IndexMap<usize, String>,
    written: Vec<Write>,
    answered: bool,
}

/// What a step is in `steps`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    pub ended: Option<(&'static str, &'static str)>,
    pub output: Option<String>,
}

/// What is asked of the outside.
#[derive(Debug, PartialEq)]
pub enum Act {
    /// A body starts; what its script reads, its variables and PATH.
    Start(usize, String, Vec<(usize, String)>, Vec<String>),
    /// A body is ended, at once if so said.
    Signal(usize, bool),
    /// Files are to be hashed for a background step.
    Ask(usize),
}

pub struct Model<'a> {
    spec: &'a Spec,
    pub front: Front,
    front_env: IndexMap<usize, String>,
    pub launched: Vec<Launched>,
    pub status: &'static str,
    cancelled: bool,
    /// Steps that were cancelled for themselves.
    called_off: Vec<usize>,
    pub env: IndexMap<usize, String>,
    pub path: Vec<String>,
    pub steps: IndexMap<usize, Entry>,
    pub results: IndexMap<usize, (&'static str, &'static str)>,
    pub acts: Vec<Act>,
}

impl<'a> Model<'a> {
    pub fn new(spec: &'a Spec) -> Self {
        Self {
            spec,
            front: Front::Before(0),
            front_env: IndexMap::new(),
            launched: Vec::new(),
            status: SUCCESS,
            cancelled: false,
            called_off: Vec::new(),
            env: IndexMap::new(),
            path: Vec::new(),
            steps: IndexMap::new(),
            results: IndexMap::new(),
            acts: Vec::new(),
        }
    }

    /// The foreground goes on from where it stands.
    pub fn advance(&mut self) {
        match self.front.clone() {
            Front::Before(step) => {
                self.front_env = self.env.clone();
                self.front = Front::Decided(step, self.holds(step, &self.env));
            }
            Front::Decided(step, false) => self.front_ends(step, SKIPPED, SKIPPED),
            Front::Decided(step, true) => self.begin(step),
            Front::After(step) => self.go_on(step),
            Front::Running(..) | Front::Waiting(..) | Front::Over => panic!("nothing to advance"),
        }
        self.follow();
    }

    fn begin(&mut self, step: usize) {
        let spec = self.spec;
        match &spec.steps[step].does {
            Does::Run if spec.steps[step].background => {
                let env = self.front_env.clone();
                let back = Back::Queued;
                self.launched.push(Launched { step, back, env, written: Vec::new(), answered: false });
                self.go_on(step);
            }
            Does::Run => {
                self.start(step, &self.front_env.clone());
                self.front = Front::Running(step, None);
            }
            Does::Wait(ids) => self.front = Front::Waiting(step, spec.named(step, ids)),
            Does::WaitAll => {
                let all = self.launched.iter().map(|launched| launched.step).collect();
                self.front = Front::Waiting(step, all);
            }
            Does::Cancel(id) => {
                let named = spec.named(step, &[*id]);
                named.iter().for_each(|step| self.cancel_step(*step));
                self.front = Front::Waiting(step, named);
            }
        }
    }

    fn go_on(&mut self, step: usize) {
        if step + 1 < self.spec.steps.len() {
            self.front = Front::Before(step + 1);
            return;
        }
        let failed = |(step, (_, conclusion)): (&usize, &(&str, &str))| {
            self.spec.steps[*step].background && *conclusion == FAILURE
        };
        if self.status == SUCCESS && self.results.iter().any(failed) {
            self.status = FAILURE;
        }
        self.front = Front::Over;
    }

    /// Slots are filled, and a wait ends, of itself.
    fn follow(&mut self) {
        loop {
            let in_slots = |launched: &&Launched| matches!(launched.back, Back::Asking | Back::Running(_));
            let free = self.launched.iter().filter(in_slots).count() < SLOTS;
            let next = self.launched.iter().position(|launched| launched.back == Back::Queued);
            if let (true, Some(next)) = (free, next) {
                self.take_slot(next);
            } else if !self.end_wait() {
                return;
            }
        }
    }

    fn take_slot(&mut self, index: usize) {
        let Launched { step, env, answered, .. } = self.launched[index].clone();
        if self.spec.steps[step].asks && !answered {
            self.launched[index].back = Back::Asking;
            self.acts.push(Act::Ask(step));
        } else {
            self.launched[index].back = Back::Running(None);
            self.start(step, &env);
        }
    }

    fn end_wait(&mut self) -> bool {
        let Front::Waiting(step, awaited) = self.front.clone() else { return false };
        let is_open = |launched: &Launched| awaited.contains(&launched.step) && launched.back != Back::Over;
        if self.launched.iter().any(is_open) {
            return false;
        }
        for other in &awaited {
            if let Some(index) = self.launched.iter().position(|launched| launched.step == *other) {
                let launched = self.launched.remove(index);
                self.take_over(*other, &launched.written);
                self.steps.entry(*other).or_default().ended = Some(self.results[other]);
            }
        }
        let conclusions: Vec<&str> = awaited.iter().map(|other| self.results[other].1).collect();
        let fell = |other: &usize| self.results[other].1 == CANCELLED && !self.called_off.contains(other);
        let outcome = match self.spec.steps[step].does {
            Does::Cancel(_) => SUCCESS,
            _ if conclusions.contains(&FAILURE) => FAILURE,
            _ if awaited.iter().any(fell) => CANCELLED,
            _ => SUCCESS,
        };
        self.front_ends(step, outcome, outcome);
        true
    }

    fn front_ends(&mut self, step: usize, outcome: &'static str, conclusion: &'static str) {
        self.results.insert(step, (outcome, conclusion));
        if self.spec.has_name(step) {
            self.steps.entry(step).or_default().ended = Some((outcome, conclusion));
        }
        if conclusion == FAILURE && self.status == SUCCESS {
            self.status = FAILURE;
        }
        self.front = Front::After(step);
    }

    /// A body wrote something: a workflow command, or what its files said at its end.
    pub fn wrote(&mut self, step: usize, writes: &[Write]) {
        match self.launched.iter_mut().find(|launched| launched.step == step) {
            Some(launched) => launched.written.extend_from_slice(writes),
            None => self.take_over(step, writes),
        }
    }

    fn take_over(&mut self, step: usize, writes: &[Write]) {
        for write in writes {
            match write {
                Write::Output(value) => self.steps.entry(step).or_default().output = Some(value.clone()),
                Write::Variable(name, value) => drop(self.env.insert(*name, value.clone())),
                Write::Entry(entry) => {
                    self.path.retain(|known| known != entry);
                    self.path.push(entry.clone());
                }
            }
        }
    }

    /// A body is over, well or not.
    pub fn ended(&mut self, step: usize, well: bool, writes: &[Write]) {
        self.wrote(step, writes);
        let forgiven = self.spec.steps[step].forgiven;
        let judged = |why: Option<Why>| match why {
            Some(Why::WithTheJob | Why::ByAStep) => (CANCELLED, CANCELLED),
            None if well => (SUCCESS, SUCCESS),
            None | Some(Why::TimedOut) => (FAILURE, if forgiven { SUCCESS } else { FAILURE }),
        };
        match self.launched.iter_mut().find(|launched| launched.step == step) {
            Some(launched) => {
                let Back::Running(why) = launched.back else { panic!("{launched:?} does not run") };
                launched.back = Back::Over;
                if why == Some(Why::ByAStep) {
                    self.called_off.push(step);
                }
                self.results.insert(step, judged(why));
            }
            None => {
                let Front::Running(_, why) = self.front else { panic!("{step} does not run") };
                let (outcome, conclusion) = judged(why);
                self.front_ends(step, outcome, conclusion);
            }
        }
        self.follow();
    }

    pub fn hashed(&mut self, step: usize) {
        let launched = self.launched.iter_mut().find(|launched| launched.step == step).unwrap();
        (launched.back, launched.answered) = (Back::Queued, true);
        self.follow();
    }

    pub fn timed_out(&mut self, step: usize) {
        self.end_body(step, Why::TimedOut, false);
    }

    /// A person, or a `cancel` step, names a background step.
    pub fn cancel_step(&mut self, step: usize) {
        let Some(launched) = self.launched.iter_mut().find(|launched| launched.step == step) else { return };
        match launched.back {
            Back::Queued | Back::Asking => {
                launched.back = Back::Over;
                self.called_off.push(step);
                self.results.insert(step, (CANCELLED, CANCELLED));
            }
            Back::Running(_) => self.end_body(step, Why::ByAStep, false),
            Back::Over => {}
        }
    }

    pub fn cancel_step_by_hand(&mut self, step: usize) {
        self.cancel_step(step);
        self.follow();
    }

    fn end_body(&mut self, step: usize, why: Why, at_once: bool) {
        let known = match &mut self.front {
            Front::Running(front, known) if *front == step => known,
            _ => match self.launched.iter_mut().find(|launched| launched.step == step) {
                Some(Launched { back: Back::Running(known), .. }) => known,
                _ => panic!("{step} does not run"),
            },
        };
        known.get_or_insert(why);
        self.acts.push(Act::Signal(step, at_once));
    }

    /// The job is cancelled, for the first time or again.
    pub fn cancel(&mut self) {
        let again = std::mem::replace(&mut self.cancelled, true);
        self.status = CANCELLED;
        let mut running = Vec::new();
        if let Front::Running(step, _) = self.front {
            running.push((step, self.front_env.clone()));
        }
        let in_back = self.launched.iter().filter(|launched| matches!(launched.back, Back::Running(_)));
        running.extend(in_back.map(|launched| (launched.step, launched.env.clone())));
        for (step, env) in running {
            if again || !self.holds(step, &env) {
                self.end_body(step, Why::WithTheJob, again);
            }
        }
        if let Front::Decided(step, true) = self.front
            && !self.holds(step, &self.front_env)
        {
            self.front_ends(step, CANCELLED, CANCELLED);
        }
        for index in 0..self.launched.len() {
            let Launched { step, back, env, .. } = self.launched[index].clone();
            if matches!(back, Back::Queued | Back::Asking) && !self.holds(step, &env) {
                self.launched[index].back = Back::Over;
                self.results.insert(step, (CANCELLED, CANCELLED));
            }
        }
        self.follow();
    }

    fn holds(&self, step: usize, env: &IndexMap<usize, String>) -> bool {
        let has_failed = |step: usize| self.outcome(step) == Some(FAILURE);
        match self.spec.steps[step].condition {
            If::Success => self.status == SUCCESS,
            If::Always => true,
            If::Failure => self.status == FAILURE,
            If::NotCancelled => self.status != CANCELLED,
            If::Never => false,
            If::Failed(other) => self.status == SUCCESS && has_failed(other),
            If::FailedAnyhow(other) => has_failed(other),
            If::Set(name) => self.status == SUCCESS && env.contains_key(&name),
        }
    }

    fn outcome(&self, step: usize) -> Option<&'static str> {
        Some(self.steps.get(&step)?.ended?.0)
    }

    fn start(&mut self, step: usize, env: &IndexMap<usize, String>) {
        let read = self.spec.steps[step].reads;
        let output = self.steps.get(&read).and_then(|entry| entry.output.clone()).unwrap_or_default();
        let outcome = self.outcome(read).unwrap_or_default();
        let variable = env.get(&0).cloned().unwrap_or_default();
        let hash = if self.spec.steps[step].asks { " digest" } else { "" };
        let text = format!("{output} {outcome} {variable}{hash}");
        let variables = env.iter().map(|(name, value)| (*name, value.clone())).collect();
        let path = self.path.iter().rev().cloned().collect();
        self.acts.push(Act::Start(step, text, variables, path));
    }
}

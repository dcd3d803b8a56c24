//! What a person changes in a job that stands at a stop point.
//!
//! An edit is applied as it is; whether it begins a branch, and how it is recorded, is for others to decide.

use std::sync::Arc;

use expr::Value;

use super::alike::Alike;
use super::lane::Cursor;
use super::{Job, Misuse, StepResult};
use crate::effect::Outcome;
use crate::event::Edit;
use crate::step_path::{LaneId, Stage, StepPath};

impl Job {
    pub(super) fn edit(&mut self, edit: Edit) -> Result<(), Misuse> {
        if let Cursor::Running(_) = self.cursor() {
            return Err(Misuse::Busy(LaneId::FOREGROUND));
        }
        match edit {
            Edit::Env { name, value } => self.edit_env(&name, value.as_deref()),
            Edit::Output { step, name, value } => {
                let id = self.known_id(&step)?;
                self.put_output(&id, &name, &value);
            }
            Edit::Outcome { step, outcome } => self.edit_outcome(&step, outcome)?,
            Edit::Input { name, value } => {
                Arc::make_mut(&mut self.inputs).insert(name, Value::String(value));
            }
            Edit::Status(status) => self.status = status,
            Edit::Files(files) => {
                let step = match self.cursor() {
                    Cursor::Settled(path) => Some(path.clone()),
                    _ => None,
                };
                self.apply_files(LaneId::FOREGROUND, step.as_ref(), &files);
            }
            Edit::Plan(plan) => {
                self.plan = plan;
                self.alike = Alike::default();
            }
            Edit::Jump(path) => return self.jump(&path),
        }
        self.decide_again();
        Ok(())
    }

    /// A decision was made from what is now changed, so it has to be made again.
    fn decide_again(&mut self) {
        if let Cursor::Decided(path, _) = self.cursor() {
            let path = path.clone();
            self.foreground().move_to(Cursor::Ready(path));
        }
    }

    fn edit_env(&mut self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.set_env(LaneId::FOREGROUND, name, value),
            None => {
                Arc::make_mut(&mut self.env).remove(name);
            }
        }
    }

    fn edit_outcome(&mut self, id: &str, outcome: Outcome) -> Result<(), Misuse> {
        let id = self.known_id(id)?;
        let path = self.plan.step_with_id(&id).ok_or_else(|| unknown_id(&id))?;
        self.publish(&path, outcome, outcome);
        if let Some(result) = Arc::make_mut(&mut self.results).get_mut(&path) {
            result.outcome = outcome;
            result.conclusion = outcome;
        }
        Ok(())
    }

    fn known_id(&self, id: &str) -> Result<Arc<str>, Misuse> {
        let path = self.plan.step_with_id(id).ok_or_else(|| unknown_id(id))?;
        self.plan
            .step(&path)
            .map(|step| Arc::clone(&step.definition.context_name))
            .ok_or_else(|| unknown_id(id))
    }

    /// Goes on at another step of the main stage; the steps between are skipped.
    fn jump(&mut self, target: &StepPath) -> Result<(), Misuse> {
        if self.plan.step(target).is_none() || target.stage() != Stage::Main {
            return Err(Misuse::Edit(format!("the job has no step at {target}")));
        }
        if target.depth() > 0 {
            return Err(Misuse::Edit("an action cannot be entered in its middle".to_owned()));
        }
        let from = match self.cursor() {
            Cursor::Ready(path) | Cursor::Decided(path, _) => path.clone(),
            Cursor::Settled(path) => match self.step_after(path) {
                Some(next) => next,
                None => return Err(Misuse::Edit("the main steps are over".to_owned())),
            },
            Cursor::Running(_) | Cursor::Done(_) => return Err(Misuse::Busy(LaneId::FOREGROUND)),
        };
        if from.stage() == Stage::Main {
            (from.index()..target.index()).map(StepPath::main).for_each(|path| self.skip_over(&path));
        }
        self.foreground().move_to(Cursor::Ready(target.clone()));
        Ok(())
    }

    fn skip_over(&mut self, path: &StepPath) {
        self.publish(path, Outcome::Skipped, Outcome::Skipped);
        let name = self.plain_name(path, &crate::secrets::Secrets::default());
        let result =
            StepResult { name, outcome: Outcome::Skipped, conclusion: Outcome::Skipped, called_off: false };
        Arc::make_mut(&mut self.results).insert(path.clone(), result);
    }
}

fn unknown_id(id: &str) -> Misuse {
    Misuse::Edit(format!("no step has the id `{id}`"))
}

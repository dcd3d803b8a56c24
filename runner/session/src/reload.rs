//! Edit and continue: the workflow file is read again when the job goes on.
//!
//! Steps after the cursor take their new text. A change to a step that has run already is refused, with the earliest
//! such step as the place to go back to (DESIGN 4). Reads no file itself.

use std::sync::Arc;

use engine::event::Edit;
use engine::job::Cursor;
use engine::plan::{Plan, PlannedStep};
use engine::step_path::{Stage, StepPath};
use host::contract::Host;

use crate::breakpoint::line_of;
use crate::recording::PlanText;
use crate::request::Refusal;
use crate::session::Session;

/// Where the job's plan comes from, to be asked again.
pub trait WorkflowSource: Send {
    /// The plan of the same job from the file as it is now. Asked each time when the job goes on, so a file that has not
    /// changed should cost no more than a look.
    ///
    /// # Errors
    /// What is wrong with the file, as a person reads it.
    fn reload(&mut self) -> Result<Reloaded, String>;
}

/// A plan that was read again.
#[derive(Clone)]
pub struct Reloaded {
    /// The plan.
    pub plan: Arc<Plan>,
    /// The text that it was made from.
    pub text: PlanText,
}

impl<H: Host> Session<H> {
    /// Takes over what was edited in the workflow file, as an edit of this moment.
    pub(crate) async fn take_edited_workflow(&mut self) -> Result<(), Refusal> {
        if self.is_running() {
            return Ok(());
        }
        let Some(source) = &mut self.workflow else { return Ok(()) };
        let edited = source.reload().map_err(|text| {
            Refusal::new(text).hint("the workflow file was edited; mend it, or put it back, and go on")
        })?;
        let known = self.job.plan();
        if Arc::ptr_eq(&edited.plan, known) || edited.plan == *known {
            return Ok(());
        }
        self.fits(&edited.plan)?;
        self.record(|recorder| recorder.plan(&edited.plan, &edited.text));
        self.source = Arc::clone(&edited.text.text);
        self.breakpoints.find_again(&edited.plan);
        self.apply(Edit::Plan(edited.plan))?;
        let files = self.files_between_steps().await;
        self.record_edit("edited the workflow".to_owned(), files);
        Ok(())
    }

    /// Every step that has run, or was passed, has to be as it was.
    fn fits(&self, plan: &Plan) -> Result<(), Refusal> {
        let (passed, needed) = match self.job.cursor() {
            Cursor::Ready(path) | Cursor::Decided(path, _) => {
                (passed_before(self.job.plan(), path), path.index() + 1)
            }
            Cursor::Running(path) | Cursor::Settled(path) => {
                let passed = passed_before(self.job.plan(), path).max(path.index() + 1);
                (passed, passed)
            }
            Cursor::Done(_) => return Ok(()),
        };
        let same = |index: &u32| {
            let at = |plan: &Plan| plan.step(&StepPath::main(*index)).map(identity);
            at(plan) == at(self.job.plan())
        };
        if let Some(changed) = (0..passed).find(|index| !same(index)) {
            let number = changed + 1;
            let line = line_of(plan, &StepPath::main(changed)).map(|line| format!(" ({}:{line})", plan.file));
            return Err(Refusal::new(format!(
                "step {number}{} was edited, and it has run already",
                line.unwrap_or_default()
            ))
            .hint(format!("`goto {number}` goes back to it; `continue` from there takes the new text")));
        }
        if plan.steps.len() < usize::try_from(needed).unwrap_or(usize::MAX) {
            return Err(Refusal::new("the step at the cursor is no longer in the workflow")
                .hint("`back` goes to an earlier step"));
        }
        Ok(())
    }
}

/// How many main steps lie before a path.
fn passed_before(plan: &Plan, path: &StepPath) -> u32 {
    match path.stage() {
        Stage::Pre => 0,
        Stage::Main => path.index(),
        Stage::Post => u32::try_from(plan.steps.len()).unwrap_or(u32::MAX),
    }
}

/// Two steps that are the same in this run the same way.
fn identity(step: &PlannedStep) -> (Arc<str>, u64) {
    (Arc::clone(&step.definition.context_name), step.definition.fingerprint)
}

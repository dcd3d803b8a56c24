//! From the steps of a workflow file to the steps of a plan: `parallel` groups laid open, and the wait that GitHub adds at
//! the end for background steps that nothing else waits for (steps.md 2.2, 2.4).
//!
//! Knows what is written; not what runs.

use std::sync::Arc;

use expr::{Condition, Scope, Template};
use syntax::{Span, Spanned, Step, StepBody};

use super::PlannedStep;

/// The name that GitHub gives the wait that it adds, in the `steps` context's way of naming.
const IMPLICIT_WAIT: &str = "__implicit_wait_all";
/// What the log calls it.
const IMPLICIT_WAIT_NAME: &str = "Wait for all background steps";

/// The steps of a plan's main stage.
pub(super) fn planned(steps: &[Step]) -> Vec<PlannedStep> {
    let mut planned: Vec<PlannedStep> = steps.iter().flat_map(one).collect();
    if !all_are_awaited(&planned) {
        planned.extend(planned.last().and_then(|last| implicit_wait(last.definition.span)));
    }
    planned
}

fn one(step: &Step) -> Vec<PlannedStep> {
    match &step.body {
        StepBody::Parallel { steps } => {
            let members = steps.iter().map(|member| PlannedStep::new(member.clone(), true));
            members.chain([PlannedStep::new(wait_of_group(step, steps), false)]).collect()
        }
        _ => vec![PlannedStep::new(step.clone(), step.background.value)],
    }
}

/// A group ends with a wait for its members.
fn wait_of_group(group: &Step, members: &[Step]) -> Step {
    let id = |member: &Step| Spanned::new(Arc::clone(&member.context_name), member.span);
    Step { body: StepBody::Wait { ids: members.iter().map(id).collect() }, ..group.clone() }
}

/// True if every background step has a later step that waits for it or cancels it.
fn all_are_awaited(steps: &[PlannedStep]) -> bool {
    let background = steps.iter().zip(1..).filter(|(step, _)| step.background);
    background.into_iter().all(|(step, next)| steps.iter().skip(next).any(|later| awaits(later, step)))
}

fn awaits(control: &PlannedStep, step: &PlannedStep) -> bool {
    match &control.definition.body {
        StepBody::WaitAll => true,
        StepBody::Wait { ids } => ids.iter().any(|id| step.has_context_name(id)),
        StepBody::Cancel { id } => step.has_context_name(id),
        _ => false,
    }
}

/// Stands at the end of the last step, since it is written nowhere.
fn implicit_wait(last: Span) -> Option<PlannedStep> {
    let span = Span::at(last.source, last.end);
    let any = Scope::any();
    let condition = Condition::parse(Some("always()"), &any).ok()?;
    let name = Template::parse(IMPLICIT_WAIT_NAME, &any).ok()?;
    let step = Step {
        span,
        used_at: None,
        id: None,
        context_name: Arc::from(IMPLICIT_WAIT),
        name: Some(Spanned::new(name, span)),
        condition: Spanned::new(condition, span),
        env: None,
        continue_on_error: None,
        timeout_minutes: None,
        background: Spanned::new(false, span),
        body: StepBody::WaitAll,
        fingerprint: 0,
    };
    Some(PlannedStep::new(step, false))
}

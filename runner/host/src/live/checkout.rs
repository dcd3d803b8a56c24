//! The built-in checkout as a body: a log, and an end.
//!
//! Knows how a checkout is reported; how it is done is [`crate::checkout`]'s affair.

use std::sync::Arc;

use engine::event::{BodyEnd, Exit};
use engine::file_command::FileCommandResults;
use engine::lines::LineTag;
use engine::process::CheckoutSpec;

use crate::body::{Journalist, Run, Shared};
use crate::checkout::checkout;

/// Runs the checkout on this thread. It has no process that could be stopped: a signal is honoured at its end.
pub(super) fn run(shared: &Arc<Shared>, run: &Run, spec: &CheckoutSpec) {
    let mut out = Journalist::new(Arc::clone(shared), run.lane, run.epoch, run.step.clone());
    out.note(LineTag::Group, &spec.title);
    out.note(LineTag::EndGroup, "");
    out.flush();
    let settings = &shared.settings;
    let mut notes = Vec::new();
    let result =
        checkout(&settings.origin, &settings.workspace, spec, &mut |line| notes.push(line.to_owned()));
    notes.iter().for_each(|line| out.note(LineTag::Plain, line));
    out.flush();
    let mut state = run.lock();
    let exit = match (result, state.asked) {
        (_, Some(_)) => Exit::Signal(rustix::process::Signal::INT.as_raw()),
        (Ok(()), None) => Exit::Code(0),
        (Err(error), None) => Exit::Failed(shared.masks.current().mask_text(&error.to_string()).into_owned()),
    };
    state.over = true;
    shared.ended(run, BodyEnd { exit, files: FileCommandResults::default(), command_failed: false });
}

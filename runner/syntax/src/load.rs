//! From sources to workflows and actions: every layer in order, called workflows included.
//!
//! Knows the order in which GitHub does things and how files call one another.

mod call;

use std::sync::Arc;

use indexmap::IndexMap;

use crate::convert::{Converter, Input};
use crate::diagnostic::Diagnostic;
use crate::model::{Action, JobBody, Permissions, Workflow};
use crate::options::{FileProvider, ReadOptions};
use crate::read;
use crate::schema::{action, workflow};
use crate::source::{SourceId, Sources, Span};
use crate::yaml;

/// Reads a workflow file and the workflows it calls.
///
/// A fault in one job leaves the others standing; `None` only when there are no jobs to speak of.
/// GitHub runs the workflow when no diagnostic is an error.
pub fn parse_workflow(
    sources: &mut Sources,
    source: SourceId,
    options: &ReadOptions,
    files: &dyn FileProvider,
) -> (Option<Workflow>, Vec<Diagnostic>) {
    let mut session = Session {
        sources,
        options,
        files,
        diagnostics: Vec::new(),
        read: IndexMap::new(),
        size: 0,
        jobs: 0,
        stopped: false,
    };
    let mut workflow = session.file(source);
    if let Some(workflow) = &mut workflow {
        inherit_permissions(workflow, None);
        if options.reusable_workflows {
            session.calls(workflow, None, 1);
        }
    }
    (workflow, session.diagnostics)
}

/// Reads an action manifest (steps.md 4.2). `None` when GitHub's runner could not load it.
pub fn parse_action(
    sources: &Sources,
    source: SourceId,
    options: &ReadOptions,
) -> (Option<Action>, Vec<Diagnostic>) {
    let (tree, mut diagnostics) = yaml::read(sources, source, options.anchors);
    let Some(root) = tree.root else { return (None, diagnostics) };
    let read = read::read(sources, options, &root, &action::ROOT, 0);
    diagnostics.extend(read.diagnostics);
    if diagnostics.iter().any(Diagnostic::is_error) {
        return (None, diagnostics);
    }
    let mut converter = Converter::new(sources, source);
    let action = converter.action(&read.token, &root);
    let sound = !converter.diagnostics.iter().any(Diagnostic::is_error);
    diagnostics.extend(converter.diagnostics);
    (action.filter(|_| sound), diagnostics)
}

/// One call of [`parse_workflow`].
struct Session<'a> {
    sources: &'a mut Sources,
    options: &'a ReadOptions,
    files: &'a dyn FileProvider,
    diagnostics: Vec<Diagnostic>,
    /// Called files by their full names.
    read: IndexMap<Arc<str>, SourceId>,
    size: usize,
    jobs: u32,
    /// A limit of the whole reading is exceeded: nothing more is read.
    stopped: bool,
}

impl Session<'_> {
    /// One file, without what it calls.
    fn file(&mut self, source: SourceId) -> Option<Workflow> {
        let (tree, diagnostics) = yaml::read(self.sources, source, self.options.anchors);
        self.diagnostics.extend(diagnostics);
        let root = tree.root?;
        let read = read::read(self.sources, self.options, &root, &workflow::ROOT, self.size);
        self.size = read.size;
        // A tree of calls may repeat files without end; what it takes in all is limited.
        self.stopped |= read.size > self.options.max_result_size;
        self.diagnostics.extend(read.diagnostics);
        self.count_jobs(
            read.token.get("jobs").and_then(|jobs| jobs.as_mapping()).map_or(0, <[_]>::len),
            read.token.span,
        );
        let mut converter = Converter::new(self.sources, source);
        let workflow = converter.workflow(Input {
            token: &read.token,
            root: &root,
            aliases: tree.aliases,
            faulty: &read.faulty,
        });
        self.diagnostics.extend(converter.diagnostics);
        workflow
    }

    fn count_jobs(&mut self, more: usize, span: Span) {
        self.jobs = self.jobs.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
        if let Some(limit) = self.options.max_jobs.filter(|&limit| limit < self.jobs && !self.stopped) {
            self.stopped = true;
            let message = format!("The workflow may not contain more than {limit} jobs");
            self.diagnostics.push(Diagnostic::error("job-limit", span, message).whole_run());
        }
    }
}

/// Gives jobs without `permissions` those of the workflow, or of whoever calls it.
fn inherit_permissions(workflow: &mut Workflow, caller: Option<&Permissions>) {
    let inherited = workflow.permissions.clone().or_else(|| caller.cloned());
    for job in workflow.jobs.values_mut() {
        if job.permissions.is_none() {
            job.permissions = inherited.clone();
        }
    }
}

/// The called workflow of a job body, to be filled in.
fn called(body: &mut JobBody) -> Option<&mut Option<Arc<Workflow>>> {
    match body {
        JobBody::Reusable { workflow, .. } => Some(workflow),
        JobBody::Steps { .. } => None,
    }
}

#[cfg(test)]
mod tests;

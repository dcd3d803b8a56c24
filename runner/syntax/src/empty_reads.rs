//! Reads of contexts that can only give nothing: a step that does not exist, a job that is not needed, an input
//! nobody declares. GitHub says nothing and puts in an empty text, so these are warnings.
//!
//! Goes by the text alone, and keeps silent where it cannot know.

use std::sync::Arc;

use expr::Reference;
use indexmap::IndexSet;

use crate::diagnostic::{Diagnostic, MAX_DIAGNOSTICS, suggestion};
use crate::members::members;
use crate::model::{Job, JobBody, Step, StepBody, Workflow};
use crate::references::{Visitor, Writing};
use crate::source::{Sources, Spanned};
use crate::token::Token;

const STEP_MEMBERS: &[&str] = &["outputs", "outcome", "conclusion"];
const NEED_MEMBERS: &[&str] = &["outputs", "result"];

/// Warnings about reads in a workflow's sound jobs that can only give nothing. They are no part of reading a file,
/// because GitHub accepts it: whoever shows diagnostics to people adds them.
pub fn empty_reads(sources: &Sources, workflow: &Workflow) -> Vec<Diagnostic> {
    let inputs = declared_inputs(workflow);
    let mut found = Vec::new();
    for job in workflow.jobs.values() {
        let mut checker = Checker {
            sources,
            workflow,
            inputs: &inputs,
            job,
            matrix: matrix_keys(job),
            steps: Names::default(),
            found: &mut found,
        };
        checker.job();
    }
    found
}

/// Names without case, with their spelling.
#[derive(Default)]
struct Names {
    folded: IndexSet<String>,
    written: Vec<Arc<str>>,
}

impl Names {
    fn add(&mut self, name: &Arc<str>) {
        self.folded.insert(name.to_uppercase());
        self.written.push(Arc::clone(name));
    }

    fn has(&self, name: &str) -> bool {
        self.folded.contains(&name.to_uppercase())
    }

    fn near(&self, name: &str) -> Option<String> {
        suggestion(name, self.written.iter().map(|name| &**name))
    }
}

fn declared_inputs(workflow: &Workflow) -> Names {
    let mut names = Names::default();
    workflow.on.events.values().flat_map(|trigger| trigger.inputs.keys()).for_each(|name| names.add(name));
    names
}

/// The keys that `matrix` has, if the text tells them all.
fn matrix_keys(job: &Job) -> Option<Names> {
    let mut names = Names::default();
    let Some(strategy) = &job.strategy else { return Some(names) };
    let Some(matrix) = &strategy.matrix else {
        return strategy
            .token
            .as_mapping()
            .filter(|pairs| pairs.iter().all(|(key, _)| key.as_str().is_some()))
            .map(|_| names);
    };
    for (key, value) in matrix.as_mapping()? {
        let key = key.as_str()?;
        match &**key {
            "exclude" => {}
            "include" => include_keys(value, &mut names)?,
            _ => names.add(key),
        }
    }
    Some(names)
}

fn include_keys(include: &Spanned<Token>, names: &mut Names) -> Option<()> {
    for item in include.as_sequence()? {
        for (key, _) in item.as_mapping()? {
            names.add(key.as_str()?);
        }
    }
    Some(())
}

struct Checker<'a> {
    sources: &'a Sources,
    workflow: &'a Workflow,
    inputs: &'a Names,
    job: &'a Job,
    /// `None` when only a run can tell.
    matrix: Option<Names>,
    /// Ids of the steps so far.
    steps: Names,
    found: &'a mut Vec<Diagnostic>,
}

impl Checker<'_> {
    fn job(&mut self) {
        let job = self.job;
        self.visit(|visitor| visitor.head(job));
        for step in job.steps() {
            self.visit(|visitor| visitor.step(step));
            self.learn(step);
        }
        self.visit(|visitor| visitor.tail(job));
    }

    fn learn(&mut self, step: &Step) {
        if let Some(id) = &step.id {
            self.steps.add(&id.value);
        }
        if let StepBody::Parallel { steps } = &step.body {
            steps.iter().for_each(|step| self.learn(step));
        }
    }

    fn visit(&mut self, walk: impl FnOnce(&mut Visitor<'_>)) {
        walk(&mut Visitor::new(&mut |reference, writing| self.reference(&reference, writing)));
    }

    fn reference(&mut self, reference: &Reference, writing: Writing<'_>) {
        if self.found.len() >= MAX_DIAGNOSTICS {
            return;
        }
        let Some(name) = reference.key(0) else { return };
        let empty = match &*reference.context.to_lowercase() {
            "steps" => self.step(name, reference),
            "needs" => self.need(name, reference),
            "inputs" => self.input(name),
            "matrix" => self.matrix(name),
            context => member(context, name),
        };
        let Some((message, hint)) = empty else { return };
        let span = writing.locate(self.sources, reference);
        let diagnostic = Diagnostic::warning("empty-read", span, message).with_optional_hint(hint);
        if !self.found.contains(&diagnostic) {
            self.found.push(diagnostic);
        }
    }

    fn step(&self, name: &str, reference: &Reference) -> Empty {
        if !self.steps.has(name) {
            let later =
                self.job.steps().iter().any(|step| step.id.as_ref().is_some_and(|id| &*id.value == name));
            return Some(if later {
                (format!("Step '{name}' has not run yet here"), None)
            } else {
                (format!("There is no step with the id '{name}' before this"), self.steps.near(name))
            });
        }
        unknown_member(reference, STEP_MEMBERS, "A step")
    }

    fn need(&self, name: &str, reference: &Reference) -> Empty {
        let mut needs = Names::default();
        self.job.needs.iter().for_each(|need| needs.add(&need.value));
        if !needs.has(name) {
            let hint = match self.workflow.job(name) {
                Some(_) => Some(format!("add `{name}` to the job's `needs`")),
                None => needs.near(name),
            };
            return Some((format!("Job '{name}' is not among the needs of this job"), hint));
        }
        if let Some(found) = unknown_member(reference, NEED_MEMBERS, "A needed job") {
            return Some(found);
        }
        let outputs = self.workflow.job(name).and_then(outputs)?;
        let output = reference
            .key(2)
            .filter(|_| reference.key(1).is_some_and(|member| member.eq_ignore_ascii_case("outputs")))?;
        (!outputs.has(output))
            .then(|| (format!("Job '{name}' has no output '{output}'"), outputs.near(output)))
    }

    fn input(&self, name: &str) -> Empty {
        (!self.inputs.has(name))
            .then(|| (format!("No trigger of this workflow has an input '{name}'"), self.inputs.near(name)))
    }

    fn matrix(&self, name: &str) -> Empty {
        let keys = self.matrix.as_ref().filter(|keys| !keys.has(name))?;
        Some((format!("The matrix of this job has no key '{name}'"), keys.near(name)))
    }
}

/// Why a read gives nothing, and what to do about it.
type Empty = Option<(String, Option<String>)>;

fn unknown_member(reference: &Reference, members: &[&str], what: &str) -> Empty {
    let member =
        reference.key(1).filter(|member| !members.iter().any(|known| known.eq_ignore_ascii_case(member)))?;
    let hint = suggestion(member, members.iter().copied())
        .or_else(|| Some(format!("one of: {}", members.join(", "))));
    Some((format!("{what} has no '{member}'"), hint))
}

fn member(context: &str, name: &str) -> Empty {
    let members = members(context)?;
    if members.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return None;
    }
    let hint = suggestion(name, members.iter().copied())?;
    Some((format!("The context '{context}' has no '{name}'"), Some(hint)))
}

/// The outputs of a job, if they can be known.
fn outputs(job: &Job) -> Option<Names> {
    let mut names = Names::default();
    match &job.body {
        JobBody::Steps { .. } => job.outputs.iter().for_each(|(name, _)| names.add(&name.value)),
        JobBody::Reusable { workflow, .. } => {
            let trigger = workflow.as_ref()?.on.events.get("workflow_call")?;
            trigger.outputs.iter().for_each(|output| names.add(&output.name.value));
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoFiles, ReadOptions, parse_workflow};

    fn check(job: &str, expected: &[&str]) {
        let mut sources = Sources::new();
        let text = format!(
            "on: {{workflow_dispatch: {{inputs: {{level: }}}}}}\njobs:\n  a: {{runs-on: x, outputs: {{o: x}}}}\n  b:\n    runs-on: x\n    needs: a\n{job}"
        );
        let id = sources.add("ci.yml", text);
        let (workflow, diagnostics) = parse_workflow(&mut sources, id, &ReadOptions::default(), &NoFiles);
        assert_eq!(diagnostics, []);
        let diagnostics = empty_reads(&sources, &workflow.expect("a workflow"));
        let told = |fault: &Diagnostic| {
            let hint = fault.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
            format!("{} `{}`: {}{hint}", fault.span.start.line, sources.slice(fault.span), fault.message)
        };
        assert_eq!(diagnostics.iter().map(told).collect::<Vec<_>>(), expected, "{job}");
    }

    #[test]
    fn reads_of_nothing_are_told() {
        check(
            "    steps: [{run: '${{ steps.one.outputs.x }}'}, {id: one, run: '${{ steps.tow }}'}, {id: two, run: x}]\n",
            &[
                "7 `steps.one.outputs.x`: Step 'one' has not run yet here",
                "7 `steps.tow`: There is no step with the id 'tow' before this",
            ],
        );
        check(
            "    steps: [{id: one, run: x}, {run: x, if: steps.One.output.x == 1}]\n",
            &["7 `steps.One.output.x`: A step has no 'output' (did you mean `outputs`?)"],
        );
        check(
            "    env: {A: '${{ needs.a.outputs.p }}', B: '${{ needs.b.result }}'}\n",
            &[
                "7 `needs.a.outputs.p`: Job 'a' has no output 'p'",
                "7 `needs.b.result`: Job 'b' is not among the needs of this job (add `b` to the job's `needs`)",
            ],
        );
        check(
            "    strategy: {matrix: {os: [x], include: [{arch: y}]}}\n    env: {A: '${{ matrix.oss }}${{ matrix.ARCH }}'}\n",
            &["8 `matrix.oss`: The matrix of this job has no key 'oss' (did you mean `os`?)"],
        );
        check(
            "    env: {A: '${{ inputs.levels }}', B: '${{ github.refname }}'}\n",
            &[
                "7 `inputs.levels`: No trigger of this workflow has an input 'levels' (did you mean `level`?)",
                "7 `github.refname`: The context 'github' has no 'refname' (did you mean `ref_name`?)",
            ],
        );
    }

    #[test]
    fn what_only_a_run_can_tell_is_left_alone() {
        check(
            "    strategy: {matrix: '${{ fromJSON(needs.a.outputs.o) }}'}\n    env: {A: '${{ matrix.x }}'}\n",
            &[],
        );
        check(
            "    strategy: {matrix: {include: '${{ fromJSON(needs.a.outputs.o) }}'}}\n    env: {A: '${{ matrix.x }}'}\n",
            &[],
        );
        check(
            "    env: {A: '${{ needs[github.job].result }}', B: '${{ github.something_new }}', C: '${{ toJSON(needs.*.result) }}'}\n",
            &[],
        );
        check("    outputs: {o: '${{ steps.last.outcome }}'}\n    steps: [{id: last, run: x}]\n", &[]);
    }
}

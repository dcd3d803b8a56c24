//! What is said about the inputs of an action, and what it gets (steps.md 4.2).

use std::sync::Arc;

use super::super::tests::Stage;
use crate::action::ResolvedAction;
use crate::event::Event;
use crate::step_path::{LaneId, StepPath};

/// A job whose only step uses an action with this manifest, up to where the action begins.
fn used(manifest: &str, with: &str) -> Stage {
    let mut stage = Stage::new(&format!("    steps:\n      - uses: ./a\n        with: {with}\n"));
    stage.advance().advance();
    let action = ResolvedAction::new("./a", "/w/a", "./a/action.yml", manifest, None).unwrap();
    stage.handle(Event::ActionReady {
        lane: LaneId::FOREGROUND,
        step: StepPath::main(0),
        answer: Ok(Arc::new(action)),
    });
    stage
}

#[track_caller]
fn warned(manifest: &str, with: &str, expected: &[&str]) {
    assert_eq!(used(manifest, with).lines(), expected);
}

const NODE: &str = "runs: {using: node20, main: main.js}\n";

#[test]
fn inputs_that_the_action_does_not_have_are_named_with_those_that_it_has() {
    let two = format!("inputs: {{a: {{}}, b: {{}}}}\n{NODE}");
    warned(
        &two,
        "{A: 1, x: 2, y: 3}",
        &["Warning: Unexpected input(s) 'x', 'y', valid inputs are ['a', 'b']"],
    );
    warned(NODE, "{x: 1}", &["Warning: Unexpected input(s) 'x', valid inputs are ['']"]);
    warned(&two, "{a: 1}", &[]);
}

#[test]
fn a_deprecated_input_that_is_given_is_told_first() {
    let manifest = format!("inputs: {{a: {{deprecationMessage: use b}}, b: {{}}}}\n{NODE}");
    warned(
        &manifest,
        "{x: 1, a: 1}",
        &[
            "Warning: Input 'a' has been deprecated with message: use b",
            "Warning: Unexpected input(s) 'x', valid inputs are ['a', 'b']",
        ],
    );
    warned(&manifest, "{b: 1}", &[]);
}

#[test]
fn a_local_action_says_that_its_pre_does_not_run() {
    warned(
        "runs: {using: node20, main: main.js, pre: pre.js}\n",
        "{}",
        &["Warning: `pre` execution is not supported for local action from './a'"],
    );
}

#[test]
fn what_is_not_given_has_its_default_and_names_fold() {
    let manifest = format!("inputs: {{aB c: {{default: one}}, d: {{}}}}\n{NODE}");
    let variables = |stage: &Stage| {
        let environment = stage.process().environment;
        let inputs = environment.iter().filter(|(name, _)| name.starts_with("INPUT_"));
        inputs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
    };
    assert_eq!(variables(&used(&manifest, "{}")), ["INPUT_AB_C=one", "INPUT_D="]);
    assert_eq!(variables(&used(&manifest, "{Ab c: two}")), ["INPUT_AB_C=two", "INPUT_D="]);
}

#[test]
fn the_log_of_a_composite_action_begins_with_what_it_is_given() {
    let manifest = "inputs: {a: {default: one}, b: {}}\nruns: {using: composite, steps: []}\n";
    warned(manifest, "{}", &["Group: Run ./a", "Plain: with:", "Plain:   a: one", "EndGroup: "]);
}

#[test]
fn the_log_of_a_post_part_begins_with_one_line() {
    let mut stage = used("runs: {using: node20, main: main.js, post: post.js}\n", "{}");
    let title = |stage: &Stage| stage.process().heading.map(|heading| (heading.title, heading.folds));
    assert_eq!(title(&stage), Some(("Run ./a".to_owned(), true)));
    stage.run();
    assert_eq!(title(&stage), Some(("Post job cleanup.".to_owned(), false)));
}

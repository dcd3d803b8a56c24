//! Manifests and what is said about them (steps.md 4.2).

use crate::{Action, ActionRuns, ReadOptions, Sources, parse_action};

/// The manifest, and its faults with their places.
fn read(text: &str) -> (Option<Action>, Vec<String>) {
    let mut sources = Sources::new();
    let source = sources.add("./a/action.yml", text);
    let (action, diagnostics) = parse_action(&sources, source, &ReadOptions::default());
    let told = |fault: &crate::Diagnostic| {
        format!("{}:{} {}", fault.span.start.line, fault.span.start.column, fault.message)
    };
    (action, diagnostics.iter().map(told).collect())
}

#[track_caller]
fn refused(text: &str, expected: &[&str]) {
    let (action, faults) = read(text);
    assert_eq!(faults, expected);
    assert!(action.is_none());
}

#[track_caller]
fn sound(text: &str) -> Action {
    let (action, faults) = read(text);
    action.unwrap_or_else(|| panic!("{faults:?}"))
}

/// A composite action with these steps, from line 4 on.
fn composite(steps: &str) -> String {
    format!("runs:\n  using: composite\n  steps:\n{steps}")
}

#[test]
fn a_manifest_needs_runs() {
    refused("name: x\n", &["1:1 Top level 'runs:' section is required for ./a/action.yml"]);
}

#[test]
fn runs_needs_using() {
    let text = "2:3 Missing 'using' value. 'using' requires 'composite', 'docker', 'node12', 'node16', 'node20' or 'node24'.";
    refused("runs:\n  main: x.js\n", &[text]);
}

#[test]
fn using_has_to_be_a_known_way() {
    for using in ["node14", "ruby", "composites"] {
        let text = format!(
            "2:10 'using: {using}' is not supported, use 'docker', 'node12', 'node16', 'node20' or 'node24' instead."
        );
        refused(&format!("runs:\n  using: {using}\n  main: a.js\n"), &[&text]);
    }
}

/// The runner looks at the keys before it looks at `using`.
#[test]
fn using_alone_says_too_little() {
    let text = "2:3 There's not enough info to determine what you meant. Add one of these properties: args, entrypoint, env, image, main, post, post-entrypoint, pre, pre-entrypoint, steps";
    for using in ["docker", "node20", "composite", "ruby"] {
        refused(&format!("runs:\n  using: {using}\n"), &[text]);
    }
}

#[test]
fn using_is_taken_in_any_case() {
    assert!(matches!(sound("runs: {using: Node20, main: a.js}").runs, ActionRuns::Node { .. }));
    assert!(matches!(sound("runs: {using: DOCKER, image: x}").runs, ActionRuns::Docker { .. }));
    assert!(matches!(sound("runs: {using: Composite, steps: []}").runs, ActionRuns::Composite { .. }));
}

#[test]
fn a_container_action_needs_an_image() {
    refused(
        "runs:\n  using: docker\n  entrypoint: a.sh\n",
        &["2:3 You are using a Container Action but an image is not provided in ./a/action.yml."],
    );
}

#[test]
fn a_javascript_action_needs_a_program() {
    let text = "2:3 You are using a JavaScript Action but there is not an entry JavaScript file provided in ./a/action.yml.";
    refused("runs:\n  using: node20\n  post: a.js\n", &[text]);
}

#[test]
fn a_composite_action_needs_steps() {
    let text = "2:3 You are using a composite action but there are no steps provided in ./a/action.yml.";
    refused("runs:\n  using: composite\n  main: a.js\n", &[text]);
}

#[test]
fn keys_of_one_way_do_not_go_with_another() {
    refused("runs:\n  using: node20\n  main: a.js\n  image: x\n", &["4:3 Unexpected value 'image'"]);
    refused("runs:\n  using: composite\n  steps: []\n  post: a.js\n", &["4:3 Unexpected value 'post'"]);
}

#[test]
fn a_step_of_a_composite_action_has_fewer_keys() {
    refused(
        &composite("  - run: x\n    shell: bash\n    timeout-minutes: 5\n"),
        &["6:5 Unexpected value 'timeout-minutes'"],
    );
    refused(
        &composite("  - run: x\n    shell: bash\n    background: true\n"),
        &["6:5 Unexpected value 'background'"],
    );
    refused(
        &composite("  - run: x\n    shell: bash\n    parallel: []\n"),
        &["6:5 Unexpected value 'parallel'"],
    );
    refused(&composite("  - uses: ./x\n    shell: bash\n"), &["5:5 Unexpected value 'shell'"]);
}

#[test]
fn a_script_of_a_composite_action_names_its_shell() {
    refused(&composite("  - run: x\n"), &["4:5 Required property is missing: shell"]);
}

#[test]
fn contexts_are_those_of_the_key() {
    let unknown = |context: &str, name: &str| {
        format!(
            "Unrecognized named-value: '{context}'. Located at position 1 within expression: {context}.{name}"
        )
    };
    let secrets = unknown("secrets", "x");
    refused(&composite("  - run: ${{ secrets.x }}\n    shell: bash\n"), &[&format!("4:10 {secrets}")]);
    let needs = unknown("needs", "x");
    refused(&composite("  - uses: ./x\n    if: needs.x\n"), &[&format!("5:9 {needs}")]);
    let inputs = unknown("inputs", "x");
    refused(
        "inputs:\n  a:\n    default: ${{ inputs.x }}\nruns: {using: node20, main: a.js}\n",
        &[&format!("3:14 {inputs}")],
    );
    let github = unknown("github", "x");
    refused(
        "runs:\n  using: docker\n  image: x\n  args: ['${{ github.x }}']\n",
        &[&format!("4:10 {github}")],
    );
}

#[test]
fn before_and_after_are_always_unless_written_otherwise() {
    let manifest = "runs: {using: node20, main: a.js, pre: b.js, post: c.js, post-if: failure()}";
    let ActionRuns::Node { pre: Some(pre), post: Some(post), .. } = sound(manifest).runs else {
        panic!("a JavaScript action with both")
    };
    assert_eq!((pre.condition.source(), post.condition.source()), ("always()", "failure()"));
}

#[test]
fn metadata_of_an_input_is_taken_in_any_case() {
    let action = sound(
        "inputs:\n  a:\n    Default: x\n    deprecationmessage: old\nruns: {using: node20, main: a.js}\n",
    );
    let input = &action.inputs["a"];
    let default = input.default.as_ref().map(|default| default.source().to_owned());
    assert_eq!((default.as_deref(), input.deprecation_message.as_deref()), (Some("x"), Some("old")));
}

#[test]
fn steps_without_an_id_get_a_name_that_no_expression_sees() {
    let action = sound(&composite("  - {run: x, shell: bash}\n  - {run: x, shell: bash, id: own}\n"));
    let ActionRuns::Composite { steps } = action.runs else { panic!("a composite action") };
    assert!(steps[0].context_name.starts_with("__"));
    assert_eq!(&*steps[1].context_name, "own");
}

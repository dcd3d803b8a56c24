//! `@actions/core` and `@actions/glob`: what an action says and keeps.

use super::toolkit::Toolkit;

const WORKFLOW: &str = r#"on: push
jobs:
  build:
    runs-on: x
    steps:
      - run: 'echo one > a.txt; echo two > b.txt; mkdir added; echo "echo from the added folder" > added/tool; chmod +x added/tool'
      - uses: toolkit/actions/core@v1
        id: core
        with: {word: hello, secret: hunter2, lines: "first\nsecond"}
      - env:
          OUTPUTS: ${{ toJSON(steps.core.outputs) }}
          HASH: ${{ hashFiles('**/*.txt') }}
        run: |
          echo "outputs $(echo "$OUTPUTS" | tr -d '\n')"
          echo "same hash: ${{ steps.core.outputs.hash == hashFiles('**/*.txt') }}"
          echo "variable $FROM_CORE" | tr '\n' '/'
          echo
          tool
"#;

#[test]
fn an_action_says_what_it_wants_through_core() {
    let Some(toolkit) = Toolkit::with(WORKFLOW) else { return };
    let ran = toolkit.run();
    let says = |text: &str| assert!(ran.out.contains(text), "{text}\n{}", ran.out);
    says("\nthe secret is ***\n");
    says("##[notice]see here\n##[warning]be careful\n##[group]A group\ninside\n##[endgroup]\n");
    says(
        r#"outputs {  "said": "hello true",  "lines": "first|second",  "object": "{\"text\":\"two\\nlines\",\"list\":[1,2]}","#,
    );
    says(r#""found": "a.txt",  "platform": "true"}"#);
    says("\nsame hash: true\n");
    says("\nvariable first line/second % line/\n");
    says("\nfrom the added folder\n");
    says("Post job cleanup.\npost knows hello from main\n");
    assert!(!ran.out.contains("only for debugging"), "nobody asked for it: {}", ran.out);
    // Its own heading and those of later steps show what `with:` gives before anything is masked.
    assert_eq!(ran.out.matches("hunter2").count(), 1, "{}", ran.out);
}

#[test]
fn a_post_part_that_fails_fails_the_job() {
    let Some(toolkit) = Toolkit::with(&WORKFLOW.replace("word: hello", "word: fail")) else { return };
    let ran = toolkit.start("run", &[], "");
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(ran.out.contains("post knows fail from main\n##[error]post fails on purpose\n"), "{}", ran.out);
}

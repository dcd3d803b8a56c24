//! What background steps write, and when others see it.

use engine::plan::Hook;
use session::request::Request;
use session::session::Mode;

use crate::background::shells::{Shells, over_and_out, refused, run, run_plan};
use crate::debugger::little::workflow;
use crate::debugger::live::{TIMES, alone};
use crate::debugger::{block_on, plan};

#[test]
fn row_04_a_second_wait_takes_nothing_over_again() {
    let end = run(r#"- id: a
  background: true
  run: |
    echo V=early >> $GITHUB_ENV
    echo /early >> $GITHUB_PATH
    echo v=early >> $GITHUB_OUTPUT
- wait: a
- run: |
    echo V=later >> $GITHUB_ENV
    echo /later >> $GITHUB_PATH
- id: again
  wait: a
"#);
    assert_eq!((end.env("V").as_deref(), end.path()), (Some("later"), vec!["/early", "/later"]));
    assert_eq!(end.step("again"), "success/success");
}

#[test]
fn row_15_nothing_of_an_action_is_seen_before_the_wait() {
    let writes = r#"- id: inner
  shell: bash
  run: |
    echo V=a >> $GITHUB_ENV
    echo "$PWD/bin" >> $GITHUB_PATH
    echo v=a >> $GITHUB_OUTPUT
    mkdir bin
- shell: bash
  run: |
    echo "[$V][${{ steps.inner.outputs.v }}]" > inside
    case "$PATH" in "$PWD/bin:"*) echo in front >> inside ;; esac
"#;
    let steps = r#"- {id: a, background: true, uses: ./outer}
- run: |
    echo "[$V][${{ steps.a.outputs.v }}][${{ steps.a.outcome }}][${{ toJSON(steps) }}]" > before
    case "$PATH" in "$PWD/bin:"*) echo leaked >> before ;; esac
- wait: a
- run: |
    echo "[$V][${{ steps.a.outputs.v }}][${{ steps.a.outcome }}][${{ steps.inner.outputs.v }}]" > after
    case "$PATH" in "$PWD/bin:"*) echo in front >> after ;; esac
"#;
    let _turn = alone();
    let end = block_on(async {
        let mut shells = Shells::new(TIMES);
        let of = |id: &str| format!("outputs: {{v: {{value: '${{{{ steps.{id}.outputs.v }}}}'}}}}\n");
        shells.action("outer", &of("mid"), "- {id: mid, uses: ./inner}");
        shells.action("inner", &of("inner"), writes);
        let mut debugger = shells.start(plan(&workflow(steps)), Mode::Debug);
        debugger.stopped().await;
        // It is over before the next step begins.
        over_and_out(&mut debugger, 0).await;
        debugger.ask(Request::Continue).await;
        shells.end(debugger).await
    });
    assert_eq!(end.file("inside"), Some("[a][a]\nin front"));
    assert_eq!(end.file("before"), Some("[][][][{}]"));
    assert_eq!(end.file("after"), Some("[a][a][success][]\nin front"));
}

#[test]
fn row_16_ids_are_the_same_in_any_case() {
    let end = run(r#"- id: server
  background: true
  run: |
    read word < ../pipes/go
    echo port=80 >> $GITHUB_OUTPUT
- id: gone
  background: true
  run: sleep 1000
- cancel: GONE
- run: echo go > ../pipes/go
- wait: Server
- run: echo "${{ steps.SERVER.outputs.port }}" > port
"#);
    assert_eq!(end.file("port"), Some("80"));
    assert_eq!(end.steps(["server", "gone"]), ["success/success", "cancelled/cancelled"]);
    assert!(!end.log.contains("No background step"), "{}", end.log);
}

#[test]
fn row_17_two_steps_of_one_id_are_refused_and_if_run_are_both_waited_for() {
    let steps = "- {id: a, background: true, run: echo ONE=1 >> $GITHUB_ENV}
- {id: a, background: true, run: echo TWO=2 >> $GITHUB_ENV}
- {id: w, wait: a}
- run: echo $ONE $TWO > seen
";
    let (plan, faults) = refused(steps);
    let text = "ci.yml:7:14 The identifier 'a' may not be used more than once within the same scope.";
    assert_eq!(faults, [text]);
    let end = run_plan(plan);
    assert_eq!((end.file("seen"), end.step("w")), (Some("1 2"), "success/success".to_owned()));
}

#[test]
fn row_19_a_step_without_an_id_is_waited_for_and_has_no_outputs() {
    let end = run(r#"- background: true
  run: |
    read word < ../pipes/go
    echo v=1 >> $GITHUB_OUTPUT
    echo V=1 >> $GITHUB_ENV
- run: echo go > ../pipes/go
- wait-all:
- run: echo "$V" > seen
"#);
    assert_eq!(end.file("seen"), Some("1"));
    assert_eq!(end.job.steps().len(), 0, "a made-up id is in `steps`");
}

#[test]
fn row_21_of_two_steps_that_set_one_variable_the_last_one_in_the_list_wins() {
    let steps = r#"- id: a
  background: true
  run: echo V=a >> $GITHUB_ENV
- id: b
  background: true
  run: |
    read word < ../pipes/go
    echo V=b >> $GITHUB_ENV
- run: echo go > ../pipes/go
- wait: [b, a]
- run: echo "$V" > seen
"#;
    let _turn = alone();
    let end = block_on(async {
        let mut shells = Shells::new(TIMES);
        shells.step_debug = true;
        let debugger = shells.start(plan(&workflow(steps)), Mode::Headless);
        shells.end(debugger).await
    });
    assert_eq!(end.file("seen"), Some("a"));
    assert!(end.says("##[debug]Two background steps set 'V'; the last one in the list wins."), "{}", end.log);
}

#[test]
fn row_22_post_steps_run_in_the_reversed_order_of_the_starts() {
    let mut plan = plan(&workflow(
        "- {id: a, background: true, run: read word < ../pipes/a}
- {id: b, background: true, run: 'true'}
- {id: c, run: echo go > ../pipes/a}
- {id: d, background: true, if: false, run: 'true'}
",
    ));
    let scope = expr::Scope::any();
    for (step, name) in plan.steps.iter_mut().zip(["a", "b", "c", "d"]) {
        step.post = Some(Hook {
            condition: expr::Condition::parse(Some("always()"), &scope).unwrap(),
            script: expr::Template::parse(format!("echo {name} >> posts"), &scope).unwrap(),
        });
    }
    let end = run_plan(plan);
    assert_eq!(end.file("posts"), Some("c\nb\na"));
}

#[test]
fn row_26_a_background_step_that_stops_commands_stops_its_own() {
    let end = run(r#"- id: b
  background: true
  run: |
    echo '::stop-commands::its-own-token'
    echo up > ../pipes/up
    read word < ../pipes/go
    echo '::warning::not a warning'
    echo '::its-own-token::'
    echo '::warning::a warning again'
- run: |
    read word < ../pipes/up
    echo '::warning::of the foreground'
    echo go > ../pipes/go
"#);
    for line in ["##[warning]of the foreground", "::warning::not a warning", "##[warning]a warning again"] {
        assert!(end.says(line), "{line}: {}", end.log);
    }
}

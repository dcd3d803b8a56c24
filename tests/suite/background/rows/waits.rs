//! Waits: for what is there and what is not, for what failed, was cancelled, or may fail.

use engine::effect::Outcome;
use engine::step_path::StepPath;
use session::request::Request;
use session::session::Mode;

use crate::background::shells::{Shells, refused, run, run_plan};
use crate::debugger::little::workflow;
use crate::debugger::live::{TIMES, alone};
use crate::debugger::{block_on, plan};

#[test]
fn row_01_a_wait_for_what_does_not_run_in_the_background_is_refused_and_if_reached_warns() {
    let steps =
        "- id: front\n  run: echo front\n- id: w\n  wait: [front, nobody]\n- id: after\n  run: echo after";
    let (plan, faults) = refused(steps);
    assert_eq!(
        faults,
        [
            "ci.yml:9:16 Step 'front' does not run in the background",
            "ci.yml:9:23 Step references unknown step ID 'nobody'"
        ]
    );
    let end = run_plan(plan);
    assert_eq!(end.steps(["w", "after"]), ["success/success"; 2]);
    for id in ["front", "nobody"] {
        assert!(
            end.says(&format!("##[warning]No background step before this one has the id '{id}'.")),
            "{}",
            end.log
        );
    }
}

#[test]
fn row_02_a_wait_for_a_later_step_is_refused_and_if_reached_does_not_count_as_one() {
    let steps = "- wait: late\n- id: late\n  background: true\n  run: echo LATE=1 >> $GITHUB_ENV";
    let (plan, faults) = refused(steps);
    assert_eq!(faults, ["ci.yml:6:15 Step references unknown step ID 'late'"]);
    let end = run_plan(plan);
    assert!(end.says("##[warning]No background step before this one has the id 'late'."), "{}", end.log);
    assert!(end.says("Finished waiting for all background step(s)."), "{}", end.log);
    assert_eq!((end.step("late"), end.env("LATE")), ("success/success".into(), Some("1".into())));
}

#[test]
fn row_03_a_second_wait_for_a_failed_step_fails_as_well() {
    let end =
        run("- id: bad\n  background: true\n  run: exit 3\n- id: one\n  wait: bad\n- id: two\n  wait: bad");
    assert_eq!(end.steps(["bad", "one", "two"]), ["failure/failure"; 3]);
    assert_eq!(end.outcome, Outcome::Failure);
}

#[test]
fn row_11_a_wait_for_a_failed_and_a_cancelled_step_fails() {
    let end = run("- {id: bad, background: true, run: exit 3}
- {id: gone, background: true, run: sleep 1000}
- cancel: gone
- {id: w, wait: [bad, gone]}
- {id: next, run: touch next}
");
    assert_eq!(end.steps(["bad", "gone"]), ["failure/failure", "cancelled/cancelled"]);
    assert_eq!(end.steps(["w", "next"]), ["failure/failure", "skipped/skipped"]);
}

#[test]
fn row_12_a_wait_for_a_cancelled_step_succeeds() {
    let end = run("- {id: gone, background: true, run: sleep 1000}
- {id: c, cancel: gone}
- {id: w, wait: gone}
- {id: all, wait-all: }
- {id: next, run: touch next}
");
    assert_eq!(end.step("gone"), "cancelled/cancelled");
    assert_eq!(end.steps(["c", "w", "all", "next"]), ["success/success"; 4]);
    assert_eq!(end.outcome, Outcome::Success);
}

/// What was cancelled for itself stays so, whatever becomes of the job; what falls with the job is cancelled for whoever waits.
#[test]
fn row_12_in_a_job_that_is_cancelled_later_as_well() {
    let steps = "- {id: gone, background: true, run: sleep 1000}
- {id: also, background: true, uses: ./endless}
- cancel: gone
- run: read word < ../pipes/within
- cancel: also
- {id: fell, background: true, run: sleep 1000}
- run: echo up > ../pipes/up; sleep 1000
- {id: w, wait: [gone, also]}
- {id: v, wait: fell}
";
    let _turn = alone();
    let end = block_on(async {
        let mut shells = Shells::new(TIMES);
        shells.action("endless", "", "- {shell: bash, run: echo up > ../pipes/within; sleep 1000}");
        let debugger = shells.start(plan(&workflow(steps)), Mode::Headless);
        assert_eq!(shells.hear("up").await, "up");
        debugger.handle.tell(Request::Cancel);
        shells.end(debugger).await
    });
    assert_eq!(end.steps(["gone", "also", "fell"]), ["cancelled/cancelled"; 3]);
    assert_eq!(end.steps(["w", "v"]), ["success/success", "cancelled/cancelled"]);
    assert_eq!(end.outcome, Outcome::Cancelled);
}

#[test]
fn row_23_a_failure_that_may_be_is_a_success_for_the_wait() {
    let end = run("- {id: bad, background: true, continue-on-error: true, run: exit 3}
- {id: w, wait: bad}
- {id: next, run: touch next}
");
    assert_eq!(end.steps(["bad", "w", "next"]), ["failure/success", "success/success", "success/success"]);
    assert_eq!(end.outcome, Outcome::Success);
}

#[test]
fn row_24_a_step_after_the_last_wait_for_all_is_waited_for_at_the_end() {
    let end = run(r#"- id: a
  background: true
  run: echo A=1 >> $GITHUB_ENV
- wait-all:
- id: b
  background: true
  run: |
    read word < ../pipes/go
    echo B=1 >> $GITHUB_ENV
- run: echo go > ../pipes/go
"#);
    let ends = end.log.lines().filter(|line| *line == "Finished waiting for all background step(s).").count();
    assert_eq!((ends, end.env("A"), end.env("B")), (2, Some("1".into()), Some("1".into())));
    let last = end.job.results().iter().next_back().unwrap().1;
    assert_eq!(&*last.name, "Wait for all background steps");
}

#[test]
fn row_25_when_a_member_of_a_group_fails_the_others_run_on() {
    let end = run(r#"- parallel:
    - id: bad
      run: |
        echo go > ../pipes/go
        exit 3
    - id: good
      run: |
        read word < ../pipes/go
        echo V=good >> $GITHUB_ENV
- id: next
  run: touch next
"#);
    assert_eq!(end.steps(["bad", "good"]), ["failure/failure", "success/success"]);
    assert_eq!(end.job.results().get(&StepPath::main(2)).unwrap().outcome, Outcome::Failure);
    assert_eq!(end.step("next"), "skipped/skipped");
    assert_eq!((end.env("V").as_deref(), end.outcome), (Some("good"), Outcome::Failure));
}

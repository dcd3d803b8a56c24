//! The edges of background steps, one test each, against real processes: what the reference runner gets wrong here is in the
//! table of steps.md 2.7, whose numbers these tests have; what they expect is its right outcome. Three of them run at the
//! full length of the signal ladder too. Composite actions cannot run yet: rows 13 to 15 test what is nearest.

use std::time::{Duration, Instant};

use engine::effect::Outcome;
use engine::job::Cursor;
use engine::plan::Hook;
use engine::step_path::{LaneId, StepPath};
use host::times::Times;
use session::notice::Notice;
use session::request::Request;
use session::session::Mode;

use super::shells::{Shells, over_and_out, refused, run, run_plan};
use crate::debugger::little::workflow;
use crate::debugger::live::{TIMES, alone};
use crate::debugger::{Debugger, block_on, plan};

/// Who hears a signal has all the time that a slow machine needs to do what it wants.
const PATIENT: Times = Times { terminate: Duration::from_secs(20), ..TIMES };

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
fn row_05_a_cancel_of_what_is_over_does_nothing() {
    let steps = r#"- id: a
  background: true
  run: |
    echo V=early >> $GITHUB_ENV
    echo /early >> $GITHUB_PATH
- id: one
  cancel: a
- run: |
    echo V=later >> $GITHUB_ENV
    echo /later >> $GITHUB_PATH
- id: two
  wait: a
- id: three
  cancel: a
"#;
    let _turn = alone();
    let end = block_on(async {
        let mut shells = Shells::new(TIMES);
        let mut debugger = shells.start(plan(&workflow(steps)), Mode::Debug);
        debugger.stopped().await;
        over_and_out(&mut debugger, 0).await;
        debugger.ask(Request::Continue).await;
        shells.end(debugger).await
    });
    assert_eq!(end.steps(["a", "one", "two", "three"]), ["success/success"; 4]);
    assert_eq!((end.env("V").as_deref(), end.path()), (Some("later"), vec!["/early", "/later"]));
}

#[test]
fn row_06_a_cancel_of_nobody_is_refused_and_if_reached_warns() {
    let (plan, faults) = refused("- id: c\n  cancel: nobody\n- id: after\n  run: echo after");
    assert_eq!(faults, ["ci.yml:7:17 Step references unknown step ID 'nobody'"]);
    let end = run_plan(plan);
    assert_eq!(end.steps(["c", "after"]), ["success/success"; 2]);
    assert!(end.says("##[warning]No background step before this one has the id 'nobody'."), "{}", end.log);
}

/// Steps that hold all slots until they are told to end, and the script that tells them.
fn ten_busy(first: &str) -> (String, String) {
    let mut steps = format!("- {{id: b0, background: true, run: '{first}'}}\n");
    let mut release = String::from("echo go > ../pipes/b0");
    for index in 1..10 {
        steps += &format!("- {{id: b{index}, background: true, run: 'read word < ../pipes/b{index}'}}\n");
        release += &format!("; echo go > ../pipes/b{index}");
    }
    (steps, release)
}

#[test]
fn row_07_a_step_that_is_cancelled_while_it_waits_for_a_slot_is_over_without_having_begun() {
    let (busy, release) = ten_busy("read word < ../pipes/b0");
    let end = run(&format!(
        "{busy}- {{id: late, background: true, run: touch late}}\n- {{id: c, cancel: late}}\n- run: {release}\n"
    ));
    assert_eq!(end.steps(["late", "c", "b9"]), ["cancelled/cancelled", "success/success", "success/success"]);
    assert_eq!((end.file("late"), end.outcome), (None, Outcome::Success));
    let told = end.steps.iter().find(|told| told.step == StepPath::main(10)).unwrap();
    assert_eq!((told.lane, told.outcome), (LaneId(11), Outcome::Cancelled));
}

/// A slot that comes free at the end of the ladder goes to the next in the queue, not to the one that was cancelled there.
#[test]
fn row_07_at_full_length() {
    let (busy, release) =
        ten_busy(r#"trap "" INT TERM; echo up > ../pipes/up; sleep 1000; read word < ../pipes/b0"#);
    let began = Instant::now();
    let end = run_at_full_length(&format!(
        "{busy}- {{id: late, background: true, run: touch late}}
- {{id: next, background: true, run: echo up > ../pipes/next}}
- run: read word < ../pipes/up
- {{id: c, cancel: late}}
- {{id: d, cancel: b0}}
- run: read word < ../pipes/next; {release}
"
    ));
    assert_eq!(end.steps(["late", "b0"]), ["cancelled/cancelled"; 2]);
    assert_eq!(end.steps(["c", "d", "next", "b9"]), ["success/success"; 4]);
    assert_eq!((end.file("late"), end.outcome), (None, Outcome::Success));
    assert!(began.elapsed() >= Duration::from_secs(10), "SIGKILL came after {:?}", began.elapsed());
}

fn run_at_full_length(steps: &str) -> super::shells::End {
    let _turn = alone();
    block_on(async {
        let mut shells = Shells::new(Times::default());
        let debugger = shells.start(plan(&workflow(steps)), Mode::Headless);
        shells.end(debugger).await
    })
}

#[test]
fn row_08_in_a_cancelled_job_a_background_step_runs_if_its_condition_says_so() {
    let steps = r#"- id: front
  run: |
    echo up > ../pipes/up
    sleep 1000
- id: no
  background: true
  run: touch no
- id: yes
  background: true
  if: always()
  run: echo ran > yes
- id: w
  wait: [no, yes]
"#;
    let _turn = alone();
    let end = block_on(async {
        let mut shells = Shells::new(TIMES);
        let debugger = shells.start(plan(&workflow(steps)), Mode::Headless);
        assert_eq!(shells.hear("up").await, "up");
        debugger.handle.tell(Request::Cancel);
        shells.end(debugger).await
    });
    assert_eq!(end.steps(["front", "no"]), ["cancelled/cancelled", "skipped/skipped"]);
    assert_eq!(end.steps(["yes", "w"]), ["success/success"; 2]);
    assert_eq!((end.file("yes"), end.file("no")), (Some("ran"), None));
    assert_eq!(end.outcome, Outcome::Cancelled);
}

#[test]
fn row_09_a_skipped_step_is_known_at_once() {
    let end = run(r#"- id: b
  background: true
  if: false
  run: touch b
- run: echo "${{ steps.b.outcome }} ${{ steps.b.conclusion }}" > seen
- id: w
  wait: b
"#);
    assert_eq!((end.file("seen"), end.file("b")), (Some("skipped skipped"), None));
    assert_eq!(end.step("w"), "success/success");
}

#[test]
fn row_10_a_step_whose_env_is_at_fault_fails_at_once_and_says_so() {
    let end = run(r#"- id: b
  background: true
  env:
    A: ${{ fromJSON('{') }}
  run: touch b
- id: next
  run: touch next
- if: failure()
  run: echo "${{ steps.b.outcome }}" > seen
- id: w
  wait: b
"#);
    assert_eq!(end.steps(["b", "next", "w"]), ["failure/failure", "skipped/skipped", "failure/failure"]);
    assert_eq!((end.file("seen"), end.file("b")), (Some("failure"), None));
    assert!(end.log.contains("##[error]The template is not valid. ci.yml (Line: 9, Col: 14)"), "{}", end.log);
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

#[test]
fn row_13_a_step_that_is_cancelled_while_it_is_being_started_is_not_timed_out() {
    let steps: String = (0..10)
        .map(|index| {
            format!(
                "- {{id: s{index}, background: true, timeout-minutes: 1, run: sleep 1000}}\n- cancel: s{index}\n"
            )
        })
        .collect();
    let end = run(&steps);
    let outcomes: Vec<String> = (0..10).map(|index| end.step(&format!("s{index}"))).collect();
    assert_eq!(outcomes, ["cancelled/cancelled"; 10]);
    assert!(!end.log.contains("timed out") && !end.log.contains("##[error]"), "{}", end.log);
    assert_eq!(end.outcome, Outcome::Success);
}

#[test]
fn row_14_a_cancel_reaches_the_whole_tree_of_the_step() {
    let steps = r#"- id: tree
  background: true
  run: |
    trap '' INT
    member() {
      # `timeout` hands SIGINT on as it is by default.
      trap '' INT
      trap "echo heard > $1; exit 0" TERM
      echo up > ../pipes/up
      while :; do sleep 1000 & wait $!; done
    }
    export -f member
    setsid bash -c 'member detached' &
    timeout 1000 bash -c 'member timed' &
    ( member inner ) &
    member outer
- run: |
    exec 3< ../pipes/up
    for member in detached timed inner outer; do read word <&3; done
- cancel: tree
- run: cat detached timed inner outer
"#;
    let _turn = alone();
    let end = block_on(async {
        let mut shells = Shells::new(PATIENT);
        let debugger = shells.start(plan(&workflow(steps)), Mode::Headless);
        shells.end(debugger).await
    });
    assert_eq!(end.step("tree"), "cancelled/cancelled");
    let heard = ["detached", "timed", "inner", "outer"].map(|name| end.file(name));
    assert_eq!(heard, [Some("heard"); 4]);
    assert_eq!(end.outcome, Outcome::Success);
}

#[test]
fn row_15_nothing_is_seen_before_the_wait() {
    let steps = r#"- id: a
  background: true
  run: |
    echo V=a >> $GITHUB_ENV
    echo "$PWD/bin" >> $GITHUB_PATH
    echo v=a >> $GITHUB_OUTPUT
    mkdir bin
- run: |
    echo "[$V][${{ steps.a.outputs.v }}][${{ steps.a.outcome }}]" > before
    case "$PATH" in "$PWD/bin:"*) echo leaked >> before ;; esac
- wait: a
- run: |
    echo "[$V][${{ steps.a.outputs.v }}][${{ steps.a.outcome }}]" > after
    case "$PATH" in "$PWD/bin:"*) echo in front >> after ;; esac
"#;
    let _turn = alone();
    let end = block_on(async {
        let mut shells = Shells::new(TIMES);
        let mut debugger = shells.start(plan(&workflow(steps)), Mode::Debug);
        debugger.stopped().await;
        // It is over before the next step begins.
        over_and_out(&mut debugger, 0).await;
        debugger.ask(Request::Continue).await;
        shells.end(debugger).await
    });
    assert_eq!(end.file("before"), Some("[][][]"));
    assert_eq!(end.file("after"), Some("[a][a][success]\nin front"));
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

/// A step that ignores SIGINT and takes its leave at SIGTERM.
const STUBBORN: &str = r#"- id: a
  background: true
  run: |
    trap '' INT
    trap 'echo left > left; echo v=1 >> $GITHUB_OUTPUT; exit 0' TERM
    echo up > ../pipes/up
    while :; do sleep 1000 & wait $!; done
- run: read word < ../pipes/up
- id: c
  cancel: a
- run: cat left
"#;

#[test]
fn row_18_the_real_end_of_a_cancelled_step_is_awaited() {
    let _turn = alone();
    let end = block_on(async {
        let mut shells = Shells::new(PATIENT);
        let debugger = shells.start(plan(&workflow(STUBBORN)), Mode::Headless);
        shells.end(debugger).await
    });
    must_have_left(&end);
}

#[test]
fn row_18_at_full_length() {
    let began = Instant::now();
    must_have_left(&run_at_full_length(STUBBORN));
    assert!(began.elapsed() >= Duration::from_millis(7500), "SIGTERM came after {:?}", began.elapsed());
}

fn must_have_left(end: &super::shells::End) {
    assert_eq!(end.steps(["a", "c"]), ["cancelled/cancelled", "success/success"]);
    // Outputs written on the way out are kept.
    assert_eq!(end.output("a", "v").as_deref(), Some("1"));
    assert_eq!((end.file("left"), end.outcome), (Some("left"), Outcome::Success));
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

/// A step that hears nothing but SIGKILL, and nobody who waits for it but the wait that is added.
const DEAF: &str = r#"- id: a
  background: true
  run: |
    trap '' INT TERM
    echo up > ../pipes/up
    sleep 1000
"#;

/// Cancels the job while it waits for all background steps at its end.
async fn cancel_the_drain(mut shells: Shells) -> super::shells::End {
    let mut debugger = shells.start(plan(&workflow(DEAF)), Mode::Headless);
    assert_eq!(shells.hear("up").await, "up");
    until_the_drain(&mut debugger).await;
    debugger.handle.tell(Request::Cancel);
    shells.end(debugger).await
}

async fn until_the_drain(debugger: &mut Debugger) {
    loop {
        if let Notice::StepStarted { name, .. } = debugger.notice().await
            && &*name == "Wait for all background steps"
        {
            break;
        }
    }
    // One request is answered between two transitions at most: after the second one it waits.
    for _ in 0..2 {
        debugger.ask(Request::View(None)).await;
    }
}

fn must_have_fallen(end: &super::shells::End) {
    assert_eq!((end.step("a").as_str(), end.outcome), ("cancelled/cancelled", Outcome::Cancelled));
    assert_eq!(end.job.results()[&StepPath::main(1)].outcome, Outcome::Cancelled);
    assert_eq!(end.job.cursor(), &Cursor::Done(Outcome::Cancelled));
}

#[test]
fn row_20_a_cancel_of_the_job_while_it_waits_at_its_end_ends_what_runs() {
    let _turn = alone();
    must_have_fallen(&block_on(cancel_the_drain(Shells::new(TIMES))));
}

#[test]
fn row_20_at_full_length() {
    let _turn = alone();
    let began = Instant::now();
    must_have_fallen(&block_on(cancel_the_drain(Shells::new(Times::default()))));
    assert!(began.elapsed() >= Duration::from_secs(10), "SIGKILL came after {:?}", began.elapsed());
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
            script: expr::Template::parse(&format!("echo {name} >> posts"), &scope).unwrap(),
        });
    }
    let end = run_plan(plan);
    assert_eq!(end.file("posts"), Some("c\nb\na"));
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
    let last = end.job.results().last().unwrap().1;
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
    assert_eq!(end.job.results()[&StepPath::main(2)].outcome, Outcome::Failure);
    assert_eq!(end.step("next"), "skipped/skipped");
    assert_eq!((end.env("V").as_deref(), end.outcome), (Some("good"), Outcome::Failure));
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

#[test]
fn row_27_files_are_hashed_for_a_background_step() {
    let end = run(r#"- run: echo text > file
- id: b
  background: true
  if: hashFiles('file') != ''
  env:
    HASH: ${{ hashFiles('file') }}
  run: echo "hash=${{ hashFiles('file') == env.HASH }} ${#HASH}" >> $GITHUB_OUTPUT
- wait: b
- run: echo "${{ steps.b.outputs.hash }}" > seen
"#);
    assert_eq!(end.file("seen"), Some("true 64"));
}

#[test]
fn row_28_a_client_sees_each_background_step_as_a_thread() {
    super::threads::check();
}

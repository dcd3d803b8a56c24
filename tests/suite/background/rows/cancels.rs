//! Cancels: of what is over, queued, or running, with everything that it has started.

use std::time::{Duration, Instant};

use engine::effect::Outcome;
use engine::job::Cursor;
use engine::step_path::{LaneId, StepPath};
use host::times::Times;
use session::notice::Notice;
use session::request::Request;
use session::session::Mode;

use crate::background::shells::{End, Shells, over_and_out, refused, run, run_plan};
use crate::debugger::little::workflow;
use crate::debugger::live::{TIMES, alone};
use crate::debugger::{Debugger, block_on, plan};

/// Who hears a signal has all the time that a slow machine needs to do what it wants.
const PATIENT: Times = Times { terminate: Duration::from_secs(20), ..TIMES };

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

fn run_at_full_length(steps: &str) -> End {
    let _turn = alone();
    block_on(async {
        let mut shells = Shells::new(Times::default());
        let debugger = shells.start(plan(&workflow(steps)), Mode::Headless);
        shells.end(debugger).await
    })
}

/// A composite action is no process that hears a signal: its limit and its cancel meet in the step that it has come to. Half of them
/// are cancelled while they are being found and started.
#[test]
fn row_13_an_action_with_a_limit_is_cancelled_and_not_timed_out() {
    let steps: String = (0..10)
        .map(|index| {
            let until_it_runs = if index % 2 == 0 { "" } else { "- run: read word < ../pipes/up\n" };
            format!(
                "- {{id: s{index}, background: true, timeout-minutes: 1, uses: ./outer, with: {{pipe: p{}}}}}\n\
                 {until_it_runs}- cancel: s{index}\n",
                index % 2
            )
        })
        .collect();
    let _turn = alone();
    let end = block_on(async {
        let mut shells = Shells::new(TIMES);
        // Who is cancelled before it has begun tells nobody.
        let said = "[ ${{ inputs.pipe }} = p0 ] || echo up > ../pipes/up";
        let endless = format!("- {{shell: bash, run: '{said}; sleep 1000'}}");
        shells.action(
            "outer",
            "inputs: {pipe: {}}\n",
            "- {uses: ./inner, with: {pipe: '${{ inputs.pipe }}'}}",
        );
        shells.action("inner", "inputs: {pipe: {}}\n", &endless);
        let debugger = shells.start(plan(&workflow(&steps)), Mode::Headless);
        shells.end(debugger).await
    });
    let outcomes: Vec<String> = (0..10).map(|index| end.step(&format!("s{index}"))).collect();
    assert_eq!(outcomes, ["cancelled/cancelled"; 10]);
    assert!(!end.log.contains("timed out") && !end.log.contains("##[error]"), "{}", end.log);
    assert_eq!(end.outcome, Outcome::Success);
}

/// The other half of the row: what the limit ends is no cancel.
#[test]
fn row_13_an_action_that_takes_too_long_has_failed() {
    let steps = "- {id: b, background: true, timeout-minutes: 1, uses: ./outer}\n- {id: w, wait: b}\n";
    let place = crate::debugger::Place::in_memory();
    let write = |name: &str, steps: &str| {
        std::fs::create_dir(place.workspace().join(name)).unwrap();
        let text = format!("runs: {{using: composite, steps: [{steps}]}}\n");
        std::fs::write(place.workspace().join(name).join("action.yml"), text).unwrap();
    };
    write("outer", "{uses: ./inner}, {run: append late late, shell: bash}");
    write("inner", "{run: takes for-ever, shell: bash}");
    let ended = block_on(async {
        crate::debugger::little::start(&workflow(steps), &place, Mode::Headless).ended().await
    });
    let outcomes: Vec<Outcome> = ended.job.results().values().map(|result| result.outcome).collect();
    assert_eq!(outcomes, [Outcome::Failure; 4], "{:?}", ended.job.results());
    assert!(!place.workspace().join("late").exists());
}

#[test]
fn row_14_a_cancel_reaches_the_whole_tree_of_an_action() {
    let tree = r#"- shell: bash
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
- {shell: bash, run: touch next}
- shell: bash
  if: always()
  run: echo ${{ github.action_status }} > last
"#;
    let steps = r#"- {id: tree, background: true, uses: ./act}
- run: |
    exec 3< ../pipes/up
    for member in detached timed inner outer; do read word <&3; done
- {id: c, cancel: tree}
- run: cat detached timed inner outer last
"#;
    let _turn = alone();
    let end = block_on(async {
        let mut shells = Shells::new(PATIENT);
        shells.action("act", "", "- uses: ./act-within\n- {shell: bash, run: touch after}");
        shells.action("act-within", "", tree);
        let debugger = shells.start(plan(&workflow(steps)), Mode::Headless);
        shells.end(debugger).await
    });
    assert_eq!(end.steps(["tree", "c"]), ["cancelled/cancelled", "success/success"]);
    let heard = ["detached", "timed", "inner", "outer"].map(|name| end.file(name));
    assert_eq!(heard, [Some("heard"); 4]);
    // Only what is there to clean up runs after that.
    assert_eq!(["next", "after", "last"].map(|name| end.file(name)), [None, None, Some("cancelled")]);
    assert_eq!(end.outcome, Outcome::Success);
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

fn must_have_left(end: &End) {
    assert_eq!(end.steps(["a", "c"]), ["cancelled/cancelled", "success/success"]);
    // Outputs written on the way out are kept.
    assert_eq!(end.output("a", "v").as_deref(), Some("1"));
    assert_eq!((end.file("left"), end.outcome), (Some("left"), Outcome::Success));
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
async fn cancel_the_drain(mut shells: Shells) -> End {
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

fn must_have_fallen(end: &End) {
    assert_eq!((end.step("a").as_str(), end.outcome), ("cancelled/cancelled", Outcome::Cancelled));
    assert_eq!(end.job.results().get(&StepPath::main(1)).unwrap().outcome, Outcome::Cancelled);
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

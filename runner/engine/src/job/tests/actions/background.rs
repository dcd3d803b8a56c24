//! Composite actions in the background: what they see and what is seen of them, waited for, cancelled and started again.

use super::*;
use crate::event::LaneChoice;

#[test]
fn a_background_action_keeps_back_what_it_writes_and_reads_it_itself() {
    let action = "outputs: {o: {value: '${{ steps.one.outputs.v }}'}}
runs:
  using: composite
  steps:
    - {id: one, run: one, shell: bash}
    - {run: '${{ env.W }} ${{ steps.one.outputs.v }}', shell: bash}
";
    let mut stage = Stage::new(
        "    steps:\n      - {id: b, uses: ./c, background: true}\n      - {run: '[${{ env.W }}${{ steps.b.outputs.o }}]'}\n      - {wait: b}\n      - {run: '[${{ env.W }} ${{ steps.b.outputs.o }}]'}\n",
    );
    let lane = LaneId::of_background(&StepPath::main(0));
    stage.advance().advance();
    let answer = found("./c", &[("./c", action)]);
    stage.handle(Event::ActionReady { lane, step: StepPath::main(0), answer });
    assert_eq!(stage.ran(), ["main.0.0 one"]);
    let files = FileCommandResults {
        env: vec![("W".into(), "written".into())],
        output: vec![("v".into(), "1".into())],
        ..Default::default()
    };
    let end = BodyEnd { exit: Exit::Code(0), files, command_failed: false };
    stage.handle(Event::BodyEnded { lane, end });
    stage.advance().advance();
    assert_eq!(stage.ran()[1..], ["main.0.1 written 1", "main.1 []"]);
    let end = BodyEnd { exit: Exit::Code(0), files: Default::default(), command_failed: false };
    stage.handle(Event::BodyEnded { lane, end });
    stage.exit(0).advance().advance().advance();
    stage.advance().advance().advance();
    assert_eq!(stage.script(), "[written 1]");
}

/// Going on from a moment inside of it starts the whole action again, and nothing of it counts twice.
#[test]
fn a_background_action_that_was_cut_starts_again_from_its_own_start() {
    let steps = "    steps:\n      - {id: b, name: 'of ${{ github.job }}', uses: ./c, background: true}\n      - {wait: b}\n";
    for (choice, ran) in [(LaneChoice::Restart, 3), (LaneChoice::LeaveOut, 2)] {
        let mut stage = Stage::new(steps);
        let lane = LaneId::of_background(&StepPath::main(0));
        stage.advance().advance();
        let answer = found(
            "./c",
            &[("./c", "runs: {using: composite, steps: [{run: one, shell: bash}, {run: two, shell: bash}]}")],
        );
        stage.handle(Event::ActionReady { lane, step: StepPath::main(0), answer });
        let end = || BodyEnd { exit: Exit::Code(0), files: Default::default(), command_failed: false };
        stage.handle(Event::BodyEnded { lane, end: end() });
        assert_eq!(&*stage.job.step_name(&StepPath::main(0), &stage.secrets), "of j");
        stage.handle(Event::Resumed { lanes: choice });
        assert_eq!(stage.ran().len(), ran, "{:?}", stage.ran());
        if choice == LaneChoice::Restart {
            assert_eq!(stage.ran()[2], "main.0.0 one");
            stage.handle(Event::BodyEnded { lane, end: end() }).handle(Event::BodyEnded { lane, end: end() });
        }
        stage.advance().advance().advance();
        let outcome = stage.job.results().get(&StepPath::main(0)).unwrap().outcome;
        assert_eq!(
            outcome,
            if choice == LaneChoice::Restart { Outcome::Success } else { Outcome::Cancelled }
        );
        assert_eq!(stage.job.outcome(), Some(Outcome::Success));
    }
}

/// A composite action in the background, as the first step of a job; its lane.
fn inside(steps: &str, action: &str) -> (Stage, LaneId) {
    let mut stage =
        Stage::new(&format!("    steps:\n      - {{id: b, uses: ./c, background: true}}\n{steps}"));
    let lane = LaneId::of_background(&StepPath::main(0));
    stage.advance().advance();
    let answer = found("./c", &[("./c", action)]);
    stage.handle(Event::ActionReady { lane, step: StepPath::main(0), answer });
    (stage, lane)
}

impl Stage {
    fn lane_ends(&mut self, lane: LaneId, files: FileCommandResults) -> &mut Self {
        self.handle(Event::BodyEnded {
            lane,
            end: BodyEnd { exit: Exit::Code(0), files, command_failed: false },
        })
    }
}

/// What runs at the end of a main stage, or when a wait for all begins, is the step of the job, wherever in its action it is.
#[test]
fn a_wait_for_all_takes_over_what_an_action_gives() {
    let action = "outputs: {o: {value: '${{ steps.one.outputs.v }}'}}
runs: {using: composite, steps: [{id: one, run: one, shell: bash}]}
";
    for wait in ["", "      - wait-all:\n"] {
        let (mut stage, lane) = inside(wait, action);
        while stage.job.can_advance() {
            stage.advance();
        }
        let output = vec![("v".into(), "1".into())];
        stage.lane_ends(lane, FileCommandResults { output, ..Default::default() });
        assert_eq!(
            stage.steps_json().replace([' ', '\n'], ""),
            r#"{"b":{"outputs":{"o":"1"},"outcome":"success","conclusion":"success"}}"#
        );
    }
}

/// Otherwise what the action does would depend on how fast the foreground is.
#[test]
fn a_background_action_sees_the_variables_of_its_start() {
    let action = "runs:
  using: composite
  steps:
    - {run: one, shell: bash}
    - {run: '[${{ env.V }}${{ env.W }}]', shell: bash}
";
    let (mut stage, lane) = inside("      - {run: first}\n      - {run: '[${{ env.V }}]'}\n", action);
    let written = |name: &str| vec![(name.to_owned(), "written".to_owned())];
    stage.start().end(Exit::Code(0), FileCommandResults { env: written("V"), ..Default::default() });
    stage.lane_ends(lane, FileCommandResults { env: written("W"), ..Default::default() });
    assert_eq!(stage.ran().last().map(String::as_str), Some("main.0.1 [written]"));
    stage.start();
    assert_eq!(stage.script(), "[written]");
}

/// What it has left to do is done: that is what its conditions are for.
#[test]
fn a_cancelled_background_action_ends_with_the_step_that_runs() {
    let action = "runs:
  using: composite
  steps:
    - {run: one, shell: bash}
    - {run: two, shell: bash}
    - {run: '${{ github.action_status }}', shell: bash, if: always()}
";
    let (mut stage, lane) = inside("      - {cancel: b}\n", action);
    stage.start();
    assert!(stage.effects.contains(&Effect::Signal { lane, signal: Signal::Ladder }));
    stage.handle(Event::BodyEnded { lane, end: BodyEnd::killed() });
    assert_eq!(stage.ran(), ["main.0.0 one", "main.0.2 cancelled"]);
    stage.lane_ends(lane, FileCommandResults::default());
    assert_eq!(
        stage.results(),
        [
            "main.0.0 cancelled/cancelled",
            "main.0.1 skipped/skipped",
            "main.0.2 success/success",
            "main.0 cancelled/cancelled",
            "main.1 success/success"
        ]
    );
}

/// No process runs then that could be ended.
#[test]
fn a_background_action_is_cancelled_between_two_of_its_steps() {
    let hashed = "{run: two, shell: bash, if: \"hashFiles('x') == ''\"}";
    for second in [hashed, "{uses: ./inner}"] {
        let action =
            format!("runs:\n  using: composite\n  steps:\n    - {{run: one, shell: bash}}\n    - {second}\n");
        let (mut stage, lane) = inside("      - {cancel: b}\n", &action);
        stage.lane_ends(lane, FileCommandResults::default());
        stage.advance().advance();
        if let Some(request) = stage.job.lanes().get(&lane).and_then(Lane::waits_for_hash).cloned() {
            stage.handle(Event::HashReady { lane, request, answer: Ok(String::new()) });
        }
        assert_eq!(stage.ran(), ["main.0.0 one"], "{second}");
        assert_eq!(
            stage.results()[2..],
            ["main.0 cancelled/cancelled", "main.1 success/success"],
            "{second}"
        );
    }
}

/// Going on from a moment at which it was being ended: it does not start again, and goes on as it would have.
#[test]
fn a_background_action_that_was_being_cancelled_when_it_was_cut_has_ended() {
    let action = "runs:
  using: composite
  steps:
    - {run: one, shell: bash}
    - {run: last, shell: bash, if: always()}
";
    let (mut stage, lane) = inside("      - {run: front}\n", action);
    stage.handle(Event::CancelLane(lane)).handle(Event::Resumed { lanes: LaneChoice::Restart });
    assert_eq!(stage.ran(), ["main.0.0 one", "main.0.1 last"]);
    stage.lane_ends(lane, FileCommandResults::default());
    assert_eq!(
        stage.results(),
        ["main.0.0 cancelled/cancelled", "main.0.1 success/success", "main.0 cancelled/cancelled"]
    );
}

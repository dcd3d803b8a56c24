//! What writing a state costs in an optimised build. The figure is printed.

use std::time::{Duration, Instant};

use engine::effect::Outcome;
use engine::expr::HashAnswers;
use engine::job::{Cursor, LaneState, ScopeState, StepResult};
use engine::step_path::{LaneId, Stage, StepPath};

use super::*;

/// 30 variables, 20 steps with outputs, as after the tenth; a step runs.
fn typical() -> JobState {
    let mut env = Object::case_sensitive();
    for number in 0..30 {
        env.insert(format!("VARIABLE_{number}"), format!("/home/runner/work/some/path/{number}"));
    }
    let mut steps = Object::new();
    let mut results = IndexMap::new();
    for number in 0..20_u32 {
        let outputs = Object::from([
            ("version", Value::string(format!("1.{number}.2"))),
            ("cache-key", Value::string(format!("Linux-cargo-{:064x}", number))),
            ("cache-hit", Value::string("true")),
        ]);
        let mut entry = Object::new();
        entry.insert("outputs", outputs);
        entry.insert("outcome", "success");
        entry.insert("conclusion", "success");
        steps.insert(format!("step_{number}"), entry);
        let name = format!("Run cargo build --package part-{number}").into();
        let result =
            StepResult { name, outcome: Outcome::Success, conclusion: Outcome::Success, called_off: false };
        results.insert(StepPath::main(number), result);
    }
    let env = Arc::new(env);
    let mut scope_env = env.as_ref().clone();
    scope_env.insert("RUST_BACKTRACE", "1");
    let lane = LaneState {
        cursor: Cursor::Running(StepPath::main(10)),
        scope: Some(ScopeState {
            name: "Run cargo test".into(),
            env: Arc::new(scope_env),
            own_env: vec!["RUST_BACKTRACE".into()],
        }),
        hashes: HashAnswers::new(),
        asked: None,
        stop: None,
        timeout: Some(360),
    };
    JobState {
        lanes: IndexMap::from([(LaneId::FOREGROUND, lane)]),
        status: Outcome::Success,
        cancelled: None,
        inputs: Arc::default(),
        steps: Arc::new(steps),
        env,
        path: Arc::new(vec!["/home/runner/.cargo/bin".into()]),
        saved_state: Arc::default(),
        actions: Arc::default(),
        composites: Default::default(),
        results: Arc::new(results),
        post: vec![StepPath::new(Stage::Post, 0)],
        matchers: Matchers::default(),
        outputs: Arc::default(),
    }
}

#[test]
fn a_typical_state_costs_less_than_60_us() {
    let secrets = secrets();
    let hide = Hiding::new(secrets.masks());
    let state = typical();
    let mut writer = StateWriter::default();
    let mut fastest = Duration::MAX;
    let mut bytes = 0;
    for _ in 0..200 {
        let start = Instant::now();
        bytes = std::hint::black_box(writer.write(&state, 0, &hide).unwrap()).len();
        fastest = fastest.min(start.elapsed());
    }
    println!("state of {bytes} bytes: {fastest:?}");
    assert!(fastest < Duration::from_micros(60), "{fastest:?}");
}

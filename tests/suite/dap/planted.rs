//! Data breakpoints in generated jobs: a variable, an output and a file are each changed by one step, among steps that do
//! anything else, and the job stops at that step, backwards and forwards, every time.

use std::fmt::Write as _;

use fastrand::Rng;
use serde_json::{Value as Json, json};

use super::job::Job;
use super::wire::{Peer, Stopped};
use crate::debugger::{Place, block_on, plan};
use crate::law::{each, named, seeds, threads};

const JOBS: u64 = 500;

/// A job with three changes.
struct Planted {
    text: String,
    changes: [Change; 3],
}

/// A change that one step makes.
struct Change {
    key: String,
    /// The step's index.
    step: usize,
    /// What a person is told of it.
    told: String,
}

impl Planted {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x91a);
        let steps = rng.usize(2..9);
        let [variable, output, file] = [(); 3].map(|()| rng.usize(0..steps));
        let existed = rng.bool();
        let mut text =
            String::from("on: push\njobs:\n  j:\n    runs-on: ubuntu-latest\n    env:\n      OTHER: x\n");
        if existed {
            text.push_str("      PLANTED: before\n");
        }
        text.push_str("    steps:\n");
        for index in 0..steps {
            let mut lines = noise(&mut rng, index);
            let mut plant = |here: bool, line: &str| {
                if here {
                    lines.insert(rng.usize(0..=lines.len()), line.to_owned());
                }
            };
            plant(index == variable, "variable PLANTED after");
            plant(index == output, "output planted grown");
            plant(index == file, "append deep/planted.txt grown");
            if rng.u8(0..5) == 0 {
                lines.push("exit 1".to_owned());
            }
            // A step that is skipped changes nothing, whatever it would do.
            let skipped = ![variable, output, file].contains(&index) && rng.u8(0..3) == 0;
            if skipped {
                lines.extend(["variable PLANTED never", "append deep/planted.txt never"].map(str::to_owned));
            }
            let condition = if skipped { "failure() && success()" } else { "always()" };
            let _ = writeln!(text, "      - id: s{index}\n        if: {condition}\n        run: |");
            for line in &lines {
                let _ = writeln!(text, "          {line}");
            }
            if rng.bool() {
                text.push_str("        continue-on-error: true\n");
            }
        }
        let was = if existed { "before" } else { "nothing" };
        let change =
            |key: &str, step, told: &str| Change { key: key.to_owned(), step, told: told.to_owned() };
        let changes = [
            change("env.PLANTED", variable, &format!("env.PLANTED: {was} → after")),
            change(
                &format!("steps.s{output}.outputs.planted"),
                output,
                &format!("steps.s{output}.outputs.planted: nothing → grown"),
            ),
            change("file:deep/planted.txt", file, "file:deep/planted.txt: deep/planted.txt"),
        ];
        Self { text, changes }
    }
}

/// What else a step does: other variables, outputs and files, and values that stay what they are.
fn noise(rng: &mut Rng, index: usize) -> Vec<String> {
    let all = [
        format!("variable OTHER o{index}"),
        "variable OTHER x".to_owned(),
        format!("variable PLANTED_TOO p{index}"),
        format!("output other o{index}"),
        format!("append deep/other.txt {index}"),
        format!("write planted.txt {index}"),
        format!("remove deep/other{index}.txt"),
        "folder deep/more".to_owned(),
    ];
    (0..rng.usize(0..4)).filter_map(|_| rng.choice(&all).cloned()).collect()
}

#[test]
fn a_planted_change_is_found_from_both_sides() {
    let seeds = seeds(JOBS);
    each(&seeds, threads(), |seed| {
        let planted = Planted::new(seed);
        named("planted changes", seed, &planted.text, || check(&planted));
    });
    println!("planted: {} jobs, three changes each", seeds.len());
}

fn check(planted: &Planted) {
    block_on(async {
        let job = Job::little(plan(&planted.text), Place::in_memory());
        let mut peer = Peer::attached(&job.desk, &[]).await;
        peer.stopped().await;
        forwards(&mut peer, planted).await;
        for change in &planted.changes {
            backwards(&mut peer, change).await;
        }
        peer.disconnect(&json!({ "suspendDebuggee": true })).await;
        job.quit().await;
    });
}

/// All three are watched: each step that changes one of them stops, in order, and no other.
async fn forwards(peer: &mut Peer, planted: &Planted) {
    let ids = watch(peer, planted.changes.iter().map(|change| change.key.as_str())).await;
    let mut steps: Vec<usize> = planted.changes.iter().map(|change| change.step).collect();
    steps.sort_unstable();
    steps.dedup();
    for step in steps {
        let stop = peer.to("continue").await;
        let here = planted.changes.iter().zip(&ids).filter(|(change, _)| change.step == step);
        let told = here.into_iter().any(|(change, id)| is_told(&stop, change, id));
        assert!(told, "{stop:?} at step {step}");
        stands_at(peer, step).await;
    }
    assert!(peer.to("continue").await.ended);
}

/// One is watched from the end: going back comes to it, and further back to nothing.
async fn backwards(peer: &mut Peer, change: &Change) {
    let ids = watch(peer, [change.key.as_str()]).await;
    let stop = peer.to("reverseContinue").await;
    assert!(is_told(&stop, change, &ids[0]), "{stop:?}, not {}", change.told);
    stands_at(peer, change.step).await;
    let start = peer.to("reverseContinue").await;
    assert_eq!((start.reason.as_str(), start.moment), ("step", 0));
    let end = peer.to("stepback/return").await;
    assert!(end.ended && !end.rewound, "{end:?}");
}

async fn watch(peer: &Peer, keys: impl IntoIterator<Item = &str>) -> Vec<Json> {
    let mut wanted = Vec::new();
    for key in keys {
        let info = peer.ask("dataBreakpointInfo", &json!({ "name": key })).await;
        wanted.push(json!({ "dataId": info["dataId"] }));
    }
    let answer = peer.ask("setDataBreakpoints", &json!({ "breakpoints": wanted })).await;
    let answer = answer["breakpoints"].as_array().unwrap().clone();
    assert!(answer.len() == wanted.len() && answer.iter().all(|one| one["verified"] == true), "{answer:?}");
    answer.into_iter().map(|one| one["id"].clone()).collect()
}

fn is_told(stop: &Stopped, change: &Change, id: &Json) -> bool {
    stop.reason == "data breakpoint" && stop.text == change.told && stop.hit == Some(json!([id]))
}

/// The step that the stack shows is the one that made the change.
async fn stands_at(peer: &Peer, step: usize) {
    let stack = peer.ask("stackTrace", &json!({ "threadId": 1 })).await;
    let name = stack["stackFrames"][0]["name"].as_str().unwrap();
    assert!(name.starts_with(&format!("{} ", step + 1)), "{name}, not step {}", step + 1);
}

//! What a debugger costs its client, and what a client costs the job: `cargo bench -p integration-tests --bench dap`.
//!
//! 1,000 finished steps that have 1 MB of outputs, asked about by the protocol's own client; no-op steps against one
//! `bash`; coming to a job that stands; a job that runs freely with and without a client. The bounds are in brackets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub
)]

#[path = "dap/wire.rs"]
mod wire;
// The jobs are those of the tests.
#[path = "../suite/debugger/mod.rs"]
mod debugger;

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use debugger::live::Live;
use debugger::{Place, block_on, plan};
use serde_json::{Value as Json, json};
use session::session::Mode;
use wire::{Job, Peer, free_run_for_an_editor};

/// How many steps are finished when it is asked.
const STEPS: usize = 1_000;
/// The bytes of each step's output: 1 MB in all.
const OUTPUT_BYTES: usize = 1_000;
/// How often it is asked.
const ROUNDS: usize = 300;
/// How many no-op steps run in a real shell.
const SHELLS: usize = 100;

fn main() {
    inspection();
    stepping();
    running();
}

/// Frames, scopes and variables of a job with a long past, and coming to it.
fn inspection() {
    let mut text = String::from("on: push\njobs:\n  j:\n    runs-on: ubuntu-latest\n    steps:\n");
    let value = "x".repeat(OUTPUT_BYTES);
    for index in 0..STEPS {
        let _ = writeln!(text, "      - id: s{index}\n        run: output v {value}");
    }
    text.push_str("      - id: last\n        run: output v done\n");
    block_on(async {
        let job = Job::little(plan(&text), Place::in_memory());
        let mut peer = Peer::attached(&job.desk).await;
        peer.stopped().await;
        let last = json!({ "breakpoints": [{ "name": "last" }] });
        peer.ask("setFunctionBreakpoints", last).await;
        peer.to("continue").await;
        println!("{STEPS} finished steps, {} bytes of outputs", STEPS * OUTPUT_BYTES);
        let frame = peer.ask("stackTrace", json!({ "threadId": 1 })).await["stackFrames"][0]["id"].clone();
        let scopes = peer.ask("scopes", json!({ "frameId": frame })).await;
        ask(&peer, "stackTrace", &json!({ "threadId": 1 }), Some(2.0)).await;
        ask(&peer, "scopes", &json!({ "frameId": frame }), Some(2.0)).await;
        for scope in scopes["scopes"].as_array().unwrap() {
            let name = scope["name"].as_str().unwrap();
            if ["Step", "Env", "Steps"].contains(&name) {
                println!("  of the scope {name}:");
                let page = if name == "Steps" { json!(100) } else { json!(0) };
                let reference = &scope["variablesReference"];
                let paged = json!({ "variablesReference": reference, "start": 0, "count": page });
                ask(&peer, "variables", &paged, Some(2.0)).await;
                if name == "Steps" {
                    ask(&peer, "variables", &json!({ "variablesReference": reference }), None).await;
                }
            }
        }
        ask(&peer, "evaluate", &json!({ "expression": "steps.s7.outputs.v", "context": "watch" }), None)
            .await;
        ask(&peer, "evaluate", &json!({ "expression": "steps.s7.outputs.v", "context": "repl" }), None).await;
        ask(&peer, "completions", &json!({ "text": "steps.", "column": 7 }), None).await;
        ask(&peer, "stepback/timeline", &Json::Null, None).await;
        peer.hang_up().await;
        let mut first = Vec::new();
        let mut times = Vec::new();
        for _ in 0..50 {
            let begin = Instant::now();
            let mut peer = Peer::attached(&job.desk).await;
            peer.stopped().await;
            times.push(begin.elapsed());
            // The first look at a stop has to make its picture.
            let begin = Instant::now();
            peer.ask("stackTrace", json!({ "threadId": 1 })).await;
            first.push(begin.elapsed());
            peer.hang_up().await;
        }
        tell("attach to stopped", times, Some(5.0));
        tell("first stackTrace", first, Some(2.0));
        job.quit().await;
    });
}

async fn ask(peer: &Peer, command: &str, arguments: &Json, bound: Option<f64>) {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        peer.ask(command, arguments.clone()).await;
        times.push(begin.elapsed());
    }
    tell(command, times, bound);
}

fn tell(what: &str, mut times: Vec<Duration>, bound: Option<f64>) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    let bound = bound.map_or_else(String::new, |bound| format!("  (≤ {bound})"));
    println!("  {what:<22} p50 {:>7.3} ms   p99 {:>7.3} ms{bound}", at(50), at(99));
}

/// `next` over steps that do nothing, in a real shell, against that shell alone.
fn stepping() {
    let text = no_ops(SHELLS);
    block_on(async {
        let job = Job::live(plan(&text), Place::in_memory());
        let mut peer = Peer::attached(&job.desk).await;
        peer.stopped().await;
        let (mut next, mut bash) = (Vec::new(), Vec::new());
        for _ in 0..SHELLS {
            let begin = Instant::now();
            peer.to("next").await;
            next.push(begin.elapsed());
            let begin = Instant::now();
            one_bash();
            bash.push(begin.elapsed());
        }
        let median = |times: &mut Vec<Duration>| {
            times.sort_unstable();
            times[times.len() / 2].as_secs_f64() * 1e3
        };
        let (next, bash) = (median(&mut next), median(&mut bash));
        println!("`next` on a no-op step {next:.3} ms = {:.2} × one bash {bash:.3} ms  (≤ 1.3)", next / bash);
        peer.hang_up().await;
        job.quit().await;
    });
}

fn one_bash() {
    let mut command = Command::new("bash");
    command.args(["-e", "-c", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(command.status().unwrap().success());
}

/// The same job with a client that listens, and without anybody.
fn running() {
    let text = no_ops(SHELLS);
    let (mut alone, mut watched) = (f64::MAX, f64::MAX);
    for _ in 0..7 {
        block_on(async {
            let place = Place::in_memory();
            let live = Live { mode: Mode::Debug, ..Live::debug(&place) };
            let mut debugger = live.start(plan(&text));
            debugger.stopped().await;
            let begin = Instant::now();
            debugger.to(session::request::Request::Continue).await;
            alone = alone.min(begin.elapsed().as_secs_f64() * 1e3);
            debugger.quit().await;

            let took = free_run_for_an_editor(plan(&text), Place::in_memory()).await;
            watched = watched.min(took.as_secs_f64() * 1e3);
        });
    }
    let slower = (watched / alone - 1.0) * 100.0;
    println!("{SHELLS} steps alone {alone:.1} ms, with a client {watched:.1} ms: {slower:+.1} %  (≤ 2)");
}

fn no_ops(count: usize) -> String {
    let mut text = String::from("on: push\njobs:\n  j:\n    runs-on: ubuntu-latest\n    steps:\n");
    text.push_str(&"      - run: 'true'\n".repeat(count));
    text
}

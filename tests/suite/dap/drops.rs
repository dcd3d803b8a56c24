//! Clients that go at any moment, with a word or without: the next one finds the job where it was, and it ends the same.

use std::collections::BTreeMap;
use std::sync::Mutex;

use engine::effect::Outcome;
use fastrand::Rng;
use serde_json::{Value as Json, json};

use super::job::Job;
use super::listening::Listening;
use super::look::look;
use super::wire::{Peer, Stopped};
use crate::crash::process::Scene;
use crate::debugger::block_on;
use crate::law::end::End;
use crate::law::job::Generated;
use crate::law::{each, named, seeds, threads};

/// How many jobs clients drop out of.
const JOBS: u64 = 40;
/// How often in each.
const DROPS: usize = 4;

/// How clients went.
#[derive(Default)]
struct Count {
    with_a_word: usize,
    silently: usize,
    in_a_message: usize,
    before_an_answer: usize,
    in_a_movement: usize,
}

#[test]
fn whoever_returns_finds_the_same_stop() {
    let count = Mutex::new(Count::default());
    let seeds = seeds(JOBS);
    each(&seeds, threads(), |seed| {
        let generated = Generated::new(seed);
        named("drops", seed, &generated, || check(&generated, seed, &count));
    });
    let Count { with_a_word, silently, in_a_message, before_an_answer, in_a_movement } =
        count.into_inner().unwrap();
    println!(
        "drops: {with_a_word} with a word, {silently} without one, {in_a_message} in the middle of a message, \
         {before_an_answer} before an answer, {in_a_movement} in the middle of a movement"
    );
    let all = [with_a_word, silently, in_a_message, before_an_answer, in_a_movement];
    assert!(seeds.len() < 10 || all.iter().all(|count| *count >= 10), "clients went too much alike");
}

fn check(generated: &Generated, seed: u64, count: &Mutex<Count>) {
    block_on(async {
        let job = Job::little(generated.plan(), generated.place());
        let mut peer = Peer::attached(&job.desk, &[]).await;
        peer.stopped().await;
        peer.to("continue").await;
        let expected = look(&peer).await;
        peer.hang_up().await;
        let (ended, place) = job.quit().await;
        let straight = End::new(ended, &place);

        let job = Job::little(generated.plan(), generated.place());
        let mut dropper = Dropper { job, rng: Rng::with_seed(seed ^ 0xd409), seen: BTreeMap::new() };
        let (mut peer, mut stop) = dropper.attach().await;
        for _ in 0..DROPS {
            for _ in 0..dropper.rng.usize(0..3) {
                stop = dropper.walk(&mut peer, stop).await;
            }
            (peer, stop) = dropper.drop(peer, stop, count).await;
        }
        if stop.ended && stop.rewound {
            stop = peer.to("stepBack").await;
        }
        while !stop.ended {
            stop = peer.to("continue").await;
        }
        assert_eq!(look(&peer).await, expected, "the variables at the end differ");
        peer.ask("terminate", &Json::Null).await;
        let exited = peer.event_named("exited").await;
        peer.hang_up().await;
        let (ended, place) = dropper.job.quit().await;
        // Whoever comes to a job that is over is told how it ended, too.
        let code = if ended.outcome == Outcome::Failure { 1 } else { 0 };
        assert_eq!(exited["exitCode"], code, "{:?}", ended.outcome);
        End::new(ended, &place).must_equal(&straight, "after clients have dropped out");
    });
}

struct Dropper {
    job: Job,
    rng: Rng,
    /// What each moment showed when it was seen first.
    seen: BTreeMap<u64, Json>,
}

impl Dropper {
    /// A client comes, and is told where the job stands, or comes to stand.
    async fn attach(&mut self) -> (Peer, Stopped) {
        let mut peer = Peer::attached(&self.job.desk, &[]).await;
        let stop = peer.stopped().await;
        self.compare(&peer, &stop).await;
        (peer, stop)
    }

    async fn compare(&mut self, peer: &Peer, stop: &Stopped) {
        let shown = look(peer).await;
        let known = self.seen.entry(stop.moment).or_insert_with(|| shown.clone());
        assert_eq!(shown, *known, "moment {} shows something else than before", stop.moment);
    }

    async fn walk(&mut self, peer: &mut Peer, stop: Stopped) -> Stopped {
        let back = stop.ended || self.rng.u8(0..3) == 0;
        let stop = peer.to(if back { "stepBack" } else { "next" }).await;
        self.compare(peer, &stop).await;
        stop
    }

    /// The client goes, and another one comes.
    async fn drop(&mut self, peer: Peer, stop: Stopped, count: &Mutex<Count>) -> (Peer, Stopped) {
        if self.rng.u8(0..4) == 0 {
            // What one client has looked at is not where the next one finds the job.
            peer.ask("stepback/view", &json!({ "moment": 0 })).await;
        }
        let way = self.rng.u8(0..5);
        let moves = way == 4;
        match way {
            0 => peer.disconnect(&json!({ "suspendDebuggee": true })).await,
            1 => peer.hang_up().await,
            2 => {
                let bytes = self.rng.usize(1..60);
                peer.break_off(bytes).await;
            }
            3 => self.hang_up_after(peer, &["threads", "stackTrace", "stepback/timeline", "evaluate"]).await,
            _ => {
                self.hang_up_after(peer, if stop.ended { &["stepBack"] } else { &["next", "stepBack"] }).await
            }
        }
        {
            let mut count = count.lock().unwrap();
            let Count { with_a_word, silently, in_a_message, before_an_answer, in_a_movement } = &mut *count;
            *[with_a_word, silently, in_a_message, before_an_answer, in_a_movement][usize::from(way)] += 1;
        }
        let (peer, found) = self.attach().await;
        if !moves {
            let place = |stop: &Stopped| (stop.moment, stop.rewound, stop.ended, stop.reason.clone());
            assert_eq!(place(&found), place(&stop), "another stop is found");
        }
        (peer, found)
    }

    /// Asks, and is gone a few moments later: before the request is read, while it is served, or before its answer.
    async fn hang_up_after(&mut self, peer: Peer, commands: &[&str]) {
        let command = self.rng.choice(commands).unwrap();
        let arguments = json!({ "threadId": 1, "expression": "env.K1" });
        drop(peer.send(command, &arguments));
        for _ in 0..self.rng.u8(0..30) {
            tokio::task::yield_now().await;
        }
        peer.hang_up().await;
    }
}

const SLOW: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - run: 'echo started > SAID; read -r go < TOLD; echo v=1 >> $GITHUB_OUTPUT'
        id: slow
      - run: 'true'
";

/// The step runs on while nobody looks, and whoever comes then is told where it has led.
#[test]
fn a_step_that_runs_is_not_disturbed_by_clients_that_come_and_go() {
    let mut scene = Scene::new(SLOW);
    let debugger = Listening::start(&scene.sandbox, &["--listen"]);
    let mut first = debugger.client();
    first.attach(&json!({}));
    first.ask("next", &json!({ "threadId": 1 }));
    assert_eq!(scene.hear(), "started");
    drop(first);
    for _ in 0..5 {
        let mut passer_by = debugger.client();
        passer_by.come(&json!({}));
        let answer = passer_by.tried("stackTrace", &json!({ "threadId": 1 }));
        assert_eq!(answer["message"], "notStopped", "{answer}");
        passer_by.send_raw(b"Content-Length: 100\r\n\r\n{\"seq\":");
    }
    let mut last = debugger.client();
    last.come(&json!({}));
    scene.tell(1);
    assert_eq!(last.event("stopped")["reason"], "step");
    let answer = last.ask("evaluate", &json!({ "expression": "steps.slow.outputs.v", "context": "watch" }));
    assert_eq!(answer["result"], "1");
    last.ask("continue", &json!({ "threadId": 1 }));
    assert_eq!(last.event("exited")["exitCode"], 0);
    drop(last);
    assert_eq!(debugger.ended(), Some(0));
}

//! A client's random walk through a job: every kind of movement, views and edits; at last straight to the end, from a
//! moment that no edit lies before. What a moment shows is kept, and compared whenever it is seen again.

use std::collections::BTreeMap;
use std::fmt;

use fastrand::Rng;
use serde_json::{Value as Json, json};

use super::job::WORKFLOW;
use super::look::{look, scope};
use super::wire::{Peer, Stopped};

/// How many moves of each kind walks made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    forwards: usize,
    backwards: usize,
    again: usize,
    jumps: usize,
    returns: usize,
    edits: usize,
    views: usize,
    revisits: usize,
    messages: usize,
}

impl Count {
    pub(crate) fn add(&mut self, other: Count) {
        for (sum, more) in self.all_mut().into_iter().zip(other.all()) {
            *sum += more;
        }
    }

    /// Each kind of move was made often.
    pub(crate) fn is_varied(&self) -> bool {
        self.all().iter().all(|count| *count >= 30)
    }

    fn all(mut self) -> [usize; 9] {
        self.all_mut().map(|count| *count)
    }

    fn all_mut(&mut self) -> [&mut usize; 9] {
        [
            &mut self.forwards,
            &mut self.backwards,
            &mut self.again,
            &mut self.jumps,
            &mut self.returns,
            &mut self.edits,
            &mut self.views,
            &mut self.revisits,
            &mut self.messages,
        ]
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Count { forwards, backwards, again, jumps, returns, edits, views, revisits, messages } = self;
        write!(
            f,
            "{forwards} moves forwards, {backwards} backwards, {again} steps run again, {jumps} jumps, {returns} \
             returns, {edits} edits, {views} views; {revisits} moments seen again, {messages} messages"
        )
    }
}

/// Somebody who walks.
pub(crate) struct Walker {
    peer: Peer,
    rng: Rng,
    /// What each moment showed when it was seen first.
    seen: BTreeMap<u64, Json>,
    count: Count,
}

impl Walker {
    pub(crate) fn new(peer: Peer, seed: u64) -> Self {
        Self { peer, rng: Rng::with_seed(seed ^ 0xda9), seen: BTreeMap::new(), count: Count::default() }
    }

    /// Walks at random, then runs on to the end. Gives what is seen there.
    pub(crate) async fn walk(mut self) -> (Count, Json, Peer) {
        let mut stop = self.peer.stopped().await;
        self.visit(Some(&stop)).await;
        for _ in 0..self.rng.usize(3..12) {
            stop = self.step(stop).await;
        }
        self.finish(stop).await;
        self.count.messages = self.peer.messages();
        (self.count, look(&self.peer).await, self.peer)
    }

    async fn step(&mut self, stop: Stopped) -> Stopped {
        let next = match self.rng.u8(0..16) {
            0..=3 if !stop.ended => self.forwards("next").await,
            4 if !stop.ended => self.forwards("continue").await,
            5 | 6 => self.backwards("stepBack").await,
            7 => self.backwards("reverseContinue").await,
            8 | 9 if stop.rewound => {
                self.count.returns += 1;
                self.peer.to("stepback/return").await
            }
            10 => self.go_to_moment().await,
            11 | 12 if !stop.ended => return self.edit(stop).await,
            13 if !stop.ended => self.again().await,
            14 => return self.view(stop).await,
            15 => match self.jump().await {
                Some(next) => next,
                None => return stop,
            },
            _ => return stop,
        };
        self.visit(Some(&next)).await;
        next
    }

    async fn forwards(&mut self, command: &str) -> Stopped {
        self.count.forwards += 1;
        self.peer.to(command).await
    }

    async fn backwards(&mut self, command: &str) -> Stopped {
        self.count.backwards += 1;
        self.peer.to(command).await
    }

    /// The step that the stack shows, from its start.
    async fn again(&mut self) -> Stopped {
        self.count.again += 1;
        let stack = self.peer.ask("stackTrace", &json!({ "threadId": 1 })).await;
        let frame = stack["stackFrames"][0].clone();
        self.peer.ask("restartFrame", &json!({ "frameId": frame["id"] })).await;
        self.peer.stopped().await
    }

    async fn go_to_moment(&mut self) -> Stopped {
        self.count.jumps += 1;
        let moments = self.moments().await;
        let moment = self.rng.choice(moments).unwrap();
        self.peer.ask("stepback/goto", &json!({ "moment": moment["id"] })).await;
        self.peer.stopped().await
    }

    /// To a step by its line: back to it, or on to it without what lies between.
    async fn jump(&mut self) -> Option<Stopped> {
        let source = json!({ "path": WORKFLOW });
        let whole = json!({ "source": source, "line": 1, "endLine": 1000 });
        let lines = self.peer.ask("breakpointLocations", &whole).await;
        let line = self.rng.choice(lines["breakpoints"].as_array().unwrap()).unwrap()["line"].clone();
        let targets = self.peer.ask("gotoTargets", &json!({ "source": source, "line": line })).await;
        let target = &targets["targets"][0];
        assert_eq!(target["line"], line, "a step is where its breakpoint is");
        let asked = json!({ "threadId": 1, "targetId": target["id"] });
        match self.peer.tried("goto", &asked).await {
            Ok(_) => {
                self.count.jumps += 1;
                Some(self.peer.stopped().await)
            }
            Err(refusal) => {
                let known = ["the job stands there already", "this step has not been reached on this branch"];
                assert!(known.iter().any(|text| refusal.contains(text)), "{refusal}");
                None
            }
        }
    }

    /// An edit is a moment of its own; the walk's end does not come after it.
    async fn edit(&mut self, stop: Stopped) -> Stopped {
        self.count.edits += 1;
        let value = format!("edited{}", self.rng.u8(..));
        let (title, name, value) = match self.rng.u8(0..3) {
            0 => ("Env", "K2", value),
            1 => ("Job", "status", "failure".to_owned()),
            _ => ("", "steps.s0.outputs.v", value),
        };
        let answer = if title.is_empty() {
            self.peer.ask("setExpression", &json!({ "expression": name, "value": value })).await
        } else {
            let reference = scope(&self.peer, title).await;
            let asked = json!({ "variablesReference": reference, "name": name, "value": value });
            self.peer.ask("setVariable", &asked).await
        };
        // The answer is what is there now: a step's own variable hides the job's.
        let hidden =
            title == "Env" && answer["value"].as_str().is_some_and(|shown| shown.starts_with("step"));
        assert!(answer["value"] == value || hidden, "{name} = {value}: {answer}");
        self.visit(None).await;
        stop
    }

    /// What is looked at from elsewhere is what is seen there.
    async fn view(&mut self, stop: Stopped) -> Stopped {
        self.count.views += 1;
        let here = self.current().await["id"].clone();
        let moments = self.moments().await;
        let moment = self.rng.choice(moments).unwrap();
        self.peer.ask("stepback/view", &json!({ "moment": moment["id"] })).await;
        self.compare(moment["id"].as_u64().unwrap()).await;
        self.peer.ask("stepback/view", &json!({ "moment": null })).await;
        self.compare(here.as_u64().unwrap()).await;
        stop
    }

    /// The job stands at a moment: it shows what it showed before.
    async fn visit(&mut self, stop: Option<&Stopped>) {
        let here = self.current().await["id"].as_u64().unwrap();
        if let Some(stop) = stop {
            assert_eq!(stop.moment, here, "the stop and the timeline tell of different moments");
        }
        self.compare(here).await;
    }

    async fn compare(&mut self, moment: u64) {
        let shown = look(&self.peer).await;
        match self.seen.get(&moment) {
            Some(known) => {
                self.count.revisits += 1;
                assert_eq!(shown, *known, "moment {moment} shows something else than before");
            }
            None => drop(self.seen.insert(moment, shown)),
        }
    }

    async fn moments(&self) -> Vec<Json> {
        let timeline = self.peer.ask("stepback/timeline", &Json::Null).await;
        timeline["moments"].as_array().unwrap().clone()
    }

    async fn current(&self) -> Json {
        let moments = self.moments().await;
        let current = moments.into_iter().find(|moment| moment["current"] == true);
        current.expect("the job stands somewhere")
    }

    /// From a moment without an edit in its past, to the end.
    async fn finish(&mut self, mut stop: Stopped) {
        let clean = clean_moment(&self.moments().await);
        if let Some(clean) = clean {
            self.peer.ask("stepback/goto", &json!({ "moment": clean })).await;
            stop = self.peer.stopped().await;
        }
        if stop.rewound && stop.ended {
            // Leaving from here would lead to the newest moment, not to this one.
            stop = self.backwards("stepBack").await;
        }
        while !stop.ended {
            self.visit(Some(&stop)).await;
            stop = self.forwards("continue").await;
        }
        assert!(!stop.rewound, "{stop:?}");
    }
}

/// The latest moment on the way to the present one that no edit lies before; `None` if that is the present.
fn clean_moment(moments: &[Json]) -> Option<Json> {
    let parent = |moment: &Json| Some(&moments[usize::try_from(moment["parent"].as_u64()?).unwrap()]);
    let mut at = moments.iter().find(|moment| moment["current"] == true).unwrap();
    let mut clean = None;
    loop {
        let before = parent(at);
        let is_edit = at["cause"].as_str().is_some_and(|cause| cause != "left from here");
        match before {
            Some(before) if is_edit => clean = Some(before["id"].clone()),
            None => return clean,
            Some(_) => {}
        }
        at = before.unwrap();
    }
}

//! From a body to whoever attends it: the session at first, or a thread.
//!
//! Knows who attends which body; not how, nor what becomes of its end.

use std::sync::Arc;
use std::time::Instant;

use engine::effect::Body;
use engine::event::{BodyEnd, Event, Exit};
use engine::file_command::FileCommandResults;
use engine::step_path::LaneId;

use super::attended::{Attended, Need};
use super::workers::Worker;
use super::{LiveHost, checkout};
use crate::body::{Attendance, Run, begin, is_slow};

impl LiveHost {
    pub(super) fn spawn(&mut self, lane: LaneId, body: Body) {
        let number = self.next_number;
        self.next_number += 1;
        let epoch = self.epoch;
        let place = (lane, epoch, body.step().clone());
        let worker = match self.workers.take() {
            Ok(worker) => worker,
            Err(error) => {
                let exit = Exit::NotStarted(format!("failed to start a thread for the step: {error}"));
                let end = BodyEnd { exit, files: FileCommandResults::default(), command_failed: false };
                self.shared.send(self.epoch, Event::BodyEnded { lane, end });
                return;
            }
        };
        let tag = format!("{}.{number}", self.shared.settings.tracking);
        let built_in = matches!(body, Body::Checkout(_));
        let run = Arc::new(Run::new(place.clone(), tag.clone(), built_in, worker.wake()));
        self.runs.retain(|run| !run.lock().over);
        self.runs.push(Arc::clone(&run));
        self.places.insert(number, place);
        self.shared.keeper.starts_a_body();
        let shared = Arc::clone(&self.shared);
        match body {
            Body::Process(spec) if is_slow(&spec) => {
                self.put_remains_away();
                worker.run(Box::new(move || {
                    let begun = begin(&shared, &run, &tag, Box::new(spec), None);
                    if let Some(body) = Attendance::open(&shared, &run, begun) {
                        body.until_end();
                    }
                }));
            }
            Body::Process(spec) => {
                let begun = begin(&shared, &run, &tag, Box::new(spec), self.remains.take());
                match Attendance::open(&shared, &run, begun) {
                    Some(body) => self.attend(lane, body, worker),
                    None => self.workers.give_back(worker),
                }
            }
            Body::Checkout(spec) => {
                self.put_remains_away();
                worker.run(Box::new(move || {
                    checkout::run(&shared, &run, &spec);
                    run.finish();
                }));
            }
        }
    }

    /// One body of the foreground at a time is attended by whoever waits for the next event.
    fn attend(&mut self, lane: LaneId, body: Attendance, worker: Worker) {
        self.hand_over();
        if lane == LaneId::FOREGROUND {
            let until = Instant::now() + self.shared.settings.times.own_thread_after;
            self.attended = Attended::new(body, worker, until);
        } else {
            worker.run(Box::new(move || body.until_end()));
        }
    }

    /// From here on no body depends on somebody waiting for the next event.
    pub(super) fn hand_over(&mut self) {
        if let Some(attended) = self.attended.take() {
            attended.hand_over();
        }
    }

    /// Does what the attended body needs.
    pub(super) fn attend_to(&mut self, need: Need) {
        let Some(attended) = self.attended.take() else { return };
        match need {
            Need::Read => self.attended = attended.read(),
            Need::End => {
                if let Some((files, worker)) = attended.end() {
                    self.remains = Some(files);
                    self.workers.give_back(worker);
                }
            }
        }
    }

    pub(super) fn put_remains_away(&mut self) {
        if let Some(files) = self.remains.take() {
            files.put_away(&self.shared.settings.spare);
        }
    }
}

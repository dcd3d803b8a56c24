//! What each request does to a job under the debugger, with the scripted host and real snapshots.

mod actions;
mod breakpoints;
mod edits;
mod epochs;
mod going;
mod leaving;
mod manifests;
mod outside;
mod refusing;
mod set_up;
mod stopping;
mod telling;

use std::fs;

use session::moment::{MomentId, Point};
use session::request::{Request, Stop, Target};

use crate::debugger::little::{debug, workflow};
use crate::debugger::{Debugger, Place};

/// Four steps that say in `log` that they ran; the third one fails unless it is told otherwise.
const STEPS: &str = "\
- id: make
  name: Make it
  run: |
    append log 1
    output v one
- id: second
  run: |
    append log 2
    variable SEEN two
- id: third
  run: |
    append log 3
    exit 4
  continue-on-error: ${{ env.FORGIVE == 'yes' }}
- id: last
  if: always()
  run: append log 4
";

fn before(index: u32) -> Point {
    Point::Before(engine::step_path::StepPath::main(index))
}

fn moment(id: u32) -> Request {
    Request::Goto(Target::Moment(MomentId(id)))
}

fn step(index: u32) -> Request {
    Request::Goto(Target::Step(engine::step_path::StepPath::main(index)))
}

const BACK: Request = Request::Back { steps: 1 };

/// A debugged job of [`STEPS`], or others, at its start.
struct Case {
    place: Place,
    debugger: Debugger,
}

impl Case {
    async fn start() -> Self {
        Self::with(STEPS).await
    }

    async fn with(steps: &str) -> Self {
        let place = Place::new();
        let mut debugger = debug(&workflow(steps), &place);
        debugger.stopped().await;
        Self { place, debugger }
    }

    async fn to(&mut self, request: Request) -> Stop {
        self.debugger.to(request).await
    }

    fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.place.workspace().join(name)).ok()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.place.workspace().join(name), text).unwrap();
    }

    fn log(&self) -> String {
        self.read("log").unwrap_or_default()
    }

    /// The moments that are edits: their numbers, branches and texts.
    async fn edits(&mut self) -> Vec<(u32, u32, String)> {
        let lines = self.debugger.timeline().await;
        lines
            .into_iter()
            .filter_map(|line| Some((line.moment.0, line.branch.0, line.cause?)))
            .filter(|(_, _, cause)| cause != "left from here")
            .collect()
    }
}

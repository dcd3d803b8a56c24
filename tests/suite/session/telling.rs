//! What is told of a step's end does not depend on whether anybody could go back.

use session::notice::Notice;
use session::request::Request;
use session::session::Mode;

use super::STEPS;
use crate::debugger::little::{start, workflow};
use crate::debugger::{Place, block_on};

type Pairs = Vec<(String, String)>;

/// What each step of [`STEPS`] gave, as it is told.
fn told(mode: Mode) -> Vec<(Pairs, Pairs)> {
    let place = Place::new();
    block_on(async {
        let mut debugger = start(&workflow(STEPS), &place, mode);
        if mode == Mode::Debug {
            debugger.handle.tell(Request::Continue);
        }
        let mut told = Vec::new();
        loop {
            match debugger.notice().await {
                Notice::StepEnded(end) => told.push((end.outputs, end.variables)),
                // Under the debugger the job stands at its failure.
                Notice::Stopped(_) if mode == Mode::Debug => debugger.handle.tell(Request::Continue),
                Notice::JobEnded { .. } => break,
                _ => {}
            }
        }
        if mode == Mode::Debug {
            debugger.quit().await;
        }
        told
    })
}

#[test]
fn without_a_debugger_each_step_tells_what_it_gave() {
    let pair = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let expected = vec![
        (pair("make.outputs.v", "one"), vec![]),
        (vec![], pair("SEEN", "two")),
        (vec![], vec![]),
        (vec![], vec![]),
    ];
    assert_eq!(told(Mode::Headless), expected);
    assert_eq!(told(Mode::Debug), expected);
}

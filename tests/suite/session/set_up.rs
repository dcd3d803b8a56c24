//! A job that is over before its first step: whoever watches hears of its end and of the reason.

use engine::effect::Outcome;
use session::moment::Point;
use session::notice::Notice;
use session::request::StopReason;
use session::session::Mode;

use crate::debugger::little::start;
use crate::debugger::{Place, block_on};

const FAULTY: &str = "\
on: push
jobs:
  j:
    runs-on: ubuntu-latest
    env:
      X: ${{ fromJSON('x') }}
    steps:
      - run: write file text
";

const FAULT: &str = "The template is not valid. ci.yml (Line: 6, Col: 10): \
                     Unexpected character encountered while parsing value: x. Path '', line 0, position 0.";

/// The end as it is told, before anything is asked of the session.
fn check(mode: Mode, stands: bool) {
    let place = Place::new();
    block_on(async {
        let mut debugger = start(FAULTY, &place, mode);
        let mut log = String::new();
        let ended = loop {
            match debugger.notice().await {
                Notice::JobLog { text, .. } => log.push_str(&text),
                Notice::JobEnded { outcome, .. } => break outcome,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!((ended, log.as_str()), (Outcome::Failure, FAULT));
        if stands {
            let stop = debugger.stopped().await;
            assert_eq!(stop.reason, StopReason::End(Outcome::Failure));
            assert_eq!(stop.point, Point::End(Outcome::Failure));
            assert_eq!(stop.notes, [FAULT]);
            assert_eq!(debugger.quit().await.outcome, Outcome::Failure);
        } else {
            assert_eq!(debugger.ended().await.outcome, Outcome::Failure);
        }
        assert!(!place.workspace().join("file").exists());
    });
}

#[test]
fn a_debugged_job_that_cannot_begin_stands_at_its_end() {
    check(Mode::Debug, true);
}

#[test]
fn a_failed_job_that_waits_for_a_person_says_so_also_when_it_could_not_begin() {
    check(Mode::Linger, true);
}

#[test]
fn without_a_debugger_it_just_ends() {
    check(Mode::Headless, false);
}

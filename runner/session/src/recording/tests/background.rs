//! Moments of background steps: written, read back, and forgotten by who has no debugger.

use super::*;
use crate::timeline::Timeline;

const LANES: &str = "\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - {id: a, background: true, run: exit 1}
      - {id: b, background: true, run: 'true'}
      - run: echo one
      - wait-all:
";

/// Two background steps have ended while the foreground's step runs.
fn told(shelf: &Shelf) -> Story {
    let plan = plan_of(LANES);
    let (facts, text, secrets) = (facts(), PlanText::new("ci.yml", LANES), secrets());
    let beginning =
        Beginning { versions: &versions(), facts: &facts, plan: &plan, text: &text, secrets: &secrets };
    let recorder = Recorder::begin(shelf.create("a"), Some(shelf.key.clone()), &beginning).unwrap();
    let job = Job::new(plan, facts.inputs, &secrets, &mut Vec::new());
    let mut story = Story::around(recorder, job, secrets);
    story.record(Cause::Advanced);
    assert_eq!(story.start(), Some(StepPath::main(2)));
    for (index, code) in [(0, 1), (1, 0)] {
        let (path, exit) = (StepPath::main(index), Exit::Code(code));
        let end = BodyEnd { exit, files: FileCommandResults::default(), command_failed: false };
        story.tell(Event::BodyEnded { lane: LaneId::of_background(&path), end });
        let outcome = story.job.results().get(&path).unwrap().outcome;
        story.record_at(Point::LaneAfter(path, outcome), Cause::Advanced);
    }
    story
}

#[test]
fn moments_of_background_steps_are_read_as_they_were_written() {
    let shelf = Shelf::new();
    let mut story = told(&shelf);
    story.record_at(Point::LaneBefore(StepPath::main(0).child(1)), Cause::Advanced);
    story.record(Cause::Left);
    story.end(&StepPath::main(2), 0);
    assert_eq!(story.start(), None);
    assert_eq!(story.recorder.close(), Vec::<String>::new());
    let found = shelf.open("a").unwrap();
    assert_same(&found.moments, &story.moments);
    let of_lanes = found.moments.iter().filter(|moment| moment.point.is_of_lane()).count();
    assert_eq!(of_lanes, 3);
}

/// However many background steps end while one step of the foreground runs, one of their moments is held, and the way back from
/// it is whole.
#[test]
fn without_a_debugger_the_latest_moment_of_a_background_step_is_held() {
    let shelf = Shelf::new();
    let story = told(&shelf);
    let mut timeline = Timeline::default();
    let mut forgotten = Vec::new();
    for moment in story.moments.clone() {
        timeline.restore(moment);
        forgotten.extend(timeline.forget_lane_before_latest());
    }
    let first = story.moments.iter().find(|moment| moment.point.is_of_lane()).unwrap();
    assert_eq!(forgotten, [first.id]);
    assert!(timeline.get(first.id).is_none());
    let latest = story.here.unwrap();
    assert_eq!(timeline.get(latest).unwrap().parent, first.parent);
    let back: Vec<MomentId> = timeline.ancestry(latest).map(|moment| moment.id).collect();
    assert_eq!(back.len(), story.moments.len() - 1);
    assert_eq!(
        timeline.before_moment(latest, &StepPath::main(2)).unwrap().point,
        Point::Before(StepPath::main(2))
    );
    timeline.forget_before(latest);
    assert_eq!(timeline.moments().len(), 1);
}

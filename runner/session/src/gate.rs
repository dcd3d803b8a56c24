//! The driver's decision whether the job may advance. A paused job is one that nobody has told to advance.
//!
//! Knows what was asked for and where the job stands; moves nothing.

use engine::step_path::StepPath;

use crate::moment::Point;
use crate::request::StopReason;

/// How far the job may go on by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pace {
    /// Nowhere.
    Standing,
    /// Up to before the next step after this one that lies within reach; `true`: from before this step itself.
    Step(Reach, Option<(StepPath, bool)>),
    /// Until something stops it.
    Free,
}

/// Which steps count for a step of the debugger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those at the same depth, or outside of it: an action is one step.
    Over,
    /// All, those of an action too.
    Into,
    /// Those outside of the action around this one.
    Out,
}

/// Decides at every stop point whether the job goes on.
#[derive(Clone, Debug)]
pub struct Gate {
    pace: Pace,
    pause_asked: bool,
    /// How far the job was to go when a question stopped it.
    asked_at: Option<Pace>,
}

impl Gate {
    /// A gate in front of which the job stands; for the debugger.
    pub fn closed() -> Self {
        Self { pace: Pace::Standing, pause_asked: false, asked_at: None }
    }

    /// A gate that nothing closes but the end of the job; for running without a debugger.
    pub fn open() -> Self {
        Self { pace: Pace::Free, pause_asked: false, asked_at: None }
    }

    /// Lets the job run the step at `point` and stop before the next one within reach.
    pub fn step(&mut self, reach: Reach, point: &Point) {
        let from = point.step().map(|path| (path.clone(), !matches!(point, Point::After(..))));
        self.pace = Pace::Step(reach, from);
        self.pause_asked = false;
    }

    /// Lets the job run until something stops it.
    pub fn free(&mut self) {
        self.pace = Pace::Free;
        self.pause_asked = false;
    }

    /// The job stands.
    pub fn close(&mut self) {
        self.pace = Pace::Standing;
        self.pause_asked = false;
        self.asked_at = None;
    }

    /// The job stands until a question is answered; the answer lets it go on as far as it was to go.
    pub fn close_to_ask(&mut self) {
        let pace = self.pace.clone();
        self.close();
        self.asked_at = Some(pace);
    }

    /// The question was answered.
    pub fn reopen(&mut self) {
        self.pace = self.asked_at.take().unwrap_or(Pace::Free);
        self.pause_asked = false;
    }

    /// Asks for a stop at the next stop point; true if that was asked before.
    pub fn ask_pause(&mut self) -> bool {
        std::mem::replace(&mut self.pause_asked, true)
    }

    /// True if the job may advance from where it stands.
    pub fn is_open(&self) -> bool {
        self.pace != Pace::Standing
    }

    /// Why the job is to stand at `point`, where it has just arrived; `None` lets it go on. Breakpoints and failures are not
    /// the gate's: they need the job's contexts.
    pub fn reason_to_stop(&self, point: &Point) -> Option<StopReason> {
        if self.pause_asked {
            return Some(StopReason::Pause);
        }
        match point {
            Point::End(outcome) => Some(StopReason::End(*outcome)),
            Point::Before(path) => match &self.pace {
                Pace::Step(_, Some((from, true))) if from == path => None,
                Pace::Step(reach, from) => {
                    let level = from.as_ref().map(|(from, _)| from.level());
                    reach.includes(path.level(), level.unwrap_or_default()).then_some(StopReason::Step)
                }
                Pace::Standing | Pace::Free => None,
            },
            Point::Decided(_)
            | Point::During(_)
            | Point::After(..)
            | Point::LaneBefore(_)
            | Point::LaneAfter(..) => None,
        }
    }
}

impl Reach {
    fn includes(self, level: usize, from: usize) -> bool {
        match self {
            Reach::Over => level <= from,
            Reach::Into => true,
            Reach::Out => level < from,
        }
    }
}

#[cfg(test)]
mod tests {
    use engine::effect::Outcome;
    use engine::step_path::Stage;

    use super::*;

    fn before(index: u32) -> Point {
        Point::Before(StepPath::main(index))
    }

    /// Otherwise a step over the job's last step would run them all.
    #[test]
    fn the_post_part_of_an_inner_step_is_a_step_of_the_job() {
        let post = |index| StepPath::main(0).child(index).in_stage(Stage::Post);
        let mut gate = Gate::closed();
        gate.step(Reach::Over, &before(1));
        assert_eq!(gate.reason_to_stop(&Point::Before(post(1))), Some(StopReason::Step));
        gate.step(Reach::Over, &Point::Before(post(1)));
        assert_eq!(gate.reason_to_stop(&Point::Before(post(0))), Some(StopReason::Step));
    }

    #[test]
    fn a_step_ends_before_the_next_one() {
        let mut gate = Gate::closed();
        gate.step(Reach::Over, &before(0));
        assert_eq!(gate.reason_to_stop(&before(0)), None);
        assert_eq!(gate.reason_to_stop(&Point::After(StepPath::main(0), Outcome::Success)), None);
        assert_eq!(gate.reason_to_stop(&before(1)), Some(StopReason::Step));
    }

    #[test]
    fn from_between_two_steps_a_step_ends_before_the_next_one() {
        let mut gate = Gate::closed();
        gate.step(Reach::Over, &Point::After(StepPath::main(0), Outcome::Failure));
        assert_eq!(gate.reason_to_stop(&before(1)), Some(StopReason::Step));
    }

    #[test]
    fn an_action_is_stepped_over_into_and_out_of() {
        let action = StepPath::main(1);
        let (inner, second, deep) = (action.child(0), action.child(1), action.child(0).child(0));
        let next = StepPath::main(2);
        let check = |reach, from: &StepPath, stops: &[&StepPath], passes: &[&StepPath]| {
            let mut gate = Gate::closed();
            gate.step(reach, &Point::Before(from.clone()));
            let stop = |path: &StepPath| gate.reason_to_stop(&Point::Before(path.clone())).is_some();
            assert!(stops.iter().all(|path| stop(path)), "{reach:?} from {from}");
            assert!(!passes.iter().any(|path| stop(path)), "{reach:?} from {from}");
        };
        check(Reach::Over, &action, &[&next], &[&action, &inner, &deep]);
        check(Reach::Into, &action, &[&inner, &next], &[&action]);
        check(Reach::Over, &inner, &[&second, &next], &[&inner, &deep]);
        check(Reach::Out, &inner, &[&next], &[&second, &deep]);
        check(Reach::Out, &deep, &[&second, &next], &[]);
    }

    #[test]
    fn a_pause_holds_at_the_next_stop_point() {
        let mut gate = Gate::open();
        assert!(!gate.ask_pause());
        assert!(gate.ask_pause());
        let decided = Point::Decided(StepPath::main(3));
        assert_eq!(gate.reason_to_stop(&decided), Some(StopReason::Pause));
    }
}

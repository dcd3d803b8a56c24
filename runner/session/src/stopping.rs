//! Why the job would stand at a moment: breakpoints, changes and exception filters, forwards and backwards alike.
//!
//! Everything is found from recorded states, so hits count along the current branch, and going back un-counts them. Moves
//! nothing; the gate knows of steps and pauses.

use engine::expr::HashAnswers;
use engine::job::{Job, Question};
use engine::step_path::{LaneId, StepPath};
use host::contract::Host;
use host::snapshot::{Change, FileType};

use crate::breakpoint::Breakpoint;
use crate::files::WORKSPACE;
use crate::inspect::shown;
use crate::key::Key;
use crate::moment::{Cause, Moment, MomentId, Point};
use crate::notice::Notice;
use crate::request::{DataChange, StopReason};
use crate::session::Session;

impl<H: Host> Session<H> {
    /// Why the job would stand at this moment, if nothing but breakpoints and filters is asked.
    pub(crate) fn reason_at(&self, id: MomentId) -> Option<StopReason> {
        let moment = self.timeline.get(id)?;
        self.bad_end_that_stops(moment)
            .or_else(|| self.breakpoint_at(moment))
            .or_else(|| self.change_at(moment))
    }

    fn bad_end_that_stops(&self, moment: &Moment) -> Option<StopReason> {
        let (path, candidates) = self.bad_end(moment)?;
        let filter = self.filters.first(&candidates, |condition| self.holds_in(&moment.job, condition))?;
        Some(StopReason::Failure(self.failure(moment, path, filter)))
    }

    fn breakpoint_at(&self, moment: &Moment) -> Option<StopReason> {
        let path = step_to_come(moment)?;
        let mut stopping =
            self.breakpoints.at(&moment.job, path).filter(|breakpoint| breakpoint.spec.log_message.is_none());
        let hit = stopping.find(|breakpoint| self.is_hit(breakpoint, moment))?;
        Some(StopReason::Breakpoint(hit.id))
    }

    fn is_hit(&self, breakpoint: &Breakpoint, moment: &Moment) -> bool {
        self.could_stop(breakpoint, moment)
            && breakpoint.spec.hits.is_none_or(|hits| hits.holds(self.hits_until(breakpoint, moment)))
    }

    fn could_stop(&self, breakpoint: &Breakpoint, moment: &Moment) -> bool {
        self.holds_in_lane(moment.point.lane(), &moment.job, &breakpoint.spec.condition)
    }

    /// How often the breakpoint was come to on this branch. A background step that has been started again since comes to it anew:
    /// what it did before is undone.
    fn hits_until(&self, breakpoint: &Breakpoint, moment: &Moment) -> u32 {
        let mut undone: Vec<LaneId> = Vec::new();
        let mut hits = 0u32;
        let mut branch = moment.branch;
        for moment in self.timeline.ancestry(moment.id) {
            if moment.branch != branch {
                branch = moment.branch;
                undone.extend(moment.job.cut_lanes().map(|(lane, _)| lane));
            }
            let comes_to = moment.cause == Cause::Advanced
                && !undone.contains(&moment.point.lane())
                && step_to_come(moment)
                    .is_some_and(|path| self.breakpoints.means(breakpoint, &moment.job, path));
            hits = hits.saturating_add(u32::from(comes_to && self.could_stop(breakpoint, moment)));
        }
        hits
    }

    fn change_at(&self, moment: &Moment) -> Option<StopReason> {
        let mut watched = self.breakpoints.on_changes();
        watched.find_map(|(breakpoint, key)| {
            let change = self
                .change_of(key, moment)
                .filter(|_| self.holds_in(&moment.job, &breakpoint.spec.condition))?;
            let counts = breakpoint
                .spec
                .hits
                .is_none_or(|hits| hits.holds(self.changes_until(breakpoint, key, moment)));
            counts.then(|| {
                StopReason::DataBreakpoint(Box::new(DataChange { breakpoint: breakpoint.id, ..change }))
            })
        })
    }

    fn changes_until(&self, breakpoint: &Breakpoint, key: &Key, moment: &Moment) -> u32 {
        let counted = |moment: &&Moment| {
            self.change_of(key, moment).is_some() && self.holds_in(&moment.job, &breakpoint.spec.condition)
        };
        u32::try_from(self.timeline.ancestry(moment.id).filter(counted).count()).unwrap_or(u32::MAX)
    }

    /// What changed of this from the moment before, of those of the foreground: what a background step writes reaches the job when
    /// somebody waits for it, and what its moment shows of a step under way is that step's change.
    fn change_of(&self, key: &Key, moment: &Moment) -> Option<DataChange> {
        let parent = self.timeline.of_foreground(moment.parent?).filter(|_| !moment.point.is_of_lane())?;
        let (before, after) = match key.files() {
            Some(pattern) => {
                let fits = |change: &Change| {
                    change.root == WORKSPACE
                        && !is_folder(change)
                        && pattern.fits(&change.path.to_string_lossy())
                };
                let (from, to) = (parent.files?, moment.files?);
                let changes =
                    if from == to { Vec::new() } else { self.files.as_ref()?.diff(from, to).ok()? };
                let change = changes.into_iter().find(fits)?;
                (None, Some(self.secrets.mask(&change.path.to_string_lossy())))
            }
            None => {
                let (before, after) = (key.value_in(&parent.job), key.value_in(&moment.job));
                if before == after {
                    return None;
                }
                (before, after)
            }
        };
        let masked = |value: Option<String>| value.map(|text| self.secrets.mask(&text));
        Some(DataChange {
            breakpoint: crate::breakpoint::BreakpointId(0),
            key: key.clone(),
            before: masked(before),
            after: masked(after),
        })
    }

    /// Says what log points at this moment have to say, and warns of conditions that cannot be evaluated: a person should see
    /// that, not miss the stop. Returns the stop that must not be missed for that reason.
    pub(crate) fn speak_at(&self, id: MomentId) -> Option<StopReason> {
        let moment = self.timeline.get(id)?;
        let path = step_to_come(moment)?;
        let lane = moment.point.lane();
        let mut doubtful = None;
        for breakpoint in self.breakpoints.at(&moment.job, path) {
            if let Some(fault) = self.condition_fault(breakpoint, lane, &moment.job) {
                self.tell(Notice::Warning(fault));
                doubtful = doubtful.or(Some(StopReason::Breakpoint(breakpoint.id)));
            } else if let Some(message) = &breakpoint.spec.log_message
                && self.is_hit(breakpoint, moment)
            {
                let text = self.interpolate(message, &moment.job, lane);
                self.tell(Notice::LogPoint { breakpoint: breakpoint.id, text, place: self.place(path) });
            }
        }
        doubtful
    }

    fn condition_fault(&self, breakpoint: &Breakpoint, lane: LaneId, job: &Job) -> Option<String> {
        let text = breakpoint.spec.condition.as_ref()?;
        match job.ask_expression_in(lane, text, &HashAnswers::default(), &self.secrets) {
            Question::Answer(_) => None,
            Question::NeedsHash(_) => {
                Some(format!("breakpoint condition `{text}`: hashFiles() cannot be used here"))
            }
            Question::Wrong(error) => Some(format!("breakpoint condition `{text}`: {error}")),
        }
    }

    /// The message with every `{EXPR}` evaluated, masked.
    pub(crate) fn interpolate(&self, message: &str, job: &Job, lane: LaneId) -> String {
        let mut text = String::new();
        let mut rest = message;
        while let Some((before, inside, after)) = next_braces(rest) {
            text.push_str(before);
            text.push_str(
                &match job.ask_expression_in(lane, inside, &HashAnswers::default(), &self.secrets) {
                    Question::Answer(value) => shown(&value),
                    Question::NeedsHash(_) => format!("{{{inside}: hashFiles() cannot be used here}}"),
                    Question::Wrong(error) => format!("{{{error}}}"),
                },
            );
            rest = after;
        }
        text.push_str(rest);
        self.secrets.mask(&text)
    }
}

/// The step before which breakpoints stop at this moment.
fn step_to_come(moment: &Moment) -> Option<&StepPath> {
    match &moment.point {
        Point::Before(path) | Point::LaneBefore(path) => Some(path),
        _ => None,
    }
}

/// A folder that came, went or was touched is no changed file.
fn is_folder(change: &Change) -> bool {
    let ends = [change.before, change.after];
    ends.into_iter().flatten().all(|(kind, _)| kind == FileType::Dir)
}

/// What stands before, inside and after the first pair of braces.
fn next_braces(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (inside, after) = rest.split_once('}')?;
    Some((before, inside, after))
}

//! News of the session as events: stops, output, the end.

use session::breakpoint::BreakpointKind;
use session::engine::effect::Outcome;
use session::engine::lines::LineTag;
use session::engine::step_path::LaneId;
use session::moment::Point;
use session::notice::{Notice, StepEnd};
use session::request::{DataChange, Place, Reply, Request as Ask, Stop, StopReason};
use session::wording::{self, Meaning, Painter};

use super::{Adapter, FOREGROUND, Phase, console, exceptions, thread_of};
use crate::envelope::RawEvent;
use crate::feed::Item;
use crate::protocol::Event;
use crate::protocol::custom::{STOP, StopBody, TIMELINE_CHANGED};
use crate::protocol::execution::{ContinuedEvent, StoppedEvent, StoppedReason};
use crate::protocol::output::{OutputEvent, OutputGroup};
use crate::protocol::sound::{InvalidatedAreas, OutputEventCategory, ThreadEventReason};
use crate::protocol::stack::ThreadEvent;

/// A line that a failed step printed is shown up to here.
const LAST_LINE_COLUMNS: usize = 200;

impl Adapter {
    pub(super) async fn tell(&self, item: Item) {
        match item {
            Item::Notice(Notice::Stopped(stop)) => self.stopped(&stop).await,
            Item::Notice(Notice::Continued) => self.continued(),
            Item::Notice(notice) => {
                let ends = matches!(notice, Notice::JobEnded { .. });
                self.tell_notice(notice);
                // Without a debugger nothing comes after it.
                if ends && self.manner.get().no_debug {
                    self.end_session().await;
                }
            }
            Item::Log(_) | Item::LeftOut(_) => self.tell_output(item),
        }
    }

    /// What was said before this client came: everything but where the job stood.
    pub(super) fn tell_old(&self, item: Item) {
        match item {
            Item::Notice(Notice::Stopped(_) | Notice::Continued) => {}
            Item::Notice(notice) => self.tell_notice(notice),
            item => self.tell_output(item),
        }
    }

    /// What a command has printed comes before its answer.
    pub(super) fn tell_output_so_far(&self) {
        let Ok(debuggee) = self.debuggee() else { return };
        while let Some(item) = debuggee.feed.take_output() {
            self.tell_output(item);
        }
    }

    fn tell_output(&self, item: Item) {
        self.tell_held_titles();
        match item {
            Item::Log(batch) => {
                for event in console::of_log(&batch, self.client.borrow().ansi) {
                    self.output(event);
                }
            }
            Item::LeftOut(bytes) => {
                let text = format!("… {bytes} bytes of output left out; `log` shows them");
                self.output(console::line(OutputEventCategory::Console, &text));
            }
            Item::Notice(_) => {}
        }
    }

    fn tell_notice(&self, notice: Notice) {
        match notice {
            Notice::StepStarted { step, name, place, .. } => {
                let text = format!("▸ {} {}\n", step.number(), wording::shown(&name));
                // The steps of an action are lines in the group of the action.
                let group = (step.level() == 0).then_some(OutputGroup::Start);
                let title = self.placed(OutputEventCategory::Stdout, text, place, group);
                match self.ending.get() {
                    true => self.held_titles.borrow_mut().push(title),
                    false => self.output(title),
                }
            }
            Notice::LaneStarted { lane, .. } => {
                self.tell_held_titles();
                self.output(said(String::new(), Some(OutputGroup::End)));
                self.lane_changed(lane, ThreadEventReason::Started);
            }
            Notice::StepEnded(end) => self.step_ended(&end),
            Notice::JobEnded { outcome, took, artifacts, .. } => {
                self.outcome.set(Some(outcome));
                let name = self.debuggee().map(|debuggee| debuggee.name.clone()).unwrap_or_default();
                let text = wording::job_line(&name, outcome, Some(took), self.painter());
                self.output(console::line(OutputEventCategory::Console, &text));
                for artifact in &artifacts {
                    let text = self.painter().paint(Meaning::Quiet, &wording::artifact_line(artifact));
                    self.output(console::line(OutputEventCategory::Console, &text));
                }
            }
            Notice::JobLog { tag, text } => {
                let category = if tag == LineTag::Error {
                    OutputEventCategory::Stderr
                } else {
                    OutputEventCategory::Stdout
                };
                self.output(console::line(category, &format!("{}{}", tag.prefix(), wording::shown(&text))));
            }
            Notice::LogPoint { text, place, .. } => {
                let text = format!("{}\n", wording::shown(&text));
                self.output(self.placed(OutputEventCategory::Console, text, place, None));
            }
            Notice::BreakpointChanged(breakpoint) => self.breakpoint_changed(&breakpoint),
            Notice::Warning(text) => {
                let text = format!("warning: {}", wording::shown(&text));
                self.output(console::line(OutputEventCategory::Important, &text));
            }
            Notice::Stopped(_) | Notice::Continued => {}
        }
    }

    fn step_ended(&self, end: &StepEnd) {
        // Somebody who leaves need not be told of every step that will not run.
        if self.ending.get() && end.outcome == Outcome::Skipped {
            self.held_titles.borrow_mut().pop();
            return;
        }
        self.tell_held_titles();
        let is_inner = end.step.level() > 0;
        // Clients show what comes with the end of a group outside of it. That of a background step was closed when it left the
        // foreground.
        let ends_group = !is_inner && end.lane == LaneId::FOREGROUND;
        if is_inner {
            self.look_again();
        } else if !ends_group {
            self.lane_changed(end.lane, ThreadEventReason::Exited);
        }
        self.output(said(self.end_text(end), ends_group.then_some(OutputGroup::End)));
        self.tell_timeline_changed();
    }

    /// The line that says what came of a step, and what a failed one printed last.
    fn end_text(&self, end: &StepEnd) -> String {
        let columns = self.debuggee().map_or(0, |debuggee| debuggee.name_columns);
        let exit = end.exit_code.map(|code| format!("exit {code}"));
        let mut text = wording::step_line(columns, end, exit.as_deref(), self.painter());
        text.push('\n');
        text.push_str(&wording::barred(&end.last_lines, LAST_LINE_COLUMNS, self.painter()));
        text.truncate(text.trim_end_matches('\n').len() + 1);
        text
    }

    /// The titles of steps that turn out to run.
    fn tell_held_titles(&self) {
        for title in self.held_titles.take() {
            self.output(title);
        }
    }

    /// A background step has begun or is over; what is looked at may show it.
    fn lane_changed(&self, lane: LaneId, reason: ThreadEventReason) {
        self.look_again();
        self.out.tell(Event::Thread(ThreadEvent { reason, thread_id: thread_of(lane) }));
        self.invalidate(&[InvalidatedAreas::Threads, InvalidatedAreas::Variables]);
    }

    fn placed(
        &self,
        category: OutputEventCategory,
        output: String,
        place: Option<Place>,
        group: Option<OutputGroup>,
    ) -> OutputEvent {
        OutputEvent {
            category: Some(category),
            output,
            group,
            source: place.as_ref().and_then(|place| self.source_of(place)),
            line: place.map(|place| self.client.borrow().line_out(place.line)),
            ..OutputEvent::default()
        }
    }

    fn painter(&self) -> Painter {
        Painter::new(self.client.borrow().ansi)
    }

    /// The job stands; or it is over and nobody wants to look.
    async fn stopped(&self, stop: &Stop) {
        if self.passing.replace(false) {
            // A terminal shows what was undone; to an editor it would be one stop too many.
            return self.custom_event(STOP, &self.stop_body(stop, false));
        }
        if let StopReason::End(outcome) = &stop.reason
            && (self.ending.get() || self.ends_at(*outcome))
        {
            return self.end_session().await;
        }
        self.tell_stop(stop);
    }

    /// A failed job stays, so that a person can go back; one that succeeded only for those who asked for it, and for those who
    /// have gone back before and are in the middle of it.
    fn ends_at(&self, outcome: Outcome) -> bool {
        !self.manner.get().stop_at_end && outcome != Outcome::Failure
    }

    /// A stop at which the job stood when the client came.
    pub(super) fn tell_stop_found(&self, stop: &Stop) {
        self.tell_stop_as(stop, true);
    }

    pub(super) fn tell_stop(&self, stop: &Stop) {
        self.tell_stop_as(stop, false);
    }

    fn tell_stop_as(&self, stop: &Stop, unseen: bool) {
        self.look_away();
        // The end may have been told while it was asked where the job stands.
        if self.phase.get() >= Phase::Over {
            return;
        }
        self.edited.set(false);
        self.resumed_by_request.set(false);
        self.custom_event(STOP, &self.stop_body(stop, unseen));
        self.tell_standing(stop);
        self.tell_timeline_changed();
    }

    /// Tells a client where the job still stands, if it was told that the job goes.
    pub(super) async fn tell_stayed(&self) {
        if self.stayed.replace(false)
            && let Ok(Reply::Stop(stop)) = self.ask(Ask::Status).await
            && self.phase.get() == Phase::Running
        {
            self.tell_standing(&stop);
        }
    }

    fn tell_standing(&self, stop: &Stop) {
        let (reason, description, text, hit) = self.reason(stop);
        self.out.tell(Event::Stopped(StoppedEvent {
            reason,
            description: Some(description),
            thread_id: Some(
                stop.background.as_ref().map_or(FOREGROUND, |path| thread_of(LaneId::of_background(path))),
            ),
            text,
            all_threads_stopped: Some(true),
            hit_breakpoint_ids: hit.map(|id| vec![i64::from(id.0)]),
            preserve_focus_hint: None,
        }));
    }

    /// A client that is still setting its breakpoints, or was told of the end, does not follow the job.
    pub(super) fn continued(&self) {
        self.look_away();
        if !self.resumed_by_request.replace(false) && self.phase.get() == Phase::Running {
            let event = ContinuedEvent { thread_id: FOREGROUND, all_threads_continued: Some(true) };
            self.out.tell(Event::Continued(event));
        }
    }

    pub(super) fn tell_timeline_changed(&self) {
        let body = serde_json::value::to_raw_value(&serde_json::Map::new()).ok();
        self.out.hint(RawEvent { event: TIMELINE_CHANGED.to_owned(), body });
    }

    fn custom_event(&self, name: &str, body: &impl serde::Serialize) {
        if let Ok(body) = serde_json::value::to_raw_value(body) {
            self.out.tell(Event::Custom(RawEvent { event: name.to_owned(), body: Some(body) }));
        }
    }

    /// With the failure, if nobody saw it happen just now: the stop was told before this client came, or somebody went back to it.
    fn stop_body(&self, stop: &Stop, unseen: bool) -> StopBody {
        let (columns, job) = self
            .debuggee()
            .map_or((0, String::new()), |debuggee| (debuggee.name_columns, debuggee.name.clone()));
        StopBody {
            text: if unseen || stop.rewound { wording::failure(stop, self.painter()) } else { String::new() }
                + &wording::stop(stop, columns, self.painter()),
            prompt: wording::prompt(&job, stop),
            moment: stop.moment.0,
            rewound: stop.rewound,
            ended: matches!(stop.point, Point::End(_)),
        }
    }

    fn reason(
        &self,
        stop: &Stop,
    ) -> (StoppedReason, String, Option<String>, Option<session::breakpoint::BreakpointId>) {
        let place = standing(stop);
        let plain = |reason, description: String| (reason, description, None, None);
        match &stop.reason {
            StopReason::Entry => plain(StoppedReason::Entry, format!("Stopped {place}")),
            StopReason::Step => plain(StoppedReason::Step, format!("Stopped {place}")),
            StopReason::Breakpoint(id) => {
                let reason = match self.kind_of(*id) {
                    Some(BreakpointKind::Step) => StoppedReason::FunctionBreakpoint,
                    _ => StoppedReason::Breakpoint,
                };
                (reason, format!("Breakpoint {place}"), None, Some(*id))
            }
            StopReason::DataBreakpoint(change) => {
                let told = told_of(change);
                (
                    StoppedReason::DataBreakpoint,
                    format!("Changed {place}"),
                    Some(told),
                    Some(change.breakpoint),
                )
            }
            StopReason::Failure(failure) => {
                let told = exceptions::summary(stop, failure);
                (StoppedReason::Exception, told.clone(), Some(told), None)
            }
            StopReason::Pause => plain(StoppedReason::Pause, format!("Paused {place}")),
            StopReason::Goto => plain(StoppedReason::Goto, format!("Went to {place}")),
            StopReason::Back => plain(StoppedReason::Step, format!("Went back to {place}")),
            StopReason::Start => plain(StoppedReason::Step, "Start of the job (history)".to_owned()),
            StopReason::Return => plain(StoppedReason::Goto, format!("Newest moment: {place}")),
            StopReason::Edit => plain(StoppedReason::Pause, format!("Changed {place}")),
            StopReason::End(outcome) => {
                plain(StoppedReason::Pause, format!("The job {}", wording::verb(*outcome)))
            }
            StopReason::Confirm(command) => (
                StoppedReason::Pause,
                format!("Asks {place}"),
                Some(format!("`{command}` reached outside before: continue runs it again")),
                None,
            ),
        }
    }
}

/// What the debugger has to say, in whole lines.
fn said(output: String, group: Option<OutputGroup>) -> OutputEvent {
    OutputEvent { category: Some(OutputEventCategory::Console), output, group, ..OutputEvent::default() }
}

/// `before 2 Test`, `at the end of build`.
fn standing(stop: &Stop) -> String {
    let place = wording::where_it_stands(stop);
    if matches!(stop.point, Point::End(_)) { format!("at {place}") } else { place }
}

/// `env.A: v1 → v2`
fn told_of(change: &DataChange) -> String {
    let value = |value: &Option<String>| {
        value.as_ref().map_or_else(|| "nothing".to_owned(), |text| wording::shown(text))
    };
    match change.key {
        session::key::Key::Files(_) => format!("{}: {}", change.key, value(&change.after)),
        _ => format!("{}: {} → {}", change.key, value(&change.before), value(&change.after)),
    }
}

//! Which request does what. One line to a request; the doing stands in the modules named after it.

use engine::effect::{Effect, Signal};
use engine::event::{CancelReason, Event};
use engine::step_path::LaneId;
use host::contract::Host;

use crate::exception::ExceptionFilters;
use crate::gate::{Gate, Reach};
use crate::moment::{MomentId, Point};
use crate::request::{Refusal, Reply, Request, StopReason};
use crate::session::{Mode, Session};
use crate::shell::SHELL_LANE;

impl<H: Host> Session<H> {
    /// Answers one request. `Shell` and `Try` are answered when their command is over, and are not handled here.
    pub(crate) async fn request(&mut self, request: Request) -> Result<Reply, Refusal> {
        match request {
            Request::Next => self.go_on(|gate, point| gate.step(Reach::Over, point)).await,
            Request::StepIn => self.go_on(|gate, point| gate.step(Reach::Into, point)).await,
            Request::StepOut => self.step_out().await,
            Request::Continue => self.go_on(|gate, _| gate.free()).await,
            Request::Begin => self.begin().await,
            Request::Back { steps } => self.back(steps).await,
            Request::ReverseContinue => self.reverse_continue().await,
            Request::Goto(target) => self.goto(target).await,
            Request::Rerun => self.rerun().await,
            Request::Return => self.return_to_newest().await,
            Request::View(moment) => self.view(moment),
            Request::Pause => self.pause().await,
            Request::EndShell => {
                self.interrupt_shell();
                Ok(())
            }
            Request::Cancel => self.cancel().await,
            Request::Confirm(yes) => self.confirm(yes).await,
            Request::DeleteBreakpoint(id) => match self.breakpoints.delete(id) {
                true => Ok(()),
                false => {
                    Err(Refusal::new(format!("there is no breakpoint {id}")).hint("`breakpoints` lists them"))
                }
            },
            Request::SetExceptionFilters(filters) => {
                self.filters = filters;
                Ok(())
            }
            Request::Catch(filter, on) => {
                self.filters.set(filter, on);
                Ok(())
            }
            Request::CancelLane(lane) => self.cancel_lane(lane).await,
            Request::Lanes(choice) => self.choose_lanes(choice),
            Request::Detach => self.detach().await,
            Request::Set { name, value } => self.set(&name, value).await,
            Request::Quit => {
                self.quit = true;
                Ok(())
            }
            Request::Sync => return self.sync(),
            Request::Keep => return self.keep_patch(),
            other => return self.look(other),
        }
        .map(|()| Reply::Done)
    }

    /// Opens the gate, if the job is not over.
    pub(crate) async fn go_on(&mut self, open: impl FnOnce(&mut Gate, &Point)) -> Result<(), Refusal> {
        self.must_have_no_shell()?;
        if self.job.outcome().is_some() {
            return Err(
                Refusal::new("the job is over").hint("`back` goes to before its last step; `quit` leaves")
            );
        }
        if let Some(StopReason::Confirm(_)) = self.stop.as_ref().map(|stop| &stop.reason) {
            let hint = match self.stop.as_ref().and_then(|stop| stop.background.as_ref()) {
                Some(_) => "`confirm` starts it again, `lanes leave-out` leaves it out",
                None => "`confirm` runs it again, `goto` another step skips it",
            };
            return Err(Refusal::new("this step reached outside before").hint(hint));
        }
        self.take_edited_workflow().await?;
        if self.mode == Mode::Linger {
            // Whoever lets a failed job go on wants to see its end, and may want to go back from there.
            self.mode = Mode::Debug;
        }
        self.viewing = None;
        open(&mut self.gate, &Point::of(&self.job));
        self.host.hold_time(LaneId::FOREGROUND, false);
        if self.held.is_some() {
            self.stop = None;
        }
        self.tell(crate::notice::Notice::Continued);
        self.release().await;
        Ok(())
    }

    /// Out of the action around this step; at the level of the job there is nothing but its end to go out to.
    async fn step_out(&mut self) -> Result<(), Refusal> {
        let inside = self.job.cursor().step().is_some_and(|path| path.level() > 0);
        if inside {
            self.go_on(|gate, point| gate.step(Reach::Out, point)).await
        } else {
            self.go_on(|gate, _| gate.free()).await
        }
    }

    async fn begin(&mut self) -> Result<(), Refusal> {
        if self.only_looks() {
            return Ok(());
        }
        let doubtful = self.speak_at(self.here);
        match self.reason_at(self.here).or(doubtful) {
            Some(reason) if self.job.outcome().is_none() => {
                self.stand(reason);
                Ok(())
            }
            _ => self.go_on(|gate, _| gate.free()).await,
        }
    }

    fn view(&mut self, moment: Option<MomentId>) -> Result<(), Refusal> {
        if let Some(id) = moment
            && self.timeline.get(id).is_none()
        {
            return Err(Refusal::new(format!("there is no moment {id}")).hint("`timeline` lists them"));
        }
        self.viewing = moment;
        Ok(())
    }

    /// True if there was a shell command to be ended.
    fn interrupt_shell(&mut self) -> bool {
        if self.shell.is_some() {
            self.host.perform(Effect::Signal { lane: SHELL_LANE, signal: Signal::Ladder });
        }
        self.shell.is_some()
    }

    /// First: stop at the next stop point. Again while a step runs: freeze it now. A shell command is ended.
    async fn pause(&mut self) -> Result<(), Refusal> {
        if self.interrupt_shell() {
            return Ok(());
        }
        if !self.gate.is_open() {
            return Err(Refusal::new("the job stands already"));
        }
        let again = self.gate.ask_pause();
        if again && self.is_running() {
            let frozen =
                self.host.freeze().await.map_err(|error| Refusal::new(format!("cannot pause: {error}")))?;
            self.held = Some(frozen);
            self.stand(StopReason::Pause);
        }
        Ok(())
    }

    async fn cancel(&mut self) -> Result<(), Refusal> {
        if self.job.outcome().is_some() {
            return Err(Refusal::new("the job is over"));
        }
        if self.rewound.is_some() {
            return Err(
                Refusal::new("the job is in the past").hint("`return` first, or `continue` from here")
            );
        }
        self.stop = None;
        self.gate.free();
        self.filters = ExceptionFilters::default();
        self.host.hold_time(LaneId::FOREGROUND, false);
        self.release().await;
        self.begin_all_withheld();
        self.release().await;
        if self.job.outcome().is_some() {
            return Ok(());
        }
        self.take(Event::Cancel(CancelReason::User)).await;
        Ok(())
    }

    /// Whoever watched has gone: the job goes on as if it had never been debugged.
    async fn detach(&mut self) -> Result<(), Refusal> {
        self.end_shell().await;
        if self.rewound.is_some() {
            self.return_to_newest().await?;
        }
        self.mode = Mode::Headless;
        self.breakpoints.clear();
        self.filters = ExceptionFilters::default();
        if self.taken_up.is_some() {
            // A recording was looked at, which is no wish to run the rest of it.
            self.quit = true;
        }
        if self.quit || self.job.outcome().is_some() {
            return Ok(());
        }
        self.go_on(|gate, _| gate.free()).await
    }

    async fn confirm(&mut self, yes: bool) -> Result<(), Refusal> {
        let asked = matches!(self.stop.as_ref().map(|stop| &stop.reason), Some(StopReason::Confirm(_)));
        let background = self.stop.as_ref().and_then(|stop| stop.background.clone());
        let step = background.or_else(|| self.job.cursor().step().cloned()).filter(|_| asked);
        let step = step.ok_or_else(|| Refusal::new("nothing was asked"))?;
        if !yes {
            return Ok(());
        }
        self.confirmed.insert(step);
        if let Some(stop) = &mut self.stop {
            stop.reason = StopReason::Step;
        }
        self.go_on(|gate, _| gate.reopen()).await
    }
}

//! A host that cannot freeze, or cannot end, what it is to: nothing is lost, and the next attempt tries again.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use engine::effect::{Effect, Outcome};
use engine::secrets::Secrets;
use engine::step_path::{LaneId, StepPath};
use host::contract::{CannotFreeze, Epoch, Host, HostEvent, LaneStatus, Survivors};
use host::scripted::{ScriptedFrozen, ScriptedHost};
use session::moment::Point;
use session::request::{Request, StopReason};
use session::session::Mode;

use super::{BACK, Case, before};
use crate::debugger::little::{Little, workflow};
use crate::debugger::{Debugger, Place, block_on, inputs, plan};

/// How often the host refuses, and what was asked of it.
#[derive(Default)]
struct Orders {
    freezes_refused: u32,
    ends_refused: u32,
    ends_asked: u32,
}

struct Stubborn {
    inner: ScriptedHost<Little>,
    orders: Rc<RefCell<Orders>>,
}

impl Host for Stubborn {
    type Frozen = ScriptedFrozen;

    fn perform(&mut self, effect: Effect) {
        self.inner.perform(effect);
    }

    fn next(&mut self) -> impl Future<Output = HostEvent> {
        self.inner.next()
    }

    fn set_epoch(&mut self, epoch: Epoch) {
        self.inner.set_epoch(epoch);
    }

    fn hold_time(&mut self, lane: LaneId, held: bool) {
        self.inner.hold_time(lane, held);
    }

    async fn freeze(&mut self) -> Result<ScriptedFrozen, CannotFreeze> {
        if self.orders.borrow().freezes_refused > 0 {
            self.orders.borrow_mut().freezes_refused -= 1;
            return Err(CannotFreeze::BuiltIn { step: "main.1".to_owned() });
        }
        self.inner.freeze().await
    }

    async fn thaw(&mut self, frozen: ScriptedFrozen) {
        self.inner.thaw(frozen).await;
    }

    async fn end(&mut self, frozen: ScriptedFrozen) -> Result<(), Survivors> {
        self.orders.borrow_mut().ends_asked += 1;
        if self.orders.borrow().ends_refused > 0 {
            self.orders.borrow_mut().ends_refused -= 1;
            return Err(Survivors { processes: Vec::new(), after: Duration::from_secs(2) });
        }
        self.inner.end(frozen).await
    }

    fn clean_up(&mut self) -> Vec<String> {
        self.inner.clean_up()
    }

    fn running(&self) -> Vec<LaneStatus> {
        self.inner.running()
    }
}

const STEPS: &str = "\
- run: append log 1
- run: |
    append log 2
    takes 100
- run: append log 3
";

/// In the middle of the second step, which is not frozen yet: three transitions from before it.
async fn running(orders: Orders) -> (Case, Rc<RefCell<Orders>>) {
    let place = Place::new();
    let orders = Rc::new(RefCell::new(orders));
    let inner = ScriptedHost::new(Little::new(place.workspace()));
    let host = Stubborn { inner, orders: Rc::clone(&orders) };
    let mut debugger = Debugger::start(
        plan(&workflow(STEPS)),
        inputs("/t", "/w"),
        Secrets::default(),
        Some(place.files()),
        &place.workspace(),
        Mode::Debug,
        |_, _| host,
    );
    debugger.stopped().await;
    debugger.to(Request::Next).await;
    debugger.handle.tell(Request::Next);
    debugger.handle.tell(Request::View(None));
    (Case { place, debugger }, orders)
}

#[test]
fn what_cannot_be_frozen_is_not_gone_back_from() {
    block_on(async {
        let (mut case, _) = running(Orders { freezes_refused: 1, ..Orders::default() }).await;
        let text = case.debugger.refused(BACK).await;
        assert!(text.starts_with("cannot go back: "), "{text}");
        let stop = case.debugger.stopped().await;
        assert_eq!((stop.point, stop.reason, stop.rewound), (before(2), StopReason::Step, false));
        assert_eq!(case.log(), "12");
    });
}

#[test]
fn what_cannot_be_frozen_stops_at_its_end() {
    block_on(async {
        let (mut case, _) = running(Orders { freezes_refused: 1, ..Orders::default() }).await;
        case.debugger.handle.tell(Request::Pause);
        let text = case.debugger.refused(Request::Pause).await;
        assert!(text.starts_with("cannot pause: "), "{text}");
        let stop = case.debugger.stopped().await;
        let after = Point::After(StepPath::main(1), Outcome::Success);
        assert_eq!((stop.point, stop.reason), (after, StopReason::Pause));
    });
}

#[test]
fn the_job_goes_on_only_when_nothing_of_the_future_is_left() {
    block_on(async {
        let (mut case, orders) = running(Orders { ends_refused: 2, ..Orders::default() }).await;
        let stop = case.to(BACK).await;
        assert_eq!((stop.point, case.log().as_str()), (before(1), "1"));
        for asked in 1..=2 {
            let stop = case.to(Request::Continue).await;
            assert_eq!((stop.point, stop.reason, stop.rewound), (before(1), StopReason::Pause, true));
            assert_eq!((orders.borrow().ends_asked, case.log().as_str()), (asked, "1"));
        }
        let stop = case.to(Request::Continue).await;
        assert_eq!((stop.reason, stop.branch.0), (StopReason::End(Outcome::Success), 2));
        assert_eq!((orders.borrow().ends_asked, case.log().as_str()), (3, "123"));
    });
}

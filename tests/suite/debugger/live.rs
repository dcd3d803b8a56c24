//! A debugged job in real shells.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::job::JobInputs;
use engine::plan::Plan;
use engine::secrets::Secrets;
use host::checkout::Origin;
use host::live::{BaseEnvironment, LiveHost, Settings, SpareFolders};
use host::times::Times;
use session::session::Mode;

use super::{Debugger, Place, inputs};

/// Generous where a machine under load may be slow, short where nothing is waited for in earnest.
pub const TIMES: Times = Times {
    interrupt: Duration::from_millis(60),
    terminate: Duration::from_millis(60),
    kill: Duration::from_secs(20),
    freeze: Duration::from_secs(20),
    held_pipe: Duration::from_millis(60),
    own_thread_after: Duration::from_millis(4),
};

/// Live hosts of one process would take each other's orphans for their own: one test at a time has them.
pub fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A tracking id that nobody else has.
pub fn tracking() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("suite_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// How a live job is started.
pub struct Live<'a> {
    pub place: &'a Place,
    pub mode: Mode,
    pub tracking: String,
    pub guardian: bool,
    pub times: Times,
    pub inputs: JobInputs,
}

impl<'a> Live<'a> {
    /// Under the debugger, without a guardian.
    pub fn debug(place: &'a Place) -> Self {
        let inputs = inputs(&place.temp().to_string_lossy(), &place.workspace().to_string_lossy());
        Self { place, mode: Mode::Debug, tracking: tracking(), guardian: false, times: TIMES, inputs }
    }

    /// What the host is made with.
    pub fn settings(&self) -> Settings {
        Settings {
            workspace: self.place.workspace(),
            temp: self.place.temp(),
            spare: SpareFolders::kept_in(self.place.spare()),
            base: BaseEnvironment::of_this_process(),
            tracking: self.tracking.clone(),
            origin: Origin { folder: self.place.workspace(), name: None, in_place: true },
            actions: Default::default(),
            times: self.times,
            guardian: self.guardian,
            server_url: String::new(),
            repository: String::new(),
            services: None,
            externals: None,
        }
    }

    /// The session.
    pub fn start(self, plan: Plan) -> Debugger {
        let settings = self.settings();
        Debugger::start(
            plan,
            self.inputs,
            Secrets::default(),
            Some(self.place.files()),
            &self.place.workspace(),
            self.mode,
            |masks, log| LiveHost::new(settings, masks, Box::new(log)),
        )
    }
}

//! The scripted side: bodies that write real files, without a process.

use engine::secrets::Secrets;
use host::scripted::ScriptedHost;
use session::session::Mode;

use super::end::End;
use super::job::Generated;
use super::walk::{Count, Walker};
use crate::debugger::little::Little;
use crate::debugger::{Debugger, Place, block_on, inputs};

/// A session of the generated job in `place`.
pub fn session(generated: &Generated, place: &Place, mode: Mode) -> Debugger {
    let workspace = place.workspace();
    generated.furnish(place);
    let host = Little { store: generated.actions.store.clone(), ..Little::new(workspace.clone()) };
    Debugger::start(
        generated.plan(),
        inputs("/t", "/w"),
        Secrets::default(),
        Some(place.files()),
        &workspace,
        mode,
        |_, _| ScriptedHost::new(host),
    )
}

/// The straight run and a walk end the same.
pub fn check(generated: &Generated, seed: u64) -> Count {
    block_on(async {
        let straight = Place::in_memory();
        let ended = session(generated, &straight, Mode::Headless).ended().await;
        let expected = End::new(ended, &straight);

        let place = Place::in_memory();
        let mut debugger = session(generated, &place, Mode::Debug);
        let walker = Walker::new(&mut debugger, &place.workspace(), "append a shell", seed);
        let count = walker.walk().await;
        let ended = debugger.quit().await;
        End::new(ended, &place).must_equal(&expected, "after a walk");
        count
    })
}

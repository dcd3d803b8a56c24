//! The law in real shells: the same jobs and walks, with processes that are frozen, thawed and ended.

use session::session::Mode;

use super::end::End;
use super::job::Generated;
use super::walk::{Count, Walker};
use crate::debugger::live::Live;
use crate::debugger::{Place, block_on};

/// The straight run and a walk end the same.
pub fn check(generated: &Generated, seed: u64) -> Count {
    block_on(async {
        let place = Place::in_memory();
        generated.furnish_live(&place);
        let live = Live { mode: Mode::Headless, ..Live::debug(&place) };
        let ended = live.start(generated.live_plan()).ended().await;
        let expected = End::new(ended, &place);

        // The two hosts agree on what the job does, so the shells really ran its lines.
        let scripted = Place::in_memory();
        let ended = super::scripted::session(generated, &scripted, Mode::Headless).ended().await;
        expected.must_resemble(&End::new(ended, &scripted));

        place.clear();
        generated.furnish_live(&place);
        let mut debugger = Live::debug(&place).start(generated.live_plan());
        let walker = Walker::new(&mut debugger, &place.workspace(), "printf %s shell >> by-shell", seed);
        let count = walker.walk().await;
        let ended = debugger.quit().await;
        End::new(ended, &place).must_equal(&expected, "after a walk");
        count
    })
}

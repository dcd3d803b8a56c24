//! A recording for an editor: `attach` with `recording`.
//!
//! Knows the members of the configuration and whom to hand the job to; finding and reopening it is as in the terminal.

use std::path::Path;
use std::sync::Arc;

use dap_server::debuggee::Debuggee;
use dap_server::feed::Feed;
use dap_server::protocol::Extra;
use engine::effect::Outcome;
use session::notice::Observer;
use session::request::{Refusal, Request};
use session::wording::Painter;
use tokio::sync::oneshot;

use super::configuration::Launch;
use super::tell_warnings;
use crate::exit::Fault;
use crate::prepare::Warnings;
use crate::reopen::{Opening, TakenUp};
use crate::seek::Wanted;
use crate::workflow_files::Project;

/// A recorded job that waits for its client.
pub(super) struct Recorded {
    job: TakenUp,
    feed: Feed,
}

impl Recorded {
    /// Reopens the recording `name`; of the members those count that say where secrets and actions come from.
    ///
    /// # Errors
    /// There is no such recording, or it cannot be read or taken up.
    pub(super) fn open(name: &str, members: &Extra, here: &Path) -> Result<Self, Fault> {
        let Launch { start, options, .. } = Launch::of(members, here)?;
        let project = Project::around(&start);
        let mut said = Vec::new();
        let mut warnings = Warnings { out: &mut said, painter: Painter::new(false) };
        let opening = Opening::of(&project, options, &Wanted::of(name, &start), &mut warnings)?;
        let feed = Feed::default();
        tell_warnings(&feed, &String::from_utf8_lossy(&said));
        let job = opening.begin(Arc::new(feed.clone()) as Arc<dyn Observer>)?;
        Ok(Self { job, feed })
    }

    /// Hands the job over, and stays with it to the end of its session.
    pub(super) async fn run(self, reply: oneshot::Sender<Result<Debuggee, Refusal>>) -> Outcome {
        // The client that opens a recording is the only one that knows of it.
        let debuggee = self.job.debuggee(&self.feed, true);
        // The client may have gone before its job came.
        if reply.send(Ok(debuggee)).is_err() {
            self.job.handle.tell(Request::Quit);
        }
        self.job.ended().await.map_or(Outcome::Failure, |ended| ended.outcome)
    }
}

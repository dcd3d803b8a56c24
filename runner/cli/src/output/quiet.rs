//! A face that leaves one job out: the one that is debugged has a face of its own.
//!
//! Passes everything else on.

use std::sync::Arc;
use std::time::Duration;

use engine::effect::Outcome;
use host::log::LogBatch;
use session::notice::{Notice, Observer};

use super::{Face, JobHeading};

/// Shows all jobs but one.
pub(crate) struct QuietFace {
    others: Arc<dyn Face>,
    left_out: String,
}

impl QuietFace {
    /// Leaves out the job with this id, in every combination of its matrix.
    pub(crate) fn new(others: Arc<dyn Face>, left_out: String) -> QuietFace {
        QuietFace { others, left_out }
    }
}

impl Face for QuietFace {
    fn job_started(self: Arc<Self>, job: JobHeading) -> Arc<dyn Observer> {
        if job.key.split('[').next() == Some(self.left_out.as_str()) {
            return Arc::new(Nobody);
        }
        Arc::clone(&self.others).job_started(job)
    }

    fn job_not_run(&self, key: &str, name: &str, outcome: Outcome, error: Option<&str>) {
        self.others.job_not_run(key, name, outcome, error);
    }

    fn run_ended(&self, _: Outcome, _: Duration) {}

    fn suspend(&self) {}

    fn resume(&self) {}
}

/// Watches nothing, until somebody takes over.
struct Nobody;

impl Observer for Nobody {
    fn notice(&self, _: Notice) {}

    fn log(&self, _: &LogBatch) {}
}

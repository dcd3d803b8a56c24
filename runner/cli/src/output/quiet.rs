//! A face for the jobs around the one that is debugged: that one has a face of its own, the others are told briefly.
//!
//! Passes on what a person has to know of them: failures and ends.

use std::sync::Arc;
use std::time::Duration;

use engine::effect::Outcome;
use host::log::LogBatch;
use host::services::KeptArtifact;
use session::notice::{Notice, Observer};

use super::json::JsonFace;
use super::tree::TreeFace;
use super::{Face, JobHeading};

/// Shows all jobs but one.
pub(crate) struct QuietFace {
    others: Others,
    left_out: String,
}

/// How the other jobs are shown.
pub(crate) enum Others {
    /// In a line, and their failed steps.
    Briefly(Arc<TreeFace>),
    /// Everything, for a program.
    Fully(Arc<JsonFace>),
}

impl QuietFace {
    /// Leaves out the job that these ids lead to, in every combination of its matrix.
    pub(crate) fn new(others: Others, left_out: String) -> QuietFace {
        QuietFace { others, left_out }
    }
}

impl Face for QuietFace {
    fn job_started(self: Arc<Self>, job: JobHeading) -> Arc<dyn Observer> {
        if job.id_path == self.left_out {
            return Arc::new(Nobody);
        }
        match &self.others {
            Others::Briefly(face) => Arc::new(Brief { steps: Arc::clone(face).watch(job) }),
            Others::Fully(face) => Arc::clone(face).job_started(job),
        }
    }

    fn job_not_run(&self, key: &str, name: &str, outcome: Outcome, error: Option<&str>) {
        match &self.others {
            Others::Briefly(face) => face.job_not_run(key, name, outcome, error),
            Others::Fully(face) => face.job_not_run(key, name, outcome, error),
        }
    }

    fn artifacts(&self, artifacts: &[KeptArtifact]) {
        match &self.others {
            Others::Briefly(face) => face.artifacts(artifacts),
            Others::Fully(face) => face.artifacts(artifacts),
        }
    }

    fn run_ended(&self, _: Outcome, _: Duration) {}

    fn suspend(&self) {}

    fn resume(&self) {}
}

/// Passes on failures and ends.
struct Brief {
    steps: Arc<dyn Observer>,
}

impl Observer for Brief {
    fn notice(&self, notice: Notice) {
        let matters = match &notice {
            Notice::StepEnded(end) => end.conclusion == Outcome::Failure,
            _ => true,
        };
        if matters {
            self.steps.notice(notice);
        }
    }

    fn log(&self, batch: &LogBatch) {
        self.steps.log(batch);
    }
}

/// Watches nothing, until somebody takes over.
struct Nobody;

impl Observer for Nobody {
    fn notice(&self, _: Notice) {}

    fn log(&self, _: &LogBatch) {}
}

#[cfg(test)]
mod tests {
    use engine::step_path::StepPath;
    use session::moment::BranchId;

    use super::super::testing::{Written, heading};
    use super::super::text::tests::ended;
    use super::*;
    use session::wording::Painter;

    #[test]
    fn others_are_told_briefly_and_one_not_at_all() {
        let written = Written::default();
        let tree = Arc::new(TreeFace::still(written.output(), Painter::new(false)));
        let face = Arc::new(QuietFace::new(Others::Briefly(tree), "test".into()));
        for key in ["build", "test", "test[1]"] {
            let job = Arc::clone(&face).job_started(heading(key));
            job.notice(ended(StepPath::main(0), Outcome::Success));
            job.notice(ended(StepPath::main(1), Outcome::Failure));
            job.notice(Notice::JobEnded {
                outcome: Outcome::Failure,
                took: Duration::from_secs(2),
                branch: BranchId(1),
                artifacts: Vec::new(),
            });
        }
        assert_eq!(written.text(), "✗ 2 Test         1.0s\n● build failed in 2.0s\n");
    }
}

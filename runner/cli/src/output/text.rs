//! The line that begins a job.
//!
//! From what is known of a job to text; writes nothing.

use session::wording::{Meaning, Painter, shown};

use super::JobHeading;

/// `● build · 6 steps · .github/workflows/ci.yml`
pub(crate) fn heading(job: &JobHeading, painter: Painter) -> String {
    let plural = if job.steps == 1 { "" } else { "s" };
    let place = if job.in_place { " · in place" } else { "" };
    let rest = format!(" · {} step{plural} · {}{place}", job.steps, job.file);
    format!(
        "{} {}",
        painter.paint(Meaning::Strong, &format!("● {}", shown(&job.name))),
        painter.paint(Meaning::Quiet, rest.trim_start())
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use engine::effect::Outcome;
    use engine::step_path::StepPath;
    use session::notice::{Notice, StepEnd};

    /// The end of a step called `Test` after one second.
    pub(crate) fn ended(step: StepPath, outcome: Outcome) -> Notice {
        let number = step.index() + 1;
        Notice::StepEnded(StepEnd {
            lane: engine::step_path::LaneId::FOREGROUND,
            step,
            number,
            name: "Test".into(),
            outcome,
            conclusion: outcome,
            took: Duration::from_secs(1),
            files: None,
            exit_code: None,
            last_lines: Vec::new(),
            outputs: Vec::new(),
            variables: Vec::new(),
        })
    }
}

//! The face for programs: one JSON object per line, each with the version of the schema.
//!
//! Fields and events are documented in `docs/guide/commands.md`. New ones may come; programs pass over what they do not know.

use std::sync::Arc;
use std::time::Duration;

use engine::effect::Outcome;
use host::log::LogBatch;
use host::services::KeptArtifact;
use serde_json::{Value, json};
use session::notice::{Notice, Observer, StepEnd};
use session::request::{Place, Stop, StopReason};

use super::{Face, JobHeading, Output, SCHEMA_VERSION};

/// Prints a run as JSON lines.
pub(crate) struct JsonFace {
    output: Output,
}

impl JsonFace {
    /// On this stream.
    pub(crate) fn new(output: Output) -> JsonFace {
        JsonFace { output }
    }

    /// One event with the fields of `fields`.
    pub(crate) fn event(&self, event: &str, fields: Value) {
        let mut bytes = Vec::new();
        push(&mut bytes, event, fields);
        self.output.write(&bytes);
    }
}

fn push(out: &mut Vec<u8>, event: &str, fields: Value) {
    let mut object = json!({"schema": SCHEMA_VERSION, "event": event});
    if let (Some(object), Value::Object(fields)) = (object.as_object_mut(), fields) {
        object.extend(fields);
    }
    out.extend_from_slice(object.to_string().as_bytes());
    out.push(b'\n');
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

impl Face for JsonFace {
    fn job_started(self: Arc<Self>, job: JobHeading) -> Arc<dyn Observer> {
        self.event(
            "job_started",
            json!({"job": job.key, "name": &*job.name, "steps": job.steps, "file": &*job.file}),
        );
        Arc::new(JsonJob { face: self, job: job.key })
    }

    fn job_not_run(&self, key: &str, name: &str, outcome: Outcome, error: Option<&str>) {
        self.event(
            "job_ended",
            json!({"job": key, "name": name, "outcome": outcome.as_str(), "started": false, "error": error}),
        );
    }

    fn artifacts(&self, artifacts: &[KeptArtifact]) {
        for artifact in artifacts {
            let path = artifact.path.to_string_lossy();
            self.event("artifact", json!({"name": artifact.name, "size": artifact.size, "path": path}));
        }
    }

    fn run_ended(&self, outcome: Outcome, took: Duration) {
        self.event("run_ended", json!({"outcome": outcome.as_str(), "took_ms": millis(took)}));
    }

    fn suspend(&self) {}

    fn resume(&self) {}
}

struct JsonJob {
    face: Arc<JsonFace>,
    job: String,
}

impl Observer for JsonJob {
    fn notice(&self, notice: Notice) {
        let job = &self.job;
        match notice {
            Notice::StepStarted { step, number, name, place, .. } => self.face.event(
                "step_started",
                json!({"job": job, "step": step.to_string(), "number": number, "name": &*name, "place": place.map(place_json)}),
            ),
            Notice::LaneStarted { lane, name } => {
                self.face.event("lane_started", json!({"job": job, "lane": lane.0, "name": &*name}));
            }
            Notice::StepEnded(end) => self.face.event("step_ended", step_end(job, &end)),
            Notice::Stopped(stop) => self.face.event("stopped", stopped(job, &stop)),
            Notice::Continued => self.face.event("continued", json!({"job": job})),
            Notice::JobEnded { outcome, took, branch, .. } => self.face.event(
                "job_ended",
                json!({"job": job, "outcome": outcome.as_str(), "started": true, "took_ms": millis(took), "branch": branch.0}),
            ),
            Notice::JobLog { tag, text } => {
                self.face.event("log", json!({"job": job, "step": null, "tag": tag_name(tag), "line": text}));
            }
            Notice::LogPoint { breakpoint, text, place } => self.face.event(
                "log_point",
                json!({"job": job, "breakpoint": breakpoint.0, "text": text, "place": place.map(place_json)}),
            ),
            Notice::BreakpointChanged(breakpoint) => self.face.event(
                "breakpoint",
                json!({"job": job, "breakpoint": breakpoint.id.0, "line": breakpoint.line}),
            ),
            Notice::Warning(text) => self.face.event("warning", json!({"job": job, "text": text})),
        }
    }

    fn log(&self, batch: &LogBatch) {
        let mut out = Vec::with_capacity(batch.text().len() * 3);
        let (step, time) = (batch.step.to_string(), batch.time.to_string());
        for line in batch.lines() {
            let text = String::from_utf8_lossy(line.text);
            let fields =
                json!({"job": self.job, "step": step, "time": time, "tag": tag_name(line.tag), "line": text});
            push(&mut out, "log", fields);
        }
        self.face.output.write(&out);
    }
}

/// `error`, `group` …; nothing for plain output. `continued`: no line break between this line and the one before.
fn tag_name(tag: engine::lines::LineTag) -> Option<&'static str> {
    if tag == engine::lines::LineTag::Continued {
        return Some("continued");
    }
    tag.prefix().strip_prefix("##[").and_then(|rest| rest.strip_suffix(']'))
}

fn place_json(place: Place) -> Value {
    json!({"file": &*place.file, "line": place.line})
}

fn step_end(job: &str, end: &StepEnd) -> Value {
    let pairs = |pairs: &[(String, String)]| -> Value {
        pairs.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
    };
    json!({
        "job": job,
        "lane": end.lane.0,
        "step": end.step.to_string(),
        "number": end.number,
        "name": &*end.name,
        "outcome": end.outcome.as_str(),
        "conclusion": end.conclusion.as_str(),
        "took_ms": millis(end.took),
        "files": end.files.map(|files| json!({"created": files.created, "modified": files.modified, "deleted": files.deleted})),
        "outputs": pairs(&end.outputs),
        "variables": pairs(&end.variables),
    })
}

fn stopped(job: &str, stop: &Stop) -> Value {
    let (reason, detail) = match &stop.reason {
        StopReason::Entry => ("entry", Value::Null),
        StopReason::Step => ("step", Value::Null),
        StopReason::Breakpoint(id) => ("breakpoint", json!(id.0)),
        StopReason::Failure(failure) => (
            "failure",
            json!({"filter": failure.filter.name(), "exit_code": failure.exit_code, "forgiven": failure.is_forgiven()}),
        ),
        StopReason::DataBreakpoint(change) => (
            "data_breakpoint",
            json!({"breakpoint": change.breakpoint.0, "key": change.key.to_string(), "before": change.before, "after": change.after}),
        ),
        StopReason::Pause => ("pause", Value::Null),
        StopReason::Goto => ("goto", Value::Null),
        StopReason::Back => ("back", Value::Null),
        StopReason::Start => ("start", Value::Null),
        StopReason::Return => ("return", Value::Null),
        StopReason::Edit => ("edit", Value::Null),
        StopReason::End(outcome) => ("end", json!(outcome.as_str())),
        StopReason::Confirm(command) => ("confirm", json!(command)),
    };
    json!({
        "job": job,
        "reason": reason,
        "detail": detail,
        "moment": stop.moment.to_string(),
        "branch": stop.branch.0,
        "number": stop.number,
        "name": &*stop.name,
        "place": stop.place.clone().map(place_json),
        "rewound": stop.rewound,
        "edited": stop.edited,
        "notes": stop.notes,
    })
}

#[cfg(test)]
mod tests {
    use engine::lines::LineTag;
    use engine::step_path::StepPath;

    use super::super::tail::tests::batch;
    use super::super::testing::{Written, heading};
    use super::super::text::tests::ended;
    use super::*;

    #[test]
    fn every_line_is_an_object_with_schema_and_event() {
        let written = Written::default();
        let face = Arc::new(JsonFace::new(written.output()));
        let job = Arc::clone(&face).job_started(heading("build"));
        job.notice(Notice::StepStarted {
            lane: engine::step_path::LaneId::FOREGROUND,
            step: StepPath::main(1),
            number: 2,
            name: "T".into(),
            place: None,
        });
        job.log(&batch(&[(LineTag::Plain, "a \"quoted\" \u{1b}[31mline"), (LineTag::Error, "bad")]));
        job.notice(ended(StepPath::main(1), Outcome::Failure));
        face.job_not_run("b", "b", Outcome::Skipped, None);
        face.artifacts(&[KeptArtifact {
            name: "report".to_owned(),
            job: "build".to_owned(),
            size: 7,
            path: "/a/report.zip".into(),
        }]);
        face.run_ended(Outcome::Failure, Duration::from_millis(1500));
        let text = written.text();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
        assert_eq!(
            events,
            ["job_started", "step_started", "log", "log", "step_ended", "job_ended", "artifact", "run_ended"]
        );
        assert_eq!((&lines[6]["name"], &lines[6]["path"]), (&json!("report"), &json!("/a/report.zip")));
        assert!(lines.iter().all(|line| line["schema"] == 1));
        assert_eq!(lines[2]["line"], "a \"quoted\" \u{1b}[31mline");
        assert_eq!((&lines[2]["tag"], &lines[3]["tag"]), (&Value::Null, &json!("error")));
        assert_eq!((&lines[4]["outcome"], &lines[4]["took_ms"]), (&json!("failure"), &json!(1000)));
        assert_eq!(lines[7]["took_ms"], 1500);
        assert!(!text.contains('\u{1b}'), "control characters are escaped");
    }
}

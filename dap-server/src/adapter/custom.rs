//! Our own requests: the timeline, views, going to a moment and coming back, and the two ways between workspace and
//! repository.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use session::engine::step_path::LaneId;
use session::moment::{MomentId, Point};
use session::picture::Picture;
use session::request::{BackgroundLine, BackgroundState, Reply, Request as Ask, Target, TimelineLine};

use super::{Adapter, unexpected};
use crate::envelope::RawRequest;
use crate::protocol::custom::*;
use crate::protocol::sound::InvalidatedAreas;
use crate::protocol::{DecodeError, ErrorId, Failure, ResponseBody};

impl Adapter {
    pub(super) async fn custom(&self, request: RawRequest) -> Result<ResponseBody, Failure> {
        match request.command.as_str() {
            "stepback/timeline" => body(&self.timeline().await?),
            "stepback/view" => self.view(arguments::<MomentArguments>(&request)?).await,
            "stepback/goto" => self.goto_moment(arguments::<MomentArguments>(&request)?).await,
            "stepback/return" => self.depart(Ask::Return).await.map(|_| ResponseBody::Empty),
            "stepback/sync" => self.exchange(Ask::Sync).await,
            "stepback/keep" => self.exchange(Ask::Keep).await,
            "stepback/diff" => self.diff(arguments::<DiffArguments>(&request)?).await,
            other => Err(DecodeError::UnknownCommand(other.to_owned()).into()),
        }
    }

    async fn view(&self, arguments: MomentArguments) -> Result<ResponseBody, Failure> {
        self.ask(Ask::View(arguments.moment.map(MomentId))).await?;
        self.look_away();
        self.invalidate(&[InvalidatedAreas::All]);
        self.tell_timeline_changed();
        Ok(ResponseBody::Empty)
    }

    async fn goto_moment(&self, arguments: MomentArguments) -> Result<ResponseBody, Failure> {
        let moment = arguments
            .moment
            .ok_or_else(|| Failure::new(ErrorId::InvalidArguments, "which moment? `moment` is missing"))?;
        let target = Target::Moment(MomentId(moment));
        self.depart(Ask::Goto(target)).await.map(|_| ResponseBody::Empty)
    }

    async fn exchange(&self, request: Ask) -> Result<ResponseBody, Failure> {
        let Reply::Text(text) = self.ask(request).await? else { return Err(unexpected()) };
        self.changed(&[InvalidatedAreas::Variables]);
        body(&TextBody { text })
    }

    async fn diff(&self, arguments: DiffArguments) -> Result<ResponseBody, Failure> {
        let range = match (arguments.from, arguments.to) {
            (Some(from), Some(to)) => Some((MomentId(from), MomentId(to))),
            (None, None) => None,
            _ => {
                return Err(Failure::new(ErrorId::InvalidArguments, "give both `from` and `to`, or neither"));
            }
        };
        let Reply::Files(files) = self.ask(Ask::Diff { between: range, all: false }).await? else {
            return Err(unexpected());
        };
        let files = files
            .into_iter()
            .map(|file| ChangedFile { path: file.path, root: file.root, kind: file.kind, diff: file.diff })
            .collect();
        body(&DiffBody { files })
    }

    async fn timeline(&self) -> Result<TimelineBody, Failure> {
        let Reply::Timeline(lines) = self.ask(Ask::Timeline).await? else { return Err(unexpected()) };
        let picture = self.picture().await?;
        let current = lines.iter().find(|line| line.current);
        let foreground = [TimelineLane { id: LaneId::FOREGROUND.0, name: self.debuggee()?.name.clone() }];
        let lanes = picture.background.iter().map(|line| TimelineLane {
            id: line.lane.0,
            name: format!("{} {}", line.step.number(), line.name),
        });
        let branch = current.map_or(1, |line| line.branch.0);
        let background =
            picture.background.iter().filter_map(|line| self.background_run(line, branch, &picture));
        Ok(TimelineBody {
            rewound: picture.rewound,
            branch,
            runs: lines.iter().filter_map(|line| self.run(line)).chain(background).collect(),
            moments: lines.iter().map(|line| moment(line, picture.viewed)).collect(),
            lanes: foreground.into_iter().chain(lanes).collect(),
        })
    }

    /// A background step, as far as it has come: no moment of its own says when it began.
    fn background_run(&self, line: &BackgroundLine, branch: u32, picture: &Picture) -> Option<TimelineRun> {
        let outcome = match line.state {
            BackgroundState::Over(outcome) => Some(outcome),
            BackgroundState::Queued | BackgroundState::Running => None,
        };
        let place = picture.place(&line.step);
        Some(TimelineRun {
            step: line.step.to_string(),
            number: line.step.index().saturating_add(1),
            name: line.name.to_string(),
            lane: line.lane.0,
            branch,
            outcome: outcome.map(|outcome| outcome.as_str().to_owned()),
            start_ms: millis(line.at?),
            took_ms: outcome.and(line.took).map(millis),
            source: place.as_ref().and_then(|place| self.source_of(place)),
            line: place.map(|place| self.client.borrow().line_out(place.line)),
        })
    }

    /// A step that has ended, from the moment after it. A background step is a bar of its own, from its beginning on.
    fn run(&self, line: &TimelineLine) -> Option<TimelineRun> {
        let (path, outcome) = match &line.point {
            Point::After(path, outcome) => (path, outcome),
            Point::LaneAfter(path, outcome) if path.level() > 0 => (path, outcome),
            _ => return None,
        };
        let at = line.at?;
        let took = line.took.unwrap_or_default();
        Some(TimelineRun {
            step: path.to_string(),
            number: path.index().saturating_add(1),
            name: line.name.clone(),
            lane: line.point.lane().0,
            branch: line.branch.0,
            outcome: Some(outcome.as_str().to_owned()),
            start_ms: millis(at.saturating_sub(took)),
            took_ms: Some(millis(took)),
            source: line.place.as_ref().and_then(|place| self.source_of(place)),
            line: line.place.as_ref().map(|place| self.client.borrow().line_out(place.line)),
        })
    }
}

fn moment(line: &TimelineLine, viewed: bool) -> TimelineMoment {
    let (point, outcome) = match &line.point {
        Point::Before(_) | Point::LaneBefore(_) => ("before", None),
        Point::Decided(_) => ("decided", None),
        Point::During(_) => ("during", None),
        Point::After(_, outcome) | Point::LaneAfter(_, outcome) => ("after", Some(outcome)),
        Point::End(outcome) => ("end", Some(outcome)),
    };
    TimelineMoment {
        id: line.moment.0,
        parent: line.parent.map(|parent| parent.0),
        branch: line.branch.0,
        point: point.to_owned(),
        step: line.point.step().map(ToString::to_string),
        number: line.point.step().map_or(0, |path| path.index().saturating_add(1)),
        name: line.name.clone(),
        lane: line.point.lane().0,
        outcome: outcome.map(|outcome| outcome.as_str().to_owned()),
        cause: line.cause.clone(),
        current: line.current && !viewed,
        viewed: line.current && viewed,
        newest: line.newest,
        has_files: line.has_files,
        at_ms: line.at.map_or(0, millis),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn arguments<T: DeserializeOwned>(request: &RawRequest) -> Result<T, Failure> {
    let text = request.arguments.as_deref().map(RawValue::get).filter(|text| *text != "null").unwrap_or("{}");
    serde_json::from_str(text).map_err(|error| DecodeError::arguments(&request.command, &error).into())
}

fn body(value: &impl Serialize) -> Result<ResponseBody, Failure> {
    let raw = to_raw_value(value).map_err(|error| {
        Failure::new(ErrorId::Internal, "the answer cannot be written: {error}")
            .with("error", error.to_string())
    })?;
    Ok(ResponseBody::Custom(raw))
}

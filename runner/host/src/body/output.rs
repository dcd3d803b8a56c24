//! From the pipe of a running body to log batches and events, at the speed of the pipe.
//!
//! Knows reads, batches and matcher files; what a line means is the `LineProcessor`'s affair. Nothing is held back: what one
//! read brought goes on before the next one, so memory stays flat however much is printed.

use std::cell::Cell;
use std::io::{self, PipeReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::annotation::{Annotation, CheckoutFiles, MatchedFiles, Source};
use engine::event::{Event, MatcherChange};
use engine::lines::{LineProcessor, LineSink, LineTag, StepCommand, Stream};
use engine::matcher::Matcher;
use engine::process::ProcessSpec;
use engine::step_path::{LaneId, StepPath};
use jiff::Timestamp;

use super::Shared;
use crate::contract::Epoch;
use crate::log::LogBatch;
use crate::masks::SharedMasks;

/// A pipe holds as much, so one read empties it.
const READ_BYTES: usize = 64 << 10;

thread_local! {
    /// What a read fills: one for all bodies that a thread attends.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Writes for one body: lines into batches, commands into events.
pub(crate) struct Journalist {
    shared: Arc<Shared>,
    lane: LaneId,
    epoch: Epoch,
    step: StepPath,
    batch: LogBatch,
    /// Matcher commands that wait until the processor lets go of us.
    matcher_commands: Vec<StepCommand>,
    pub(crate) command_failed: bool,
}

impl Journalist {
    pub(crate) fn new(shared: Arc<Shared>, lane: LaneId, epoch: Epoch, step: StepPath) -> Self {
        let batch = LogBatch::new(lane, epoch, step.clone(), Timestamp::UNIX_EPOCH);
        Self { shared, lane, epoch, step, batch, matcher_commands: Vec::new(), command_failed: false }
    }

    /// The batch that is being filled.
    pub(crate) fn batch(&mut self) -> &mut LogBatch {
        &mut self.batch
    }

    /// Adds a line of our own, masked.
    pub(crate) fn note(&mut self, tag: LineTag, text: &str) {
        let masked = self.shared.masks.current().mask_text(text).into_owned();
        for (index, line) in masked.split('\n').enumerate() {
            self.batch.push(if index == 0 { tag } else { LineTag::Plain }, line.as_bytes());
        }
    }

    /// Passes on what there is.
    pub(crate) fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let next = LogBatch::new(self.lane, self.epoch, self.step.clone(), Timestamp::UNIX_EPOCH);
        let mut batch = std::mem::replace(&mut self.batch, next);
        batch.time = Timestamp::now();
        self.shared.write(batch);
    }

    fn send(&self, event: Event) {
        self.shared.send(self.epoch, event);
    }

    fn masks(&self) -> SharedMasks {
        self.shared.masks.clone()
    }

    /// Reads the file that a matcher command names and changes the set for everybody.
    fn carry_out(&mut self, command: &StepCommand) {
        let result = match command {
            StepCommand::AddMatcher { file } => self.read_matcher(file).and_then(|json| {
                Matcher::parse(&json).map(MatcherChange::Add).map_err(|error| error.to_string())
            }),
            StepCommand::RemoveMatcher { owner } => Ok(MatcherChange::Remove(vec![owner.clone()])),
            StepCommand::RemoveMatchers { file } => self.read_matcher(file).and_then(|json| {
                Matcher::owners(&json).map(MatcherChange::Remove).map_err(|error| error.to_string())
            }),
            _ => return,
        };
        match result {
            Ok(change) => {
                self.shared.matchers.change(|matchers| match &change {
                    MatcherChange::Add(new) => matchers.add(new.clone()),
                    MatcherChange::Remove(owners) => {
                        matchers.remove(owners.iter().map(String::as_str));
                    }
                });
                self.send(Event::Matchers { lane: self.lane, change });
            }
            Err(message) => {
                self.command_failed = true;
                let line = match command {
                    StepCommand::AddMatcher { file } => format!("::add-matcher::{file}"),
                    StepCommand::RemoveMatchers { file } => format!("::remove-matcher::{file}"),
                    _ => String::new(),
                };
                self.note(LineTag::Error, &format!("Unable to process command '{line}' successfully."));
                self.note(LineTag::Error, &message);
            }
        }
    }

    fn read_matcher(&self, file: &str) -> Result<Vec<u8>, String> {
        let path = self.shared.settings.workspace.join(file);
        std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
    }
}

impl LineSink for Journalist {
    fn line(&mut self, tag: LineTag, text: &[u8]) {
        self.batch.push(tag, text);
    }

    fn plain_lines(&mut self, block: &[u8]) {
        self.batch.push_plain(block);
    }

    fn command(&mut self, command: StepCommand) {
        match command {
            StepCommand::AddMatcher { .. }
            | StepCommand::RemoveMatcher { .. }
            | StepCommand::RemoveMatchers { .. } => self.matcher_commands.push(command),
            StepCommand::Failed { .. } => self.command_failed = true,
            command => self.send(Event::Command { lane: self.lane, command }),
        }
    }

    fn annotation(&mut self, mut annotation: Annotation) {
        if let (Source::Matcher { from_path }, Some(file)) = (&annotation.source, &annotation.file) {
            let settings = &self.shared.settings;
            let matched = MatchedFiles {
                workspace: settings.workspace.to_string_lossy().into_owned(),
                server_url: settings.server_url.clone(),
                repository: settings.repository.clone(),
                mounts: Vec::new(),
            };
            annotation.file = matched.resolve(file, from_path, &OnDisk).ok();
        }
        self.batch.annotations.push(annotation);
    }
}

struct OnDisk;

impl CheckoutFiles for OnDisk {
    fn is_file(&self, path: &str) -> bool {
        Path::new(path).is_file()
    }

    fn read_text(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(PathBuf::from(path)).ok()
    }
}

/// The reading end of a body's pipe with everything that is made of it.
pub(crate) struct Pump {
    pipe: Arc<PipeReader>,
    open: bool,
    processor: LineProcessor,
    masks: SharedMasks,
    seen_matchers: u64,
    pub(crate) out: Journalist,
}

impl Pump {
    /// Of a pipe that is read without waiting.
    pub(crate) fn new(pipe: PipeReader, spec: &ProcessSpec, out: Journalist) -> Self {
        Self {
            pipe: Arc::new(pipe),
            open: true,
            processor: LineProcessor::new(spec.lines.clone(), &spec.matchers),
            masks: out.masks(),
            seen_matchers: out.shared.matchers.start(&spec.matchers),
            out,
        }
    }

    /// The pipe, as long as somebody may still write to it.
    pub(crate) fn pipe(&self) -> Option<Arc<PipeReader>> {
        self.open.then(|| Arc::clone(&self.pipe))
    }

    /// Reads once and never waits; how many bytes, or `None` when there was nothing.
    pub(crate) fn read(&mut self) -> Option<usize> {
        let mut buffer = BUFFER.take();
        buffer.resize(READ_BYTES, 0);
        let mut read = Some(0);
        match (&*self.pipe).read(&mut buffer) {
            Ok(0) => self.close(),
            Ok(count) => {
                read = Some(count);
                self.feed(buffer.get(..count).unwrap_or_default());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => read = None,
            Err(error) => {
                self.out.note(LineTag::Error, &format!("failed to read the step's output: {error}"));
                self.close();
            }
        }
        BUFFER.set(buffer);
        self.out.flush();
        read
    }

    /// Reads all that is there.
    pub(crate) fn drain(&mut self) {
        while self.open && self.read().is_some() {}
    }

    fn feed(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if let Some(matchers) = self.out.shared.matchers.newer(&mut self.seen_matchers) {
                self.processor.set_matchers(&matchers);
            }
            at += self.processor.feed(Stream::Stdout, rest, &mut self.masks, &mut self.out);
            for command in std::mem::take(&mut self.out.matcher_commands) {
                self.out.carry_out(&command);
            }
        }
    }

    /// Nothing more is read; what stands without a line end is a line now.
    pub(crate) fn close(&mut self) {
        if std::mem::replace(&mut self.open, false) {
            self.processor.finish(Stream::Stdout, &mut self.masks, &mut self.out);
            for command in std::mem::take(&mut self.out.matcher_commands) {
                self.out.carry_out(&command);
            }
        }
    }
}

//! One whole line on its way: command, match or plain output; and the way of all texts to the sink, masked
//! and cut. Knows the order of these, not the commands themselves.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::block::{has_v1, looks_like_command};
use super::sink::{LineSink, LineTag, MaskStore, StepCommand};
use super::{Flow, LineProcessor, Surroundings};
use crate::annotation::{Annotation, Level, Location, Source, cut_message};
use crate::limits::{LINE_COMMAND_BYTES, LINE_DISPLAY_BYTES, MATCHER_ATTEMPTS};
use crate::matcher::{Match, Verdict};

impl<M: MaskStore, S: LineSink> Surroundings<'_, M, S> {
    pub(super) fn add_mask(&mut self, value: &[u8]) {
        self.store.add(value);
        self.masks = self.store.snapshot();
    }

    /// Masks a text of any length and shape and writes it: the first line has the tag, further ones of a
    /// text with newlines are plain.
    pub(super) fn write(&mut self, tag: LineTag, text: &str) {
        let masked = self.masks.mask_text(text);
        let mut tag = tag;
        for line in masked.split('\n') {
            let mut rest = line.strip_suffix('\r').unwrap_or(line);
            loop {
                let (piece, after) = rest.split_at(floor_char_boundary(rest, LINE_DISPLAY_BYTES));
                self.sink.line(tag, piece.as_bytes());
                if after.is_empty() {
                    break;
                }
                tag = LineTag::Continued;
                rest = after;
            }
            tag = LineTag::Plain;
        }
    }
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    (at.saturating_sub(3)..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(text.len())
        .min(text.len())
}

impl LineProcessor {
    /// A line without its end. The text given to parsers is lossy, what is written stays raw.
    pub(super) fn whole_line<M: MaskStore, S: LineSink>(
        &mut self,
        line: &[u8],
        around: &mut Surroundings<'_, M, S>,
    ) -> Flow {
        let long = line.len() > LINE_DISPLAY_BYTES;
        let try_command = if long {
            line.len() <= LINE_COMMAND_BYTES && self.may_be_long_command(line)
        } else {
            looks_like_command(line)
        };
        if try_command && let ControlFlow::Break(flow) = self.try_command(line, around) {
            return flow;
        }
        if long {
            self.line_in_pieces(line, around);
            return Flow::On;
        }
        let line = defuse_markers(line);
        if self.scanner.is_idle() || !self.try_matchers(&line, around) {
            around.sink.line(LineTag::Plain, &around.masks.mask(&line));
        }
        Flow::On
    }

    /// A debug text, one line for each of its lines.
    pub(super) fn debug<M: MaskStore, S: LineSink>(&self, text: &str, around: &mut Surroundings<'_, M, S>) {
        if self.options.step_debug {
            for line in text.replace("\r\n", "\n").split('\n') {
                around.write(LineTag::Debug, line);
            }
        }
    }

    /// A message of the runner about a command: log line and annotation.
    pub(super) fn report<M: MaskStore, S: LineSink>(
        &mut self,
        level: Level,
        message: &str,
        around: &mut Surroundings<'_, M, S>,
    ) {
        let annotation = plain_annotation(level, message, Source::Runner);
        self.annotate(annotation, None, around);
    }

    /// Masks and cuts an annotation, counts it, and writes its log line: `log` in place of the message
    /// if given.
    pub(super) fn annotate<M: MaskStore, S: LineSink>(
        &mut self,
        mut annotation: Annotation,
        log: Option<&str>,
        around: &mut Surroundings<'_, M, S>,
    ) {
        let level = annotation.level;
        annotation.message = cut_message(&around.masks.mask_text(&annotation.message)).to_owned();
        let masked = |text: &mut Option<String>| {
            *text = text.take().map(|text| around.masks.mask_text(&text).into_owned());
        };
        [&mut annotation.title, &mut annotation.file, &mut annotation.code].into_iter().for_each(masked);
        if let Source::Matcher { from_path } = &mut annotation.source {
            *from_path = around.masks.mask_text(from_path).into_owned();
        }
        let log = log.filter(|log| !log.is_empty()).unwrap_or(&annotation.message);
        if !log.is_empty() {
            around.write(level.into(), log);
        }
        if self.annotations.admit(level) {
            around.sink.annotation(annotation);
        }
    }

    /// A command that could not be carried out.
    pub(super) fn fail<M: MaskStore, S: LineSink>(
        &mut self,
        line: &str,
        message: String,
        around: &mut Surroundings<'_, M, S>,
    ) {
        self.report(Level::Error, &format!("Unable to process command '{line}' successfully."), around);
        self.report(Level::Error, &message, around);
        around.sink.command(StepCommand::Failed { line: line.to_owned(), message });
    }

    fn try_matchers<M: MaskStore, S: LineSink>(
        &mut self,
        line: &[u8],
        around: &mut Surroundings<'_, M, S>,
    ) -> bool {
        let text = String::from_utf8_lossy(line);
        let stripped = strip_colours(&text);
        let mut scanner = std::mem::take(&mut self.scanner);
        let matched = scanner.scan(&stripped, |verdict| match verdict {
            Verdict::Matched(found) => match self.to_annotation(&found, around) {
                Some(annotation) => {
                    self.annotate(annotation, Some(&stripped), around);
                    true
                }
                None => false,
            },
            Verdict::Failed { owner, error } => {
                let text = format!(
                    "Removing issue matcher '{owner}'. Matcher failed {MATCHER_ATTEMPTS} times. Error: {error}"
                );
                self.report(Level::Warning, &text, around);
                false
            }
        });
        self.scanner = scanner;
        matched
    }

    fn to_annotation<M: MaskStore, S: LineSink>(
        &self,
        found: &Match,
        around: &mut Surroundings<'_, M, S>,
    ) -> Option<Annotation> {
        let message = found.get("message");
        if message.trim().is_empty() {
            self.debug(
                "Skipping logging an issue for the matched line because the message is empty.",
                around,
            );
            return None;
        }
        let level = match found.get("severity") {
            severity if severity.is_empty() || severity.eq_ignore_ascii_case("error") => Level::Error,
            severity if severity.eq_ignore_ascii_case("warning") => Level::Warning,
            severity if severity.eq_ignore_ascii_case("notice") => Level::Notice,
            severity => {
                let text = format!(
                    "Skipped logging an issue for the matched line because the severity '{severity}' is not supported."
                );
                self.debug(&text, around);
                return None;
            }
        };
        let mut annotation =
            plain_annotation(level, message, Source::Matcher { from_path: found.get("fromPath").to_owned() });
        let mut number = |kind: &str, text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = if digits { text.parse().ok() } else { None };
            if number.is_none() && !text.is_empty() {
                self.debug(&format!("Unable to parse {kind} number '{text}'"), around);
            }
            number
        };
        annotation.location.line = number("line", found.get("line"));
        annotation.location.column = number("column", found.get("column"));
        let filled = |text: &str| (!text.trim().is_empty()).then(|| text.to_owned());
        annotation.code = filled(found.get("code").trim());
        annotation.file = filled(found.get("file"));
        Some(annotation)
    }
}

pub(super) fn plain_annotation(level: Level, message: &str, source: Source) -> Annotation {
    Annotation {
        level,
        message: message.to_owned(),
        title: None,
        file: None,
        location: Location::default(),
        code: None,
        repository: None,
        source,
    }
}

/// Steps must not forge the markers with which the service folds composite actions.
fn defuse_markers(line: &[u8]) -> Cow<'_, [u8]> {
    if !has_v1(line) {
        return Cow::Borrowed(line);
    }
    let mut out = Vec::with_capacity(line.len() + 8);
    let mut rest = line;
    while let [first, after @ ..] = rest {
        if rest.starts_with(b"##[start-action") || rest.starts_with(b"##[end-action") {
            out.extend_from_slice(b"##[\\");
            rest = rest.get(3..).unwrap_or_default();
        } else {
            out.push(*first);
            rest = after;
        }
    }
    Cow::Owned(out)
}

/// The line without control sequences (`ESC [ … final byte`), and without upstream's own idea of one,
/// NUL `33[` digits and `;`, then `m` if there is one.
fn strip_colours(line: &str) -> Cow<'_, str> {
    if memchr::memchr2(0x1B, 0, line.as_bytes()).is_none() {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['\x1B', '\0']) {
        let (plain, sequence) = rest.split_at(at);
        out.push_str(plain);
        rest = if let Some(body) = sequence.strip_prefix("\x1B[") {
            let body = body.trim_start_matches(|c| matches!(c, '\x20'..='\x3F'));
            body.strip_prefix(|c| matches!(c, '\x40'..='\x7E')).unwrap_or(body)
        } else if let Some(body) = sequence.strip_prefix("\x0033[") {
            let body = body.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
            body.strip_prefix('m').unwrap_or(body)
        } else {
            let mut chars = sequence.chars();
            out.extend(chars.next());
            chars.as_str()
        };
    }
    out.push_str(rest);
    Cow::Owned(out)
}

//! Diagnostics as text for a terminal, with the lines they are about.
//!
//! The only module that knows `annotate-snippets`.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{SourceId, Sources, Span};

/// Lines above the first mark and below the last that the renderer gets to see.
const AROUND: u32 = 1;
/// Lines longer than this many bytes are cut.
const LONGEST_LINE: usize = 2000;

/// All diagnostics, one under the other, each with its lines and its hint.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Unicode);
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&renderer.render(&report(diagnostic, sources)));
        text.push_str("\n\n");
    }
    text
}

/// A place to mark.
struct Mark<'a> {
    span: Span,
    kind: AnnotationKind,
    label: Option<&'a str>,
}

fn report<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources) -> Vec<Group<'a>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut marks = vec![Mark {
        span: diagnostic.focus.unwrap_or(diagnostic.span),
        kind: AnnotationKind::Primary,
        label: None,
    }];
    marks.extend(diagnostic.labels.iter().map(|label| Mark {
        span: label.span,
        kind: AnnotationKind::Context,
        label: Some(&label.text),
    }));
    marks.extend(diagnostic.called_at.map(|span| Mark {
        span,
        kind: AnnotationKind::Context,
        label: Some("called from here"),
    }));
    let mut group = Group::with_title(level.primary_title(diagnostic.message.as_str()).id(diagnostic.code));
    let mut files: Vec<SourceId> = Vec::new();
    for mark in &marks {
        if !files.contains(&mark.span.source) {
            files.push(mark.span.source);
        }
    }
    for file in files {
        group = group.element(snippet(file, &marks, sources));
    }
    let hint = diagnostic.hint.as_deref().map(|hint| Group::with_title(Level::HELP.secondary_title(hint)));
    std::iter::once(group).chain(hint).collect()
}

/// The lines of one file from the first mark to the last; the renderer folds what lies between.
fn snippet<'a>(file: SourceId, marks: &[Mark<'a>], sources: &'a Sources) -> Snippet<'a, Annotation<'a>> {
    let here = || marks.iter().filter(|mark| mark.span.source == file);
    let lines = || here().map(|mark| mark.span.start.line);
    let first = lines().min().unwrap_or(1).saturating_sub(AROUND).max(1);
    let last = (lines().max().unwrap_or(1) + AROUND).min(sources.line_count(file)).max(first);
    let mut text = String::new();
    let mut annotations = Vec::new();
    for number in first..=last {
        let whole = sources.line(file, number);
        let line = shortened(whole);
        for mark in here().filter(|mark| mark.span.start.line == number) {
            annotations.push(mark.kind.span(marked(mark.span, line, text.len())).label(mark.label));
        }
        text.push_str(line);
        text.push('\n');
    }
    let snippet = Snippet::source(text).line_start(first as usize).path(sources.path(file)).fold(true);
    snippet.annotations(annotations)
}

fn shortened(line: &str) -> &str {
    let mut length = line.len().min(LONGEST_LINE);
    while !line.is_char_boundary(length) {
        length -= 1;
    }
    line.get(..length).unwrap_or_default()
}

/// The bytes to mark, on the first line of the span; `before` are those of the lines above.
fn marked(span: Span, line: &str, before: usize) -> Range<usize> {
    let column = span.start.column.saturating_sub(1) as usize;
    let start = line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
    let length = span.end.offset.saturating_sub(span.start.offset).max(1) as usize;
    let mut end = start.saturating_add(length).min(line.len()).max(start);
    while !line.is_char_boundary(end) {
        end += 1;
    }
    before + start..before + end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Position;

    fn span(sources: &Sources, id: SourceId, from: u32, to: u32) -> Span {
        Span { source: id, start: sources.position(id, from), end: sources.position(id, to) }
    }

    #[test]
    fn a_diagnostic_shows_its_lines_labels_and_hint() {
        let mut sources = Sources::new();
        let id = sources.add("ci.yml", "on: push\njobs:\n  é: 1\n  é: 2\n");
        let diagnostic =
            Diagnostic::error("duplicate-key", span(&sources, id, 25, 27), "'é' is already defined")
                .with_label(span(&sources, id, 17, 19), "first defined here")
                .with_hint("remove one");
        let text = render(&[diagnostic], &sources, false);
        let expected = "error[duplicate-key]: 'é' is already defined
  ╭▸ ci.yml:4:3
  │
3 │   é: 1
  │   ─ first defined here
4 │   é: 2
  │   ━
  ╰╴
help: remove one

";
        assert_eq!(text, expected);
    }

    #[test]
    fn places_past_the_end_and_long_lines_do_no_harm() {
        let mut sources = Sources::new();
        let id = sources.add("ci.yml", format!("a: {}", "x".repeat(5000)));
        let far = Position { line: 9, column: 80, offset: 90_000 };
        let places = [span(&sources, id, 3, 5003), Span { source: id, start: far, end: far }];
        for place in places {
            let text = render(&[Diagnostic::warning("x", place, "y")], &sources, true);
            assert!(text.contains("warning") && text.len() < 20_000, "{text}");
        }
    }
}

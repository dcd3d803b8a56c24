//! Diagnostics as text for a terminal, with the lines they are about.
//!
//! The only module that knows `annotate-snippets`.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Sources, Span};

/// Lines above and below that are given to the renderer, which folds what it does not need.
const AROUND: u32 = 3;
/// A mark longer than one line is cut to its first.
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

fn report<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources) -> Vec<Group<'a>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code).element(snippet(
        diagnostic.span,
        AnnotationKind::Primary,
        None,
        sources,
    ));
    for label in &diagnostic.labels {
        group = group.element(snippet(label.span, AnnotationKind::Context, Some(&label.text), sources));
    }
    if let Some(call) = diagnostic.called_at {
        group = group.element(snippet(call, AnnotationKind::Context, Some("called from here"), sources));
    }
    let mut groups = vec![group];
    if let Some(hint) = &diagnostic.hint {
        groups.push(Group::with_title(Level::HELP.secondary_title(hint.as_str())));
    }
    groups
}

/// The first line of a span with those around it.
fn snippet<'a>(
    span: Span,
    kind: AnnotationKind,
    label: Option<&'a str>,
    sources: &'a Sources,
) -> Snippet<'a, Annotation<'a>> {
    let first = span.start.line.saturating_sub(AROUND).max(1);
    let last = (span.start.line + AROUND).min(sources.line_count(span.source).max(1));
    let mut text = String::new();
    let mut mark = 0..0;
    for number in first..=last.max(span.start.line) {
        let line = shortened(sources.line(span.source, number));
        if number == span.start.line {
            mark = marked(span, line, sources.line(span.source, number).len(), text.len());
        }
        text.push_str(line);
        text.push('\n');
    }
    let annotation = kind.span(mark).label(label);
    Snippet::source(text)
        .line_start(first as usize)
        .path(sources.path(span.source))
        .fold(true)
        .annotation(annotation)
}

fn shortened(line: &str) -> &str {
    let mut length = line.len().min(LONGEST_LINE);
    while !line.is_char_boundary(length) {
        length -= 1;
    }
    line.get(..length).unwrap_or_default()
}

/// The bytes of the snippet to mark; `before` are those of the lines above.
fn marked(span: Span, line: &str, whole: usize, before: usize) -> std::ops::Range<usize> {
    let column = span.start.column.saturating_sub(1) as usize;
    let start = line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
    let rest = whole.saturating_sub(start);
    let length = (span.end.offset.saturating_sub(span.start.offset) as usize).clamp(1, rest.max(1));
    let mut end = (start + length).min(line.len()).max(start);
    while !line.is_char_boundary(end) {
        end += 1;
    }
    before + start..before + end
}

//! Text with `${{ }}` in it (steps.md 6.4): one expression alone keeps its type, mixed text becomes one
//! `format(...)` call. It does not know which key the text stands under, nor what type that key wants.

use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use crate::error::{EvalError, ParseError, TemplateError};
use crate::expression::{Evaluated, Expression};
use crate::format;
use crate::function::Functions;
use crate::limit::TEMPLATE_MEMORY;
use crate::object::Object;
use crate::reference::Reference;
use crate::scope::Scope;
use crate::trace::Trace;
use crate::value::Value;

const OPEN: &str = "${{";
const CLOSE: &str = "}}";
const NOT_CLOSED: &str = "The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence was not found.";
const INSERT: &str = "insert";
/// What GitHub says of `${{ insert }}` where a value is wanted.
pub(crate) const INSERT_UNSUPPORTED: &str =
    "The expression directive 'insert' is not supported in this context";

/// Text that may hold expressions, parsed. Cloning shares it.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    parsed: Arc<Parsed>,
}

#[derive(Debug, PartialEq)]
struct Parsed {
    source: Arc<str>,
    parts: Parts,
    meaning: Meaning,
}

/// Most templates are one expression alone, and a workflow may have thousands of them.
type Parts = SmallVec<[TemplatePart; 1]>;

/// A stretch of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum TemplatePart {
    /// Plain text: its bytes in the source.
    Text(Range<usize>),
    /// An expression.
    Expression {
        /// From `${{` to `}}`, in bytes of the source.
        span: Range<usize>,
        /// Where the expression's own text starts, in bytes of the source; its spans count from here.
        offset: usize,
        /// The expression.
        expression: Expression,
    },
}

#[derive(Clone, Debug, PartialEq)]
enum Meaning {
    Literal(Arc<str>),
    Expression(Expression),
    Insert,
}

impl Template {
    /// Parses `text`. Every expression in it may use what `scope` allows.
    ///
    /// # Errors
    /// GitHub's message, and where in `text` (steps.md 6.4): an expression that is not closed, empty, or
    /// refused by the grammar or scope; a directive inside other text; a whole that is too long.
    pub fn parse(text: impl Into<Arc<str>>, scope: &Scope<'_>) -> Result<Template, TemplateError> {
        let source = text.into();
        if !holds_expression(&source) {
            let whole = smallvec![TemplatePart::Text(0..source.len())];
            let meaning = Meaning::Literal(Arc::clone(&source));
            return Ok(Self::new(source, whole, meaning));
        }
        let parts = match split(&source, scope)? {
            Split::Insert => return Ok(Self::new(source, Parts::new(), Meaning::Insert)),
            Split::Parts(parts) => parts,
        };
        let meaning = match parts.as_slice() {
            [TemplatePart::Expression { expression, .. }] => match expression.as_literal() {
                Some(Value::String(literal)) => Meaning::Literal(Arc::clone(literal)),
                _ => Meaning::Expression(expression.clone()),
            },
            parts => Meaning::Expression(joined(&source, parts, scope)?),
        };
        Ok(Self::new(source, parts, meaning))
    }

    fn new(source: Arc<str>, parts: Parts, meaning: Meaning) -> Template {
        Template { parsed: Arc::new(Parsed { source, parts, meaning }) }
    }

    /// The text as written.
    pub fn source(&self) -> &str {
        &self.parsed.source
    }

    /// The text as written, shared.
    pub fn shared_source(&self) -> Arc<str> {
        Arc::clone(&self.parsed.source)
    }

    /// The text it stands for without evaluation: there is no expression in it, or only a string literal.
    pub fn as_literal(&self) -> Option<&str> {
        match &self.parsed.meaning {
            Meaning::Literal(text) => Some(text),
            _ => None,
        }
    }

    /// The expression it stands for: the only one in it, or a `format(...)` call made of all.
    pub fn expression(&self) -> Option<&Expression> {
        match &self.parsed.meaning {
            Meaning::Expression(expression) => Some(expression),
            _ => None,
        }
    }

    /// Whether it is `${{ insert }}`, which merges a mapping into the one it is a key of.
    pub fn is_insert(&self) -> bool {
        self.parsed.meaning == Meaning::Insert
    }

    /// Text and expressions in order, with their places in the source.
    pub fn parts(&self) -> &[TemplatePart] {
        &self.parsed.parts
    }

    /// Every place where it reads a context; spans count in bytes of the source.
    pub fn references(&self) -> impl Iterator<Item = Reference> {
        let expressions = self.parsed.parts.iter().filter_map(|part| match part {
            TemplatePart::Text(_) => None,
            TemplatePart::Expression { offset, expression, .. } => Some((*offset, expression)),
        });
        expressions.flat_map(|(offset, expression)| {
            expression.references().map(move |reference| {
                let span = reference.span.start + offset..reference.span.end + offset;
                Reference { span, ..reference }
            })
        })
    }

    /// The `format(...)` call that always gives text, even for a single expression.
    pub fn to_format_call(&self) -> String {
        format_call(&self.parsed.source, &self.parsed.parts)
    }

    /// Its value: a text, or for a single expression whatever that gives. Memory is limited to 10 MiB.
    ///
    /// # Errors
    /// As [`Expression::evaluate`]; `${{ insert }}` has no value.
    pub fn evaluate(&self, contexts: &Object, functions: &Functions) -> Result<Evaluated, EvalError> {
        match &self.parsed.meaning {
            Meaning::Literal(text) => Ok(Evaluated::Value(Value::String(Arc::clone(text)))),
            Meaning::Expression(expression) => {
                expression.evaluate_within(contexts, functions, TEMPLATE_MEMORY)
            }
            Meaning::Insert => Err(EvalError::new(format!(
                "The expression directive '{INSERT}' is not supported in this context"
            ))),
        }
    }

    /// [`Template::evaluate`] with the trace of its expression, if it has one.
    pub fn evaluate_traced(
        &self,
        contexts: &Object,
        functions: &Functions,
    ) -> (Result<Evaluated, EvalError>, Option<Trace>) {
        match self.expression() {
            Some(expression) => {
                let (result, trace) = expression.evaluate_traced_within(contexts, functions, TEMPLATE_MEMORY);
                (result, Some(trace))
            }
            None => (self.evaluate(contexts, functions), None),
        }
    }
}

enum Split {
    Parts(Parts),
    Insert,
}

fn split(text: &Arc<str>, scope: &Scope<'_>) -> Result<Split, TemplateError> {
    let mut parts = Parts::new();
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let Some(length) = find_open(rest) else { break };
        if length > 0 {
            parts.push(TemplatePart::Text(at..at + length));
        }
        let start = at + length;
        let inside = start + OPEN.len();
        let raw = text
            .get(inside..)
            .and_then(unclosed_part)
            .ok_or_else(|| TemplateError { text: NOT_CLOSED.into(), offset: start })?;
        at = inside + raw.len() + CLOSE.len();
        let offset = inside + (raw.len() - raw.trim_start().len());
        if is_insert(raw.trim(), offset)? {
            if start == 0 && at == text.len() {
                return Ok(Split::Insert);
            }
            let text = format!(
                "The directive '{INSERT}' is not allowed in this context. Directives are not supported for expressions that are embedded within a string. Directives are only supported when the entire value is an expression."
            );
            return Err(TemplateError { text, offset });
        }
        let at_offset = |error: ParseError| TemplateError { text: error.text, offset: offset + error.offset };
        let place = offset..offset + raw.trim().len();
        let expression = Expression::parse_part(text, place, scope).map_err(at_offset)?;
        let expression = expression
            .ok_or_else(|| TemplateError { text: "An expression was expected".into(), offset: start })?;
        parts.push(TemplatePart::Expression { span: start..at, offset, expression });
    }
    if at < text.len() {
        parts.push(TemplatePart::Text(at..text.len()));
    }
    Ok(Split::Parts(parts))
}

/// Whether there is a `${{` in the text.
pub fn holds_expression(text: &str) -> bool {
    find_open(text).is_some()
}

/// Most texts have no dollar sign at all, and one character is found faster than three.
fn find_open(text: &str) -> Option<usize> {
    let starts = |at: &usize| text.get(*at..).is_some_and(|rest| rest.starts_with(OPEN));
    memchr::memchr_iter(b'$', text.as_bytes()).find(starts)
}

/// What stands before the closing braces; braces inside a string literal do not close.
fn unclosed_part(text: &str) -> Option<&str> {
    let mut in_string = false;
    for (at, byte) in text.bytes().enumerate() {
        if byte == b'\'' {
            in_string = !in_string;
        } else if byte == b'}' && !in_string && text.get(at..).is_some_and(|rest| rest.starts_with(CLOSE)) {
            return text.get(..at);
        }
    }
    None
}

/// Whether the expression is the `insert` directive, which takes no parameters.
fn is_insert(expression: &str, offset: usize) -> Result<bool, TemplateError> {
    let Some(rest) =
        expression.strip_prefix(INSERT).filter(|rest| !rest.starts_with(|c: char| !c.is_whitespace()))
    else {
        return Ok(false);
    };
    match directive_parameters(rest) {
        0 => Ok(true),
        count => {
            let text = format!(
                "Exactly 0 parameter(s) were expected following the directive '{INSERT}'. Actual parameter count: {count}"
            );
            Err(TemplateError { text, offset })
        }
    }
}

/// How many words follow a directive; blanks inside brackets and string literals do not part words.
fn directive_parameters(text: &str) -> usize {
    let (mut count, mut in_word, mut in_string, mut depth) = (0, false, false, 0_i32);
    for c in text.chars() {
        if c.is_whitespace() && !in_string && depth == 0 {
            in_word = false;
            continue;
        }
        count += usize::from(!in_word);
        in_word = true;
        match c {
            '\'' => in_string = !in_string,
            '(' if !in_string => depth += 1,
            ')' if !in_string => depth -= 1,
            _ => {}
        }
    }
    count
}

fn format_call(source: &str, parts: &[TemplatePart]) -> String {
    const OPEN: &str = "format('";
    // An expression takes no more room than between its braces: room for `')`, and for a few doubled characters.
    let mut call = String::with_capacity(OPEN.len() + source.len() + 16);
    call.push_str(OPEN);
    let mut count = 0;
    for part in parts {
        match part {
            TemplatePart::Text(span) => {
                format::push_escaped(&mut call, source.get(span.clone()).unwrap_or_default());
            }
            TemplatePart::Expression { .. } => {
                let _ = write!(call, "{{{count}}}");
                count += 1;
            }
        }
    }
    call.push('\'');
    for part in parts {
        if let TemplatePart::Expression { expression, .. } = part {
            call.push_str(", ");
            call.push_str(expression.source());
        }
    }
    call.push(')');
    call
}

/// The `format(...)` call of mixed text. It may be too long or have too many arguments, which is GitHub's
/// limit for a script with expressions in it.
fn joined(source: &str, parts: &[TemplatePart], scope: &Scope<'_>) -> Result<Expression, TemplateError> {
    let parsed = Expression::parse(&format_call(source, parts), scope);
    let whole = |text: String| TemplateError { text, offset: 0 };
    match parsed {
        Ok(Some(expression)) => Ok(expression),
        Ok(None) => Err(whole("An expression was expected".to_owned())),
        Err(error) => Err(whole(error.text)),
    }
}

#[cfg(test)]
mod tests;

//! The rule for `if:` (steps.md 1.4): empty means `success()`, and an expression that calls no status
//! function is one only while the job succeeds. It does not know whose condition it is.

use std::sync::Arc;

use crate::error::{EvalError, ParseError, ParseErrorKind, TemplateError, utf16_length};
use crate::expression::{Evaluated, Expression};
use crate::function::Functions;
use crate::object::Object;
use crate::scope::{FunctionSignature, SUCCESS, Scope};
use crate::template::{INSERT_UNSUPPORTED, Template, TemplatePart, holds_expression};
use crate::trace::Trace;

/// A parsed `if:`. Cloning shares it.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    source: Arc<str>,
    expression: Expression,
    offset: Option<usize>,
}

impl Condition {
    /// Parses the text of an `if:` as it stands in the file. Text without `${{ }}` is an expression, a sole
    /// `${{ }}` is the one in it, and a mixture becomes a `format(...)` call.
    ///
    /// # Errors
    /// GitHub's message; position and offset are those within `text`'s expression, so for `${{ }}` inside
    /// other text the offset counts from the start of `text`.
    pub fn parse(text: Option<&str>, scope: &Scope<'_>) -> Result<Condition, ParseError> {
        let source = text.unwrap_or_default();
        let (written, offset) = written_expression(source, scope)?;
        let (expression, offset) = match written {
            Some(written) if written.calls_status_function() => (Some(written), offset),
            Some(written) => {
                let prefix = "success() && (";
                let functions = with_success(scope);
                let wider = if scope.allows_unknown() {
                    *scope
                } else {
                    Scope::new(scope.named_values(), &functions)
                };
                let wrapped = Expression::parse(&format!("{prefix}{})", written.source()), &wider)?;
                (wrapped, offset.map(|offset| offset.wrapping_sub(prefix.len())))
            }
            None => (Expression::parse("success()", &Scope::new(&[], &[SUCCESS]))?, None),
        };
        // Neither text that was wrapped here can be empty.
        let expression = expression.ok_or_else(ParseError::too_deep)?;
        Ok(Condition { source: source.into(), expression, offset })
    }

    /// The text as written; empty when there was none.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What is evaluated: the expression, with `success() && (…)` around it unless it calls a status function.
    pub fn expression(&self) -> &Expression {
        &self.expression
    }

    /// Where in [`Condition::source`] a byte of the expression's own text stands, if it stands there at all:
    /// what was added around it does not.
    pub fn place_in_source(&self, byte: usize) -> Option<usize> {
        let place = byte.wrapping_add(self.offset?);
        (place <= self.source.len()).then_some(place)
    }

    /// Its value; the condition holds when that is truthy. Memory is limited to 10 MiB.
    ///
    /// # Errors
    /// As [`Expression::evaluate`].
    pub fn evaluate(&self, contexts: &Object, functions: &Functions) -> Result<Evaluated, EvalError> {
        self.expression.evaluate_as_condition(contexts, functions)
    }

    /// [`Condition::evaluate`], and what every part of the expression gave.
    pub fn evaluate_traced(
        &self,
        contexts: &Object,
        functions: &Functions,
    ) -> (Result<Evaluated, EvalError>, Trace) {
        self.expression.evaluate_as_condition_traced(contexts, functions)
    }
}

/// The expression that `source` means, if there is one, and where in it that stands.
fn written_expression(
    source: &str,
    scope: &Scope<'_>,
) -> Result<(Option<Expression>, Option<usize>), ParseError> {
    if !holds_expression(source) {
        return Ok((Expression::parse(source, scope)?, Some(0)));
    }
    let refused = |error: TemplateError| {
        let before = source.get(..error.offset).unwrap_or_default();
        let position = utf16_length(before) + 1;
        ParseError { kind: ParseErrorKind::Parsing, text: error.text, position, offset: error.offset }
    };
    let template = Template::parse(source, scope).map_err(refused)?;
    if template.is_insert() {
        return Err(refused(TemplateError { text: INSERT_UNSUPPORTED.to_owned(), offset: 0 }));
    }
    match template.parts() {
        [TemplatePart::Expression { expression, offset, .. }] => {
            Ok((Some(expression.clone()), Some(*offset)))
        }
        _ => Ok((template.expression().cloned(), None)),
    }
}

/// The functions of `scope`, and `success` if it is not among them: what is put around an expression may be
/// used whatever the expression may use.
fn with_success(scope: &Scope<'_>) -> Vec<FunctionSignature> {
    let mut functions = scope.functions().to_vec();
    if scope.function(SUCCESS.name).is_none() {
        functions.push(SUCCESS);
    }
    functions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HashAnswers, Phase, StatusFacts};

    const SCOPE: Scope<'_> = Scope::condition(&["github", "env"]);

    fn check(text: &str, expected: &str) {
        let shown = match Condition::parse(Some(text), &SCOPE) {
            Ok(condition) => condition.expression().source().to_owned(),
            Err(error) => error.text,
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn the_default_and_the_wrapping() {
        check("", "success()");
        check(" \n", "success()");
        check("env.A", "success() && (env.A)");
        check("env.A && (!CANCELLED())", "env.A && (!CANCELLED())");
        check("'always()'", "success() && ('always()')");
        check("${{ env.A == 'x' }}", "success() && (env.A == 'x')");
        check("${{ always() }}", "always()");
        check("${{ env.A }} == 'x'", "success() && (format('{0} == ''x''', env.A))");
        check(
            "env.A &&",
            "Unexpected end of expression: '&&'. Located at position 7 within expression: env.A &&",
        );
        assert_eq!(Condition::parse(None, &SCOPE).unwrap().expression().source(), "success()");
    }

    #[test]
    fn a_scope_without_status_functions_is_wrapped_too() {
        let condition = Condition::parse(Some("github.a"), &Scope::new(&["github"], &[])).unwrap();
        assert_eq!(condition.expression().source(), "success() && (github.a)");
        assert!(Condition::parse(Some("success()"), &Scope::new(&["github"], &[])).is_err());
    }

    #[test]
    fn truth_is_that_of_the_value() {
        let functions = Functions::for_dispatch(Phase::Condition, StatusFacts::default(), HashAnswers::new());
        for (text, holds) in [
            ("false", false),
            ("'false'", true),
            ("${{ false }} ", true),
            ("${{ 'false' }}", true),
            ("", true),
            ("''", false),
        ] {
            let condition = Condition::parse(Some(text), &SCOPE).unwrap();
            let value = condition.evaluate(&Object::new(), &functions).unwrap().value().unwrap();
            assert_eq!(value.is_truthy(), holds, "{text}");
        }
    }

    #[test]
    fn places_lead_back_to_the_source() {
        let source = "  ${{ env.A }}";
        assert!(Condition::parse(Some(source), &SCOPE).unwrap().place_in_source(20).is_none());
        for source in ["env.A", "${{  env.A }}", "env.A || always()"] {
            let condition = Condition::parse(Some(source), &SCOPE).unwrap();
            let reference = condition.expression().references().next().unwrap();
            let place = condition.place_in_source(reference.span.start).unwrap();
            assert!(source.get(place..).unwrap().starts_with("env.A"), "{source}");
        }
        let condition = Condition::parse(Some("env.A"), &SCOPE).unwrap();
        assert_eq!(condition.place_in_source(0), None);
    }
}

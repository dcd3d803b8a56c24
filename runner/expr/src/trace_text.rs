//! A trace as text: a tree for people, the reason for a condition's result, and the lines that GitHub's
//! runner writes to a step's debug log (steps.md 6.3). It does not know secrets: the caller's mask does.

use crate::builtin::Builtin;
use crate::print;
use crate::trace::{Outcome, Trace, TraceNode};
use crate::tree::{NodeId, NodeKind};
use crate::value::{Value, quote};

/// Takes secrets out of a text.
type Mask<'m> = &'m dyn Fn(&str) -> String;

/// A value as a literal, masked before it is quoted, so that a quote inside a secret does not hide it.
fn literal(value: &Value, mask: Mask<'_>) -> String {
    match value {
        Value::String(text) => quote(&mask(text)),
        Value::Number(_) => mask(&value.to_text()),
        other => other.to_literal().into_owned(),
    }
}

/// Text of an expression on one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn outcome_text(outcome: &Outcome, mask: Mask<'_>) -> String {
    match outcome {
        Outcome::NotEvaluated => "(not evaluated)".to_owned(),
        Outcome::Value(value) => format!("=> {}", literal(value, mask)),
        Outcome::Failed(text) => format!("!! {}", mask(text)),
        Outcome::Waiting => "(waiting for hashFiles)".to_owned(),
    }
}

impl Trace {
    /// Every part with what it gave, one per line, indented by two blanks under what uses it; literals are
    /// left out. `mask` takes secrets out of values.
    ///
    /// ```text
    /// success() && github.ref == 'refs/heads/main'  => false
    ///   success()  => true
    ///   github.ref == 'refs/heads/main'  => false
    ///     github.ref  => 'refs/heads/dev'
    /// ```
    pub fn render(&self, mask: &dyn Fn(&str) -> String) -> String {
        let mut text = String::new();
        let mut open: Vec<(usize, TraceNode<'_>)> = self.root().into_iter().map(|root| (0, root)).collect();
        while let Some((level, part)) = open.pop() {
            let indent = "  ".repeat(level);
            let source = mask(&one_line(part.source()));
            text.push_str(&format!("{indent}{source}  {}\n", outcome_text(part.outcome(), mask)));
            // Below a context access the steps on the way say nothing new.
            if *part.outcome() != Outcome::NotEvaluated && !is_plain_access(&part) {
                open.extend(
                    part.operands()
                        .rev()
                        .filter(|operand| !operand.is_literal())
                        .map(|part| (level + 1, part)),
                );
            }
        }
        text
    }

    /// The parts that decided the result, one sentence per line: what made an `&&` false or an `||` true,
    /// and what was compared with what. `mask` takes secrets out of values.
    pub fn because(&self, mask: &dyn Fn(&str) -> String) -> String {
        let mut lines = Vec::new();
        let mut open: Vec<TraceNode<'_>> = self.root().into_iter().collect();
        while let Some(part) = open.pop() {
            let deciding = deciding_operands(&part);
            if deciding.is_empty() {
                lines.push(reason(&part, mask));
            }
            open.extend(deciding.into_iter().rev());
        }
        lines.join("\n")
    }

    /// The lines of a step's debug log as GitHub's runner writes them: `Evaluating: …`,
    /// `..Evaluating Equal:`, `..=> false`, `Expanded: …`, `Result: …`.
    pub fn debug_lines(&self, mask: &dyn Fn(&str) -> String) -> Vec<String> {
        let tree = self.expression().tree();
        let mut lines = vec![format!("Evaluating: {}", print::print(tree, tree.root()))];
        let Some(root) = self.root() else { return lines };
        write_steps(&root, 0, mask, &mut lines);
        if let Outcome::Value(value) = root.outcome() {
            let result = literal(value, mask);
            let expanded = print::print_with(tree, tree.root(), &|id| realized(self, id, mask));
            let quoted_number = value.as_number().is_some() && expanded == format!("'{result}'");
            if expanded != result && !quoted_number {
                lines.push(format!("Expanded: {expanded}"));
            }
            lines.push(format!("Result: {result}"));
        }
        lines.iter().map(|line| mask(line)).collect()
    }
}

/// A context with nothing but literal keys behind it.
fn is_plain_access(part: &TraceNode<'_>) -> bool {
    match part.kind() {
        NodeKind::Named(_) => true,
        NodeKind::Index => {
            let mut operands = part.operands();
            operands.next().is_some_and(|object| is_plain_access(&object))
                && operands.all(|key| key.is_literal())
        }
        _ => false,
    }
}

/// The operands on which the result of `part` hangs, when it merely passes them on.
fn deciding_operands<'t>(part: &TraceNode<'t>) -> Vec<TraceNode<'t>> {
    let truth = |part: &TraceNode<'_>| part.outcome().value().map(Value::is_truthy);
    let evaluated: Vec<_> =
        part.operands().filter(|operand| *operand.outcome() != Outcome::NotEvaluated).collect();
    match (part.kind(), truth(part)) {
        (NodeKind::And, Some(true)) | (NodeKind::Or, Some(false)) | (NodeKind::Not, _) => evaluated,
        (NodeKind::And | NodeKind::Or, _) => evaluated.into_iter().next_back().into_iter().collect(),
        _ => Vec::new(),
    }
}

/// `github.ref == 'main' is false: github.ref is 'dev'`
fn reason(part: &TraceNode<'_>, mask: Mask<'_>) -> String {
    let source = mask(&one_line(part.source()));
    let known = part.operands().filter(|operand| !operand.is_literal()).filter_map(|operand| {
        let value = operand.outcome().value()?;
        Some(format!("{} is {}", mask(&one_line(operand.source())), literal(value, mask)))
    });
    let known: Vec<String> = if is_plain_access(part) { Vec::new() } else { known.collect() };
    let details = if known.is_empty() { String::new() } else { format!(": {}", known.join(", ")) };
    match part.outcome() {
        Outcome::Value(value) => format!("{source} is {}{details}", literal(value, mask)),
        Outcome::Failed(text) => format!("{source} failed: {}", mask(text)),
        Outcome::Waiting => format!("{source} waits for hashFiles"),
        Outcome::NotEvaluated => format!("{source} was not evaluated"),
    }
}

/// The name under which the debug log shows a part.
fn step_name(kind: &NodeKind) -> String {
    match kind {
        NodeKind::Literal(value) => value.kind().name().to_owned(),
        NodeKind::Wildcard => "Wildcard".to_owned(),
        NodeKind::Named(name) | NodeKind::Call { name, .. } => name.to_string(),
        NodeKind::Index => "Index".to_owned(),
        NodeKind::Not => "Not".to_owned(),
        NodeKind::And => "And".to_owned(),
        NodeKind::Or => "Or".to_owned(),
        NodeKind::Compare(comparison) => comparison.name().to_owned(),
    }
}

/// Depth is limited by the parser, so recursion is.
fn write_steps(part: &TraceNode<'_>, level: usize, mask: Mask<'_>, lines: &mut Vec<String>) {
    let indent = "..".repeat(level);
    lines.push(format!("{indent}Evaluating {}:", step_name(part.kind())));
    let mut operands: Vec<_> =
        part.operands().filter(|operand| *operand.outcome() != Outcome::NotEvaluated).collect();
    operands.sort_by_key(|operand| part.trace().turn(operand.id()));
    for operand in operands {
        write_steps(&operand, level + 1, mask, lines);
    }
    if let Outcome::Value(value) = part.outcome() {
        lines.push(format!("{indent}=> {}", literal(value, mask)));
    }
}

/// What `Expanded:` shows in place of a part: the value of contexts, indexes and most calls.
fn realized(trace: &Trace, id: NodeId, mask: Mask<'_>) -> Option<String> {
    let part = trace.part(id)?;
    let shown = match part.kind() {
        NodeKind::Named(_) | NodeKind::Index => true,
        NodeKind::Call { builtin, .. } => {
            !matches!(builtin, Some(Builtin::Contains | Builtin::StartsWith | Builtin::EndsWith))
        }
        _ => false,
    };
    part.outcome().value().filter(|_| shown).map(|value| literal(value, mask))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Expression, Functions, HashAnswers, Object, Phase, Scope, StatusFacts};

    fn trace(text: &str) -> Trace {
        let github = Object::from([("ref", Value::from("refs/heads/dev")), ("token", "s3'cret".into())]);
        let contexts = Object::from([("github", github)]);
        let functions = Functions::for_dispatch(Phase::Condition, StatusFacts::default(), HashAnswers::new());
        let expression = Expression::parse(text, &Scope::condition(&["github", "env"])).unwrap().unwrap();
        expression.evaluate_traced(&contexts, &functions).1
    }

    fn mask(text: &str) -> String {
        text.replace("s3'cret", "***")
    }

    #[test]
    fn a_tree_shows_what_was_not_evaluated() {
        let shown = trace("success() &&\n (github.ref == 'refs/heads/main' && env.X)").render(&mask);
        let expected = "\
success() && (github.ref == 'refs/heads/main' && env.X)  => false
  success()  => true
  github.ref == 'refs/heads/main'  => false
    github.ref  => 'refs/heads/dev'
  env.X  (not evaluated)
";
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_reason_is_one_sentence() {
        for (text, expected) in [
            (
                "success() && github.ref == 'main'",
                "github.ref == 'main' is false: github.ref is 'refs/heads/dev'",
            ),
            ("failure() || env.X", "failure() is false\nenv.X is null"),
            (
                "!startsWith(github.ref, 'refs/')",
                "startsWith(github.ref, 'refs/') is true: github.ref is 'refs/heads/dev'",
            ),
            ("github.token == 'x'", "github.token == 'x' is false: github.token is '***'"),
            (
                "format('{1}')",
                "format('{1}') failed: The following format string references more arguments than were supplied: {1}",
            ),
            ("hashFiles('a') == ''", "hashFiles('a') == '' waits for hashFiles"),
        ] {
            assert_eq!(trace(text).because(&mask), expected, "{text}");
        }
    }

    #[test]
    fn the_debug_log_is_githubs() {
        let expected = "\
Evaluating: (success() && (github.token == 'main'))
Evaluating And:
..Evaluating success:
..=> true
..Evaluating Equal:
....Evaluating Index:
......Evaluating github:
......=> Object
......Evaluating String:
......=> 'token'
....=> '***'
....Evaluating String:
....=> 'main'
..=> false
=> false
Expanded: (true && ('***' == 'main'))
Result: false";
        assert_eq!(trace("success() && github.token == 'main'").debug_lines(&mask).join("\n"), expected);
    }
}

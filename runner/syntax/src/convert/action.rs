//! An action manifest (steps.md 4.2).

use std::sync::Arc;

use expr::Expression;
use indexmap::IndexMap;

use super::{Converter, child, values};
use crate::diagnostic::Diagnostic;
use crate::model::{Action, ActionInput, ActionOutput, ActionRuns, Stage};
use crate::read::{Allowed, ExpressionFault};
use crate::schema::action::{STAGE_IF, STEP_IF};
use crate::source::Spanned;
use crate::token::Token;
use crate::yaml::Item;

const NODE_VERSIONS: &[&str] = &["node12", "node16", "node20", "node24"];
const USES: &str = "'docker', 'node12', 'node16', 'node20' or 'node24'";

impl Converter<'_> {
    pub(crate) fn action(&mut self, root: &Spanned<Token>, place: &Item) -> Option<Action> {
        let Some(runs) = root.get("runs") else {
            let message = format!("Top level 'runs:' section is required for {}", self.file());
            self.report(Diagnostic::error("runs", root.span, message));
            return None;
        };
        let text = |key: &str| root.get(key).and_then(values::text_of);
        Some(Action {
            source: self.source,
            name: text("name"),
            description: text("description"),
            inputs: root.get("inputs").map(inputs).unwrap_or_default(),
            outputs: root.get("outputs").map(outputs).unwrap_or_default(),
            runs: self.runs(runs, place)?,
            runs_span: runs.span,
        })
    }

    /// The manifest as shown to people.
    fn file(&self) -> String {
        self.sources.path(self.source).to_owned()
    }

    fn runs(&mut self, runs: &Spanned<Token>, place: &Item) -> Option<ActionRuns> {
        let text = |key: &str| runs.get(key).and_then(values::text_of);
        if let Some(name) = text("plugin") {
            return Some(ActionRuns::Plugin { name });
        }
        let Some(using) = text("using") else {
            let message = format!("Missing 'using' value. 'using' requires 'composite', {USES}.");
            self.report(Diagnostic::error("using", runs.span, message));
            return None;
        };
        let folded = using.to_lowercase();
        if folded == "docker" {
            let image =
                self.program(runs, "image", "You are using a Container Action but an image is not provided")?;
            return Some(ActionRuns::Docker {
                image,
                entrypoint: text("entrypoint"),
                args: runs.get("args").cloned(),
                env: runs.get("env").cloned(),
                pre: self.stage(runs, "pre-entrypoint", "pre-if"),
                post: self.stage(runs, "post-entrypoint", "post-if"),
            });
        }
        if NODE_VERSIONS.contains(&&*folded) {
            let main = self.program(
                runs,
                "main",
                "You are using a JavaScript Action but there is not an entry JavaScript file provided",
            )?;
            return Some(ActionRuns::Node {
                using,
                main,
                pre: self.stage(runs, "pre", "pre-if"),
                post: self.stage(runs, "post", "post-if"),
            });
        }
        if folded == "composite" {
            let Some(steps) = runs.get("steps") else {
                let message = format!(
                    "You are using a composite action but there are no steps provided in {}.",
                    self.file()
                );
                self.report(Diagnostic::error("composite-steps", runs.span, message));
                return None;
            };
            let places = child(child(Some(place), "runs"), "steps");
            return Some(ActionRuns::Composite { steps: self.steps_with(steps, places, &STEP_IF) });
        }
        let message = format!("'using: {}' is not supported, use {USES} instead.", using.value);
        let known = NODE_VERSIONS.iter().copied().chain(["docker", "composite"]);
        let hint = crate::diagnostic::suggestion(&using, known);
        self.report(Diagnostic::error("using", using.span, message).with_optional_hint(hint));
        None
    }

    fn program(&mut self, runs: &Spanned<Token>, key: &str, missing: &str) -> Option<Spanned<Arc<str>>> {
        let found = runs.get(key).and_then(values::text_of);
        if found.is_none() {
            let message = format!("{missing} in {}.", self.file());
            self.report(Diagnostic::error("runs", runs.span, message));
        }
        found
    }

    fn stage(&mut self, runs: &Spanned<Token>, program: &str, condition: &str) -> Option<Stage> {
        let program = runs.get(program).and_then(values::text_of)?;
        let written = runs.get(condition).and_then(values::text_of);
        let text = written.as_ref().map_or("always()", |written| &written.value);
        let span = written.as_ref().map_or(program.span, |written| written.span);
        let allowed = Allowed::by(&STAGE_IF);
        match Expression::parse(text, &allowed.scope()) {
            Ok(expression) => Some(Stage { program, condition: Spanned::new(expression?, span) }),
            Err(error) => {
                let fault = ExpressionFault { message: &error.text, span, text, offset: error.offset };
                self.report(fault.diagnostic(self.sources, &allowed));
                None
            }
        }
    }
}

fn inputs(token: &Spanned<Token>) -> IndexMap<Arc<str>, ActionInput> {
    let pairs = token.as_mapping().unwrap_or_default();
    let input = |(key, value): &(Spanned<Token>, Spanned<Token>)| {
        let name = values::text_of(key)?;
        // The runner takes these two keys in any case.
        let metadata = |wanted: &str| {
            let pairs = value.as_mapping().unwrap_or_default().iter();
            let mut named =
                pairs.filter(|(key, _)| key.as_str().is_some_and(|key| key.eq_ignore_ascii_case(wanted)));
            named.next().map(|(_, value)| value)
        };
        let input = ActionInput {
            name: name.clone(),
            default: metadata("default").and_then(values::template),
            deprecation_message: metadata("deprecationMessage").and_then(|text| text.literal_text()),
            required: value.get("required").is_some_and(|required| {
                required.literal_text().is_some_and(|text| text.eq_ignore_ascii_case("true"))
            }),
        };
        Some((name.value, input))
    };
    pairs.iter().filter_map(input).collect()
}

fn outputs(token: &Spanned<Token>) -> Vec<ActionOutput> {
    let pairs = token.as_mapping().unwrap_or_default();
    let output = |(key, value): &(Spanned<Token>, Spanned<Token>)| {
        Some(ActionOutput {
            name: values::text_of(key)?,
            value: value.get("value").and_then(values::template),
        })
    };
    pairs.iter().filter_map(output).collect()
}

#[cfg(test)]
mod tests;

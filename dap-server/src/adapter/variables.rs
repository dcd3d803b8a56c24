//! What can be opened: steps, contexts, values; and what can be set there.
//!
//! A number stands for a path into the job's contexts, not for a value: after something was set it leads to what is there now.

use session::engine::expr::Value;
use session::engine::step_path::{LaneId, StepPath};
use session::key::Key;
use session::picture::Picture;
use session::request::{BackgroundLine, BackgroundState, Refusal, Reply, Request as Ask};

use super::{Adapter, stale};
use crate::protocol::data_breakpoint::{
    DataBreakpointAccessType, DataBreakpointInfoArguments, DataBreakpointInfoResponse,
};
use crate::protocol::evaluate::{SetExpressionArguments, SetExpressionResponse};
use crate::protocol::sound::{
    InvalidatedAreas, VariablePresentationHint, VariablePresentationHintAttributes,
    VariablePresentationHintKind,
};
use crate::protocol::variable::*;
use crate::protocol::{ErrorId, Failure, ResponseBody};

/// A longer text is cut where it is only shown beside others; opened or copied it is whole.
const SHOWN_CHARS_MAX: usize = 1000;

/// Something that can be opened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Node {
    /// A step as the workflow has it, and what became of it.
    Step(StepPath),
    /// The value of an expression.
    Value(Asked),
    /// The background steps.
    Background,
    /// The names of the secrets.
    Secrets,
    /// Files that the last step changed.
    Changes,
    /// What the status functions answer now.
    Functions,
}

/// An expression, and the lane in whose contexts it is evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    lane: LaneId,
    expression: String,
}

impl Asked {
    pub(super) fn new(lane: LaneId, expression: impl Into<String>) -> Self {
        Self { lane, expression: expression.into() }
    }

    fn value(&self, picture: &Picture) -> Result<Value, Refusal> {
        picture.evaluate_in(self.lane, &self.expression)
    }

    /// True if the expression shows nothing of a secret.
    pub(super) fn is_public(&self, picture: &Picture) -> bool {
        picture.is_public(&self.expression)
    }

    fn member(&self, name: &str) -> Self {
        Self::new(self.lane, member(&self.expression, name))
    }

    /// What can be set under this name; the variables of a background step are fixed from its dispatch on.
    fn settable(&self, name: &str) -> Result<String, Failure> {
        if self.lane != LaneId::FOREGROUND && self.expression == "env" {
            return Err(read_only(name));
        }
        Ok(member(&self.expression, name))
    }
}

/// The functions that depend on the moment.
const FUNCTIONS: [&str; 4] = ["success()", "failure()", "cancelled()", "always()"];

impl Node {
    /// How many named children there are, where that is known without opening it.
    pub(super) fn size(&self, picture: &Picture) -> Option<i64> {
        match self {
            Node::Value(asked) => match asked.value(picture) {
                Ok(Value::Object(object)) => i64::try_from(object.len()).ok(),
                _ => None,
            },
            Node::Functions => i64::try_from(FUNCTIONS.len()).ok(),
            Node::Background => i64::try_from(picture.background.len()).ok(),
            Node::Step(_) | Node::Secrets | Node::Changes => None,
        }
    }
}

impl Adapter {
    pub(super) async fn variables(&self, arguments: &VariablesArguments) -> Result<ResponseBody, Failure> {
        let node = self.node(arguments.variables_reference)?;
        let picture = self.still_picture().await?;
        let all = match &node {
            Node::Step(path) => self.step_variables(path, &picture),
            Node::Value(asked) => self.children(asked, &picture, arguments.filter.as_ref()),
            Node::Background => picture.background.iter().map(background_step).collect(),
            Node::Secrets => secret_names(&picture),
            Node::Changes => self.changed_files().await,
            Node::Functions => self.function_values(&picture),
        };
        let start = arguments.start.and_then(|start| usize::try_from(start).ok()).unwrap_or(0);
        let count = arguments.count.filter(|count| *count > 0).and_then(|count| usize::try_from(count).ok());
        let variables = all.into_iter().skip(start).take(count.unwrap_or(usize::MAX)).collect();
        Ok(ResponseBody::Variables(VariablesResponse { variables }))
    }

    pub(super) fn node(&self, reference: i64) -> Result<Node, Failure> {
        self.looks.borrow().nodes.get(reference).cloned().ok_or_else(|| stale("this variable"))
    }

    fn children(&self, asked: &Asked, picture: &Picture, filter: Option<&VariablesFilter>) -> Vec<Variable> {
        let named = filter != Some(&VariablesFilter::Indexed);
        let indexed = filter != Some(&VariablesFilter::Named);
        match asked.value(picture) {
            Ok(Value::Object(object)) if named => object
                .iter()
                .map(|(name, value)| self.variable(name, value, asked.member(name), picture))
                .collect(),
            Ok(Value::Array(items)) if indexed => items
                .iter()
                .enumerate()
                .map(|(index, value)| {
                    let item = Asked::new(asked.lane, format!("{}[{index}]", asked.expression));
                    self.variable(&index.to_string(), value, item, picture)
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// One value with its name.
    pub(super) fn variable(&self, name: &str, value: &Value, asked: Asked, picture: &Picture) -> Variable {
        let (named, indexed) = sizes(value);
        let opens = named.or(indexed).is_some_and(|size| size > 0);
        let public = asked.is_public(picture);
        let (expression, hint) = (asked.expression.clone(), hint(&asked));
        let node = Node::Value(asked);
        let reference = if opens && public { self.looks.borrow_mut().nodes.of(node) } else { 0 };
        Variable {
            name: picture.mask(name),
            value: preview(value, picture),
            type_name: Some(value.kind().name().to_lowercase()),
            evaluate_name: public.then_some(expression),
            variables_reference: reference,
            named_variables: named.filter(|_| opens),
            indexed_variables: indexed.filter(|_| opens),
            presentation_hint: hint,
            ..Variable::default()
        }
    }

    fn step_variables(&self, path: &StepPath, picture: &Picture) -> Vec<Variable> {
        let line = picture.step_line(path);
        let line = line.as_ref();
        let mut all = Vec::new();
        let mut text = |name: &str, value: Option<String>| {
            all.extend(value.map(|value| plain(name, &value)));
        };
        text("name", Some(picture.step_name(path).to_string()));
        text("id", line.and_then(|step| step.id.as_ref()).map(ToString::to_string));
        text(
            "if",
            picture.definition(path).map(|step| picture.mask(step.condition.value.expression().source())),
        );
        text("run", picture.script(path));
        text("outcome", line.and_then(|step| step.outcome).map(|outcome| outcome.as_str().to_owned()));
        text("conclusion", line.and_then(|step| step.conclusion).map(|outcome| outcome.as_str().to_owned()));
        text("took", line.and_then(|step| step.took).map(session::wording::duration));
        text("reaches outside", line.and_then(|step| step.reaches_outside.clone()));
        let id = line.and_then(|step| step.id.as_ref());
        if let Some(id) = id {
            let expression = member(&member("steps", id), "outputs");
            if let Ok(value @ Value::Object(_)) = picture.evaluate(&expression) {
                let asked = Asked::new(LaneId::FOREGROUND, expression);
                all.push(self.variable("outputs", &value, asked, picture));
            }
        }
        all
    }

    fn function_values(&self, picture: &Picture) -> Vec<Variable> {
        FUNCTIONS
            .into_iter()
            .filter_map(|name| {
                let asked = Asked::new(LaneId::FOREGROUND, name);
                Some(self.variable(name, &picture.evaluate(name).ok()?, asked, picture))
            })
            .collect()
    }

    async fn changed_files(&self) -> Vec<Variable> {
        match self.ask(Ask::Diff { between: None, all: false }).await {
            Ok(Reply::Files(files)) => files
                .iter()
                .map(|file| {
                    let value = file
                        .diff
                        .as_ref()
                        .map_or_else(|| file.kind.clone(), |diff| format!("{}\n{diff}", file.kind));
                    plain(&session::wording::shown(&file.path), &value)
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    pub(super) async fn set_variable(
        &self,
        arguments: SetVariableArguments,
    ) -> Result<ResponseBody, Failure> {
        let expression = match self.node(arguments.variables_reference)? {
            Node::Value(parent) => parent.settable(&arguments.name)?,
            Node::Step(path) => self.of_step(&path, &arguments.name).await?,
            Node::Secrets | Node::Changes | Node::Functions | Node::Background => {
                return Err(read_only(&arguments.name));
            }
        };
        let variable = self.set(&expression, arguments.value).await?;
        Ok(ResponseBody::SetVariable(SetVariableResponse {
            value: variable.value,
            type_name: variable.type_name,
            ..SetVariableResponse::default()
        }))
    }

    /// `outcome` of a step that has an id.
    async fn of_step(&self, path: &StepPath, name: &str) -> Result<String, Failure> {
        let picture = self.still_picture().await?;
        let id = picture.step_line(path).and_then(|step| step.id);
        match (id, name) {
            (Some(id), "outcome") => Ok(format!("steps.{id}.outcome")),
            _ => Err(read_only(name)),
        }
    }

    pub(super) async fn set_expression(
        &self,
        arguments: SetExpressionArguments,
    ) -> Result<ResponseBody, Failure> {
        let variable = self.set(arguments.expression.trim(), arguments.value).await?;
        Ok(ResponseBody::SetExpression(SetExpressionResponse {
            value: variable.value,
            type_name: variable.type_name,
            presentation_hint: variable.presentation_hint,
            ..SetExpressionResponse::default()
        }))
    }

    async fn set(&self, expression: &str, value: String) -> Result<Variable, Failure> {
        let name = dotted(expression).ok_or_else(|| read_only(expression))?;
        self.ask(Ask::Set { name: name.clone(), value: Some(value) }).await?;
        self.look_again();
        let picture = self.picture().await?;
        let value = picture.evaluate(expression).map_err(super::refused)?;
        self.changed(&[InvalidatedAreas::Variables]);
        Ok(self.variable(&name, &value, Asked::new(LaneId::FOREGROUND, expression), &picture))
    }

    pub(super) async fn data_breakpoint_info(
        &self,
        arguments: &DataBreakpointInfoArguments,
    ) -> Result<ResponseBody, Failure> {
        let expression = match arguments.variables_reference.filter(|reference| *reference > 0) {
            Some(reference) => match self.node(reference)? {
                Node::Value(parent) => member(&parent.expression, &arguments.name),
                Node::Step(path) => self.of_step(&path, &arguments.name).await.unwrap_or_default(),
                Node::Changes => format!("file:{}", arguments.name),
                Node::Secrets | Node::Functions | Node::Background => String::new(),
            },
            None => arguments.name.trim().to_owned(),
        };
        let text = dotted(&expression).unwrap_or(expression);
        let key = match self.picture().await?.is_public(&text) {
            true => Key::parse(&text),
            false => Err(Refusal::new("a name with a secret in it cannot be watched")),
        };
        let description = match &key {
            Ok(key) => format!("changes of {key}"),
            Err(refusal) => refusal.text.clone(),
        };
        // It is what was asked for, and may be a secret.
        let picture = self.picture().await?;
        let known = key.is_ok();
        Ok(ResponseBody::DataBreakpointInfo(DataBreakpointInfoResponse {
            data_id: key.ok().map(|key| key.to_string()).filter(|id| picture.is_public(id)),
            description: picture.mask(&description),
            access_types: known.then(|| vec![DataBreakpointAccessType::Write]),
            can_persist: known.then_some(true),
        }))
    }

    /// Something was changed where the job stands.
    pub(super) fn changed(&self, areas: &[InvalidatedAreas]) {
        self.edited.set(true);
        self.look_again();
        self.invalidate(areas);
        self.tell_timeline_changed();
    }
}

fn read_only(name: &str) -> Failure {
    Failure::new(ErrorId::ReadOnly, "'{name}' cannot be set")
        .with("name", name)
        .hint("these can: env.NAME, steps.ID.outputs.NAME, steps.ID.outcome, inputs.NAME, job.status")
}

fn plain(name: &str, value: &str) -> Variable {
    Variable {
        name: name.to_owned(),
        value: value.to_owned(),
        type_name: Some("string".to_owned()),
        presentation_hint: Some(VariablePresentationHint {
            attributes: Some(vec![VariablePresentationHintAttributes::ReadOnly]),
            ..VariablePresentationHint::default()
        }),
        ..Variable::default()
    }
}

/// `3 Server`: `running for 2.1s, waited for now`.
fn background_step(line: &BackgroundLine) -> Variable {
    let name = format!("{} {}", line.step.index().saturating_add(1), session::wording::shown(&line.name));
    let mut facts = vec![line.state.as_str().to_owned()];
    facts.extend(line.took.map(|took| format!("for {}", session::wording::duration(took))));
    let more = match (line.awaited, line.joined, line.state) {
        (true, ..) => Some("waited for now"),
        (_, false, BackgroundState::Over(_)) => Some("nobody has waited for it yet"),
        _ => None,
    };
    let text = facts.join(" ");
    plain(&name, &more.map_or_else(|| text.clone(), |more| format!("{text}, {more}")))
}

fn secret_names(picture: &Picture) -> Vec<Variable> {
    match picture.evaluate("secrets") {
        Ok(Value::Object(secrets)) => secrets.keys().map(|name| plain(name, "***")).collect(),
        _ => Vec::new(),
    }
}

/// How many named and indexed children a value has.
pub(super) fn sizes(value: &Value) -> (Option<i64>, Option<i64>) {
    match value {
        Value::Object(object) => (i64::try_from(object.len()).ok(), None),
        Value::Array(items) => (None, i64::try_from(items.len()).ok()),
        _ => (None, None),
    }
}

/// A value in a few words, masked.
pub(super) fn preview(value: &Value, picture: &Picture) -> String {
    match value {
        Value::Object(object) if object.is_empty() => "{}".to_owned(),
        Value::Object(object) => format!("{{{}}}", counted(object.len(), "key")),
        Value::Array(items) if items.is_empty() => "[]".to_owned(),
        Value::Array(items) => format!("[{}]", counted(items.len(), "item")),
        other => {
            let text = picture.show(other);
            match text.char_indices().nth(SHOWN_CHARS_MAX) {
                Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
                None => text,
            }
        }
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The expression for a member.
pub(super) fn member(object: &str, name: &str) -> String {
    if is_identifier(name) {
        format!("{object}.{name}")
    } else {
        format!("{object}['{}']", name.replace('\'', "''"))
    }
}

fn is_identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

/// `env['A-B']` as the session names it: `env.A-B`. `None` for what is no path of names.
fn dotted(expression: &str) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut rest = expression;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix("['") {
            let (name, after) = quoted.split_once("']")?;
            parts.push(name.replace("''", "'"));
            rest = after;
        } else {
            let plain = if parts.is_empty() { rest } else { rest.strip_prefix('.')? };
            let end = plain.find(['.', '[']).unwrap_or(plain.len());
            let (name, after) = plain.split_at_checked(end)?;
            if !is_identifier(name) {
                return None;
            }
            parts.push(name.to_owned());
            rest = after;
        }
    }
    (!parts.is_empty()).then(|| parts.join("."))
}

/// What is shown of a value besides its text: whether it can be set.
fn hint(asked: &Asked) -> Option<VariablePresentationHint> {
    let name = dotted(&asked.expression).unwrap_or_default();
    let parts: Vec<&str> = name.split('.').collect();
    let settable = matches!(
        parts.as_slice(),
        ["env" | "inputs", _] | ["job", "status"] | ["steps", _, "outcome"] | ["steps", _, "outputs", _]
    );
    let settable = settable && (asked.lane == LaneId::FOREGROUND || !name.starts_with("env."));
    let attributes = (!settable).then(|| vec![VariablePresentationHintAttributes::ReadOnly]);
    Some(VariablePresentationHint {
        kind: Some(VariablePresentationHintKind::Data),
        attributes,
        ..VariablePresentationHint::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_written_as_an_expression_reads_them() {
        assert_eq!(member("env", "A"), "env.A");
        assert_eq!(member("env", "it's"), "env['it''s']");
        assert_eq!(member("a[0]", "b-c"), "a[0].b-c");
    }

    #[test]
    fn paths_of_names_are_told_from_other_expressions() {
        assert_eq!(dotted("env['it''s']").as_deref(), Some("env.it's"));
        assert_eq!(dotted("steps.a.outputs.b").as_deref(), Some("steps.a.outputs.b"));
        for other in ["", "a + b", "f(x)", "a[0]", "a..b", "a['b", "'x'"] {
            assert_eq!(dotted(other), None, "{other}");
        }
    }
}

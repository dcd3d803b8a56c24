//! Tree and contexts to value: order of evaluation, short circuits, memory (steps.md 6.2, 6.3).
//! It knows no file and no status: `hashFiles` stops with a question unless its answer is at hand.

use smallvec::{SmallVec, smallvec};

use crate::builtin::{Builtin, text_test};
use crate::error::EvalError;
use crate::fold;
use crate::format::{self, Segment};
use crate::function::{Extension, Functions};
use crate::hash::HashRequest;
use crate::index::{self, Operand, Selector};
use crate::json_print;
use crate::memory::{self, Account, Counter, Exceeded};
use crate::object::Object;
use crate::print;
use crate::trace::{Outcome, Recorder};
use crate::tree::{Node, NodeId, NodeKind, Tree};
use crate::value::Value;

/// Why an evaluation ended without a value.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    Error(EvalError),
    NeedsHash(HashRequest),
}

impl From<EvalError> for Stop {
    fn from(error: EvalError) -> Stop {
        Stop::Error(error)
    }
}

type Step<T> = Result<T, Stop>;

/// What a node made, before it is accounted for.
struct Made {
    operand: Operand,
    /// Bytes when they are known to differ from those of the value.
    bytes: Option<usize>,
    /// Whether a primitive comes from stored data: GitHub's runner then counts it twice.
    stored: bool,
}

impl Made {
    fn new(value: impl Into<Value>) -> Made {
        Made { operand: value.into().into(), bytes: None, stored: false }
    }

    fn stored(value: Value) -> Made {
        Made { operand: value.into(), bytes: None, stored: true }
    }
}

impl From<Operand> for Made {
    fn from(operand: Operand) -> Made {
        Made { operand, bytes: None, stored: false }
    }
}

/// One evaluation of one tree.
pub(crate) struct Evaluator<'a> {
    tree: &'a Tree,
    contexts: &'a Object,
    functions: &'a Functions,
    account: Account,
    recorder: Option<Recorder>,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(tree: &'a Tree, contexts: &'a Object, functions: &'a Functions, memory: usize) -> Self {
        Evaluator { tree, contexts, functions, account: Account::new(memory), recorder: None }
    }

    /// Keeps what every node gave.
    pub(crate) fn recording(mut self) -> Self {
        self.recorder = Some(Recorder::new(self.tree.size()));
        self
    }

    /// Evaluates the whole tree; gives what was recorded beside the result.
    pub(crate) fn run(mut self) -> (Step<Value>, Option<Recorder>) {
        let result = self.evaluate(self.tree.root(), 0).map(|operand| operand.value);
        (result, self.recorder)
    }

    fn evaluate(&mut self, id: NodeId, level: usize) -> Step<Operand> {
        if let Some(recorder) = &mut self.recorder {
            recorder.enter(id);
        }
        let result = self.make(id, level).and_then(|made| self.accounted(made, level));
        if let Some(recorder) = &mut self.recorder {
            recorder.leave(id, Outcome::of(&result));
        }
        result
    }

    fn accounted(&mut self, made: Made, level: usize) -> Step<Operand> {
        let value = &made.operand.value;
        let primitive = value.kind().is_primitive();
        let twice = made.stored && primitive && !value.is_null();
        let own = match made.bytes {
            Some(bytes) => bytes,
            None if twice => memory::OBJECT_BYTES + memory::value_bytes(value),
            None => memory::value_bytes(value),
        };
        self.account
            .add(level, own, primitive && !twice)
            .map_err(|_: Exceeded| self.exceeded(self.tree.root()))?;
        Ok(made.operand)
    }

    fn exceeded(&self, id: NodeId) -> Stop {
        let expression = print::print(self.tree, id);
        let text = "The maximum allowed memory size was exceeded while evaluating the following expression";
        EvalError::new(format!("{text}: {expression}")).into()
    }

    fn counter(&self) -> Counter {
        Counter::new(self.account.limit())
    }

    fn make(&mut self, id: NodeId, level: usize) -> Step<Made> {
        // Trees outlive the evaluation, so a node can be held while others are evaluated.
        let tree: &'a Tree = self.tree;
        let Some(node) = tree.node(id) else { return Ok(Made::new(Value::Null)) };
        match &node.kind {
            NodeKind::Literal(value) => Ok(Made::new(value.clone())),
            NodeKind::Wildcard => Ok(Made::new("*")),
            NodeKind::Named(name) => Ok(Made::stored(self.contexts.get(name).cloned().unwrap_or_default())),
            NodeKind::Index => self.index(id, node, level),
            NodeKind::Not => Ok(Made::new(!self.operand(node, 0, level)?.value.is_truthy())),
            NodeKind::And => self.until(node, level, |value| !value.is_truthy()),
            NodeKind::Or => self.until(node, level, Value::is_truthy),
            NodeKind::Compare(comparison) => {
                let left = self.operand(node, 0, level)?.value;
                let right = self.operand(node, 1, level)?.value;
                Ok(Made::new(comparison.holds(&left, &right)))
            }
            NodeKind::Call { builtin: Some(builtin), .. } => self.call(*builtin, id, node, level),
            NodeKind::Call { name, .. } => match self.functions.find(name) {
                Some(extension) => self.call_extension(extension, node, level),
                None => Ok(Made::new(Value::Null)),
            },
        }
    }

    fn operand(&mut self, node: &Node, number: usize, level: usize) -> Step<Operand> {
        match node.operands.get(number) {
            Some(&id) => self.evaluate(id, level + 1),
            None => Ok(Value::Null.into()),
        }
    }

    /// The first operand that decides, else the last one.
    fn until(&mut self, node: &Node, level: usize, decides: fn(&Value) -> bool) -> Step<Made> {
        let mut last = Operand::from(Value::Null);
        for &id in &node.operands {
            last = self.evaluate(id, level + 1)?;
            if decides(&last.value) {
                break;
            }
        }
        Ok(last.into())
    }

    fn index(&mut self, id: NodeId, node: &Node, level: usize) -> Step<Made> {
        let left = self.operand(node, 0, level)?;
        let wildcard = node
            .operands
            .get(1)
            .and_then(|&id| self.tree.node(id))
            .is_some_and(|key| key.kind == NodeKind::Wildcard);
        let selector = match (wildcard, left.value.kind().is_primitive()) {
            (true, _) => Selector::Wildcard,
            // GitHub's runner does not evaluate the index of what has no members.
            (false, true) => return Ok(Made::new(Value::Null)),
            (false, false) => Selector::Key(self.operand(node, 1, level)?.value),
        };
        let mut counter = self.counter();
        let (operand, bytes) =
            index::select(&left, &selector, &mut counter).map_err(|_: Exceeded| self.exceeded(id))?;
        Ok(Made { operand, bytes, stored: true })
    }

    fn call(&mut self, builtin: Builtin, id: NodeId, node: &Node, level: usize) -> Step<Made> {
        match builtin {
            Builtin::Case => self.case(node, level),
            Builtin::Contains => self.contains(node, level),
            Builtin::StartsWith => self.text_test(node, level, fold::starts_with),
            Builtin::EndsWith => self.text_test(node, level, fold::ends_with),
            Builtin::Format => self.format(id, node, level),
            Builtin::Join => self.join(id, node, level),
            Builtin::ToJson => {
                let value = self.operand(node, 0, level)?.value;
                let text = json_print::print_counted(&value, &mut self.counter());
                text.map(Made::new).map_err(|_| self.exceeded(id))
            }
            Builtin::FromJson => {
                let value = self.operand(node, 0, level)?.value;
                let read = Value::from_json(&value.to_text()).map_err(|error| EvalError::new(error.text))?;
                Ok(Made::stored(read))
            }
        }
    }

    fn case(&mut self, node: &Node, level: usize) -> Step<Made> {
        let default = node.operands.len().saturating_sub(1);
        for predicate in (0..default).step_by(2) {
            match self.operand(node, predicate, level)?.value {
                Value::Bool(true) => return Ok(self.operand(node, predicate + 1, level)?.into()),
                Value::Bool(false) => {}
                _ => return Err(EvalError::new("case predicate must evaluate to a boolean value").into()),
            }
        }
        Ok(self.operand(node, default, level)?.into())
    }

    fn contains(&mut self, node: &Node, level: usize) -> Step<Made> {
        let left = self.operand(node, 0, level)?.value;
        let found = match &left {
            Value::Object(_) => false,
            Value::Array(items) if items.is_empty() => false,
            Value::Array(items) => {
                let wanted = self.operand(node, 1, level)?.value;
                items.iter().any(|item| wanted.loosely_equals(item))
            }
            _ => text_test(&left, &self.operand(node, 1, level)?.value, fold::contains),
        };
        Ok(Made::new(found))
    }

    fn text_test(&mut self, node: &Node, level: usize, test: fn(&str, &str) -> bool) -> Step<Made> {
        let left = self.operand(node, 0, level)?.value;
        let holds =
            left.kind().is_primitive() && text_test(&left, &self.operand(node, 1, level)?.value, test);
        Ok(Made::new(holds))
    }

    /// Appends to `text` as far as memory allows.
    fn append(&self, id: NodeId, text: &mut String, counter: &mut Counter, piece: &str) -> Step<()> {
        counter.add(memory::text_bytes(piece)).map_err(|_| self.exceeded(id))?;
        text.push_str(piece);
        Ok(())
    }

    fn join(&mut self, id: NodeId, node: &Node, level: usize) -> Step<Made> {
        let list = self.operand(node, 0, level)?.value;
        let items = match &list {
            Value::Array(items) => items,
            Value::Object(_) => return Ok(Made::new("")),
            primitive => return Ok(Made::new(Value::String(primitive.to_shared_text()))),
        };
        let given = if items.len() > 1 && node.operands.len() > 1 {
            Some(self.operand(node, 1, level)?.value)
        } else {
            None
        };
        let given = given.filter(|separator| separator.kind().is_primitive());
        let separator = given.as_ref().map_or(",".into(), Value::to_text);
        let (mut text, mut counter) = (String::new(), self.counter());
        for (number, item) in items.iter().enumerate() {
            if number > 0 {
                self.append(id, &mut text, &mut counter, &separator)?;
            }
            self.append(id, &mut text, &mut counter, &item.to_text())?;
        }
        Ok(Made::new(text))
    }

    /// The whole format string is checked first; then each argument it names is evaluated, once.
    fn format(&mut self, id: NodeId, node: &Node, level: usize) -> Step<Made> {
        let format = self.operand(node, 0, level)?.value.to_shared_text();
        let segments = format::segments(&format, node.operands.len().saturating_sub(1))?;
        let mut arguments: SmallVec<[Option<Value>; 4]> = smallvec![None; node.operands.len()];
        let (mut text, mut counter) = (String::with_capacity(format.len()), self.counter());
        for segment in &segments {
            match segment {
                Segment::Text("") => {}
                Segment::Text(piece) => self.append(id, &mut text, &mut counter, piece)?,
                Segment::Argument { index, specifiers } => {
                    let known = arguments.get(*index).cloned().flatten();
                    let value = match known {
                        Some(value) => value,
                        None => self.operand(node, index + 1, level)?.value,
                    };
                    if !specifiers.is_empty() {
                        return Err(format::specifiers_error(specifiers, value.kind().name()).into());
                    }
                    if !value.to_text().is_empty() {
                        self.append(id, &mut text, &mut counter, &value.to_text())?;
                    }
                    if let Some(slot) = arguments.get_mut(*index) {
                        *slot = Some(value);
                    }
                }
            }
        }
        Ok(Made::new(text))
    }

    fn call_extension(&mut self, extension: Extension, node: &Node, level: usize) -> Step<Made> {
        let status = self.functions.status();
        match extension {
            Extension::Always => Ok(Made::new(true)),
            Extension::Cancelled => Ok(Made::new(status.cancelled)),
            Extension::Failure => Ok(Made::new(status.failure)),
            Extension::Success => Ok(Made::new(status.success)),
            Extension::HashFiles => self.hash_files(node, level),
        }
    }

    fn hash_files(&mut self, node: &Node, level: usize) -> Step<Made> {
        let mut request = HashRequest { patterns: Vec::new(), follow_symbolic_links: false };
        for number in 0..node.operands.len() {
            let pattern = self.operand(node, number, level)?.value.to_text().into_owned();
            if number > 0 || !pattern.starts_with("--") {
                request.patterns.push(pattern);
            } else if pattern.eq_ignore_ascii_case("--follow-symbolic-links") {
                request.follow_symbolic_links = true;
            } else {
                // The spelling is GitHub's, and so is the wrapping of the message as a parameter name.
                let detail =
                    format!("Invalid glob option {pattern}, avaliable option: '--follow-symbolic-links'.");
                let text = format!(
                    "Specified argument was out of the range of valid values. (Parameter '{detail}')"
                );
                return Err(EvalError::new(text).into());
            }
        }
        match self.functions.hashes().get(&request) {
            Some(Ok(digest)) => Ok(Made::new(std::sync::Arc::clone(digest))),
            Some(Err(text)) => Err(EvalError::new(&**text).into()),
            None => Err(Stop::NeedsHash(request)),
        }
    }
}

#[cfg(test)]
mod tests;

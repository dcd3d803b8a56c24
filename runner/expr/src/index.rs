//! Indexing: `a.b`, `a[0]`, `a.*` and what an index does to a filtered array (steps.md 6.2).
//! It does not evaluate: it is given values.

use crate::memory::{Counter, Exceeded, OBJECT_BYTES, POINTER_BYTES};
use crate::value::Value;

/// A value beside whether it is what `*` made: a filtered array takes indexes for its items.
#[derive(Clone, Debug)]
pub(crate) struct Operand {
    pub(crate) value: Value,
    pub(crate) filtered: bool,
}

impl From<Value> for Operand {
    fn from(value: Value) -> Operand {
        Operand { value, filtered: false }
    }
}

impl Operand {
    fn filtered(items: Vec<Value>) -> Operand {
        Operand { value: items.into(), filtered: true }
    }
}

/// What stands between the brackets.
pub(crate) enum Selector {
    Wildcard,
    Key(Value),
}

impl Selector {
    /// The position in an array: floored; NaN, negative and beyond 32 bits select nothing.
    fn position(key: &Value) -> Option<usize> {
        let number = key.to_number();
        let floored = number.floor();
        // In range, so the cast is exact.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        (number >= 0.0 && floored <= f64::from(i32::MAX)).then_some(floored as usize)
    }

    /// The one value that a key selects.
    fn select(key: &Value, from: &Value) -> Option<Value> {
        match from {
            Value::Object(object) if key.kind().is_primitive() => object.get(&key.to_text()).cloned(),
            Value::Array(items) => items.get(Selector::position(key)?).cloned(),
            _ => None,
        }
    }
}

/// All values of an array or object.
fn members(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.to_vec(),
        Value::Object(object) => object.values().cloned().collect(),
        _ => Vec::new(),
    }
}

/// What `selector` finds in `operand`. Bytes are counted for filtered arrays only; `None` leaves them to the
/// caller.
pub(crate) fn select(
    operand: &Operand,
    selector: &Selector,
    counter: &mut Counter,
) -> Result<(Operand, Option<usize>), Exceeded> {
    if operand.filtered {
        let mut found = Vec::new();
        for item in operand.value.as_array().unwrap_or_default() {
            let selected = match selector {
                Selector::Wildcard => members(item),
                Selector::Key(key) => Selector::select(key, item).into_iter().collect(),
            };
            counter.add(selected.len() * POINTER_BYTES)?;
            found.extend(selected);
        }
        return Ok((Operand::filtered(found), Some(counter.used())));
    }
    match selector {
        Selector::Key(key) => Ok((Selector::select(key, &operand.value).unwrap_or_default().into(), None)),
        Selector::Wildcard if operand.value.kind().is_primitive() => {
            Ok((Operand::filtered(Vec::new()), None))
        }
        Selector::Wildcard => {
            let items = members(&operand.value);
            counter.add(OBJECT_BYTES + items.len() * POINTER_BYTES)?;
            Ok((Operand::filtered(items), Some(counter.used())))
        }
    }
}

//! What `==`, `<` and their kin mean between two values (steps.md 6.2).
//! It does not know about structural equality: that is `PartialEq` of `Value`.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::fold;
use crate::value::Value;

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }

    /// The name under which a step's debug log shows it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Comparison::Equal => "Equal",
            Comparison::NotEqual => "NotEqual",
            Comparison::Less => "LessThan",
            Comparison::LessOrEqual => "LessThanOrEqual",
            Comparison::Greater => "GreaterThan",
            Comparison::GreaterOrEqual => "GreaterThanOrEqual",
        }
    }

    pub(crate) fn holds(self, left: &Value, right: &Value) -> bool {
        match self {
            Comparison::Equal => equal(left, right),
            Comparison::NotEqual => !equal(left, right),
            Comparison::Less => order(left, right) == Some(Ordering::Less),
            Comparison::LessOrEqual => equal(left, right) || order(left, right) == Some(Ordering::Less),
            Comparison::Greater => order(left, right) == Some(Ordering::Greater),
            Comparison::GreaterOrEqual => equal(left, right) || order(left, right) == Some(Ordering::Greater),
        }
    }
}

/// Whether the two are compared as numbers: kinds differ and neither is an array or object.
fn as_numbers(left: &Value, right: &Value) -> Option<(f64, f64)> {
    let (left_kind, right_kind) = (left.kind(), right.kind());
    let numeric = left_kind != right_kind && left_kind.is_primitive() && right_kind.is_primitive();
    numeric.then(|| (left.to_number(), right.to_number()))
}

/// Equality with conversion; arrays and objects are equal only to themselves.
pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    if let Some((left, right)) = as_numbers(left, right) {
        return left == right;
    }
    match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Number(left), Value::Number(right)) => left == right,
        (Value::String(left), Value::String(right)) => fold::equals(left, right),
        (Value::Array(left), Value::Array(right)) => Arc::ptr_eq(left, right),
        (Value::Object(left), Value::Object(right)) => Arc::ptr_eq(left, right),
        _ => false,
    }
}

/// Order with conversion; nothing between nulls, arrays or objects.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    if let Some((left, right)) = as_numbers(left, right) {
        return left.partial_cmp(&right);
    }
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => left.partial_cmp(right),
        (Value::String(left), Value::String(right)) => Some(fold::compare(left, right)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::Object;

    #[test]
    fn nulls_are_equal_but_not_ordered() {
        let null = Value::Null;
        assert!(Comparison::GreaterOrEqual.holds(&null, &null));
        assert!(Comparison::LessOrEqual.holds(&null, &null));
        assert!(!Comparison::Less.holds(&null, &null));
    }

    #[test]
    fn containers_are_equal_to_themselves_only() {
        let object = Value::from(Object::new());
        assert!(equal(&object, &object.clone()));
        assert!(!equal(&object, &Object::new().into()));
        assert!(!Comparison::Less.holds(&object, &2.into()));
        assert!(!equal(&object, &f64::NAN.into()));
    }

    #[test]
    fn kinds_meet_as_numbers() {
        assert!(equal(&"  ".into(), &Value::Null));
        assert!(equal(&true.into(), &" 0x1 ".into()));
        assert!(Comparison::Less.holds(&false.into(), &"2".into()));
        assert!(Comparison::Greater.holds(&"b".into(), &"A".into()));
        assert!(!Comparison::LessOrEqual.holds(&"abc".into(), &1.into()));
    }
}

//! The well-known functions by name (steps.md 6.3), and those among them that need only values.
//! It does not evaluate arguments; the evaluator decides which are evaluated at all.

use crate::fold;
use crate::limit::MAX_ARGUMENTS;
use crate::scope::FunctionSignature;
use crate::value::Value;

/// A function that every expression may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builtin {
    Case,
    Contains,
    EndsWith,
    Format,
    FromJson,
    Join,
    StartsWith,
    ToJson,
}

const ALL: &[(FunctionSignature, Builtin)] = &[
    (FunctionSignature::new("case", 3, MAX_ARGUMENTS), Builtin::Case),
    (FunctionSignature::new("contains", 2, 2), Builtin::Contains),
    (FunctionSignature::new("endsWith", 2, 2), Builtin::EndsWith),
    (FunctionSignature::new("format", 1, MAX_ARGUMENTS), Builtin::Format),
    (FunctionSignature::new("join", 1, 2), Builtin::Join),
    (FunctionSignature::new("startsWith", 2, 2), Builtin::StartsWith),
    (FunctionSignature::new("toJSON", 1, 1), Builtin::ToJson),
    (FunctionSignature::new("fromJSON", 1, 1), Builtin::FromJson),
];

/// The signatures of all well-known functions.
pub(crate) fn signatures() -> impl ExactSizeIterator<Item = FunctionSignature> {
    ALL.iter().map(|&(signature, _)| signature)
}

impl Builtin {
    /// The function that a call by this name means, in any case.
    pub(crate) fn named(name: &str) -> Option<Builtin> {
        ALL.iter().find(|(signature, _)| fold::equals(signature.name, name)).map(|&(_, builtin)| builtin)
    }

    pub(crate) fn signature(self) -> FunctionSignature {
        let found = ALL.iter().find(|&&(_, builtin)| builtin == self);
        found.map_or(FunctionSignature::new("", 0, 0), |&(signature, _)| signature)
    }
}

/// A test of one text against another, for primitives only.
pub(crate) fn text_test(left: &Value, right: &Value, test: fn(&str, &str) -> bool) -> bool {
    left.kind().is_primitive() && right.kind().is_primitive() && test(&left.to_text(), &right.to_text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_its_own_signature() {
        for &(signature, builtin) in ALL {
            assert_eq!(builtin.signature(), signature);
            assert_eq!(Builtin::named(&signature.name.to_uppercase()), Some(builtin));
        }
        assert_eq!(signatures().len(), ALL.len());
        assert_eq!(Builtin::named("hashFiles"), None);
    }
}

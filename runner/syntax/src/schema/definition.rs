//! What a table of keys is made of: definitions that point at one another.
//!
//! Knows no key of its own; the tables are beside it.

use expr::FunctionSignature;

/// What may stand in one place of a file.
pub(crate) struct Definition {
    /// Contexts that expressions here may use besides those allowed further out.
    pub(crate) contexts: &'static [&'static str],
    /// Extension functions likewise.
    pub(crate) functions: &'static [FunctionSignature],
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    Null,
    Boolean,
    Number,
    String(Text),
    Sequence(&'static Definition),
    Mapping(Keys),
    /// The first that fits; for mappings, the keys decide.
    OneOf(&'static [&'static Definition]),
}

/// Which strings are fine.
pub(crate) enum Text {
    Any,
    NonEmpty,
    Values(&'static [&'static str]),
}

/// The keys of a mapping.
pub(crate) struct Keys {
    pub(crate) properties: &'static [Property],
    /// What other keys and their values must be, if there may be others.
    pub(crate) loose: Option<(&'static Definition, &'static Definition)>,
    /// GitHub's server passes over unknown keys here; only its editor complains.
    pub(crate) lenient: bool,
    /// Each value is judged by itself: a fault in one leaves the others standing.
    pub(crate) isolated: bool,
}

pub(crate) struct Property {
    pub(crate) name: &'static str,
    pub(crate) definition: &'static Definition,
    pub(crate) required: bool,
}

impl Definition {
    pub(crate) const fn new(kind: Kind) -> Self {
        Self { contexts: &[], functions: &[], kind }
    }

    /// The same, where expressions may use these contexts.
    pub(crate) const fn using(self, contexts: &'static [&'static str]) -> Self {
        Self { contexts, functions: self.functions, kind: self.kind }
    }

    /// The same, where expressions may call these functions.
    pub(crate) const fn calling(self, functions: &'static [FunctionSignature]) -> Self {
        Self { contexts: self.contexts, functions, kind: self.kind }
    }

    pub(crate) const fn string() -> Self {
        Self::new(Kind::String(Text::Any))
    }

    pub(crate) const fn non_empty() -> Self {
        Self::new(Kind::String(Text::NonEmpty))
    }

    pub(crate) const fn values(values: &'static [&'static str]) -> Self {
        Self::new(Kind::String(Text::Values(values)))
    }

    pub(crate) const fn sequence(item: &'static Definition) -> Self {
        Self::new(Kind::Sequence(item))
    }

    pub(crate) const fn one_of(definitions: &'static [&'static Definition]) -> Self {
        Self::new(Kind::OneOf(definitions))
    }

    /// A mapping with these keys and no others.
    pub(crate) const fn mapping(properties: &'static [Property]) -> Self {
        Self::new(Kind::Mapping(Keys { properties, loose: None, lenient: false, isolated: false }))
    }

    /// A mapping with these keys, where GitHub passes over others.
    pub(crate) const fn lenient_mapping(properties: &'static [Property]) -> Self {
        Self::new(Kind::Mapping(Keys { properties, loose: None, lenient: true, isolated: false }))
    }

    /// A mapping with these keys and any others whose values are as given.
    pub(crate) const fn open_mapping(properties: &'static [Property], value: &'static Definition) -> Self {
        Self::new(Kind::Mapping(Keys {
            properties,
            loose: Some((&NON_EMPTY, value)),
            lenient: false,
            isolated: false,
        }))
    }

    /// A mapping with any keys, each value judged by itself.
    pub(crate) const fn isolated_map_of(value: &'static Definition) -> Self {
        Self::new(Kind::Mapping(Keys {
            properties: &[],
            loose: Some((&NON_EMPTY, value)),
            lenient: false,
            isolated: true,
        }))
    }

    /// A mapping with any keys.
    pub(crate) const fn map_of(value: &'static Definition) -> Self {
        Self::open_mapping(&[], value)
    }

    /// The alternatives of a one-of, or itself.
    pub(crate) fn alternatives(&'static self) -> impl Iterator<Item = &'static Definition> {
        let (own, others): (_, &'static [&'static Definition]) = match &self.kind {
            Kind::OneOf(definitions) => (None, definitions),
            _ => (Some(self), &[]),
        };
        own.into_iter().chain(others.iter().copied())
    }
}

impl Property {
    pub(crate) const fn optional(name: &'static str, definition: &'static Definition) -> Self {
        Self { name, definition, required: false }
    }

    pub(crate) const fn required(name: &'static str, definition: &'static Definition) -> Self {
        Self { name, definition, required: true }
    }
}

pub(crate) static NULL: Definition = Definition::new(Kind::Null);
pub(crate) static BOOLEAN: Definition = Definition::new(Kind::Boolean);
pub(crate) static NUMBER: Definition = Definition::new(Kind::Number);
pub(crate) static STRING: Definition = Definition::string();
pub(crate) static NON_EMPTY: Definition = Definition::non_empty();
pub(crate) static SEQUENCE: Definition = Definition::sequence(&ANY);
pub(crate) static MAPPING: Definition = Definition::new(Kind::Mapping(Keys {
    properties: &[],
    loose: Some((&STRING, &ANY)),
    lenient: false,
    isolated: false,
}));
/// Anything at all.
pub(crate) static ANY: Definition =
    Definition::one_of(&[&NULL, &BOOLEAN, &NUMBER, &STRING, &SEQUENCE, &MAPPING]);
pub(crate) static STRINGS: Definition = Definition::sequence(&STRING);
pub(crate) static NON_EMPTY_STRINGS: Definition = Definition::sequence(&NON_EMPTY);
/// A name or a list of names.
pub(crate) static ONE_OR_MORE: Definition = Definition::one_of(&[&NON_EMPTY, &NON_EMPTY_STRINGS]);

//! Which contexts and functions may be used where an expression stands (steps.md 1.5).
//! It does not know the workflow keys: whoever parses a key brings the scope that belongs to it.

use crate::fold;
use crate::limit::MAX_ARGUMENTS;

/// A function's name and how many arguments it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionSignature {
    /// Its name; calls may spell it in any case.
    pub name: &'static str,
    /// Fewest arguments.
    pub min: usize,
    /// Most arguments.
    pub max: usize,
}

impl FunctionSignature {
    /// A signature, in a constant.
    pub const fn new(name: &'static str, min: usize, max: usize) -> FunctionSignature {
        FunctionSignature { name, min, max }
    }
}

/// `always()`
pub(crate) const ALWAYS: FunctionSignature = FunctionSignature::new("always", 0, 0);
/// `cancelled()`
pub(crate) const CANCELLED: FunctionSignature = FunctionSignature::new("cancelled", 0, 0);
/// `failure()`
pub(crate) const FAILURE: FunctionSignature = FunctionSignature::new("failure", 0, 0);
/// `success()`
pub(crate) const SUCCESS: FunctionSignature = FunctionSignature::new("success", 0, 0);
/// `hashFiles(pattern, …)`
pub(crate) const HASH_FILES: FunctionSignature = FunctionSignature::new("hashFiles", 1, MAX_ARGUMENTS);

/// The named values and extension functions that an expression may use. The well-known functions
/// (`contains`, `format`, `toJSON` …) may be used everywhere.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    named_values: &'a [&'a str],
    functions: &'a [FunctionSignature],
    unknown_allowed: bool,
}

impl<'a> Scope<'a> {
    /// What a step's `if` may call besides the well-known functions.
    pub const CONDITION_FUNCTIONS: &'static [FunctionSignature] =
        &[ALWAYS, CANCELLED, FAILURE, SUCCESS, HASH_FILES];

    /// What a step's body (`run`, `with`, `env` …) may call besides the well-known functions.
    pub const BODY_FUNCTIONS: &'static [FunctionSignature] = &[HASH_FILES];

    /// Exactly these named values and extension functions.
    pub const fn new(named_values: &'a [&'a str], functions: &'a [FunctionSignature]) -> Scope<'a> {
        Scope { named_values, functions, unknown_allowed: false }
    }

    /// These named values, with the functions of a step's `if`.
    pub const fn condition(named_values: &'a [&'a str]) -> Scope<'a> {
        Scope::new(named_values, Scope::CONDITION_FUNCTIONS)
    }

    /// These named values, with the functions of a step's body.
    pub const fn body(named_values: &'a [&'a str]) -> Scope<'a> {
        Scope::new(named_values, Scope::BODY_FUNCTIONS)
    }

    /// Any named value and any function, checked for syntax alone. Known functions keep their argument
    /// counts; at evaluation unknown ones give `null`.
    pub const fn any() -> Scope<'a> {
        Scope { named_values: &[], functions: Scope::CONDITION_FUNCTIONS, unknown_allowed: true }
    }

    /// The named values, as given.
    pub fn named_values(&self) -> &'a [&'a str] {
        self.named_values
    }

    /// The extension functions, as given.
    pub fn functions(&self) -> &'a [FunctionSignature] {
        self.functions
    }

    pub(crate) fn allows_unknown(&self) -> bool {
        self.unknown_allowed
    }

    pub(crate) fn allows_named_value(&self, name: &str) -> bool {
        self.unknown_allowed || self.named_values.iter().any(|known| fold::equals(known, name))
    }

    pub(crate) fn function(&self, name: &str) -> Option<FunctionSignature> {
        self.functions.iter().find(|known| fold::equals(known.name, name)).copied()
    }
}

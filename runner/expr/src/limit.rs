//! The figures at which GitHub stops parsing or evaluating (steps.md 6.1, 6.3, 6.4).
//! It does not know what is measured against them: the parser and the memory account do that.

/// Longest expression, in UTF-16 units (`ExpressionConstants.MaxLength`).
pub const MAX_LENGTH: usize = 21_000;

/// Deepest expression tree, counting the root as 1 (`ExpressionConstants.MaxDepth`).
pub const MAX_DEPTH: usize = 50;

/// Bytes one evaluation may account for when nothing else is asked: 1 MiB (`EvaluationOptions.MaxMemory`).
pub const DEFAULT_MEMORY: usize = 1024 * 1024;

/// Bytes one evaluation may account for inside a template or a condition: 10 MiB (steps.md 6.4).
pub const TEMPLATE_MEMORY: usize = 10 * 1024 * 1024;

/// Most arguments that a function with a variable number of them takes (`Byte.MaxValue`).
pub const MAX_ARGUMENTS: usize = 255;

/// Deepest nesting that `fromJSON` reads (the default of the JSON reader that GitHub's runner uses).
pub const JSON_DEPTH: usize = 64;

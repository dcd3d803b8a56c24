//! What the session says, as a person reads it in a terminal or in an editor's debug console: answers, stops, and the words and
//! colours that they are made of.
//!
//! From values to text, masked already; writes nothing, and knows no terminal.

mod answer;
mod artifact;
mod paint;
pub mod sanitize;
mod step;
mod stop;
mod words;

pub use answer::{PENDING, answer, breakpoint_text};
pub use artifact::artifact_line;
pub use paint::{Meaning, Painter, columns, cut, padded};
pub use step::{job_line, step_line};
pub use stop::{barred, failure, prompt, short_place, stop, where_it_stands};
pub use words::{duration, exit_of, mark, shown, verb};

//! How many background steps of a job run at once (steps.md 2.3).
//!
//! Knows what a server's variable says; not the steps.

use std::fmt;
use std::num::NonZeroU32;

use crate::limits::BACKGROUND_SLOTS;

/// The job variable by which a server sets the number (steps.md 2.3).
pub const VARIABLE: &str = "system.runner.maxbackgroundsteps";

/// How many background steps run at once, at least one; further ones wait for their turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackgroundSlots(NonZeroU32);

impl BackgroundSlots {
    /// This many.
    pub fn new(number: NonZeroU32) -> Self {
        Self(number)
    }

    /// As the variables of a job message say, by name and value: names count in any case, and the last of a name. The number
    /// is read as GitHub's runner reads it, as a signed one of 32 bits with blanks around it; without one above 0 the default
    /// holds.
    pub fn of_variables<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let named = variables.into_iter().filter(|(name, _)| name.eq_ignore_ascii_case(VARIABLE));
        let number = named.last().and_then(|(_, value)| value.trim_ascii().parse::<i32>().ok());
        let above_0 = number.and_then(|number| NonZeroU32::new(u32::try_from(number).ok()?));
        above_0.map(Self).unwrap_or_default()
    }

    /// The number.
    pub fn number(self) -> NonZeroU32 {
        self.0
    }

    /// Whether there is one left when so many are taken.
    pub(crate) fn are_free(self, taken: usize) -> bool {
        u32::try_from(taken).is_ok_and(|taken| taken < self.0.get())
    }
}

impl Default for BackgroundSlots {
    fn default() -> Self {
        Self(BACKGROUND_SLOTS)
    }
}

impl fmt::Display for BackgroundSlots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_variable_is_read_as_githubs_runner_reads_it() {
        let read = |value: &str| BackgroundSlots::of_variables([(VARIABLE, value)]).number().get();
        let numbers = ["3", "1", " 25\t", "+4", "007", "2147483647"].map(read);
        assert_eq!(numbers, [3, 1, 25, 4, 7, 2_147_483_647]);
        let wrong = ["", "0", "-3", "2147483648", "1e1", "0x10", "3.0", "1,000", "ten", "5 6"].map(read);
        assert_eq!(wrong, [10; 10]);
    }

    #[test]
    fn names_count_in_any_case_and_the_last_one_wins() {
        let all = [
            ("system.culture", "en-US"),
            ("System.Runner.MaxBackgroundSteps", "2"),
            ("system.runner.MAXBACKGROUNDSTEPS", "6"),
            ("system.runner.maxbackgroundsteps.x", "9"),
        ];
        assert_eq!(BackgroundSlots::of_variables(all).to_string(), "6");
        assert_eq!(BackgroundSlots::of_variables([]), BackgroundSlots::default());
    }
}

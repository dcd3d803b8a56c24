//! Hit conditions: at which of its hits a breakpoint stops.
//!
//! Knows numbers; what a hit is, its breakpoint knows.

use std::fmt;
use std::str::FromStr;

/// `5`, `=5`, `>5`, `>=5`, `<5`, `<=5` or `%5`, as editors write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HitCondition {
    relation: Relation,
    number: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Is,
    Above,
    AtLeast,
    Below,
    AtMost,
    MultipleOf,
}

/// Longer ones before those that they begin with.
const RELATIONS: [(&str, Relation); 7] = [
    (">=", Relation::AtLeast),
    ("<=", Relation::AtMost),
    ("==", Relation::Is),
    (">", Relation::Above),
    ("<", Relation::Below),
    ("=", Relation::Is),
    ("%", Relation::MultipleOf),
];

impl HitCondition {
    /// Whether the breakpoint stops at its hit with this number, from 1.
    pub fn holds(self, hit: u32) -> bool {
        match self.relation {
            Relation::Is => hit == self.number,
            Relation::Above => hit > self.number,
            Relation::AtLeast => hit >= self.number,
            Relation::Below => hit < self.number,
            Relation::AtMost => hit <= self.number,
            Relation::MultipleOf => hit.checked_rem(self.number) == Some(0),
        }
    }
}

impl FromStr for HitCondition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let found = RELATIONS.iter().find_map(|(sign, relation)| Some((*relation, text.strip_prefix(sign)?)));
        let (relation, rest) = found.unwrap_or((Relation::Is, text));
        match rest.trim().parse() {
            Ok(number) if relation != Relation::MultipleOf || number > 0 => Ok(Self { relation, number }),
            _ => Err(format!("`{text}` is no hit condition: write 3, >3, >=3, <3, <=3 or %3")),
        }
    }
}

impl fmt::Display for HitCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign =
            RELATIONS.iter().find(|(_, relation)| *relation == self.relation).map_or("", |(sign, _)| sign);
        write!(f, "{sign}{}", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stops_at(text: &str) -> Vec<u32> {
        let condition: HitCondition = text.parse().unwrap();
        (1..=6).filter(|hit| condition.holds(*hit)).collect()
    }

    #[test]
    fn hits_are_counted_from_one() {
        assert_eq!(stops_at("3"), [3]);
        assert_eq!(stops_at(" == 3 "), [3]);
        assert_eq!(stops_at("=3"), [3]);
        assert_eq!(stops_at(">4"), [5, 6]);
        assert_eq!(stops_at(">=4"), [4, 5, 6]);
        assert_eq!(stops_at("<3"), [1, 2]);
        assert_eq!(stops_at("<=3"), [1, 2, 3]);
        assert_eq!(stops_at("%2"), [2, 4, 6]);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "x", "%0", "> ", "-1", "3.5", "!3"] {
            assert!(text.parse::<HitCondition>().is_err(), "{text}");
        }
    }
}

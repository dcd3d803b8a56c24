//! Lines and columns of an annotation, put right as upstream puts them right (steps.md 5.1).

use crate::command::Properties;

/// Where an annotation points to; 1-based by custom, taken as written. Columns only stand with one line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Location {
    /// `line`
    pub line: Option<i32>,
    /// `endLine`
    pub end_line: Option<i32>,
    /// `col`
    pub column: Option<i32>,
    /// `endColumn`
    pub end_column: Option<i32>,
}

impl Location {
    /// The location that a command's properties give, and a debug text for each fix. `command` is the
    /// command's name as written. What is no number counts as not given.
    pub fn from_properties(command: &str, properties: &Properties) -> (Self, Vec<String>) {
        let number = |key: &str| properties.get(key).and_then(|text| text.trim().parse::<i32>().ok());
        let mut given = Self {
            line: number("line"),
            end_line: number("endLine"),
            column: number("col"),
            end_column: number("endColumn"),
        };
        let mut notes = Vec::new();
        let mut note = |text: &str| notes.push(format!("Invalid {command} command value. {text}"));
        if given.line.is_none() && given.end_line.is_some() {
            note("'endLine' can only be set if 'line' is provided");
            given.line = given.end_line;
        }
        let has_column = given.column.is_some() || given.end_column.is_some();
        if given.column.is_none() && given.end_column.is_some() {
            note("'endColumn' can only be set if 'col' is provided");
            given.column = given.end_column;
        }
        let mut fixed = given;
        if given.line.is_none() && has_column {
            note("'col' and 'endColumn' can only be set if 'line' value is provided.");
            fixed.drop_columns();
        }
        if given.end_line.is_some() && given.line != given.end_line && has_column {
            note("'col' and 'endColumn' cannot be set if 'line' and 'endLine' are different values.");
            fixed.drop_columns();
        }
        if reversed(given.line, given.end_line) {
            note("'endLine' cannot be less than 'line'.");
            fixed.line = None;
            fixed.end_line = None;
        }
        if reversed(given.column, given.end_column) {
            note("'endColumn' cannot be less than 'col'.");
            fixed.drop_columns();
        }
        (fixed, notes)
    }

    fn drop_columns(&mut self) {
        self.column = None;
        self.end_column = None;
    }
}

fn reversed(start: Option<i32>, end: Option<i32>) -> bool {
    start.zip(end).is_some_and(|(start, end)| end < start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{WorkflowCommand, is_registered};

    fn check(properties: &str, expected: &str, notes: usize) {
        let command =
            WorkflowCommand::parse(&format!("::error {properties}::x"), is_registered).expect("command");
        let (location, said) = Location::from_properties("error", &command.properties);
        let show = |number: Option<i32>| number.map_or("-".to_owned(), |number| number.to_string());
        let shown =
            [location.line, location.end_line, location.column, location.end_column].map(show).join(" ");
        assert_eq!((shown.as_str(), said.len()), (expected, notes), "{properties}: {said:?}");
    }

    #[test]
    fn fix_ups() {
        check("", "- - - -", 0);
        check("line=1,endLine=2", "1 2 - -", 0);
        check("line=1,endLine=1,col=2,endColumn=3", "1 1 2 3", 0);
        check("endLine=4", "4 4 - -", 1);
        check("line=1,endColumn=3", "1 - 3 3", 1);
        check("col=1,endColumn=3", "- - - -", 1);
        check("line=1,endLine=2,col=3", "1 2 - -", 1);
        check("line=3,endLine=2", "- - - -", 1);
        check("line=3,col=5,endColumn=4", "3 - - -", 1);
        check("line=abc,col=1", "- - - -", 1);
        check("line= 7 ", "7 - - -", 0);
    }
}

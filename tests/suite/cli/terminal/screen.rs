//! What a terminal shows: the bytes of a program as rows of text, and where the cursor stands.
//!
//! Knows the sequences that our line editor and our faces use, and fails at any other, so that it never shows what a real
//! terminal would not. Rows are never scrolled away. Colours are dropped, and every character takes one column.

use std::collections::BTreeSet;

/// A terminal of so many columns, with all rows that were ever on it.
pub struct Screen {
    columns: usize,
    rows: Vec<Vec<char>>,
    /// Rows that go on in the next one, because the terminal is not wide enough.
    wrapped: BTreeSet<usize>,
    row: usize,
    column: usize,
    /// Bytes of a character or a sequence that is not complete yet.
    pending: Vec<u8>,
}

impl Screen {
    pub fn new(columns: usize) -> Self {
        let rows = vec![Vec::new()];
        Self { columns, rows, wrapped: BTreeSet::new(), row: 0, column: 0, pending: Vec::new() }
    }

    /// Takes in what a program has written.
    pub fn write(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.pending) {
            Ok(text) => text.len(),
            Err(error) => {
                assert_eq!(error.error_len(), None, "no text: {:?}", self.pending);
                error.valid_up_to()
            }
        };
        let rest = self.pending.split_off(whole);
        let text = String::from_utf8(std::mem::replace(&mut self.pending, rest)).expect("checked");
        let unread = self.read(&text).to_owned();
        self.pending.splice(..0, unread.bytes());
    }

    /// Draws `text`; gives back a sequence at its end that is cut off.
    fn read<'a>(&mut self, text: &'a str) -> &'a str {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            if c != '\u{1B}' {
                self.character(c);
                rest = after;
                continue;
            }
            let Some(end) = after.find(|c: char| c.is_ascii_alphabetic()) else { return rest };
            self.sequence(&after[..=end]);
            rest = &after[end + 1..];
        }
        ""
    }

    fn character(&mut self, c: char) {
        match c {
            '\r' => self.column = 0,
            '\n' => self.move_to_row(self.row + 1),
            '\u{8}' => self.column = self.column.saturating_sub(1),
            '\u{7}' => {}
            c if c.is_control() => panic!("the screen does not know {c:?}\n{}", self.text()),
            c => self.print(c),
        }
    }

    fn print(&mut self, c: char) {
        if self.column == self.columns {
            self.wrapped.insert(self.row);
            self.move_to_row(self.row + 1);
            self.column = 0;
        }
        let row = &mut self.rows[self.row];
        row.resize(row.len().max(self.column + 1), ' ');
        row[self.column] = c;
        self.column += 1;
    }

    fn move_to_row(&mut self, row: usize) {
        self.row = row;
        self.rows.resize(self.rows.len().max(row + 1), Vec::new());
    }

    /// A sequence without its escape character.
    fn sequence(&mut self, sequence: &str) {
        let (given, name) = sequence.split_at(sequence.len() - 1);
        let number = given.trim_start_matches('[').parse().unwrap_or(0_usize);
        let count = number.max(1);
        match name {
            "A" => self.row = self.row.saturating_sub(count),
            "B" => self.move_to_row(self.row + count),
            "C" => self.column = (self.column + count).min(self.columns),
            "D" => self.column = self.column.saturating_sub(count),
            "G" => self.column = count - 1,
            "K" if number == 0 => {
                self.rows[self.row].truncate(self.column);
                self.wrapped.remove(&self.row);
            }
            "J" if number == 0 => {
                self.rows[self.row].truncate(self.column);
                self.rows.truncate(self.row + 1);
                self.wrapped.retain(|row| *row < self.row);
            }
            "m" => {}
            // Modes: marked pastes, and updates that are shown at once.
            "h" | "l" if given.starts_with("[?") => {}
            _ => panic!("the screen does not know {sequence:?}\n{}", self.text()),
        }
    }

    /// The row of the cursor, up to the cursor.
    pub fn before_cursor(&self) -> String {
        let row = &self.rows[self.row];
        row[..self.column.min(row.len())].iter().collect()
    }

    /// Which row the cursor is in.
    pub fn row(&self) -> usize {
        self.row
    }

    /// All lines, without blanks at their ends; one that is wider than the terminal is whole.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            text.extend(row);
            if !self.wrapped.contains(&index) {
                text.truncate(text.trim_end_matches(' ').len());
                text.push('\n');
            }
        }
        text.trim_end().to_owned() + "\n"
    }
}

#[test]
fn a_screen_shows_what_a_terminal_shows() {
    let check = |bytes: &[&str], expected: &str, before_cursor: &str| {
        let mut screen = Screen::new(6);
        bytes.iter().for_each(|bytes| screen.write(bytes.as_bytes()));
        assert_eq!((&*screen.text(), &*screen.before_cursor()), (expected, before_cursor), "{bytes:?}");
    };
    check(&["one\r\ntwo"], "one\ntwo\n", "two");
    check(&["abcdefgh"], "abcdefgh\n", "gh");
    check(&["abcdefgh\u{1b}[1A\r\u{1b}[Jxy"], "xy\n", "xy");
    check(&["one\r\ntwo\u{1b}[1A\rONE\u{1b}[J"], "ONE\n", "ONE");
    check(&["(p) xy\r\u{1b}[3C\u{1b}[K\u{1b}[?2004h"], "(p)\n", "(p)");
    check(&["\u{1b}[3", "1mred\u{1b}", "[0m!\u{8}\u{8}"], "red!\n", "re");
    let mut screen = Screen::new(6);
    "✗é".bytes().for_each(|byte| screen.write(&[byte]));
    assert_eq!(screen.text(), "✗é\n");
}

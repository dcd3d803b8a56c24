//! Colours by meaning, and text in columns.
//!
//! Knows how wide characters are and how colours are written; not whether anybody wants them.

use anstyle::{AnsiColor, Style};

/// What a piece of text means; faces never name a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It went well.
    Good,
    /// It went wrong.
    Bad,
    /// It deserves attention.
    Warning,
    /// It is beside the point.
    Quiet,
    /// It is a heading.
    Strong,
    /// It is a place in the past.
    Past,
}

impl Meaning {
    fn style(self) -> Style {
        match self {
            Meaning::Good => AnsiColor::Green.on_default(),
            Meaning::Bad => AnsiColor::Red.on_default().bold(),
            Meaning::Warning => AnsiColor::Yellow.on_default(),
            Meaning::Quiet => Style::new().dimmed(),
            Meaning::Strong => Style::new().bold(),
            Meaning::Past => AnsiColor::Cyan.on_default(),
        }
    }
}

/// Puts colours around text, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Painter {
    colour: bool,
}

impl Painter {
    /// With or without colours.
    pub fn new(colour: bool) -> Painter {
        Painter { colour }
    }

    /// Whether it colours at all.
    pub fn colours(&self) -> bool {
        self.colour
    }

    /// `text` in the colour of `meaning`.
    pub fn paint(&self, meaning: Meaning, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let style = meaning.style();
        format!("{style}{text}{style:#}")
    }
}

/// How many columns `text` takes, colour sequences left out. Wide East Asian characters and most emoji take two,
/// combining marks none.
pub fn columns(text: &str) -> usize {
    let mut count = 0;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '\u{1B}' {
            let length = rest.find('m').map_or(rest.len(), |at| at + 1);
            rest = rest.get(length..).unwrap_or_default();
            continue;
        }
        count += char_columns(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    count
}

fn char_columns(c: char) -> usize {
    match u32::from(c) {
        0x300..=0x36F | 0x200B..=0x200F | 0x20D0..=0x20FF | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F
        | 0x2E80..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1F64F
        | 0x1F680..=0x1F6FF
        | 0x1F900..=0x1F9FF
        | 0x2_0000..=0x3_FFFD => 2,
        _ => 1,
    }
}

/// `text` cut to `most` columns with `…` at its end; text without colours only.
pub fn cut(text: &str, most: usize) -> String {
    let mut kept = String::with_capacity(text.len());
    push_cut(&mut kept, text, most);
    kept
}

/// Appends [`cut`].
pub(super) fn push_cut(kept: &mut String, text: &str, most: usize) {
    if columns(text) <= most {
        return kept.push_str(text);
    }
    let mut used = 0;
    for c in text.chars() {
        used += char_columns(c);
        if used + 1 > most {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
}

/// `text` filled up with blanks to `least` columns.
pub fn padded(text: &str, least: usize) -> String {
    let missing = least.saturating_sub(columns(text));
    format!("{text}{:missing$}", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_as_a_terminal_does() {
        assert_eq!(columns("abc"), 3);
        assert_eq!(columns("\u{1b}[31mabc\u{1b}[0m"), 3);
        assert_eq!(columns("漢字"), 4);
        assert_eq!(columns("e\u{301}"), 1);
    }

    #[test]
    fn text_is_cut_and_filled_by_columns() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
        assert_eq!(cut("漢字漢字", 5), "漢字…");
        assert_eq!(padded("漢", 4), "漢  ");
    }

    #[test]
    fn colours_come_only_when_wanted() {
        assert_eq!(Painter::new(false).paint(Meaning::Bad, "x"), "x");
        assert_eq!(Painter::new(true).paint(Meaning::Good, "x"), "\u{1b}[32mx\u{1b}[0m");
    }
}

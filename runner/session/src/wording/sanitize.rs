//! What a log line may do to a terminal: change colours, and nothing else (timetravel.md 4.3).
//!
//! Knows escape sequences; not whether there is a terminal. Works on bytes, since a log may hold anything.

use std::borrow::Cow;

const ESCAPE: u8 = 0x1B;

/// `line` with colour sequences kept (if `colours`), all other escape and control sequences dropped, carriage returns
/// resolved as a terminal would show them, and characters that reorder text made visible.
///
/// Text that is not UTF-8 comes out with replacement characters. A line that needs nothing is not copied.
pub fn line(line: &[u8], colours: bool) -> Cow<'_, str> {
    match std::str::from_utf8(line) {
        Ok(text) if is_clean(text) => Cow::Borrowed(text),
        Ok(text) => Cow::Owned(rewrite(text, colours)),
        Err(_) => Cow::Owned(rewrite(&String::from_utf8_lossy(line), colours)),
    }
}

/// Whether many lines at once need nothing: printable ASCII, tabs and line ends.
pub fn block_is_clean(block: &[u8]) -> bool {
    block.iter().all(|byte| (0x20..0x7F).contains(byte) || matches!(byte, b'\t' | b'\n'))
}

/// Printable ASCII, tabs, and letters beyond ASCII that are neither C1 controls nor bidi characters.
fn is_clean(text: &str) -> bool {
    let plain = |byte: u8| (0x20..0x7F).contains(&byte) || byte == b'\t';
    text.bytes().all(plain)
        || text.chars().all(|c| u8::try_from(c).is_ok_and(plain) || (!c.is_ascii() && passes(c)))
}

/// A character beyond ASCII that neither controls the terminal nor reorders the line.
fn passes(c: char) -> bool {
    !matches!(c, '\u{80}'..='\u{9F}') && !is_bidi(c)
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{061C}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn rewrite(text: &str, colours: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut coloured = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = match c {
            '\u{1B}' => {
                let (length, kept) = sequence(rest);
                if kept && colours {
                    out.push_str(rest.get(..length).unwrap_or_default());
                    coloured = true;
                }
                rest.get(length..).unwrap_or_default()
            }
            // The one-byte introducers of strings and sequences swallow what they introduce.
            '\u{90}' | '\u{98}' | '\u{9D}'..='\u{9F}' => after.get(string_end(after)..).unwrap_or_default(),
            '\u{9B}' => after.get(csi_end(after).0..).unwrap_or_default(),
            '\r' => {
                if !after.trim_start_matches('\r').is_empty() {
                    restart(&mut out);
                }
                after
            }
            '\u{8}' => {
                out.pop();
                after
            }
            '\t' => {
                out.push('\t');
                after
            }
            c if c.is_control() => after,
            c if is_bidi(c) => {
                out.push_str(&format!("<U+{:04X}>", u32::from(c)));
                after
            }
            c => {
                out.push(c);
                after
            }
        };
    }
    if coloured && !out.ends_with("\u{1B}[0m") {
        out.push_str("\u{1B}[0m");
    }
    out
}

/// A carriage return in the middle of a line: progress bars write over themselves, the last state counts. Colours that
/// were switched on stay so.
fn restart(out: &mut String) {
    let mut colours = String::new();
    let mut rest = out.as_str();
    while let Some(at) = rest.find('\u{1B}') {
        rest = rest.get(at..).unwrap_or_default();
        let (length, _) = sequence(rest);
        colours.push_str(rest.get(..length).unwrap_or_default());
        rest = rest.get(length..).unwrap_or_default();
    }
    *out = colours;
}

/// The length of the escape sequence at the start of `text` in bytes, and whether it only changes colours.
fn sequence(text: &str) -> (usize, bool) {
    let body = text.get(1..).unwrap_or_default();
    match body.bytes().next() {
        Some(b'[') => {
            let (length, is_colour) = csi_end(body.get(1..).unwrap_or_default());
            (2 + length, is_colour)
        }
        Some(b']' | b'P' | b'X' | b'^' | b'_') => (2 + string_end(body.get(1..).unwrap_or_default()), false),
        // `ESC ( B` and the like: intermediates, then one final byte.
        Some(0x20..=0x2F) => {
            let intermediates = body.bytes().take_while(|byte| (0x20..=0x2F).contains(byte)).count();
            let last = body.get(intermediates..).and_then(|rest| rest.chars().next());
            (1 + intermediates + last.filter(char::is_ascii).map_or(0, char::len_utf8), false)
        }
        Some(0x30..=0x7E) => (2, false),
        _ => (1, false),
    }
}

/// The length of a control sequence behind its introducer, and whether it is a colour (`m`) of digits, `;` and `:`.
fn csi_end(text: &str) -> (usize, bool) {
    let parameters = text.bytes().take_while(|byte| (0x20..=0x3F).contains(byte)).count();
    let plain =
        text.bytes().take(parameters).all(|byte| byte.is_ascii_digit() || matches!(byte, b';' | b':'));
    match text.as_bytes().get(parameters) {
        Some(b'm') => (parameters + 1, plain),
        Some(0x40..=0x7E) => (parameters + 1, false),
        _ => (parameters, false),
    }
}

/// The length of a control string up to and with its terminator: BEL, `ESC \` or ST. One that is not closed takes the
/// rest of the line.
fn string_end(text: &str) -> usize {
    let mut previous_escape = None;
    for (at, c) in text.char_indices() {
        match c {
            '\u{7}' | '\u{9C}' => return at + c.len_utf8(),
            '\\' if previous_escape.is_some() => return at + 1,
            _ => {}
        }
        previous_escape = (u32::from(c) == u32::from(ESCAPE)).then_some(at);
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: &str) {
        assert_eq!(line(input.as_bytes(), true), expected, "{input:?}");
    }

    #[test]
    fn plain_lines_are_not_copied() {
        for text in ["", "test result: ok\t1", "größer → 漢字 🚀"] {
            assert!(matches!(line(text.as_bytes(), true), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn colours_stay_and_are_switched_off_at_the_end() {
        check("\u{1b}[31mred", "\u{1b}[31mred\u{1b}[0m");
        check("\u{1b}[1;38:2:1:2:3mx\u{1b}[0m", "\u{1b}[1;38:2:1:2:3mx\u{1b}[0m");
        assert_eq!(line("\u{1b}[31mred\u{1b}[0m".as_bytes(), false), "red");
    }

    #[test]
    fn everything_else_a_terminal_obeys_is_dropped() {
        check("a\u{1b}[2Jb\u{1b}[10;10Hc\u{1b}[?1049hd\u{1b}[Ke", "abcde");
        check("\u{1b}]0;title\u{7}x\u{1b}]8;;http://h\u{1b}\\link\u{1b}]8;;\u{1b}\\", "xlink");
        check("\u{1b}]52;c;aGk=\u{7}y\u{1b}P1$tq\u{1b}\\z\u{1b}_apc\u{9c}!", "yz!");
        check("\u{1b}(Bx\u{1b}cy\u{1b}7z\u{1b}", "xyz");
        check("\u{9b}31mx\u{9d}0;t\u{7}y\u{85}z", "xyz");
        check("a\u{7}b\u{0}c\u{7f}d", "abcd");
        check("\u{1b}]0;never closed", "");
        check("\u{1b}[>4;2mx\u{1b}[31\u{20}mz", "xz");
    }

    #[test]
    fn a_progress_bar_shows_its_last_state() {
        check("10%\r50%\r100%", "100%");
        check("windows\r", "windows");
        check("\u{1b}[32m10%\r90%", "\u{1b}[32m90%\u{1b}[0m");
        check("ab\u{8}c", "ac");
    }

    #[test]
    fn text_that_reorders_a_line_is_shown() {
        check("if x \u{202e}// evil\u{2066}", "if x <U+202E>// evil<U+2066>");
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(line(b"a\xff\x1b[2Jb", true), "a\u{fffd}b");
    }

    #[test]
    fn no_input_leaves_an_escape_that_is_no_colour() {
        let mut random = fastrand::Rng::with_seed(7);
        let alphabet = [
            '\u{1b}', '[', ']', '\\', '\u{7}', 'm', '1', ';', '?', 'J', '\u{9b}', '\u{9d}', 'P', '\r', 'x',
            'é',
        ];
        for round in 0..20_000 {
            let text: String = (0..random.usize(0..24))
                .filter_map(|_| alphabet.get(random.usize(0..alphabet.len())))
                .collect();
            let shown = line(text.as_bytes(), true).into_owned();
            let mut rest = shown.as_str();
            while let Some(at) = rest.find(|c: char| c.is_control() && c != '\t') {
                rest = rest.get(at..).unwrap();
                let (length, colour) = sequence(rest);
                assert!(rest.starts_with("\u{1b}[") && colour, "round {round}: {text:?} gives {shown:?}");
                rest = rest.get(length..).unwrap();
            }
        }
    }
}

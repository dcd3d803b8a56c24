//! Output above the prompt of the line editor.
//!
//! While somebody types, a text can go out only where the editor draws its prompt anew, and at each key the editor may wait for
//! a hint, which the session gives. So the session never waits for the editor: what it says is kept here, and a thread of its
//! own rings at the editor, which then clears its row, lets all that is kept be written, and draws its prompt below. Whatever is
//! kept when the line is ended is written then. Knows texts and rows; not what they say.

use std::io::{self, Write};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use rustyline::ExternalPrinter;

use crate::output::lock;

/// What the editor prints above its prompt when it is rung at: nothing to be seen. A row up and down again, since the editor
/// would end a text without a line break by one.
const BELL: &str = "\x1b[A\n";

/// The rows above the prompt. Clones are the same ones.
#[derive(Clone)]
pub(super) struct Above {
    shared: Arc<Mutex<Shared>>,
    rings: Sender<()>,
}

struct Shared {
    out: Box<dyn Write + Send>,
    /// The editor has the screen.
    reading: bool,
    /// The prompt is about to be drawn for another reason than the bell, in a row that is not cleared yet.
    redraws: bool,
    kept: Vec<u8>,
}

impl Shared {
    fn write_kept(&mut self) -> io::Result<()> {
        let kept = std::mem::take(&mut self.kept);
        self.out.write_all(&kept).and_then(|()| self.out.flush())
    }
}

impl Above {
    /// Writes to `out`, where the editor writes too; `bell` may keep its caller waiting.
    pub(super) fn new(
        out: impl Write + Send + 'static,
        mut bell: impl ExternalPrinter + Send + 'static,
    ) -> io::Result<Above> {
        let (rings, asked) = mpsc::channel();
        thread::Builder::new().name("bell".into()).spawn(move || {
            for () in asked {
                // An editor that is gone hears nothing, and has written what was kept.
                let _ = bell.print(BELL.to_owned());
            }
        })?;
        let out = Box::new(out);
        let shared = Shared { out, reading: false, redraws: false, kept: Vec::new() };
        Ok(Above { shared: Arc::new(Mutex::new(shared)), rings })
    }

    /// The editor takes the screen.
    pub(super) fn begin_line(&self) {
        lock(&self.shared).reading = true;
    }

    /// The editor has given the screen back: nothing is kept any longer.
    pub(super) fn end_line(&self) {
        let mut shared = lock(&self.shared);
        (shared.reading, shared.redraws) = (false, false);
        // Whoever has closed the terminal does not want to know.
        let _ = shared.write_kept();
    }

    /// The editor draws its row anew, because of a key for instance.
    pub(super) fn row_changes(&self) {
        lock(&self.shared).redraws = true;
    }

    /// The prompt is drawn now. Behind the bell its row is clear, and what is kept goes there first.
    pub(super) fn prompt_is_drawn(&self) {
        let mut shared = lock(&self.shared);
        let is_ordinary = std::mem::take(&mut shared.redraws);
        if shared.kept.is_empty() {
            return;
        }
        if is_ordinary {
            // The bell may have been rung before the editor could hear it.
            self.ring();
        } else {
            if shared.kept.last() != Some(&b'\n') {
                shared.kept.push(b'\n');
            }
            let _ = shared.write_kept();
        }
    }

    fn ring(&self) {
        // The thread ends with the last of us.
        let _ = self.rings.send(());
    }
}

impl Write for Above {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut shared = lock(&self.shared);
        shared.kept.extend_from_slice(bytes);
        if shared.reading {
            self.ring();
        } else {
            shared.write_kept()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Receiver;

    use super::*;
    use crate::output::testing::Written;

    /// Says that it was rung, and keeps its caller waiting until somebody lets it go.
    struct Bell {
        rung: Sender<String>,
        let_go: Receiver<()>,
    }

    impl ExternalPrinter for Bell {
        fn print(&mut self, text: String) -> rustyline::Result<()> {
            self.rung.send(text).unwrap();
            let _ = self.let_go.recv();
            Ok(())
        }
    }

    fn above() -> (Above, Written, Receiver<String>, Sender<()>) {
        let (rung, rings) = mpsc::channel();
        let (go, let_go) = mpsc::channel();
        let written = Written::default();
        let above = Above::new(written.clone(), Bell { rung, let_go }).unwrap();
        (above, written, rings, go)
    }

    #[test]
    fn nobody_waits_for_somebody_who_types_and_the_order_stays() {
        let (mut above, written, rings, go) = above();
        above.write_all(b"before\n").unwrap();
        assert_eq!(written.text(), "before\n");
        above.begin_line();
        above.write_all(b"one\n").unwrap();
        above.write_all(b"two").unwrap();
        assert_eq!(written.text(), "before\n", "the row is the editor's");
        assert_eq!(rings.recv().unwrap(), BELL);
        // A key, and only then the bell.
        above.row_changes();
        above.prompt_is_drawn();
        assert_eq!(written.text(), "before\n");
        above.prompt_is_drawn();
        assert_eq!(written.text(), "before\none\ntwo\n");
        drop(go);
    }

    /// The line is ended while the bell rings: no other prompt may come in which it would be heard.
    #[test]
    fn what_is_said_while_a_line_is_ended_is_not_kept_for_the_next_one() {
        let (mut above, written, rings, go) = above();
        above.begin_line();
        above.write_all(b"said in this moment\n").unwrap();
        rings.recv().unwrap();
        above.end_line();
        assert_eq!(written.text(), "said in this moment\n");
        above.write_all(b"the last\n").unwrap();
        assert_eq!(written.text(), "said in this moment\nthe last\n");
        drop(go);
    }

    /// The bell was rung while the editor was not at its row yet.
    #[test]
    fn what_came_too_early_is_rung_for_again() {
        let (mut above, written, rings, go) = above();
        above.begin_line();
        above.write_all(b"early\n").unwrap();
        rings.recv().unwrap();
        go.send(()).unwrap();
        above.row_changes();
        above.prompt_is_drawn();
        assert_eq!(rings.recv().unwrap(), BELL);
        above.prompt_is_drawn();
        assert_eq!(written.text(), "early\n");
        drop(go);
    }
}

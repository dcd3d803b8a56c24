//! Output above the prompt of the line editor.
//!
//! While somebody types, the editor takes a text only between two keys, and at each key it may wait for a hint, which the
//! session gives. So the session must not wait for the editor: a thread of its own does. Knows texts; not what they say.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use rustyline::ExternalPrinter;

use crate::output::lock;

/// Prints without ever waiting for the editor.
pub(super) struct Above<P> {
    printer: Arc<Mutex<P>>,
    typing: Typing,
    /// Texts that are not printed yet.
    waiting: Arc<AtomicUsize>,
    texts: Sender<String>,
}

/// Whether the editor has a prompt on the screen.
#[derive(Clone, Default)]
pub(super) struct Typing(Arc<AtomicBool>);

impl Typing {
    pub(super) fn set(&self, typing: bool) {
        self.0.store(typing, Ordering::SeqCst);
    }
}

impl<P: ExternalPrinter + Send + 'static> Above<P> {
    /// Prints by `printer`, which may keep its caller waiting while somebody is `typing`.
    pub(super) fn new(printer: P, typing: Typing) -> io::Result<Above<P>> {
        let printer = Arc::new(Mutex::new(printer));
        let waiting = Arc::new(AtomicUsize::new(0));
        let (texts, queue) = mpsc::channel::<String>();
        let (to, left) = (Arc::clone(&printer), Arc::clone(&waiting));
        thread::Builder::new().name("above".into()).spawn(move || {
            for text in queue {
                // An editor that is gone takes no more; whoever prints learns of it nowhere else either.
                let _ = lock(&to).print(text);
                left.fetch_sub(1, Ordering::SeqCst);
            }
        })?;
        Ok(Above { printer, typing, waiting, texts })
    }
}

impl<P: ExternalPrinter> io::Write for Above<P> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        if self.typing.0.load(Ordering::SeqCst) || self.waiting.load(Ordering::SeqCst) > 0 {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            self.texts.send(text).map_err(io::Error::other)?;
        } else {
            lock(&self.printer).print(text).map_err(io::Error::other)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::sync::mpsc::Receiver;

    /// Prints a text only when somebody lets it.
    struct Slow {
        may_print: Receiver<()>,
        printed: Sender<String>,
    }

    impl ExternalPrinter for Slow {
        fn print(&mut self, text: String) -> rustyline::Result<()> {
            self.may_print.recv().unwrap();
            self.printed.send(text).unwrap();
            Ok(())
        }
    }

    #[test]
    fn nobody_waits_for_somebody_who_types_and_the_order_stays() {
        let (let_print, may_print) = mpsc::channel();
        let (sender, printed) = mpsc::channel();
        let typing = Typing::default();
        let mut above = Above::new(Slow { may_print, printed: sender }, typing.clone()).unwrap();
        typing.set(true);
        above.write_all(b"one").unwrap();
        above.write_all(b"two").unwrap();
        typing.set(false);
        above.write_all(b"three").unwrap();
        for text in ["one", "two", "three"] {
            let_print.send(()).unwrap();
            assert_eq!(printed.recv().unwrap(), text);
        }
    }
}

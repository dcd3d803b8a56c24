//! What a session says, on its way to a client that may read slowly, come later or never.
//!
//! One queue keeps notices and log lines in the order in which they happened. Notices are few and are never dropped; of log
//! lines, which are in the recording anyway, only so many wait. Knows no client and no message.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use session::host::log::LogBatch;
use session::notice::{Notice, Observer};
use tokio::sync::Notify;

use crate::limits::FEED_BYTES_MAX;

/// Something that a session said.
#[derive(Debug)]
pub enum Item {
    /// A notice.
    Notice(Notice),
    /// Lines of a log.
    Log(LogBatch),
    /// So many bytes of logs were left out here, since nobody took them in time.
    LeftOut(usize),
}

impl Item {
    /// Whether the job stands or goes on since then.
    pub(crate) fn tells_of_a_movement(&self) -> bool {
        matches!(self, Self::Notice(Notice::Stopped(_) | Notice::Continued))
    }
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Item>,
    log_bytes: usize,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    added: Notify,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end that the session talks to.
#[derive(Clone, Default)]
pub struct Feed {
    shared: Arc<Shared>,
}

impl Feed {
    /// The end that a client's connection reads; there is one at a time.
    pub fn reader(&self) -> FeedReader {
        FeedReader { shared: Arc::clone(&self.shared) }
    }
}

impl Observer for Feed {
    fn notice(&self, notice: Notice) {
        self.shared.lock().items.push_back(Item::Notice(notice));
        self.shared.added.notify_one();
    }

    fn log(&self, batch: &LogBatch) {
        let mut queue = self.shared.lock();
        queue.log_bytes += batch.text().len();
        queue.items.push_back(Item::Log(batch.clone()));
        queue.make_room();
        drop(queue);
        self.shared.added.notify_one();
    }
}

impl Queue {
    /// The oldest lines give way, and say how much they were.
    fn make_room(&mut self) {
        let mut index = 0;
        while self.log_bytes > FEED_BYTES_MAX && index < self.items.len() {
            let Some(Item::Log(batch)) = self.items.get(index) else {
                index += 1;
                continue;
            };
            let bytes = batch.text().len();
            self.log_bytes = self.log_bytes.saturating_sub(bytes);
            self.leave_out(index, bytes);
        }
    }

    fn leave_out(&mut self, index: usize, bytes: usize) {
        let before = index.checked_sub(1).and_then(|before| self.items.get_mut(before));
        if let Some(Item::LeftOut(earlier)) = before {
            *earlier += bytes;
            self.items.remove(index);
        } else if let Some(item) = self.items.get_mut(index) {
            *item = Item::LeftOut(bytes);
        }
    }
}

/// Reads what a session said.
pub struct FeedReader {
    shared: Arc<Shared>,
}

impl FeedReader {
    /// The next item, as soon as there is one.
    pub async fn next(&self) -> Item {
        loop {
            if let Some(item) = self.take() {
                return item;
            }
            self.shared.added.notified().await;
        }
    }

    /// Log lines that come before the next notice, as soon as there are some.
    pub async fn next_output(&self) -> Item {
        loop {
            if let Some(item) = self.take_output() {
                return item;
            }
            self.shared.added.notified().await;
        }
    }

    /// Log lines that come before the next notice, if there are some already.
    pub fn take_output(&self) -> Option<Item> {
        self.take_if(|item| !matches!(item, Item::Notice(_)))
    }

    /// The next item, if there is one already.
    pub fn take(&self) -> Option<Item> {
        self.take_if(|_| true)
    }

    fn take_if(&self, wanted: impl FnOnce(&Item) -> bool) -> Option<Item> {
        let mut queue = self.shared.lock();
        queue.items.front().filter(|item| wanted(item))?;
        let item = queue.items.pop_front()?;
        if let Item::Log(batch) = &item {
            queue.log_bytes = queue.log_bytes.saturating_sub(batch.text().len());
        }
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use session::engine::lines::LineTag;
    use session::engine::step_path::{LaneId, StepPath};
    use session::host::contract::Epoch;

    use super::*;

    fn lines(bytes: usize) -> LogBatch {
        let time = jiff::Timestamp::UNIX_EPOCH;
        let mut batch = LogBatch::new(LaneId::FOREGROUND, Epoch(0), StepPath::main(0), time);
        batch.push(LineTag::Plain, &vec![b'x'; bytes - 1]);
        batch
    }

    #[test]
    fn notices_and_lines_keep_their_order() {
        let feed = Feed::default();
        feed.log(&lines(10));
        feed.notice(Notice::Continued);
        feed.log(&lines(20));
        let reader = feed.reader();
        assert!(matches!(reader.take(), Some(Item::Log(batch)) if batch.text().len() == 10));
        assert!(matches!(reader.take(), Some(Item::Notice(Notice::Continued))));
        assert!(matches!(reader.take(), Some(Item::Log(batch)) if batch.text().len() == 20));
        assert!(reader.take().is_none());
    }

    #[test]
    fn lines_that_nobody_takes_give_way_and_say_so() {
        let feed = Feed::default();
        feed.notice(Notice::Continued);
        let piece = FEED_BYTES_MAX / 4;
        (0..12).for_each(|_| feed.log(&lines(piece)));
        let reader = feed.reader();
        let items: Vec<Item> = std::iter::from_fn(|| reader.take()).collect();
        assert!(matches!(items.first(), Some(Item::Notice(Notice::Continued))));
        assert!(matches!(items.get(1), Some(Item::LeftOut(bytes)) if *bytes == 8 * piece), "{items:?}");
        assert_eq!(items.len(), 6);
    }
}

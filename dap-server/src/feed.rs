//! What a session says, on its way to a client that may read slowly, come later or never.
//!
//! One queue keeps notices and log lines in the order in which they happened. Notices are few and are never dropped; of log
//! lines, which are in the recording anyway, only so many wait. Knows no client and no message.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use session::host::log::LogBatch;
use session::notice::{Notice, Observer};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::limits::{FEED_BYTES_MAX, FEED_TIME_MAX};

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
    /// Whether it may be told with what comes soon after it: what steps do and print.
    fn can_wait(&self) -> bool {
        match self {
            Self::Log(_) | Self::LeftOut(_) => true,
            Self::Notice(notice) => matches!(
                notice,
                Notice::StepStarted { .. }
                    | Notice::StepEnded(_)
                    | Notice::LaneStarted { .. }
                    | Notice::JobLog { .. }
                    | Notice::LogPoint { .. }
            ),
        }
    }

    /// Whether the job stands or goes on since then.
    pub(crate) fn tells_of_a_movement(&self) -> bool {
        matches!(self, Self::Notice(Notice::Stopped(_) | Notice::Continued))
    }
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Item>,
    log_bytes: usize,
    /// When the first of them is due; `None`: now, if there are any.
    due: Option<Instant>,
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
        let wakes = self.shared.lock().add(Item::Notice(notice));
        if wakes {
            self.shared.added.notify_one();
        }
    }

    fn log(&self, batch: &LogBatch) {
        let mut queue = self.shared.lock();
        queue.log_bytes += batch.text().len();
        let wakes = queue.add(Item::Log(batch.clone()));
        queue.make_room();
        drop(queue);
        if wakes {
            self.shared.added.notify_one();
        }
    }
}

impl Queue {
    /// Adds it at the end; whether the reader has to be woken for it. That costs the job more than what is told, so that it is
    /// done for the first of many things alone, and for what cannot wait.
    fn add(&mut self, item: Item) -> bool {
        let (waits, is_first) = (item.can_wait(), self.items.is_empty());
        self.items.push_back(item);
        if waits && is_first {
            self.due = Some(Instant::now() + FEED_TIME_MAX);
            return true;
        }
        let is_news = !waits || self.log_bytes > FEED_BYTES_MAX / 2;
        is_news && (self.due.take().is_some() || is_first)
    }

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
    /// The next item: what can wait, when it has waited for more.
    pub async fn next(&self) -> Item {
        loop {
            match self.due() {
                Some(due) => tokio::select! {
                    () = sleep_until(due) => self.shared.lock().due = None,
                    () = self.shared.added.notified() => {}
                },
                None => match self.take() {
                    Some(item) => return item,
                    None => self.shared.added.notified().await,
                },
            }
        }
    }

    fn due(&self) -> Option<Instant> {
        self.shared.lock().due.filter(|due| *due > Instant::now())
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
        if queue.items.is_empty() {
            queue.due = None;
        }
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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

    fn job_line() -> Notice {
        Notice::JobLog { tag: LineTag::Plain, text: String::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn what_can_wait_comes_together_and_a_stop_at_once() {
        let feed = Feed::default();
        let reader = feed.reader();
        let begin = Instant::now();
        feed.notice(job_line());
        feed.log(&lines(10));
        assert!(matches!(reader.next().await, Item::Notice(Notice::JobLog { .. })));
        assert_eq!(begin.elapsed(), FEED_TIME_MAX);
        assert!(matches!(reader.next().await, Item::Log(_)));
        assert_eq!(begin.elapsed(), FEED_TIME_MAX, "it came with the first");
        feed.log(&lines(10));
        feed.notice(Notice::Continued);
        feed.log(&lines(10));
        for _ in 0..3 {
            reader.next().await;
        }
        assert_eq!(begin.elapsed(), FEED_TIME_MAX);
        feed.log(&lines(FEED_BYTES_MAX));
        reader.next().await;
        assert!(begin.elapsed() <= 2 * FEED_TIME_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_woken_for_the_first_thing_and_for_what_cannot_wait() {
        let feed = Feed::default();
        let reader = feed.reader();
        let begin = Instant::now();
        let said = async {
            tokio::task::yield_now().await;
            feed.log(&lines(10));
            tokio::task::yield_now().await;
            feed.notice(Notice::Continued);
        };
        let (first, ()) = tokio::join!(reader.next(), said);
        assert!(matches!(first, Item::Log(_)));
        assert_eq!(begin.elapsed(), Duration::ZERO);
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

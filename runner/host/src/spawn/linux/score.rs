//! The score for the memory killer that a child inherits.
//!
//! Knows `/proc`; not what is started.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use rustix::fs::{Mode, OFlags};

/// Lets the kernel prefer a step to us when memory runs out (steps.md 3.2): what starts while this lives has the score.
///
/// To write to the child's own file, by itself or by us, makes the kernel build a good part of
/// its folder in `/proc` and take it down again at its end: a fiftieth of what a small step takes. A child inherits our score, though.
/// So we have it ourselves for the fraction of a millisecond of a start. Failing is harmless.
pub(in crate::spawn) struct LentScore<'a>(&'a Lender);

static LENDER: LazyLock<Lender> = LazyLock::new(|| {
    let own = File::options().read(true).write(true).open("/proc/self/oom_score_adj");
    Lender { own: own.ok(), loan: Mutex::new(None) }
});

/// `None`: the child's score has to be set by [`after_start`].
pub(in crate::spawn) fn lend_score(score: i16) -> Option<LentScore<'static>> {
    LENDER.lend(score)
}

/// Opens what a process that hides from others may not open any more.
pub(crate) fn before_hiding() {
    LazyLock::force(&LENDER);
}

struct Lender {
    /// Where our score is read and set.
    own: Option<File>,
    loan: Mutex<Option<Loan>>,
}

/// What our score is while processes start, and what it is else.
struct Loan {
    score: i16,
    own: i16,
    borrowers: usize,
}

impl Lender {
    fn lend(&self, score: i16) -> Option<LentScore<'_>> {
        let mut loan = self.loan();
        match loan.as_mut() {
            None => {
                let own = self.score()?;
                if own != score {
                    self.set(score)?;
                }
                *loan = Some(Loan { score, own, borrowers: 1 });
            }
            Some(loan) if loan.score == score => loan.borrowers += 1,
            Some(_) => return None,
        }
        Some(LentScore(self))
    }

    fn loan(&self) -> MutexGuard<'_, Option<Loan>> {
        self.loan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn score(&self) -> Option<i16> {
        let mut text = [0; 16];
        let length = rustix::io::pread(self.own.as_ref()?, &mut text, 0).ok()?;
        std::str::from_utf8(text.get(..length)?).ok()?.trim().parse().ok()
    }

    fn set(&self, score: i16) -> Option<()> {
        rustix::io::pwrite(self.own.as_ref()?, score.to_string().as_bytes(), 0).ok().map(drop)
    }
}

impl Drop for LentScore<'_> {
    fn drop(&mut self) {
        let mut loan = self.0.loan();
        let Some(lent) = loan.as_mut() else { return };
        lent.borrowers = lent.borrowers.saturating_sub(1);
        if lent.borrowers > 0 {
            return;
        }
        // A score that cannot be given back now is given back after the next start.
        if lent.own == lent.score || self.0.set(lent.own).is_some() {
            *loan = None;
        }
    }
}

/// Sets the score of a process that runs already.
pub(in crate::spawn) fn after_start(pid: i32, score: i16) {
    let path = format!("/proc/{pid}/oom_score_adj");
    if let Ok(file) = rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()) {
        let _ = rustix::io::write(file.as_fd(), score.to_string().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn the_score_is_lent_to_those_who_want_the_same_and_given_back() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"100").unwrap();
        let lender = Lender { own: Some(file), loan: Mutex::new(None) };
        let first = lender.lend(500).unwrap();
        let second = lender.lend(500).unwrap();
        assert!(lender.lend(200).is_none());
        drop(first);
        assert_eq!(lender.score(), Some(500), "somebody still starts");
        drop(second);
        assert_eq!(lender.score(), Some(100));
        assert!(lender.lend(200).is_some());
    }

    #[test]
    fn who_cannot_read_its_score_lends_none() {
        assert!(Lender { own: None, loan: Mutex::new(None) }.lend(500).is_none());
    }
}

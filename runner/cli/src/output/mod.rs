//! Faces of a run: the tree on a terminal, plain text in a pipe, JSON for programs.
//!
//! Each turns the session's notices into text. None of them asks anything or decides anything.

pub(crate) mod json;
pub(crate) mod plain;
pub(crate) mod quiet;
pub(crate) mod tail;
pub(crate) mod text;
pub(crate) mod tree;

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::effect::Outcome;
use engine::plan::Plan;
use host::services::KeptArtifact;
use session::notice::Observer;
use tokio::runtime::Handle;

use session::wording::columns;

/// Raised when a field of a JSON line changes its meaning or goes; new fields and events do not raise it.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// The column of names is never wider than this.
const NAME_COLUMNS_MAX: usize = 44;

/// What a face needs to know of a job when it starts.
#[derive(Clone, Debug)]
pub(crate) struct JobHeading {
    /// `build`, `test[2]`, or `call/build` in a called workflow.
    pub(crate) key: String,
    /// The same without combinations of a matrix.
    pub(crate) id_path: String,
    /// Its display name.
    pub(crate) name: Arc<str>,
    /// The workflow file.
    pub(crate) file: Arc<str>,
    /// The files in which jobs call that workflow, the innermost first.
    pub(crate) callers: Vec<Arc<str>>,
    /// How many steps it has.
    pub(crate) steps: usize,
    /// It works in the person's own tree.
    pub(crate) in_place: bool,
    /// The width of the column for the names of its steps.
    pub(crate) name_columns: usize,
}

impl JobHeading {
    /// From the plan of the job and the names of its steps.
    pub(crate) fn new(plan: &Plan, step_names: &[String], in_place: bool) -> JobHeading {
        let widest = step_names.iter().map(|name| columns(name)).max().unwrap_or(0);
        JobHeading {
            key: plan.key.to_string(),
            id_path: plan.key.id_path(),
            name: Arc::clone(&plan.name),
            file: Arc::clone(&plan.file),
            callers: plan.callers.iter().map(|caller| Arc::clone(&caller.file)).collect(),
            steps: plan.steps.len(),
            in_place,
            name_columns: widest.clamp(24, NAME_COLUMNS_MAX),
        }
    }
}

/// Shows a run. Called from the threads on which things happen.
pub(crate) trait Face: Send + Sync {
    /// A job starts; what the observer is told belongs to it.
    fn job_started(self: Arc<Self>, job: JobHeading) -> Arc<dyn Observer>;

    /// A job that never started is over.
    fn job_not_run(&self, key: &str, name: &str, outcome: Outcome, error: Option<&str>);

    /// Everything is over, and these are there. A face for people leaves them to the lines below the run.
    fn artifacts(&self, _: &[KeptArtifact]) {}

    /// Everything is over.
    fn run_ended(&self, outcome: Outcome, took: Duration);

    /// Leave the output to somebody else until [`Face::resume`]: a question, the debugger.
    fn suspend(&self);

    /// The output is ours again.
    fn resume(&self);
}

/// Our output, shared by the threads that write to it. Every write is one call, so lines never mix.
#[derive(Clone)]
pub(crate) struct Output {
    stream: Arc<Mutex<Stream>>,
}

struct Stream {
    to: Box<dyn Write + Send>,
    /// What goes out with the next write.
    held: Vec<u8>,
}

impl Stream {
    /// A reader who has gone is no reason to stop a job.
    fn write(&mut self, bytes: &[u8]) {
        let result = if self.held.is_empty() {
            self.to.write_all(bytes)
        } else {
            self.held.extend_from_slice(bytes);
            self.to.write_all(&std::mem::take(&mut self.held))
        };
        let _ = result.and_then(|()| self.to.flush());
    }

    fn release(&mut self) {
        if !self.held.is_empty() {
            self.write(&[]);
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.release();
    }
}

impl Output {
    /// Standard output.
    pub(crate) fn standard() -> Output {
        Output::new(Box::new(io::stdout()))
    }

    /// Any stream.
    pub(crate) fn new(to: Box<dyn Write + Send>) -> Output {
        Output { stream: Arc::new(Mutex::new(Stream { to, held: Vec::new() })) }
    }

    /// Writes all of it at once.
    pub(crate) fn write(&self, bytes: &[u8]) {
        lock(&self.stream).write(bytes);
    }

    /// Writes it together with what comes next, or else as soon as the session has nothing to do. Every write wakes whoever
    /// reads, and that takes a processor from the step that is just being started.
    pub(crate) fn write_soon(&self, bytes: &[u8]) {
        let Ok(runtime) = Handle::try_current() else { return self.write(bytes) };
        let mut stream = lock(&self.stream);
        if stream.held.is_empty() {
            let output = self.clone();
            runtime.spawn(async move { lock(&output.stream).release() });
        }
        stream.held.extend_from_slice(bytes);
    }
}

/// A lock that a panicking thread left is as good as any: what it guards is text.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// A stream that can be read afterwards.
    #[derive(Clone, Default)]
    pub(crate) struct Written(Arc<Mutex<Vec<u8>>>);

    impl Written {
        pub(crate) fn output(&self) -> Output {
            Output::new(Box::new(self.clone()))
        }

        pub(crate) fn text(&self) -> String {
            String::from_utf8(lock(&self.0).clone()).unwrap()
        }
    }

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            lock(&self.0).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    pub(crate) fn heading(key: &str) -> JobHeading {
        JobHeading {
            id_path: key.split('[').next().unwrap_or_default().to_owned(),
            callers: Vec::new(),
            key: key.into(),
            name: key.into(),
            file: "ci.yml".into(),
            steps: 2,
            in_place: false,
            name_columns: 10,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::Written;

    #[test]
    fn what_may_wait_goes_out_with_the_next_write_or_when_nothing_is_left_to_do() {
        let written = Written::default();
        let output = written.output();
        output.write_soon(b"at once without a session\n");
        assert_eq!(written.text(), "at once without a session\n");
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            output.write_soon(b"a");
            output.write_soon(b"b");
            assert!(!written.text().ends_with('b'));
            output.write(b"c");
            assert!(written.text().ends_with("abc"));
            output.write_soon(b"d");
            tokio::task::yield_now().await;
            assert!(written.text().ends_with("abcd"));
        });
    }
}

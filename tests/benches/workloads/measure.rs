//! Runs cases in turn and prints their minima.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A thing to time; gives its peak memory in kB where there is one process to look at.
pub struct Case {
    name: String,
    run: Box<dyn FnMut() -> Option<u64>>,
}

impl Case {
    pub fn new(name: &str, run: impl FnMut() -> Option<u64> + 'static) -> Self {
        Self { name: name.to_owned(), run: Box::new(run) }
    }
}

/// A B C A B C …; the minimum of each in milliseconds.
pub fn alternate(mut cases: Vec<Case>, rounds: usize) -> Vec<f64> {
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); cases.len()];
    let mut peaks = vec![None; cases.len()];
    for _ in 0..rounds {
        for (index, case) in cases.iter_mut().enumerate() {
            let start = Instant::now();
            peaks[index] = peaks[index].max((case.run)());
            times[index].push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    for times in &mut times {
        times.sort_by(f64::total_cmp);
    }
    let first = times[0][0];
    for (index, case) in cases.iter().enumerate() {
        let (least, median) = (times[index][0], times[index][times[index].len() / 2]);
        let peak =
            peaks[index].map_or_else(String::new, |kilobytes| format!("{:.1}", kilobytes as f64 / 1024.0));
        println!("{:<34} {least:>9.2} {median:>9.2} {:>8.2} {peak:>8}", case.name, least / first);
    }
    times.iter().map(|times| times[0]).collect()
}

/// Runs a command with its output into a pipe that is read as a face would; panics unless it ends well.
pub fn through_a_pipe(command: &mut Command) -> Option<u64> {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let (over, until) = channel();
    let watcher = watch(child.id(), until);
    let mut pipe = child.stdout.take().unwrap();
    let mut buffer = vec![0; 1 << 20];
    while pipe.read(&mut buffer).unwrap() > 0 {}
    let status = child.wait().unwrap();
    drop(over);
    assert!(status.success(), "{command:?}: {status}");
    watcher.join().unwrap()
}

/// The high-water mark of a process, looked at until it is gone: what the parent was before `exec` does not count.
fn watch(pid: u32, until: Receiver<()>) -> std::thread::JoinHandle<Option<u64>> {
    std::thread::spawn(move || {
        let mut peak = None;
        while until.recv_timeout(Duration::from_millis(2)) == Err(RecvTimeoutError::Timeout) {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            peak = peak.max(line.and_then(|line| line.trim().split(' ').next()?.parse().ok()));
        }
        peak
    })
}

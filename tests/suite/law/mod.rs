//! The law of DESIGN 3: however often you go back, running forward with the same answers ends in the same state as
//! the undisturbed run.
//!
//! Generated jobs, random walks. A failing seed is printed; `STEPBACK_LAW_SEED=N` runs that one alone, and
//! `STEPBACK_LAW_JOBS=N` that many.

mod actions;
pub mod end;
pub mod job;
mod lanes;
mod live;
mod scripted;
mod walk;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

pub use end::tree;
use job::Generated;
use walk::Count;

/// How many jobs the scripted host runs.
const SCRIPTED_JOBS: u64 = 2_000;
/// How many more with background steps.
const LANE_JOBS: u64 = 2_000;
/// How many jobs real shells run.
const LIVE_JOBS: u64 = 100;

pub fn seeds(count: u64) -> Vec<u64> {
    let given = |name: &str| std::env::var(name).ok().and_then(|number| number.parse().ok());
    match given("STEPBACK_LAW_SEED") {
        Some(seed) => vec![seed],
        None => (0..given("STEPBACK_LAW_JOBS").unwrap_or(count)).collect(),
    }
}

/// As many as the machine runs at once.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// Checks every seed's job on this many threads; the first that fails is named and fails the test.
fn check_all(
    name: &str,
    seeds: &[u64],
    threads: usize,
    generate: fn(u64) -> Generated,
    check: fn(&Generated, u64) -> Count,
) {
    let moves = Mutex::new(Count::default());
    each(seeds, threads, |seed| {
        let generated = generate(seed);
        let count = named(name, seed, &generated, || check(&generated, seed));
        moves.lock().unwrap().add(count);
    });
    println!("law: {} {name} jobs, {}", seeds.len(), moves.into_inner().unwrap());
}

/// Does something for every seed, on this many threads.
pub fn each(seeds: &[u64], threads: usize, check: impl Fn(u64) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(&seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    check(seed);
                }
            });
        }
    });
}

/// Prints the seed and the job of a check that fails.
pub fn named<T>(
    name: &str,
    seed: u64,
    text: &(impl std::fmt::Display + ?Sized),
    check: impl FnOnce() -> T,
) -> T {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(check)).unwrap_or_else(|panic| {
        println!("law: seed {seed} fails ({name}); run it again with STEPBACK_LAW_SEED={seed}\n{text}");
        std::panic::resume_unwind(panic)
    })
}

#[test]
fn scripted_jobs_end_the_same_however_often_one_goes_back() {
    check_all("scripted", &seeds(SCRIPTED_JOBS), threads(), Generated::new, scripted::check);
}

/// With background steps that write files of their own: there is one order of events, that of the scripted host.
#[test]
fn scripted_jobs_with_lanes_end_the_same_however_often_one_goes_back() {
    check_all("scripted with lanes", &seeds(LANE_JOBS), threads(), lanes::with_lanes, scripted::check);
}

#[test]
fn live_jobs_end_the_same_however_often_one_goes_back() {
    let _turn = crate::debugger::live::alone();
    // One at a time: two live hosts of one process would take each other's orphans for their own.
    check_all("live", &seeds(LIVE_JOBS), 1, Generated::new, live::check);
}

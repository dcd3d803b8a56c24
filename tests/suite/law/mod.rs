//! The law of DESIGN 3: however often you go back, running forward with the same answers ends in the same state as
//! the undisturbed run.
//!
//! Generated jobs, random walks. A failing seed is printed; `STEPBACK_LAW_SEED=N` runs that one alone.

mod job;
mod scripted;
mod walk;

use job::Generated;

/// How many jobs the scripted host runs.
const SCRIPTED_JOBS: u64 = 2_000;

fn seeds(count: u64) -> Vec<u64> {
    match std::env::var("STEPBACK_LAW_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => vec![seed],
        None => (0..count).collect(),
    }
}

#[test]
fn scripted_jobs_end_the_same_however_often_one_goes_back() {
    let mut moves = walk::Count::default();
    for seed in seeds(SCRIPTED_JOBS) {
        let generated = Generated::new(seed);
        let outcome = std::panic::catch_unwind(|| scripted::check(&generated, seed));
        match outcome {
            Ok(count) => moves.add(count),
            Err(panic) => {
                println!(
                    "law: seed {seed} fails; run it again with STEPBACK_LAW_SEED={seed}\n{}",
                    generated.text
                );
                std::panic::resume_unwind(panic);
            }
        }
    }
    println!("law: {} scripted jobs, {moves}", seeds(SCRIPTED_JOBS).len());
}

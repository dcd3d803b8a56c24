//! Jobs with background steps made from a seed, run by the engine alone: whatever can happen next happens in an order of
//! chance, and after everything that happened the job is as a small model says.
//!
//! A failing seed is printed; `STEPBACK_LAW_SEED=N` runs that one alone, and `STEPBACK_LAW_JOBS=N` that many.

mod agree;
mod model;
mod spec;
mod world;

use std::sync::Mutex;

use crate::law::{each, named, seeds, threads};
use spec::Spec;
use world::{Count, World};

/// How many jobs are run where nobody says how many.
const JOBS: u64 = 20_000;

#[test]
fn whatever_the_order_of_events_a_job_is_as_the_model_says() {
    let seeds = seeds(JOBS);
    let sum = Mutex::new(Count::default());
    each(&seeds, threads(), |seed| {
        let spec = Spec::new(seed);
        let count = named("simulated", seed, &spec, || World::new(&spec, seed).run());
        sum.lock().unwrap().add(&count);
    });
    let sum = sum.into_inner().unwrap();
    println!("simulation: {} jobs, {sum:?}", seeds.len());
    assert!(seeds.len() < 1000 || sum.is_varied(), "the jobs are too much alike");
}

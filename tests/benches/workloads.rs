//! What a run costs, as ratios to what the machine itself costs: `cargo bench -p integration-tests --bench workloads`.
//!
//! Machines are noisy, so the cases alternate, the minimum of each counts, and only ratios within one run mean anything.
//! The floor is `bash` with a step's own script, started as cheaply as the system allows, its output read through a
//! pipe. Arguments after `--`: how often each case runs (7), then the names of workloads (all).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    unreachable_pub
)]

#[path = "workloads"]
mod workloads {
    pub mod floor;
    pub mod measure;
    pub mod write;
}

use workloads::floor;
use workloads::measure::{Case, alternate};
use workloads::write::{self, Workload};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let rounds = words.first().and_then(|word| word.parse().ok()).unwrap_or(7);
    let wanted = |name: &str| {
        let names: Vec<&String> = words.iter().filter(|word| word.parse::<u32>().is_err()).collect();
        names.is_empty() || names.iter().any(|word| *word == name)
    };
    let place = tempfile::tempdir().unwrap();
    let program = write::build_program();
    println!("{:<34} {:>9} {:>9} {:>8} {:>8}", "case", "min ms", "median", "ratio", "VmHWM MB");
    if wanted("step") {
        per_step(&program, place.path(), rounds);
    }
    if wanted("background") {
        background(&program, place.path(), rounds);
    }
    for (name, base) in [
        ("w1", "one bash"),
        ("w3", "200 bash"),
        ("w4", "bash into a pipe"),
        ("w5", "51 bash"),
        ("w6", "256 bash in a row"),
        ("w7", "w7 without masking"),
    ] {
        if wanted(name) {
            one(&program, place.path(), name, base, rounds);
        }
    }
}

/// The cost of one more step, from the difference of 100 steps and 1.
fn per_step(program: &std::path::Path, place: &std::path::Path, rounds: usize) {
    let (one, many) = (Workload::steps(place, 1), Workload::steps(place, 100));
    let cases = vec![
        Case::new("floor, 1 × bash", floor::trues(1)),
        Case::new("floor, 100 × bash", floor::trues(100)),
        Case::new("w2, 1 step, --no-record", one.run(program, &["--no-record"])),
        Case::new("w2, 100 steps, --no-record", many.run(program, &["--no-record"])),
        Case::new("w2, 1 step, recorded", one.run(program, &[])),
        Case::new("w2, 100 steps, recorded", many.run(program, &[])),
    ];
    let minima = alternate(cases, rounds);
    let each = |first: usize| (minima[first + 1] - minima[first]) / 99.0;
    let bash = each(0);
    println!(
        "  per step: floor {bash:.3} ms, no record {:.3} ms = {:.2} × floor (≤ 1.25)",
        each(2),
        each(2) / bash
    );
    println!("  per step: with a checkpoint {:.3} ms = {:.2} × floor (≤ 1.5)", each(4), each(4) / bash);
    println!("  start to end of one step: {:.1} ms above one bash (≤ 20)", minima[2] - minima[0]);
}

/// Ten steps of a second, side by side.
fn background(program: &std::path::Path, place: &std::path::Path, rounds: usize) {
    let workload = Workload::background(place, 10);
    let cases = vec![
        Case::new("one bash of 1 s", workload.floor()),
        Case::new("10 background steps of 1 s", workload.run(program, &["--no-record"])),
        Case::new("the same, recorded", workload.run(program, &[])),
    ];
    let minima = alternate(cases, rounds);
    println!("  background: {:.0} ms, recorded {:.0} ms (≤ 1100)", minima[1], minima[2]);
}

fn one(program: &std::path::Path, place: &std::path::Path, name: &str, base: &str, rounds: usize) {
    let workload = Workload::named(place, name);
    let floor = Case::new(base, workload.floor());
    let ours = Case::new(name, workload.run(program, &["--no-record"]));
    let recorded = Case::new(&format!("{name}, recorded"), workload.run(program, &[]));
    let minima = alternate(vec![floor, ours, recorded], rounds);
    println!("  {name}: {:.2} × floor, recorded {:.2} ×", minima[1] / minima[0], minima[2] / minima[0]);
}

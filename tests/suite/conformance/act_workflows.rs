//! Whole jobs that act runs, each in a session of its own on this machine: straight through, and once more with every
//! step executed, stepped back once and executed again, the steps inside of actions too.
//!
//! What a row is and what it is given stands in `row`, how its jobs are run in `drive`, the programs of its actions in `own`.

mod drive;
mod own;
mod row;

use std::collections::BTreeMap;
use std::time::Duration;

use super::real_world::{Outcome as Reading, action, read, workflow, yaml_files};
use super::{Tally, data, json, text};
use crate::debugger::block_on;
use drive::{Way, drive};
use own::Telling;
use row::{Row, Verdict};

/// The longest row takes a few seconds under a debugger; one that takes this long hangs.
const ROW_MAX: Duration = Duration::from_secs(180);

/// Runs every row that can run here in this way.
fn run_rows(way: Way) {
    let Some(folder) = data() else { return };
    let mut tally = Tally::new("act_workflows");
    let mut left_out: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut steps = 0;
    for row in Row::all(&folder.join("act-workflows")) {
        match row.cannot_run() {
            Some(reason) => left_out.entry(reason).or_default().push(row.name.clone()),
            None => tally.case(&row.name, check(&row, way, &mut steps)),
        }
    }
    println!("act_workflows, {way}, {steps} steps executed");
    for (reason, rows) in left_out {
        println!("    left out, {reason}: {} ({})", rows.len(), rows.join(", "));
    }
    tally.finish();
}

fn check(row: &Row, way: Way, steps: &mut usize) -> Result<(), String> {
    let (found, log) = match &row.refused {
        Some(places) => (Verdict::Refused(places.clone()), String::new()),
        None => {
            let driven = block_on(async { tokio::time::timeout(ROW_MAX, drive(row, way)).await })
                .map_err(|_| format!("not over after {} s", ROW_MAX.as_secs()))?;
            *steps += driven.executed;
            driven.faults?;
            Telling::of(&row.name).check(&driven.log).map_err(|fault| format!("{fault}\n{}", driven.log))?;
            (driven.verdict, driven.log)
        }
    };
    if found == row.expected {
        return Ok(());
    }
    Err(format!("found    {found:?}\n    expected {:?}\n{log}", row.expected))
}

#[test]
fn straight_through() {
    run_rows(Way::Straight);
}

#[test]
fn every_step_executed_stepped_back_once_and_executed_again() {
    run_rows(Way::EveryStepTwice);
}

/// Jobs that act runs must be readable, and so must the actions beside them.
#[test]
fn files_are_readable() {
    let Some(folder) = data() else { return };
    let folder = folder.join("act-workflows");
    let mut tally = Tally::new("act_workflows_files");
    let fine = |found: bool, reading: Reading| {
        let errors = reading.errors();
        if found && errors.is_empty() { Ok(()) } else { Err(format!("{errors:#?}")) }
    };
    for row in json(&folder.join("manifest.json")).as_array().expect("a list") {
        for file in row["workflows"].as_array().into_iter().flatten() {
            let file = file.as_str().expect("a file");
            let (found, reading) = workflow(file, &read(&folder.join("tree").join(file)));
            if text(row, "expect") == "pass" && !file.contains("workflow_call_inputs") {
                tally.case(file, fine(found.is_some(), reading));
            }
        }
    }
    for path in yaml_files(&folder.join("tree")) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.ends_with("uses-composite-with-inputs/action/action.yml") {
            tally.not_run(
                &path.to_string_lossy(),
                "GitHub's runner refuses it: a default may not read `inputs`",
            );
        } else if name == "action.yml" || name == "action.yaml" {
            let (found, reading) = action(&path.to_string_lossy(), &read(&path));
            tally.case(&path.to_string_lossy(), fine(found.is_some(), reading));
        }
    }
    tally.finish();
}

#[test]
fn a_call_input_without_a_type_is_refused() {
    let Some(folder) = data() else { return };
    let file = "act-workflows/tree/pkg/runner/testdata/workflow_call_inputs/workflow_call_inputs.yml";
    let (_, reading) = workflow("workflow_call_inputs.yml", &read(&folder.join(file)));
    let expected = ["7:9", "10:9"].map(|place| {
        let (line, column) = place.split_once(':').expect("a place");
        format!("workflow_call_inputs.yml (Line: {line}, Col: {column}): Required property is missing: type")
    });
    assert_eq!(reading.errors(), expected);
}

//! The workflows of ChristopherHX/runner.server, run by the built program: odd corners that check themselves.
//!
//! Knows what each file evidently tests, by its name and content; how a workflow runs is for the program.

mod expected;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::real_world::{files, yaml_files};
use super::{Tally, data};
use crate::cli::program::{Ran, Sandbox};
use expected::{Case, End, cases, reason_to_leave_out};

#[test]
fn runner_server_workflows() {
    let Some(folder) = data() else { return };
    let folder = folder.join("runner-server-workflows/testworkflows");
    let mut tally = Tally::new("runner_server_workflows");
    let mut left_out: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for path in yaml_files(&folder) {
        let file = path.strip_prefix(&folder).expect("below").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("text");
        match reason_to_leave_out(&file, &text) {
            Some(reason) => left_out.entry(reason).or_default().push(file),
            None => {
                for case in cases(&file) {
                    let name = [&[&*file], case.options].concat().join(" ");
                    tally.case(&name, run(&folder, &file, case));
                }
            }
        }
    }
    for (reason, files) in left_out {
        println!("    left out, {reason}: {} ({})", files.len(), files.join(", "));
    }
    tally.finish();
}

/// Runs the file in the repository that it is from.
fn run(folder: &Path, file: &str, case: Case) -> Result<(), String> {
    let (repository, workflow) = repository_of(file);
    let sandbox = Sandbox::new("");
    fs::remove_dir_all(sandbox.root().join(".github")).expect("a folder");
    for path in files(&folder.join(repository)) {
        let below = path.strip_prefix(folder.join(repository)).expect("below").to_string_lossy().into_owned();
        // Workflows at the top have nothing beside them that they need.
        if !repository.is_empty() || below == workflow {
            sandbox.write(&below, &fs::read_to_string(&path).expect("text"));
        }
    }
    let options = [&["run", workflow, "--no-record", "--offline"], case.options].concat();
    judge(&sandbox.run(&options, ""), case)
}

/// The folder that is a repository of its own, and the workflow's place in it.
fn repository_of(file: &str) -> (&str, &str) {
    match file.split_once("/.github/") {
        Some((repository, _)) => (repository, &file[repository.len() + 1..]),
        None => file.rsplit_once('/').unwrap_or(("", file)),
    }
}

fn judge(ran: &Ran, case: Case) -> Result<(), String> {
    let told = format!("{}\n{}", ran.out, ran.errors);
    let fault = |text: String| Err(format!("{text}\n{told}"));
    let code = match case.end {
        End::Success => 0,
        End::Failure(_) => 1,
        End::Refusal(_) => 2,
    };
    if ran.code != Some(code) {
        return fault(format!("it ended with {:?} instead of {code}", ran.code));
    }
    if let End::Failure(because) | End::Refusal(because) = case.end
        && !told.contains(because)
    {
        return fault(format!("it did not say `{because}`"));
    }
    match case.never.filter(|never| told.contains(never)) {
        Some(never) => fault(format!("it said `{never}`")),
        None => Ok(()),
    }
}

//! The program starts, knows its version, and refuses what it does not know.
//!
//! What it does is tested in `tests/suite`; this test is here so that the program is built before those run.

#![allow(clippy::expect_used, reason = "a failed expectation is a failed test")]

use std::process::Command;

fn output(argument: &str) -> (Option<i32>, String, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_stepback")).arg(argument).output().expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn it_knows_its_version() {
    assert_eq!(
        output("--version"),
        (Some(0), format!("stepback {}\n", env!("CARGO_PKG_VERSION")), String::new())
    );
}

#[test]
fn an_unknown_option_is_bad_usage() {
    let (code, _, errors) = output("--nonsense");
    assert_eq!(code, Some(2));
    assert!(errors.contains("--nonsense"), "{errors}");
}

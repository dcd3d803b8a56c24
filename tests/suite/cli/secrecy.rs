//! What a recording keeps of a secret that a job writes into its files.

use std::fs;
use std::path::Path;

use super::program::Sandbox;

const SECRET: &str = "hunter2-and-more";
const ENCODED: &str = "aHVudGVyMi1hbmQtbW9yZQ==";
const GIVEN: [&str; 2] = ["--secret", "TOKEN=hunter2-and-more"];

const WORKFLOW: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - name: Log in
        env: {TOKEN: '${{ secrets.TOKEN }}'}
        run: |
          echo \"token = $TOKEN\" | tee kept > gone
          printf %s \"$TOKEN\" | base64 > encoded
          echo plain > plain
      - name: Use
        run: 'rm gone; false'
";

fn bytes_below(folder: &Path, into: &mut Vec<u8>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => bytes_below(&entry.path(), into),
            false => into.extend(fs::read(entry.path()).unwrap()),
        }
    }
}

#[test]
fn files_with_a_secret_are_sealed_in_a_recording_and_come_back_on_this_machine_alone() {
    let sandbox = Sandbox::new(WORKFLOW);
    let ran = sandbox.run(&[&["run"], GIVEN.as_slice()].concat(), "");
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.errors);
    let mut kept = Vec::new();
    bytes_below(&sandbox.beside().join("state"), &mut kept);
    let holds = |text: &str| kept.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(!holds(SECRET) && !holds(ENCODED));
    assert!(holds("plain\n"), "what is not secret is as it was");

    let last = [&["debug", "--last"], GIVEN.as_slice()].concat();
    let ran = sandbox.run(&last, "back\n! wc -c < gone; base64 -d encoded | wc -c\nquit\n");
    assert!(ran.out.contains("wc -c\n25\n16\n"), "{}{}", ran.out, ran.errors);
    assert!(!ran.out.contains("left out"), "{}", ran.out);

    // Without its key a recording is what it is on any other machine.
    fs::remove_file(sandbox.beside().join("state/stepback/seal.key")).unwrap();
    let ran = sandbox.run(&last, "back\n! cat plain\nquit\n");
    let expected = "left out, since they hold a secret and were recorded on another machine: encoded, kept\n";
    assert!(ran.out.contains(expected), "{}{}", ran.out, ran.errors);
    assert!(ran.out.contains("! cat plain\nplain\n"), "{}", ran.out);
}

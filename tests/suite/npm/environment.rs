//! What actions are told of the services, and who never learns it.

use std::fs;
use std::path::Path;

use super::toolkit::Toolkit;

const WORKFLOW: &str = "on: push
jobs:
  build:
    runs-on: x
    env: {TOKEN_FILE: '${{ vars.TOKEN_FILE }}'}
    steps:
      - uses: toolkit/actions/environment@v1
      - run: 'echo \"a shell sees $(env | grep -c ^ACTIONS_) and ${#PASSED_ON}\"; echo \"$PASSED_ON\" > kept'
      - run: exit 1
";

fn holds(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() {
            return holds(&path, text);
        }
        fs::read(&path).unwrap().windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[test]
fn actions_are_told_where_the_services_are_and_nobody_sees_the_token() {
    let Some(toolkit) = Toolkit::with(WORKFLOW) else { return };
    let file = toolkit.sandbox.beside().join("tokens");
    let ran = toolkit.start("run", &["--var", &format!("TOKEN_FILE={}", file.display())], "");
    let names = "ACTIONS_CACHE_MODE,ACTIONS_CACHE_SERVICE_V2,ACTIONS_CACHE_URL,ACTIONS_RESULTS_URL,ACTIONS_RUNTIME_TOKEN,ACTIONS_RUNTIME_URL\n";
    assert_eq!(ran.out.matches(names).count(), 3, "pre, main and post: {}", ran.out);
    assert_eq!(ran.out.matches("\nurl 127.0.0.1 True write\ngithub false\n").count(), 3, "{}", ran.out);
    let shown: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("token ")).collect();
    assert!(
        shown.len() == 3 && shown.iter().all(|line| line.ends_with("***") && line.contains(".*** and ")),
        "{shown:?}"
    );
    assert!(ran.out.contains("\na shell sees 0 and "), "{}", ran.out);
    assert!(!ran.out.contains("a shell sees 0 and 0"), "what an action passes on is there: {}", ran.out);
    let tokens = fs::read_to_string(&file).unwrap();
    let mut tokens: Vec<&str> = tokens.lines().collect();
    assert_eq!(tokens.len(), 3);
    tokens.dedup();
    assert_eq!(tokens.len(), 3, "each process has its own");
    for token in tokens {
        let signature = token.rsplit('.').next().unwrap();
        assert!(!ran.out.contains(signature) && !ran.errors.contains(signature));
        assert!(!holds(&toolkit.sandbox.beside().join("state"), signature), "a recording has it");
    }
}

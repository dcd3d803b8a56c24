//! Actions that are not on this machine, from a server that is.

use std::fs;
use std::io::Read as _;

use super::github::{Github, Repository};
use super::program::{Ran, Sandbox, finish};

const FIRST: &str = "1111111111111111111111111111111111111111";
const SECOND: &str = "2222222222222222222222222222222222222222";

/// `o/outer` uses `o/inner`, a JavaScript action.
fn repositories(word: &str) -> Vec<Repository> {
    let outer = "runs:\n  using: composite\n  steps:\n    - run: echo outer from $GITHUB_ACTION_PATH\n      shell: bash\n    - uses: o/inner/js@v2\n";
    let inner = "inputs: {who: {default: nobody}}\nruns: {using: node20, pre: pre.js, main: main.js}\n";
    vec![
        Repository { name: "o/outer", commit: SECOND, files: vec![("action.yml", outer.to_owned())] },
        Repository {
            name: "o/inner",
            commit: FIRST,
            files: vec![
                ("js/action.yml", inner.to_owned()),
                ("js/pre.js", "console.log('inner prepares')\n".to_owned()),
                ("js/main.js", format!("console.log('inner {word} for ' + process.env.INPUT_WHO)\n")),
            ],
        },
    ]
}

const WORKFLOW: &str = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: o/outer@main\n      - {uses: o/inner/js@v2, with: {who: me}}\n";

#[track_caller]
fn has_lines(ran: &Ran, lines: &[&str]) {
    for line in lines {
        assert!(ran.out.lines().any(|found| found == *line), "{line}:\n{}{}", ran.out, ran.errors);
    }
}

#[test]
fn a_run_downloads_what_it_needs_and_the_next_one_needs_nobody() {
    let (sandbox, github) = (Sandbox::new(WORKFLOW), Github::start(repositories("works")));
    let url = github.url();
    let ran = sandbox.run(&["run", "--github-api-url", &url], "");
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.errors);
    let folder = sandbox.beside().join(format!("cache/stepback/_actions/o/outer/{SECOND}"));
    let outer = format!("outer from {}", folder.display());
    let works = [outer.as_str(), "inner prepares", "inner works for nobody", "inner works for me"];
    has_lines(&ran, &works);
    let download =
        |action: &str, commit: &str| format!("Download action repository '{action}' (SHA:{commit})");
    has_lines(&ran, &["Prepare all required actions", "Getting action download info"]);
    has_lines(&ran, &[&download("o/outer@main", SECOND), &download("o/inner@v2", FIRST)]);
    let mut asked = github.asked();
    asked.sort();
    assert_eq!(
        asked,
        [
            "/repos/o/inner/commits/v2".to_owned(),
            format!("/repos/o/inner/tarball/{FIRST}"),
            "/repos/o/outer/commits/main".to_owned(),
            format!("/repos/o/outer/tarball/{SECOND}"),
        ]
    );
    drop(github);
    for options in [["run", "--github-api-url", &url].as_slice(), &["run", "--offline"]] {
        let again = sandbox.run(options, "");
        assert_eq!(again.code, Some(0), "{}{}", again.out, again.errors);
        has_lines(&again, &works);
        assert!(!again.out.contains("Download action"), "{}", again.out);
    }
}

#[test]
fn what_is_missing_is_said_and_fails_its_step() {
    let (sandbox, github) = (Sandbox::new(WORKFLOW), Github::start(repositories("works")));
    let ran = sandbox.run(&["run", "--offline", "--github-api-url", &github.url()], "");
    assert_eq!((ran.code, github.asked().len()), (Some(1), 0));
    let cache = sandbox.beside().join("cache/stepback/_actions");
    let missing = format!("the action o/outer@main is not on this machine in {}", cache.display());
    assert!(ran.out.contains(&missing) && ran.out.contains("--action o/outer@main=FOLDER"), "{}", ran.out);
    let empty = Github::start(Vec::new());
    let ran = sandbox.run(&["run", "--github-api-url", &empty.url()], "");
    assert!(ran.out.contains("o/outer@main cannot be downloaded: 127.0.0.1:"), "{}", ran.out);
    assert_eq!(ran.code, Some(1));
}

#[test]
fn the_token_goes_to_an_api_that_a_person_named_and_no_line_shows_it() {
    let (sandbox, github) = (Sandbox::new(WORKFLOW), Github::start(repositories("works")));
    let run = |arguments: &[&str]| {
        let mut command = sandbox.command(arguments);
        command.env("GITHUB_TOKEN", "ghp_hunter2hunter2");
        let ran = finish(sandbox.start(command), "");
        assert!(!format!("{}{}", ran.out, ran.errors).contains("hunter2"), "{}{}", ran.out, ran.errors);
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.errors);
        github.asked()
    };
    sandbox.write(".stepback.toml", &format!("github-api-url = '{}'\n", github.url()));
    let asked = run(&["run"]);
    assert!(asked.len() == 4 && asked.iter().all(|asked| !asked.ends_with(" *")), "{asked:?}");
    let asked = run(&["run", "--refresh-actions", "--github-api-url", &github.url()]);
    assert!(asked.len() == 2 && asked.iter().all(|asked| asked.ends_with(" *")), "{asked:?}");
}

#[test]
fn proxies_are_those_of_the_environment_and_see_no_token() {
    let (sandbox, github) = (Sandbox::new(WORKFLOW), Github::start(repositories("works")));
    let mut command = sandbox.command(&["run"]);
    command.env("HTTP_PROXY", github.url()).env("http_proxy", github.url());
    command.env("GITHUB_API_URL", "http://api.example").env("GITHUB_TOKEN", "ghp_hunter2hunter2");
    let ran = finish(sandbox.start(command), "");
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.errors);
    let asked = github.asked();
    let is_plain =
        |asked: &String| asked.starts_with("http://api.example/repos/o/") && !asked.ends_with(" *");
    assert!(asked.len() == 4 && asked.iter().all(is_plain), "{asked:?}");
}

const LATE: &str = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: actions/checkout@v4\n      - uses: ./own\n      - run: test -e mended\n      - uses: o/inner/js@v2\n";
const OWN: &str = "runs: {using: composite, steps: [{uses: o/inner/js@v2}]}\n";

/// The tag moves, the cache follows it, and is then lost altogether.
#[test]
fn a_reopened_run_goes_on_with_the_commits_that_it_had() {
    let (sandbox, github) = (Sandbox::new(LATE), Github::start(repositories("works")));
    sandbox.write("own/action.yml", OWN);
    let url = github.url();
    let run = |arguments: &[&str], script: &str| {
        sandbox.run(&[arguments, &["--github-api-url", &url]].concat(), script)
    };
    assert_eq!(run(&["run"], "").code, Some(1));
    assert_eq!(github.asked().len(), 2);

    let mut moved = repositories("has moved").remove(1);
    moved.commit = SECOND;
    github.moves(moved);
    has_lines(&run(&["run", "--no-record", "--refresh-actions"], ""), &["inner has moved for nobody"]);
    assert_eq!(github.asked().len(), 2);
    let script = "back\nback\nnext\n! touch mended\ncontinue\nquit\n";
    let again = run(&["debug", "--last", "--verbose"], script);
    assert!(again.out.contains("inner works for nobody"), "{}{}", again.out, again.errors);
    assert!(!again.out.contains("has moved"), "{}{}", again.out, again.errors);
    assert!(!again.out.contains("Prepare all required actions"), "they are prepared: {}", again.out);
    assert_eq!((again.code, github.asked().len()), (Some(0), 0), "{}{}", again.out, again.errors);

    fs::remove_dir_all(sandbox.beside().join("cache/stepback/_actions")).expect("the cache");
    github.moves(repositories("works").remove(1));
    let again = run(&["debug", "--last", "--verbose"], "goto 2\nnext\nquit\n");
    assert!(again.out.contains("inner works for nobody"), "{}{}", again.out, again.errors);
    assert_eq!(github.asked(), [format!("/repos/o/inner/tarball/{FIRST}")]);
}

#[test]
fn a_recording_whose_actions_are_gone_can_be_looked_at() {
    let (sandbox, github) = (Sandbox::new(LATE), Github::start(repositories("works")));
    sandbox.write("own/action.yml", OWN);
    assert_eq!(sandbox.run(&["run", "--github-api-url", &github.url()], "").code, Some(1));
    fs::remove_dir_all(sandbox.beside().join("cache/stepback/_actions")).expect("the cache");
    let ran = sandbox.run(&["debug", "--last", "--offline"], "log 2\nquit\n");
    assert!(ran.out.contains("inner works for nobody"), "{}{}", ran.out, ran.errors);
    assert!(ran.errors.contains(&format!("at the recorded commit {FIRST}")), "{}", ran.errors);
}

#[test]
fn an_interrupt_calls_a_download_off() {
    let (sandbox, github) = (Sandbox::new(WORKFLOW), Github::start(repositories("works")));
    let silent = github.falls_silent();
    let mut child = sandbox.start(sandbox.command(&["run", "--github-api-url", &github.url()]));
    let asker = silent.recv().expect("a question");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("a signal");
    let mut out = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut out).expect("text");
    assert_eq!(child.wait().expect("an end").code(), Some(130), "{out}");
    assert!(out.contains("● a was cancelled in "), "{out}");
    drop(asker);
}

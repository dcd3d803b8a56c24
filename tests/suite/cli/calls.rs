//! Jobs that call workflows, run and debugged by the program.

use super::github::{Github, Repository};
use super::program::Sandbox;

const CALLER: &str = "on: push
jobs:
  first:
    runs-on: x
    outputs: {tag: '${{ steps.s.outputs.tag }}'}
    steps: [{id: s, run: 'echo tag=v7 >> $GITHUB_OUTPUT'}]
  release:
    needs: first
    uses: ./.github/workflows/release.yml
    with: {tag: '${{ needs.first.outputs.tag }}', dry: true}
    secrets: {key: '${{ secrets.DEPLOY }}-for-release', literal: open-sesame}
  last:
    needs: release
    runs-on: x
    steps: [{run: 'echo \"got ${{ needs.release.outputs.where }}\"'}]
";

const CALLED: &str = "on:
  workflow_call:
    inputs: {tag: {type: string, required: true}, dry: {type: boolean}, times: {type: number, default: 3}}
    secrets: {key: {required: true}, literal: {}}
    outputs: {where: {value: '${{ jobs.upload.outputs.where }}'}}
env: {FROM: the called workflow}
jobs:
  build:
    runs-on: x
    steps:
      - run: echo \"building ${{ inputs.tag }} $FROM ${{ inputs.dry && inputs.times == 3 }} [${{ secrets.DEPLOY }}]\"
      - run: echo 'open-sesame ${{ secrets.key }}'
  upload:
    needs: build
    runs-on: x
    outputs: {where: '${{ steps.u.outputs.where }}'}
    steps: [{id: u, run: 'echo \"where=at ${{ github.job }}\" >> $GITHUB_OUTPUT'}]
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new(CALLER);
    sandbox.write(".github/workflows/release.yml", CALLED);
    sandbox
}

#[test]
fn a_called_workflow_gets_what_it_is_given_and_gives_back() {
    let ran = sandbox().run(&["run", "--secret", "DEPLOY=hunter2"], "");
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.errors);
    let said = |text: &str| assert!(ran.out.contains(text), "{text}\n{}", ran.out);
    said("release / build | building v7 the called workflow true []\n");
    said("release / build | *** ***-for-release\n".replace("***-for-release", "***").as_str());
    said("last | got at upload\n");
    assert!(!ran.out.contains("open-sesame") && !ran.out.contains("hunter2"), "{}", ran.out);
    assert_eq!(ran.errors, "", "a secret that the call does not pass on is not missed");
}

#[test]
fn what_calls_pass_on_is_named_where_nobody_gave_it() {
    let sandbox = sandbox();
    let ran = sandbox.run(&["run", "--job", "release"], "");
    assert!(
        ran.errors.contains("nobody gave, so empty: secrets.DEPLOY (.github/workflows/ci.yml:11)"),
        "{}",
        ran.errors
    );
    sandbox.write(".github/workflows/ci.yml", "on: push\njobs:\n  a: {uses: ./.github/workflows/c.yml}\n");
    sandbox.write(
        ".github/workflows/c.yml",
        "on: workflow_call\njobs:\n  b: {runs-on: x, container: y, steps: [{run: x}]}\n",
    );
    let ran = sandbox.run(&["run"], "");
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.errors.contains("error: .github/workflows/c.yml:3:30: job `b` wants `container:`"),
        "{}",
        ran.errors
    );
}

#[test]
fn one_called_job_is_debugged_after_all_that_it_needs() {
    let sandbox = sandbox();
    let arguments = ["debug", "ci", "--secret", "DEPLOY=hunter2"];
    let ran = sandbox.run(&[&arguments[..], &["--job", "Release"]].concat(), "");
    assert_eq!(ran.code, Some(2));
    assert!(ran.errors.contains("  1 release/build\n  2 release/upload\n"), "{}", ran.errors);
    let ran = sandbox.run(&[&arguments[..], &["--job", "release/uplod"]].concat(), "");
    assert!(
        ran.errors.contains("release.yml: there is no job `uplod`\n  hint: did you mean `upload`?"),
        "{}",
        ran.errors
    );
    let ran = sandbox.run(&[&arguments[..], &["--job", "first/x"]].concat(), "");
    assert!(ran.errors.contains("job `first` calls no workflow"), "{}", ran.errors);

    let session = "status\nnext\nback\nprint inputs.tag\nprint needs.build.result\ncontinue\n";
    let ran = sandbox.run(&[&arguments[..], &["--job", "release/upload"]].concat(), session);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.errors);
    for text in [
        "● first succeeded",
        "● release / build succeeded",
        "● release / upload · 1 step · .github/workflows/release.yml",
        "release.yml:17\n",
        "(release / upload 1) status\nm0 1 Run echo \"where=at ${{ github.job }}\" >> $GITHUB_OUTPUT release.yml:17\n  called by release  ci.yml:9\n",
        "\nv7\n",
        "\nsuccess\n",
        "● release / upload succeeded",
    ] {
        assert!(ran.out.contains(text), "{text}\n{}", ran.out);
    }
    assert!(!ran.out.contains("● last"), "{}", ran.out);
}

#[test]
fn a_called_job_is_reopened_with_its_secrets() {
    let sandbox = sandbox();
    sandbox.write(
        ".github/workflows/release.yml",
        &CALLED.replace("- run: echo \"building", "- run: \"exit 1\" # \""),
    );
    let ran = sandbox.run(&["run", "--secret", "DEPLOY=hunter2"], "");
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.errors);
    let session =
        "print secrets.key == 'hunter2-for-release' && secrets.literal == 'open-sesame'\nprint inputs.tag\n";
    let ran = sandbox.run(&["debug", "--last", "--secret", "DEPLOY=hunter2"], session);
    assert!(
        ran.out.contains("● release / build · 2 steps · .github/workflows/release.yml"),
        "{}{}",
        ran.out,
        ran.errors
    );
    assert!(ran.out.contains("\ntrue\n") && ran.out.contains("\nv7\n"), "{}{}", ran.out, ran.errors);
}

#[test]
fn an_edit_of_the_called_file_is_taken_over() {
    let sandbox = sandbox();
    let edit = "! sed -i 's/open-sesame .{{ secrets.key }}/edited/' ROOT/.github/workflows/release.yml\n"
        .replace("ROOT", &sandbox.root().to_string_lossy());
    let session = format!("next\n{edit}continue\nlog 2\n");
    let arguments = ["debug", "ci", "--secret", "DEPLOY=hunter2", "--job", "release/build"];
    let ran = sandbox.run(&arguments, &session);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.errors);
    assert!(ran.out.contains("\nedited\n"), "{}{}", ran.out, ran.errors);
}

const REMOTE: &str = "on:
  workflow_call:
    outputs: {word: {value: '${{ jobs.near.outputs.word }}'}}
jobs:
  near:
    uses: ./.github/workflows/near.yml
";
const NEAR: &str = "on: {workflow_call: {outputs: {word: {value: '${{ jobs.say.outputs.word }}'}}}}
jobs:
  say:
    runs-on: x
    outputs: {word: '${{ steps.s.outputs.word }}'}
    steps: [{id: s, run: 'echo word=from-afar >> $GITHUB_OUTPUT'}]
";
const CALLS_AFAR: &str = "on: push
jobs:
  far:
    uses: o/shared/.github/workflows/far.yml@v1
  here:
    needs: far
    runs-on: x
    steps: [{run: 'echo \"got ${{ needs.far.outputs.word }}\"'}]
";

#[test]
fn a_workflow_of_another_repository_brings_those_beside_it() {
    let sandbox = Sandbox::new(CALLS_AFAR);
    let commit = "3333333333333333333333333333333333333333";
    let files = vec![
        (".github/workflows/far.yml", REMOTE.to_owned()),
        (".github/workflows/near.yml", NEAR.to_owned()),
    ];
    let github = Github::start(vec![Repository { name: "o/shared", commit, files }]);
    let ran = sandbox.run(&["run", "--github-api-url", &github.url()], "");
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.errors);
    assert!(ran.out.contains("here | got from-afar\n"), "{}", ran.out);
    let file = "o/shared/.github/workflows/near.yml@v1";
    assert!(ran.out.contains(&format!("● far / near / say · 1 step · {file}")), "{}", ran.out);
    drop(github);
    let ran = sandbox.run(&["debug", "--offline", "--job", "far"], "list\nback\nnext\n");
    assert!(
        ran.out.contains(file) && ran.out.contains("outputs.word=from-afar"),
        "{}{}",
        ran.out,
        ran.errors
    );
}

/// Says who it is, and lets another action beside it do the same.
fn speaks(word: &str, next: &str) -> String {
    format!(
        "runs:\n  using: composite\n  steps:\n    - run: echo {word} of [$GITHUB_ACTION_REPOSITORY] at [$GITHUB_ACTION_REF]\n      \
         shell: bash\n{next}"
    )
}

#[test]
fn actions_that_a_workflow_of_another_repository_names_are_from_there_or_from_the_workspace() {
    let sandbox = Sandbox::new("on: push\njobs: {far: {uses: o/shared/.github/workflows/far.yml@v1}}\n");
    sandbox.write("act/action.yml", &speaks("not this one", ""));
    sandbox.write("mine/action.yml", &speaks("mine", "    - uses: $/deep\n"));
    let far = "on: workflow_call\njobs:\n  say:\n    runs-on: x\n    steps:\n      - uses: actions/checkout@v4\n      \
               - uses: $/act\n      - uses: ./mine\n";
    let shared = Repository {
        name: "o/shared",
        commit: "3333333333333333333333333333333333333333",
        files: vec![
            (".github/workflows/far.yml", far.to_owned()),
            ("act/action.yml", speaks("act one", "    - uses: $/deep\n    - uses: ./mine\n")),
            ("deep/action.yml", speaks("deep one", "")),
            ("mine/action.yml", speaks("not that one", "")),
        ],
    };
    let github = Github::start(vec![shared]);
    let ran = sandbox.run(&["run", "--github-api-url", &github.url()], "");
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.errors);
    let said: Vec<&str> =
        ran.out.lines().filter(|line| line.contains("] at [") && !line.contains('$')).collect();
    let expected = [
        "act one of [o/shared] at [v1]",
        "deep one of [o/shared] at [v1]",
        "mine of [] at []",
        "deep one of [o/shared] at [v1]",
        "mine of [] at []",
        "deep one of [o/shared] at [v1]",
    ];
    assert_eq!(said, expected, "{}", ran.out);
}

/// The tag has moved: what the workflow names beside itself is from where the workflow is from, also what was never reached.
#[test]
fn a_reopened_job_takes_what_is_beside_its_workflow_at_the_commit_of_that() {
    let sandbox = Sandbox::new("on: push\njobs: {far: {uses: o/shared/.github/workflows/far.yml@v1}}\n");
    sandbox.write("mine/action.yml", &speaks("mine", "    - uses: $/deep\n"));
    let far = "on: workflow_call\njobs:\n  say:\n    runs-on: x\n    steps:\n      - uses: actions/checkout@v4\n      \
               - run: test -e ok\n      - uses: ./mine\n";
    let shared = |commit, word: &str| Repository {
        name: "o/shared",
        commit,
        files: vec![
            (".github/workflows/far.yml", far.to_owned()),
            ("deep/action.yml", speaks(&format!("deep {word}"), "")),
        ],
    };
    let github = Github::start(vec![shared("3333333333333333333333333333333333333333", "one")]);
    let ran = sandbox.run(&["run", "--github-api-url", &github.url()], "");
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.errors);
    github.moves(shared("4444444444444444444444444444444444444444", "two"));
    let arguments = ["debug", "--last", "--refresh-actions", "--github-api-url", &github.url()];
    let ran = sandbox.run(&arguments, "back\n! touch ok\nnext\nnext\nlog 3\n");
    assert!(ran.out.contains("deep one of [o/shared] at [v1]"), "{}{}", ran.out, ran.errors);
}

/// `github` has the workflow of the run, `job` the one in which the job is written.
#[test]
fn a_job_knows_in_which_workflow_it_is_written() {
    let say = "echo \"who ${{ job.workflow_ref }} ${{ job.workflow_repository }} ${{ job.workflow_file_path }} [${{ job.workflow_sha }}] $GITHUB_WORKFLOW_REF\"";
    let jobs = |on: &str| format!("on: {on}\njobs:\n  say: {{runs-on: x, steps: [{{run: '{say}'}}]}}\n");
    let sandbox = Sandbox::new(
        &(jobs("push")
            + "  near: {uses: ./.github/workflows/near.yml}\n  far: {uses: o/shared/.github/workflows/far.yml@v1}\n"),
    );
    sandbox.write(".github/workflows/near.yml", &jobs("workflow_call"));
    let commit = "3333333333333333333333333333333333333333";
    let files = vec![(".github/workflows/far.yml", jobs("workflow_call"))];
    let github = Github::start(vec![Repository { name: "o/shared", commit, files }]);
    let ran =
        sandbox.run(&["run", "ci.yml", "--repository", "me/mine", "--github-api-url", &github.url()], "");
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.errors);
    let run = "me/mine/.github/workflows/ci.yml@refs/heads/main";
    let near = "me/mine/.github/workflows/near.yml@refs/heads/main";
    let far = "o/shared/.github/workflows/far.yml@v1";
    for said in [
        format!("who {run} me/mine .github/workflows/ci.yml [] {run}\n"),
        format!("who {near} me/mine .github/workflows/near.yml [] {run}\n"),
        format!("who {far} o/shared .github/workflows/far.yml [{commit}] {run}\n"),
    ] {
        assert!(ran.out.contains(&said), "{said}{}", ran.out);
    }
}

#[test]
fn a_job_is_told_the_api_that_a_person_chose() {
    let say = "echo \"$GITHUB_API_URL ${{ github.api_url }} $GITHUB_GRAPHQL_URL\"";
    let sandbox =
        Sandbox::new(&format!("on: push\njobs: {{a: {{runs-on: x, steps: [{{run: '{say}'}}]}}}}\n"));
    let ran = sandbox.run(&["run", "--github-api-url", "https://ghe.example/api/v3/"], "");
    let told = "https://ghe.example/api/v3 https://ghe.example/api/v3 https://ghe.example/api/graphql\n";
    assert!(ran.out.contains(told), "{}{}", ran.out, ran.errors);
}

#[test]
fn a_workflow_that_cannot_be_had_is_said_and_fails_its_job_alone() {
    let sandbox = Sandbox::new(&CALLS_AFAR.replace("    needs: far\n", ""));
    let ran = sandbox.run(&["run", "--offline"], "");
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.errors);
    assert!(
        ran.errors.contains(
            "the called workflow is in another repository, and the action o/shared@v1 is not on this machine"
        ),
        "{}",
        ran.errors
    );
    assert!(ran.out.contains("● far failed") && ran.out.contains("● here succeeded"), "{}", ran.out);
}

#[test]
fn the_list_names_the_jobs_that_are_called() {
    let ran = sandbox().run(&["list", "ci"], "");
    let lines: Vec<String> =
        ran.out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        lines[1..],
        [
            "first 1 step x",
            "release calls ./.github/workflows/release.yml needs first",
            "release/build 2 steps x",
            "release/upload 1 step x needs build",
            "last 1 step x needs release",
        ]
    );
}

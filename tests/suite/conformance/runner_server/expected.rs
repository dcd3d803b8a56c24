//! What becomes of each file: what it is given, how it ends, and why some are left out.
//!
//! Knows names and texts of the data; runs nothing.

/// One run of a file.
#[derive(Clone, Copy)]
pub(super) struct Case {
    /// Options of `run`.
    pub(super) options: &'static [&'static str],
    pub(super) end: End,
    /// What must not be said anywhere.
    pub(super) never: Option<&'static str>,
}

/// How a run ends.
#[derive(Clone, Copy)]
pub(super) enum End {
    Success,
    /// With this among what is said.
    Failure(&'static str),
    /// It does not start: this is said.
    Refusal(&'static str),
}

/// Most check themselves: what is wrong ends red.
const GREEN: Case = Case { options: &[], end: End::Success, never: None };

impl Case {
    const fn given(options: &'static [&'static str]) -> Case {
        Case { options, ..GREEN }
    }

    const fn never(text: &'static str) -> Case {
        Case { never: Some(text), ..GREEN }
    }

    const fn fails(options: &'static [&'static str], because: &'static str) -> Case {
        Case { options, end: End::Failure(because), never: None }
    }
}

/// Secrets of the environment with the most, for a file that runs in three of them.
const ENVIRONMENT: &[&str] =
    &["--secret", "secret1=one", "--secret", "secret2=two", "--secret", "prodsecret=p"];

/// The inputs that the workflow compares with.
const DISPATCHED: &[&str] =
    &["--input", "misc=myInput", "--input", "si=UdHe", "--input", "bval=true", "--input", "bval2=false"];

/// All runs of a file.
pub(super) fn cases(file: &str) -> Vec<Case> {
    match file {
        "called.yml" => vec![
            Case::given(&["--env", "input_x=Hello World"]),
            Case::given(&["--input", "x=other", "--env", "input_x=other"]),
            Case::fails(&["--env", "input_x=other"], "exit code 1"),
        ],
        "environment-test/sample.yml" => vec![
            Case { never: Some("prodsecret=p"), ..Case::given(ENVIRONMENT) },
            Case::fails(&["--secret", "secret1=one", "--secret", "secret2=two"], "exit code 1"),
        ],
        "expect-matrix-error-on-missing-exclude-key.yml" => {
            vec![Case::fails(&[], "Matrix exclude key 'test2' does not match any key within the matrix")]
        }
        "globalenv.yml" | "localenv.yml" => vec![Case::never("\nAssert Failed")],
        "inherit_vars/.github/workflows/main.yml" | "inherit_vars/.github/workflows/x.yml" => vec![
            Case::given(&["--var", "ACTIONS_STEP_DEBUG=true"]),
            Case::fails(&["--var", "ACTIONS_STEP_DEBUG=false"], "exit code 1"),
        ],
        // A job whose failure is not forgiven fails the run, and unless told otherwise ends its siblings.
        "issue70/main2.yml" | "issue70/main3.yml" | "issue70/main4.yml" => {
            vec![Case::fails(&[], "exit code 1")]
        }
        "job-continue-on-error.yml" => vec![
            GREEN,
            Case::fails(&["--secret", "failafter1=yes"], "after1"),
            Case::fails(&["--secret", "failafter2=yes"], "after2"),
        ],
        "matrix-selector/.github/workflows/test.yml" => vec![
            Case::fails(&[], "exit code 1"),
            Case::fails(&["--matrix", "fail=true"], "exit code 1"),
            Case::given(&["--matrix", "fail=false"]),
        ],
        "workflow_dispatch/.github/workflows/dispatch.yml" => {
            vec![Case::given(DISPATCHED), Case::fails(&["--input", "misc=other"], "exit code 1")]
        }
        file if file.ends_with("/test-errors copy 15.yml") => {
            vec![Case { end: End::Refusal("Unexpected value '_'"), ..GREEN }]
        }
        file if file.starts_with("workflowerrors/") => {
            vec![Case { end: End::Refusal("Unexpected value 'ru n'"), ..GREEN }]
        }
        _ => vec![GREEN],
    }
}

/// Why a file cannot be run here.
pub(super) fn reason_to_leave_out(file: &str, text: &str) -> Option<&'static str> {
    let has = |part: &str| text.contains(part);
    let is_workflow = has("\njobs:") || text.starts_with("jobs:");
    let is_called_only = has("workflow_call:") && !has("push:") && !has("workflow_dispatch:");
    match file {
        _ if !is_workflow => Some("no workflow"),
        "node16_complex_reusable_workflows/.github/workflows/test_node16_called_complex.yml" => {
            Some("calls an action whose code is not here")
        }
        _ if has("container:") => Some("runs in a container"),
        _ if is_called_only => Some("is only called by others"),
        _ if uses_foreign_action(text) => Some("uses an action of another repository"),
        _ if file.starts_with("windows-") => Some("needs Windows"),
        _ => None,
    }
}

fn uses_foreign_action(text: &str) -> bool {
    let references =
        text.lines().filter_map(|line| line.trim_start_matches(['-', ' ']).strip_prefix("uses: "));
    references.into_iter().any(|used| !used.starts_with("./") && !used.starts_with("actions/checkout@"))
}

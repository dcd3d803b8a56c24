//! What the rows with JavaScript actions need besides: programs that we wrote, as the data comes without them, and what the
//! logs have to show where a verdict alone would prove little.
//!
//! Knows names of rows and files; runs nothing.

/// A program of an action.
pub(super) struct Program {
    /// Below the folder that a workspace stands for.
    pub(super) path: &'static str,
    pub(super) text: &'static str,
}

/// A post part fails if the step that it belongs to says so.
const POST_THAT_MAY_FAIL: &str = "console.log(`post of fail=${process.env.INPUT_FAIL}`);
process.exitCode = process.env.INPUT_FAIL === 'true' ? 1 : 0;
";

/// `cache` is an input of the composite action too, with another default: each action has to get its own. What one main part
/// puts into the environment reaches the next one, and state reaches its own post part alone.
const MAIN_WITH_INPUTS: &str = "const { appendFileSync } = require('fs');
const { INPUT_STEP: step, INPUT_CACHE: cache, STEP_OUTPUT_TEST: before } = process.env;
if (cache !== 'false') throw new Error(`cache is ${cache}`);
if (before !== { step1: 'empty', step2: 'step1' }[step]) throw new Error(`before ${step} came ${before}`);
appendFileSync(process.env.GITHUB_ENV, `STEP_OUTPUT_TEST=${step}\n`);
appendFileSync(process.env.GITHUB_STATE, `mine=${step}\n`);
console.log(`main of ${step}`);
";

const POST_WITH_STATE: &str =
    "const { INPUT_STEP: step, INPUT_CACHE: cache, STATE_mine: state } = process.env;
if (cache !== 'false') throw new Error(`cache is ${cache}`);
if (state !== step) throw new Error(`the state of ${step} is ${state}`);
console.log(`post of ${step}`);
";

/// The programs.
pub(super) const PROGRAMS: &[Program] = &[
    Program {
        path: "ensure-post-steps/action-post/main.js",
        text: "console.log(`main of fail=${process.env.INPUT_FAIL}`);\n",
    },
    Program { path: "ensure-post-steps/action-post/post.js", text: POST_THAT_MAY_FAIL },
    Program {
        path: "post-step-failure-is-job-failure/post-step-failure/main.js",
        text: "console.log('the main part is fine');\n",
    },
    Program {
        path: "post-step-failure-is-job-failure/post-step-failure/post.js",
        text: "throw new Error('the post part is not');\n",
    },
    Program {
        path: "uses-composite-check-for-input-collision/action-with-pre-and-post/pre.js",
        text: "console.log('pre of a local action');\n",
    },
    Program {
        path: "uses-composite-check-for-input-collision/action-with-pre-and-post/main.js",
        text: MAIN_WITH_INPUTS,
    },
    Program {
        path: "uses-composite-check-for-input-collision/action-with-pre-and-post/post.js",
        text: POST_WITH_STATE,
    },
];

/// What a row's logs have to show, in this order, and what they must not show anywhere.
#[derive(Clone, Copy, Default)]
pub(super) struct Telling {
    pub(super) lines: &'static [&'static str],
    pub(super) never: &'static [&'static str],
}

impl Telling {
    /// For the row with this name; nothing for most.
    pub(super) fn of(row: &str) -> Telling {
        match row {
            "composite-fail-with-output" => Telling {
                lines: &["##[group]Run ./actions/composite-fail-with-output", "my-customoutput-green"],
                never: &[],
            },
            "ensure-post-steps" => Telling {
                lines: &[
                    "main of fail=true",
                    "main of fail=false",
                    "post of fail=false",
                    "post of fail=true",
                ],
                never: &[],
            },
            "post-step-failure-is-job-failure" => Telling {
                lines: &["the main part is fine", "Post job cleanup.", "Error: the post part is not"],
                never: &[],
            },
            "uses-composite-check-for-input-collision" => Telling {
                lines: &[
                    "##[warning]`pre` execution is not supported for local action from \
                     './uses-composite-check-for-input-collision/action-with-pre-and-post'",
                    "main of step1",
                    "main of step2",
                    "post of step2",
                    "post of step1",
                ],
                never: &["pre of a local action"],
            },
            "uses-composite-with-error" => Telling { lines: &["should run"], never: &["should not run"] },
            // act's own test of this row looks for the value, too.
            "mask-values" => Telling { lines: &["***"], never: &["YWJjCg=="] },
            _ => Telling::default(),
        }
    }

    /// What is missing or too much in a log.
    pub(super) fn check(self, log: &str) -> Result<(), String> {
        let mut lines = log.lines();
        if let Some(missing) = self.lines.iter().find(|wanted| !lines.any(|line| line == **wanted)) {
            return Err(format!("`{missing}` is not in the log, or not in its place"));
        }
        match self.never.iter().find(|never| log.contains(**never)) {
            Some(found) => Err(format!("`{found}` is in the log")),
            None => Ok(()),
        }
    }
}

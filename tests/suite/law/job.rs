//! Jobs made from a seed: conditions, failures, forgiveness, outputs, variables, post steps, file operations.

use std::fmt::Write as _;

use engine::plan::{Hook, Plan};
use fastrand::Rng;

use crate::debugger::little::PRELUDE;

/// A generated job.
pub struct Generated {
    /// The workflow.
    pub text: String,
    /// Steps that have a post part, with its script.
    pub(super) posts: Vec<(usize, String)>,
}

/// What a step's condition may be; `ID` stands for an earlier step.
const CONDITIONS: [&str; 10] = [
    "",
    "",
    "",
    "always()",
    "failure()",
    "success() || failure()",
    "steps.ID.outcome == 'failure'",
    "steps.ID.outputs.v != ''",
    "env.K1 == 'v1' || env.K2",
    "!cancelled() && hashFiles('*') != ''",
];

impl Generated {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let steps = rng.usize(1..8);
        let mut text =
            String::from("on: push\njobs:\n  j:\n    runs-on: ubuntu-latest\n    env:\n      K1: v1\n");
        text.push_str("    outputs:\n      last: ${{ steps.s0.outputs.v }}${{ env.K2 }}\n    steps:\n");
        let mut posts = Vec::new();
        for index in 0..steps {
            let script = script(&mut rng, index);
            let _ = writeln!(text, "      - id: s{index}\n        run: |");
            for line in script.lines() {
                let _ = writeln!(text, "          {line}");
            }
            let earlier = format!("s{}", rng.usize(0..=index));
            let condition = condition(&mut rng, &earlier);
            if !condition.is_empty() {
                let _ = writeln!(text, "        if: {}", quoted(&condition));
            }
            options(&mut rng, &mut text, "      ", index, &earlier);
            if rng.u8(0..4) == 0 {
                posts.push((index, format!("append post.txt p{index}\n{}", operation(&mut rng, index))));
            }
        }
        Self { text, posts }
    }

    pub fn plan(&self) -> Plan {
        self.plan_with("")
    }

    /// For real shells: every script begins with the functions that its lines call.
    pub fn live_plan(&self) -> Plan {
        self.plan_with(PRELUDE)
    }

    fn plan_with(&self, prelude: &str) -> Plan {
        let indented: String = prelude.lines().map(|line| format!("          {line}\n")).collect();
        let text = self.text.replace("        run: |\n", &format!("        run: |\n{indented}"));
        let mut plan = crate::debugger::plan(&text);
        let scope = expr::Scope::any();
        for (index, script) in &self.posts {
            let script = format!("{prelude}{script}");
            plan.steps[*index].post = Some(Hook {
                condition: expr::Condition::parse(Some("always()"), &scope).unwrap(),
                script: expr::Template::parse(&script, &scope).unwrap(),
            });
        }
        plan
    }
}

/// A condition; `earlier` is another step.
pub(super) fn condition(rng: &mut Rng, earlier: &str) -> String {
    rng.choice(CONDITIONS).unwrap_or_default().replace("ID", earlier)
}

/// Whether a failure may be, and variables of the step's own.
pub(super) fn options(rng: &mut Rng, text: &mut String, indent: &str, index: usize, earlier: &str) {
    if rng.u8(0..4) == 0 {
        let _ = writeln!(text, "{indent}  continue-on-error: true");
    }
    if rng.u8(0..4) == 0 {
        let _ = writeln!(
            text,
            "{indent}  env:\n{indent}    K2: step{index}\n{indent}    S: ${{{{ steps.{earlier}.outputs.v }}}}"
        );
    }
}

pub(super) fn quoted(condition: &str) -> String {
    format!("\"{condition}\"")
}

/// A script in the little language.
pub(super) fn script(rng: &mut Rng, index: usize) -> String {
    let mut lines: Vec<String> = (0..rng.usize(1..5)).map(|_| operation(rng, index)).collect();
    if rng.u8(0..8) == 0 {
        lines.push(String::from("git push"));
    }
    if rng.u8(0..5) == 0 {
        lines.push(format!("exit {}", rng.u8(1..5)));
    }
    lines.join("\n")
}

pub(super) fn operation(rng: &mut Rng, index: usize) -> String {
    let file = rng.choice(["a", "b", "c", "d/e", "d/f"]).unwrap_or("a");
    match rng.u8(0..11) {
        0 | 1 => format!("write {file} w{index}-$K1-$K2"),
        2 | 3 => format!("append {file} x{index}$S"),
        4 => format!("remove {file}"),
        5 => format!("link {file} target{index}"),
        6 => format!("mode {file}"),
        7 => format!("output v o{index}-$K2"),
        8 => format!("variable K2 e{index}"),
        9 => format!("prepend /p{}", rng.u8(0..3)),
        _ => format!("folder d/g{}", rng.u8(0..2)),
    }
}

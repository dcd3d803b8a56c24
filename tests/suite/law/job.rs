//! Jobs made from a seed: conditions, failures, forgiveness, outputs, variables, post steps, file operations, composite actions.

use std::fmt::Write as _;

use engine::plan::{Hook, Plan};
use fastrand::Rng;

use super::actions::{Actions, Endless, Ground};
use crate::debugger::Place;
use crate::debugger::little::PRELUDE;

/// A generated job.
pub struct Generated {
    /// The workflow.
    pub text: String,
    /// Steps that have a post part, with its script.
    pub(super) posts: Vec<(usize, String)>,
    /// The actions that it uses.
    pub(super) actions: Actions,
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
        let mut actions = Actions::default();
        for index in 0..steps {
            let is_action = rng.u8(0..4) == 0;
            let _ = writeln!(text, "      - id: s{index}");
            match is_action {
                true => {
                    uses(&mut rng, &mut text, "      ", index, &mut actions, &Ground::Foreground, Endless::No)
                }
                false => runs(&mut text, "      ", &script(&mut rng, index)),
            }
            let earlier = format!("s{}", rng.usize(0..=index));
            let condition = condition(&mut rng, &earlier);
            if !condition.is_empty() {
                let _ = writeln!(text, "        if: {}", quoted(&condition));
            }
            options(&mut rng, &mut text, "      ", index, &earlier);
            if !is_action && rng.u8(0..4) == 0 {
                posts.push((index, format!("append post.txt p{index}\n{}", operation(&mut rng, index))));
            }
        }
        Self { text, posts, actions }
    }

    /// Somewhere to run it, with the actions of the workspace.
    pub fn place(&self) -> Place {
        let place = Place::in_memory();
        self.furnish(&place);
        place
    }

    /// Puts the actions of the workspace where they belong.
    pub fn furnish(&self, place: &Place) {
        self.furnish_with("", place);
    }

    /// For real shells.
    pub fn furnish_live(&self, place: &Place) {
        self.furnish_with(PRELUDE, place);
    }

    fn furnish_with(&self, prelude: &str, place: &Place) {
        for (name, text) in &self.actions.workspace {
            let path = place.workspace().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, with_prelude(text, "      ", prelude)).unwrap();
        }
    }

    pub fn plan(&self) -> Plan {
        self.plan_with("")
    }

    /// For real shells: every script begins with the functions that its lines call.
    pub fn live_plan(&self) -> Plan {
        self.plan_with(PRELUDE)
    }

    fn plan_with(&self, prelude: &str) -> Plan {
        let mut plan = crate::debugger::plan(&with_prelude(&self.text, "        ", prelude));
        let scope = expr::Scope::any();
        for (index, script) in &self.posts {
            let script = format!("{prelude}{script}");
            plan.steps[*index].post = Some(Hook {
                condition: expr::Condition::parse(Some("always()"), &scope).unwrap(),
                script: expr::Template::parse(script, &scope).unwrap(),
            });
        }
        plan
    }
}

impl std::fmt::Display for Generated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)?;
        for (index, post) in &self.posts {
            write!(f, "--- post of step {index}\n{post}\n")?;
        }
        let mut files = self.actions.workspace.iter().chain(&self.actions.store);
        files.try_for_each(|(name, text)| write!(f, "--- {name}\n{text}\n"))
    }
}

/// Every script with these lines before its own.
fn with_prelude(text: &str, indent: &str, prelude: &str) -> String {
    let indented: String = prelude.lines().map(|line| format!("{indent}  {line}\n")).collect();
    text.replace(&format!("{indent}run: |\n"), &format!("{indent}run: |\n{indented}"))
}

/// A step's script.
pub(super) fn runs(text: &mut String, indent: &str, script: &str) {
    let _ = writeln!(text, "{indent}  run: |");
    for line in script.lines() {
        let _ = writeln!(text, "{indent}    {line}");
    }
}

/// A step's action.
pub(super) fn uses(
    rng: &mut Rng,
    text: &mut String,
    indent: &str,
    index: usize,
    actions: &mut Actions,
    ground: &Ground,
    endless: Endless,
) {
    let reference = actions.any(rng, ground, endless);
    let mut words = vec!["w1".to_owned(), format!("w{index}"), "${{ env.K2 }}".to_owned()];
    if *ground == Ground::Foreground {
        words.push(format!("${{{{ steps.s{}.outputs.v }}}}", rng.usize(0..=index)));
    }
    let _ = writeln!(text, "{indent}  uses: {reference}");
    if let (true, Some(word)) = (rng.u8(0..4) > 0, rng.choice(words)) {
        let _ = writeln!(text, "{indent}  with: {{word: '{word}'}}");
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

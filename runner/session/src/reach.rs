//! Steps that reach outside: what they do there cannot be undone by going back.
//!
//! A first word list over the text of scripts. Knows words, not programs: it can miss and it can be wrong, and
//! says which word it saw.

use engine::job::Job;
use engine::plan::Plan;
use engine::step_path::StepPath;
use engine::syntax::StepBody;

/// Words that stand for something outside the workspace when they are a word of a command of their own.
const WORDS: [&str; 7] = ["sudo", "push", "publish", "release", "deploy", "apply", "upload"];

/// Programs whose words say nothing about the outside: they print them, or change files here.
const HARMLESS: [&str; 6] = ["echo", "printf", ":", "grep", "sed", "cat"];

/// `git apply` and `git stash apply` change the workspace only.
const HARMLESS_PAIRS: [(&str, &str); 2] = [("git", "apply"), ("stash", "apply")];

/// The command of a step that reaches outside, for instance `npm publish`. `None` if none was recognised.
pub fn reaches_outside(job: &Job, path: &StepPath) -> Option<String> {
    of_body(&job.definition(path)?.body)
}

/// The same of a step that is a composite action, and of those of its steps that have run or run.
pub fn has_reached_outside(job: &Job, path: &StepPath) -> Option<String> {
    let at = job.background().filter_map(|(_, lane)| lane.cursor.step());
    let mut inside = job.results().keys().chain(at).filter(|known| known.outermost() == *path);
    reaches_outside(job, path).or_else(|| inside.find_map(|known| reaches_outside(job, known)))
}

fn of_body(body: &StepBody) -> Option<String> {
    match body {
        StepBody::Run { script, .. } => outside_command(script.value.source()),
        StepBody::Uses { reference, .. } => {
            let name = reference.value.split('@').next().unwrap_or_default();
            name.split(['/', '-', '_']).any(is_outside_word).then(|| reference.value.to_string())
        }
        _ => None,
    }
}

/// All steps of a plan that reach outside, with what was recognised.
pub fn all_outside(plan: &Plan) -> impl Iterator<Item = (StepPath, String)> {
    (0u32..)
        .take(plan.steps.len())
        .map(StepPath::main)
        .filter_map(|path| of_body(&plan.step(&path)?.definition.body).map(|command| (path, command)))
}

/// The first command of a script that has a word of the list.
fn outside_command(script: &str) -> Option<String> {
    script
        .lines()
        .map(|line| line.split(" #").next().unwrap_or(line))
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(|line| line.split(['|', '&', ';', '(', ')', '`']))
        .find_map(outside_words)
}

/// The command up to its word of the list.
fn outside_words(command: &str) -> Option<String> {
    let words = || command.split_whitespace().skip_while(|word| word.contains('='));
    if words().next().is_some_and(|first| HARMLESS.contains(&first)) {
        return None;
    }
    let mut before = "";
    let (found, word) = words().enumerate().find(|(_, word)| {
        let before = std::mem::replace(&mut before, word);
        is_outside_word(word) && !HARMLESS_PAIRS.contains(&(before, word))
    })?;
    let shown = found.saturating_add(if word == "sudo" { 2 } else { 1 });
    Some(words().take(shown).collect::<Vec<_>>().join(" "))
}

fn is_outside_word(word: &str) -> bool {
    WORDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(script: &str, expected: Option<&str>) {
        assert_eq!(outside_command(script).as_deref(), expected, "{script}");
    }

    #[test]
    fn commands_that_reach_outside_are_named() {
        check("npm ci\nnpm publish --access public", Some("npm publish"));
        check("git push origin main", Some("git push"));
        check("cd infra && terraform apply -auto-approve", Some("terraform apply"));
        check("TOKEN=x gh release create v1", Some("gh release"));
        check("sudo apt-get install -y jq", Some("sudo apt-get"));
        check("./scripts/deploy.sh && make deploy", Some("make deploy"));
    }

    #[test]
    fn flags_paths_comments_and_prints_do_not() {
        check("cargo build --release", None);
        check("ls target/release", None);
        check("# push later", None);
        check("true # then deploy", None);
        check("echo ready to deploy", None);
        check("git apply fix.patch", None);
        check("grep -q upload log.txt", None);
    }
}

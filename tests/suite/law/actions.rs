//! Actions made from a seed: composite ones inside of each other, with inputs, outputs and conditions of their own, and JavaScript
//! ones with programs before the job, in it and after it.
//!
//! What the steps of a background action do is to be noticed by nobody before it is over: they write files of their own, and look
//! at nothing that others change meanwhile. Their posts run in the order in which their bodies began, which depends on how long a
//! person stands where, so it must not matter.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use fastrand::Rng;

use super::job::{operation, quoted};

/// Composite actions inside of composite actions, and one more: a JavaScript one.
const DEPTH_MAX: usize = 2;

/// What the condition of a step of an action may be; `ID` stands for an earlier one of the same action.
const CONDITIONS: [&str; 12] = [
    "",
    "",
    "",
    "",
    "always()",
    "failure()",
    "success() || failure()",
    "steps.ID.outcome == 'failure'",
    "steps.ID.outputs.v != ''",
    "inputs.word == 'w1'",
    "github.action_status == 'success'",
    "!cancelled() && hashFiles('act/l*/**') != ''",
];

/// What the condition of a pre or post part of the foreground may be.
const PART_CONDITIONS: [&str; 5] =
    ["always()", "success()", "failure()", "env.K2 == ''", "job.status == 'success'"];

/// Where the steps of an action run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ground {
    /// One after the other with everything else.
    Foreground,
    /// In the background; files of its own are in this folder.
    Lane(String),
}

/// Which step of an action runs until it is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endless {
    No,
    /// The first one: when it is ended does not change what has run by then.
    First,
    /// Some.
    Any,
}

/// The actions of a generated job.
#[derive(Default)]
pub struct Actions {
    /// Files in the workspace.
    pub workspace: BTreeMap<String, String>,
    /// Files of other repositories' actions, by `owner/name@ref/file`.
    pub store: BTreeMap<String, String>,
    /// Whether there are JavaScript actions.
    programs: bool,
    /// References that the foreground can use again.
    known: Vec<String>,
    next: usize,
}

impl Actions {
    /// With JavaScript actions, whose programs are lines of the little language, which no node can run; and with actions of other
    /// repositories.
    pub fn with_programs() -> Self {
        Self { programs: true, ..Self::default() }
    }

    /// A reference to an action that is made now, or was made before.
    pub fn any(&mut self, rng: &mut Rng, ground: &Ground, endless: Endless) -> String {
        if *ground == Ground::Foreground
            && rng.u8(0..4) == 0
            && let Some(known) = rng.choice(&self.known)
        {
            return known.clone();
        }
        self.make(rng, ground, endless, 0)
    }

    /// The manifest of an action that only the foreground uses, for a step that removes it.
    pub fn removable(&self, rng: &mut Rng) -> Option<String> {
        let local = rng.choice(&self.known).and_then(|reference| reference.strip_prefix("./"))?;
        Some(format!("{local}/action.yml"))
    }

    fn make(&mut self, rng: &mut Rng, ground: &Ground, endless: Endless, depth: usize) -> String {
        let is_program = self.programs && (depth >= DEPTH_MAX || rng.u8(0..3) == 0);
        let files = match is_program {
            true => self.program(rng, ground, endless),
            false => vec![("action.yml", self.composite(rng, ground, endless, depth))],
        };
        let kind = if *ground == Ground::Foreground { 'f' } else { 'l' };
        let name = format!("{kind}{}", self.next);
        self.next += 1;
        // A local action is looked for when its step begins: one that is to run until it is ended could be ended before that.
        let is_local = !self.programs || endless != Endless::First && rng.bool();
        let (folder, reference) = match is_local {
            true => (format!("act/{name}"), format!("./act/{name}")),
            false => (format!("o/{name}@v1"), format!("o/{name}@v1")),
        };
        let all = if reference.starts_with("./") { &mut self.workspace } else { &mut self.store };
        all.extend(files.into_iter().map(|(file, text)| (format!("{folder}/{file}"), text)));
        if *ground == Ground::Foreground {
            self.known.push(reference.clone());
        }
        reference
    }

    fn composite(&mut self, rng: &mut Rng, ground: &Ground, endless: Endless, depth: usize) -> String {
        let steps = rng.usize(1..4);
        let last = rng.usize(0..steps);
        let mut text =
            String::from("inputs:\n  word: {default: none}\n  more: {default: 'm-${{ github.job }}'}\n");
        let _ = writeln!(
            text,
            "outputs:\n  v: {{value: '${{{{ steps.i{last}.outputs.v }}}}-${{{{ inputs.word }}}}'}}\n\
             runs:\n  using: composite\n  steps:"
        );
        let at = match endless {
            Endless::No => None,
            Endless::First => Some(0),
            Endless::Any => Some(rng.usize(0..steps)),
        };
        for index in 0..steps {
            let endless = if at == Some(index) { endless } else { Endless::No };
            self.inner(rng, &mut text, ground, index, endless, depth);
        }
        text
    }

    fn inner(
        &mut self,
        rng: &mut Rng,
        text: &mut String,
        ground: &Ground,
        index: usize,
        endless: Endless,
        depth: usize,
    ) {
        let _ = writeln!(text, "    - id: i{index}");
        let earlier = format!("i{}", rng.usize(0..=index));
        let is_action = depth < DEPTH_MAX && rng.u8(0..3) == 0;
        if is_action {
            let reference = self.make(rng, ground, endless, depth + 1);
            let word = ["w1", "${{ inputs.word }}", "${{ steps.i0.outputs.v }}"][rng.usize(0..3)];
            let _ = writeln!(text, "      uses: {reference}\n      with: {{word: '{word}'}}");
        } else {
            text.push_str("      run: |\n");
            for line in self.lines(rng, ground, index, endless) {
                let _ = writeln!(text, "        {line}");
            }
            text.push_str("      shell: bash\n");
        }
        // One that is to run until it is ended has to run.
        let condition = rng.choice(CONDITIONS).unwrap_or_default().replace("ID", &earlier);
        if !condition.is_empty() && endless != Endless::First {
            let _ = writeln!(text, "      if: {}", quoted(&condition));
        }
        if rng.u8(0..4) == 0 {
            text.push_str("      continue-on-error: true\n");
        }
        let _ = writeln!(text, "      env:\n        W: ${{{{ inputs.word }}}}");
        if rng.u8(0..3) == 0 {
            let _ = writeln!(text, "        S: ${{{{ steps.{earlier}.outputs.v }}}}");
        }
    }

    /// The lines of a script or program.
    fn lines(&mut self, rng: &mut Rng, ground: &Ground, index: usize, endless: Endless) -> Vec<String> {
        self.next += 1;
        let mut lines: Vec<String> = match ground {
            Ground::Foreground => (0..rng.usize(1..4)).map(|_| operation(rng, index)).collect(),
            Ground::Lane(folder) => {
                let own = format!("{folder}/n{}", self.next);
                (0..rng.usize(1..4)).map(|_| in_lane(rng, &own, index)).collect()
            }
        };
        if matches!(ground, Ground::Lane(_)) && endless == Endless::No {
            lines.push(format!("takes {}", rng.u8(0..4)));
        }
        match endless {
            Endless::No if rng.u8(0..5) == 0 => lines.push(format!("exit {}", rng.u8(1..5))),
            Endless::No => {}
            Endless::First | Endless::Any => lines.push("takes for-ever".to_owned()),
        }
        lines.iter().flat_map(|line| line.lines()).map(str::to_owned).collect()
    }

    fn program(&mut self, rng: &mut Rng, ground: &Ground, endless: Endless) -> Vec<(&'static str, String)> {
        let in_lane = *ground != Ground::Foreground;
        let mut manifest =
            String::from("inputs:\n  word: {default: none}\nruns:\n  using: node20\n  main: main.js\n");
        let mut main = self.lines(rng, ground, 0, endless);
        main.push("output v $INPUT_WORD-$W".to_owned());
        main.push(format!("state kept k{}-$INPUT_WORD", self.next));
        let mut files = vec![("main.js", main.join("\n"))];
        if rng.bool() {
            manifest.push_str("  pre: pre.js\n");
            // Pre parts run before everything else, one after the other.
            let mut pre = self.lines(rng, &Ground::Foreground, 0, Endless::No);
            pre.push(format!("state early e{}", self.next));
            files.push(("pre.js", pre.join("\n")));
            self.part_condition(rng, &mut manifest, "pre-if");
        }
        if rng.u8(0..4) > 0 {
            manifest.push_str("  post: post.js\n");
            let mut post = match ground {
                Ground::Foreground => self.lines(rng, ground, 0, Endless::No),
                Ground::Lane(folder) => {
                    let own = format!("{folder}/p{}", self.next);
                    (0..rng.usize(1..4)).map(|_| files_in_lane(rng, &own)).collect()
                }
            };
            let file = match ground {
                Ground::Foreground => "post.txt".to_owned(),
                Ground::Lane(folder) => format!("{folder}/post{}", self.next),
            };
            post.insert(0, format!("append {file} $STATE_kept-$STATE_early-$INPUT_WORD"));
            files.push(("post.js", post.join("\n")));
            if !in_lane {
                self.part_condition(rng, &mut manifest, "post-if");
            }
        }
        files.push(("action.yml", manifest));
        files
    }

    fn part_condition(&mut self, rng: &mut Rng, manifest: &mut String, key: &str) {
        if rng.u8(0..3) == 0 {
            let condition = rng.choice(PART_CONDITIONS).unwrap_or("always()");
            let _ = writeln!(manifest, "  {key}: {}", quoted(condition));
        }
    }
}

/// Something that a step of a background action does: to files of its own, or for later steps.
fn in_lane(rng: &mut Rng, own: &str, index: usize) -> String {
    match rng.u8(0..9) {
        0 => "git push".to_owned(),
        1 => format!("output v o{index}-$W"),
        2 => format!("variable K2 e{index}-$W"),
        3 => format!("prepend /p{}", rng.u8(0..3)),
        _ => files_in_lane(rng, own),
    }
}

fn files_in_lane(rng: &mut Rng, own: &str) -> String {
    let file = rng.choice(["x", "y", "z/x"]).unwrap_or("x");
    match rng.u8(0..4) {
        0 => format!("link {own}/link target"),
        1 => format!("write {own}/gone g\nremove {own}/gone"),
        _ => format!("write {own}/{file} w-$K1-$W"),
    }
}

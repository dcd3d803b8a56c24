//! Jobs with background steps and actions made from a seed. Each writes files of its own, and the same ones whenever it starts: going on
//! from a moment at which it ran starts it again over what it left.

use std::fmt::Write as _;

use fastrand::Rng;

use super::actions::{Actions, Endless, Ground};
use super::job::{Generated, condition, operation, options, quoted, runs, script, uses};

/// Fewer than there are slots: who waits for one starts in an order that depends on when others end.
const BACKGROUND_MAX: usize = 9;

/// The text of a workflow while it grows.
struct Jobs {
    rng: Rng,
    text: String,
    posts: Vec<(usize, String)>,
    actions: Actions,
    /// The index in the plan of the next step.
    next: usize,
    /// Background steps that come to an end by themselves.
    ending: Vec<usize>,
    background: usize,
}

/// A job with background steps, waits for them, and steps that cancel them.
pub fn with_lanes(seed: u64) -> Generated {
    let mut rng = Rng::with_seed(seed ^ 0x1a9e5);
    let steps = rng.usize(2..8);
    let text = String::from(
        "on: push\njobs:\n  j:\n    runs-on: ubuntu-latest\n    env:\n      K1: v1\n    outputs:\n      last: ${{ \
         steps.s0.outputs.v }}${{ env.K2 }}\n    steps:\n",
    );
    let actions = Actions::with_programs();
    let mut jobs = Jobs { rng, text, posts: Vec::new(), actions, next: 0, ending: Vec::new(), background: 0 };
    jobs.background(false, "      ");
    jobs.step("      ", Body::Action(Ground::Foreground, Endless::No), "");
    for _ in 0..steps {
        jobs.some();
    }
    Generated { text: jobs.text, posts: jobs.posts, actions: jobs.actions }
}

/// What a step is made of.
enum Body {
    Script(String),
    Action(Ground, Endless),
}

impl Jobs {
    fn some(&mut self) {
        match self.rng.u8(0..20) {
            0..=3 if self.background < BACKGROUND_MAX => self.background(false, "      "),
            4..=6 if self.background < BACKGROUND_MAX => self.cancelled(),
            7 if self.background + 2 < BACKGROUND_MAX => self.group(),
            8..=10 => self.wait(),
            11 => self.control("wait-all:"),
            _ => self.foreground(),
        }
    }

    fn foreground(&mut self) {
        let body = match self.rng.u8(0..3) > 0 {
            true => Body::Action(Ground::Foreground, Endless::No),
            false => Body::Script(self.script()),
        };
        self.step("      ", body, "");
    }

    /// One that may take away an action that a later step uses.
    fn script(&mut self) -> String {
        let script = script(&mut self.rng, self.next);
        let removed = self.actions.removable(&mut self.rng).filter(|_| self.rng.u8(0..8) == 0);
        removed.map_or(script.clone(), |manifest| format!("remove {manifest}\n{script}"))
    }

    /// One that ends by itself, is ended by its time limit, or runs until it is ended.
    fn background(&mut self, for_ever: bool, indent: &str) {
        let index = self.next;
        let limited = !for_ever && self.rng.u8(0..8) == 0;
        let mut more = if indent.len() > 6 { String::new() } else { format!("{indent}  background: true\n") };
        if limited {
            let _ = writeln!(more, "{indent}  timeout-minutes: 1");
        }
        if !for_ever {
            self.ending.push(index);
        }
        self.background += 1;
        let body = match self.rng.u8(0..5) {
            0 | 1 => {
                let endless = match (for_ever, limited) {
                    (true, _) => Endless::First,
                    (_, true) => Endless::Any,
                    _ => Endless::No,
                };
                Body::Action(Ground::Lane(format!("l{index}")), endless)
            }
            _ => Body::Script(self.in_background(for_ever || limited)),
        };
        self.step(indent, body, &more);
    }

    fn in_background(&mut self, endless: bool) -> String {
        let index = self.next;
        let mut lines: Vec<String> = (0..self.rng.usize(1..5)).map(|_| self.own(index)).collect();
        if endless {
            lines.push("takes for-ever".to_owned());
        } else {
            lines.push(format!("takes {}", self.rng.u8(0..4)));
            if self.rng.u8(0..4) == 0 {
                lines.push(format!("exit {}", self.rng.u8(1..5)));
            }
        }
        lines.join("\n")
    }

    /// Something that a background step does: to files of its own, or for later steps.
    fn own(&mut self, index: usize) -> String {
        let file = self.rng.choice(["x", "y", "z/x"]).unwrap_or("x");
        match self.rng.u8(0..10) {
            9 => "git push".to_owned(),
            0..=2 => format!("write l{index}/{file} w{index}-$K1-$K2"),
            3 => format!("link l{index}/link target{index}"),
            4 => format!("write l{index}/mode m\nmode l{index}/mode"),
            5 => format!("output v o{index}-$K2"),
            6 => format!("variable K2 e{index}"),
            7 => format!("prepend /p{}", self.rng.u8(0..3)),
            _ => format!("write l{index}/gone g\nremove l{index}/gone"),
        }
    }

    /// One that runs until a `cancel` step names it; nobody waits for it before that.
    fn cancelled(&mut self) {
        let index = self.next;
        self.background(true, "      ");
        for _ in 0..self.rng.usize(0..4) {
            match self.rng.bool() {
                true if self.background < BACKGROUND_MAX => self.background(false, "      "),
                _ => self.foreground(),
            }
        }
        self.control(&format!("cancel: s{index}"));
    }

    fn group(&mut self) {
        self.text.push_str("      - parallel:\n");
        (0..2).for_each(|_| self.background(false, "          "));
        self.next += 1;
    }

    fn wait(&mut self) {
        let ids = (0..self.rng.usize(1..3)).filter_map(|_| self.rng.choice(&self.ending));
        let ids: Vec<String> = ids.map(|step| format!("s{step}")).collect();
        if !ids.is_empty() {
            self.control(&format!("wait: [{}]", ids.join(", ")));
        }
    }

    fn control(&mut self, what: &str) {
        let _ = writeln!(self.text, "      - id: s{}\n        {what}", self.next);
        self.next += 1;
    }

    fn step(&mut self, indent: &str, body: Body, more: &str) {
        let index = self.next;
        let _ = writeln!(self.text, "{indent}- id: s{index}");
        let has_script = matches!(body, Body::Script(_));
        match body {
            Body::Script(script) => runs(&mut self.text, indent, &script),
            Body::Action(ground, endless) => {
                let (rng, text, actions) = (&mut self.rng, &mut self.text, &mut self.actions);
                uses(rng, text, indent, index, actions, &ground, endless);
            }
        }
        self.text.push_str(more);
        let earlier = format!("s{}", self.rng.usize(0..=index));
        // Of a folder's files, those of a background step may come and go.
        let condition = condition(&mut self.rng, &earlier).replace("'*'", "'?'");
        if !condition.is_empty() {
            let _ = writeln!(self.text, "{indent}  if: {}", quoted(&condition));
        }
        options(&mut self.rng, &mut self.text, indent, index, &earlier);
        if has_script && self.rng.u8(0..5) == 0 {
            let script = format!("append post.txt p{index}\n{}", operation(&mut self.rng, index));
            self.posts.push((index, script));
        }
        self.next += 1;
    }
}

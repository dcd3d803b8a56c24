//! The workloads: small workflows that stress one thing each, written into a folder of their own.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::floor;
use super::measure::through_a_pipe;

/// A folder with a workflow and what its floor runs.
pub struct Workload {
    dir: PathBuf,
    scripts: Vec<String>,
    env: Vec<(String, String)>,
}

/// Builds the program as a user gets it.
pub fn build_program() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built =
        Command::new(cargo).args(["build", "--release", "-p", "stepback"]).current_dir(&root).status();
    assert!(built.expect("cargo runs").success());
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    target.join("release/stepback").canonicalize().unwrap()
}

const LOG_SCRIPT: &str = "awk 'BEGIN{for(i=0;i<1000000;i++) printf \"%09d 0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuv\\n\", i}'";
const SECRET_SCRIPT: &str = "awk 'BEGIN{for(i=0;i<200000;i++){ if(i%10==0) printf \"%06d key=%s end\\n\", i, ENVIRON[\"SECRET_\" ((i/10)%50)]; else printf \"%06d 0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrst\\n\", i}}'";

impl Workload {
    /// `count` steps that do nothing.
    pub fn steps(place: &Path, count: usize) -> Self {
        let mut text = head();
        (0..count).for_each(|_| step(&mut text, "true"));
        Self::write(place, &format!("w2-{count}"), &text, vec!["true\n".to_owned(); count], Vec::new())
    }

    /// A workload by its name.
    pub fn named(place: &Path, name: &str) -> Self {
        match name {
            "w1" => Self::steps(place, 1),
            "w3" => Self::chained(place, 200),
            "w4" => Self::single(place, "w4", LOG_SCRIPT),
            "w5" => Self::composites(place, 5, 50),
            "w6" => Self::matrix(place),
            "w7" => Self::secrets(place, 50),
            other => panic!("no workload is called {other}"),
        }
    }

    fn single(place: &Path, name: &str, script: &str) -> Self {
        let mut text = head();
        step(&mut text, script);
        Self::write(place, name, &text, vec![format!("{script}\n")], Vec::new())
    }

    /// Steps that depend on the one before, with 17 expressions each in their environment.
    fn chained(place: &Path, count: usize) -> Self {
        let mut text = String::from(
            "name: w3\non: push\nenv:\n  BASE: base\njobs:\n  j:\n    runs-on: ubuntu-latest\n    env:\n      JOBV: job\n    steps:\n",
        );
        for index in 0..count {
            let before = match index.checked_sub(1) {
                Some(before) => format!("steps.s{before}.outputs.v"),
                None => "'0'".to_owned(),
            };
            let expressions = [
                "github.workflow",
                "runner.os",
                "env.BASE",
                "env.JOBV",
                "job.status",
                "github.job",
                "contains('abcdef', 'cd')",
                "startsWith(github.ref, 'refs/')",
                "endsWith('x.yml', '.yml')",
                "join(fromJSON('[1,2,3]'), '-')",
                "fromJSON('{\"a\":7}').a",
                "(1 < 2) && 'lt' || 'ge'",
                "github.event_name == 'push'",
                "!false",
                "env.NOPE || 'dflt'",
                "'A' == 'a'",
            ];
            let _ = writeln!(
                text,
                "      - id: s{index}\n        name: step {index}\n        if: ${{{{ success() && env.BASE == 'base' && !cancelled() }}}}\n        shell: bash\n        env:\n          PREV: ${{{{ {before} }}}}\n          LAST: ${{{{ format('{{0}}-{{1}}', env.BASE, {before}) }}}}"
            );
            for (number, expression) in expressions.iter().enumerate() {
                let _ = writeln!(text, "          E{number}: ${{{{ {expression} }}}}");
            }
            let _ = writeln!(
                text,
                "        run: |\n          test \"$PREV\" = \"{index}\" || exit 3\n          echo \"v={}\" >> \"$GITHUB_OUTPUT\"\n          echo \"ACC=${{{{ env.ACC }}}}x\" >> \"$GITHUB_ENV\"",
                index + 1
            );
        }
        Self::write(place, "w3", &text, vec!["true\n".to_owned(); count], Vec::new())
    }

    /// So many uses of a composite action, each with another inside of it, so many deep.
    fn composites(place: &Path, depth: usize, count: usize) -> Self {
        let mut text = head();
        text.push_str("      - uses: actions/checkout@v4\n");
        for index in 0..count {
            let _ = writeln!(
                text,
                "      - id: a{index}\n        uses: ./.github/actions/c1\n        with:\n          n: '{index}'"
            );
        }
        let last = count - 1;
        step(&mut text, &format!("test \"${{{{ steps.a{last}.outputs.o }}}}\" = {last}"));
        let workload = Self::write(place, "w5", &text, vec!["true\n".to_owned(); count + 1], Vec::new());
        for level in 1..=depth {
            let inner = if level < depth {
                format!(
                    "      uses: ./.github/actions/c{}\n      with:\n        n: ${{{{ inputs.n }}}}\n",
                    level + 1
                )
            } else {
                "      shell: bash\n      run: echo \"o=${{ inputs.n }}\" >> \"$GITHUB_OUTPUT\"\n".to_owned()
            };
            let manifest = format!(
                "name: c{level}\ndescription: d\ninputs:\n  n:\n    required: true\noutputs:\n  o:\n    value: ${{{{ steps.x.outputs.o }}}}\nruns:\n  using: composite\n  steps:\n    - id: x\n{inner}"
            );
            let folder = workload.dir.join(format!(".github/actions/c{level}"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("action.yml"), manifest).unwrap();
        }
        workload
    }

    /// So many background steps of a second, waited for together.
    pub fn background(place: &Path, count: usize) -> Self {
        let mut text = head();
        for _ in 0..count {
            text.push_str("      - background: true\n        shell: bash\n        run: sleep 1\n");
        }
        text.push_str("      - wait-all:\n");
        Self::write(place, "background", &text, vec!["sleep 1\n".to_owned()], Vec::new())
    }

    /// 256 jobs of one step.
    fn matrix(place: &Path) -> Self {
        let numbers: Vec<String> = (0..16).map(|number| number.to_string()).collect();
        let list = numbers.join(",");
        let mut text = format!(
            "name: w6\non: push\njobs:\n  j:\n    runs-on: ubuntu-latest\n    strategy:\n      fail-fast: false\n      matrix:\n        a: [{list}]\n        b: [{list}]\n    steps:\n"
        );
        step(&mut text, "true");
        Self::write(place, "w6", &text, vec!["true\n".to_owned(); 256], Vec::new())
    }

    /// 200,000 lines, every tenth with a secret.
    fn secrets(place: &Path, count: usize) -> Self {
        let all: Vec<(String, String)> =
            (0..count).map(|n| (format!("SECRET_{n}"), format!("s3cr3t-value-{n:02}-abcdefghij"))).collect();
        let mut text =
            String::from("name: w7\non: push\njobs:\n  j:\n    runs-on: ubuntu-latest\n    env:\n");
        for (name, _) in &all {
            let _ = writeln!(text, "      {name}: ${{{{ secrets.{name} }}}}");
        }
        text.push_str("    steps:\n");
        step(&mut text, SECRET_SCRIPT);
        let workload = Self::write(place, "w7", &text, vec![format!("{SECRET_SCRIPT}\n")], all);
        let lines: Vec<String> = workload.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        fs::write(workload.dir.join(".secrets"), lines.join("\n") + "\n").unwrap();
        workload
    }

    fn write(place: &Path, name: &str, text: &str, scripts: Vec<String>, env: Vec<(String, String)>) -> Self {
        let dir = place.join(name);
        let folder = dir.join(".github/workflows");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("ci.yml"), text).unwrap();
        Self { dir, scripts, env }
    }

    /// Our program on it, its state and cache in a folder beside it.
    pub fn run(&self, program: &Path, options: &[&str]) -> impl FnMut() -> Option<u64> + use<> {
        let (dir, program) = (self.dir.clone(), program.to_owned());
        let mut options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        if dir.join(".secrets").exists() {
            options.extend(["--secret-file".to_owned(), ".secrets".to_owned()]);
        }
        move || {
            let state = dir.parent().unwrap().join("state");
            through_a_pipe(
                Command::new(&program)
                    .arg("run")
                    .args(&options)
                    .current_dir(&dir)
                    .env("XDG_STATE_HOME", &state)
                    .env("XDG_CACHE_HOME", state.join("cache")),
            )
        }
    }

    /// The same scripts in bare `bash`.
    pub fn floor(&self) -> impl FnMut() -> Option<u64> + use<> {
        floor::scripts(self.scripts.clone(), self.env.clone())
    }
}

fn head() -> String {
    "name: w\non: push\njobs:\n  j:\n    runs-on: ubuntu-latest\n    steps:\n".to_owned()
}

fn step(text: &mut String, script: &str) {
    let quoted = script.replace('\'', "''");
    let _ = writeln!(text, "      - shell: bash\n        run: '{quoted}'");
}

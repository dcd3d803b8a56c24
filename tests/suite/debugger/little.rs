//! The little language: bodies that write real files without a process, under the scripted host.
//!
//! `write FILE TEXT`, `append FILE TEXT`, `remove FILE`, `link FILE TARGET`, `mode FILE`, `folder NAME`,
//! `output NAME VALUE`, `variable NAME VALUE`, `prepend ENTRY`, `state NAME VALUE`, `exit CODE`, `takes SECONDS`. `$NAME` is a
//! variable of the step's environment. [`PRELUDE`] makes the lines that act on files and command files lines of a real shell too.
//!
//! The program of a JavaScript action is a file of such lines.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use engine::action::{ActionReference, ResolvedAction};
use engine::effect::Body;
use engine::event::Exit;
use engine::process::ProcessSpec;
use engine::secrets::Secrets;
use engine::step_path::LaneId;
use host::scripted::{Play, Script, ScriptedHost};
use host::services::KeptArtifact;
use session::session::Mode;

use super::{Debugger, Place, inputs, plan};

/// The same language as functions of bash, with the same effects on the workspace and on the job.
pub const PRELUDE: &str = r#"parent() { mkdir -p "$(dirname "$1")"; }
write() { parent "$1"; [ -d "$1" ] && [ ! -L "$1" ] || { rm -f "$1"; printf %s "$2" > "$1"; }; }
append() { parent "$1"; [ -d "$1" ] || [ -L "$1" ] || printf %s "$2" >> "$1"; }
remove() { rm -f "$1" 2>/dev/null || true; }
link() { parent "$1"; [ -d "$1" ] && [ ! -L "$1" ] || { rm -f "$1"; ln -s "$2" "$1"; }; }
mode() { [ ! -f "$1" ] || [ -L "$1" ] || chmod 755 "$1"; }
folder() { mkdir -p "$1"; }
output() { echo "$1=$2" >> "$GITHUB_OUTPUT"; }
variable() { echo "$1=$2" >> "$GITHUB_ENV"; }
git() { :; }
prepend() { echo "$1" >> "$GITHUB_PATH"; }
"#;

/// What [`inputs`] call the workspace.
const WORKSPACE: &str = "/w/";
/// Where the actions of other repositories are said to be.
const STORE: &str = "/store/";

/// Runs the little language in a workspace.
pub struct Little {
    pub workspace: PathBuf,
    /// The files of other repositories' actions, by `owner/name@ref/file`.
    pub store: BTreeMap<String, String>,
    /// What the bodies are said to have left.
    pub artifacts: Vec<KeptArtifact>,
}

impl Script for Little {
    fn play(&mut self, _lane: LaneId, body: &Body) -> Play {
        let Body::Process(spec) = body else { return Play::default() };
        let mut play = Play::default();
        let Some(text) = self.text_of(spec) else {
            return Play { exit: Exit::NotStarted("there is no such program".to_owned()), ..play };
        };
        for line in text.lines() {
            self.line(&filled_in(line, spec), &mut play);
        }
        play
    }

    fn action(&mut self, reference: &str) -> Result<ResolvedAction, String> {
        let directory = match ActionReference::of(reference) {
            ActionReference::Local(folder) => format!("{WORKSPACE}{folder}"),
            _ => format!("{STORE}{reference}"),
        };
        let manifest = self.file(&format!("{directory}/action.yml"));
        let manifest = manifest.ok_or_else(|| format!("Can't find 'action.yml' under '{directory}'."))?;
        ResolvedAction::new(reference, &directory, &format!("{reference}/action.yml"), &manifest, None)
    }

    fn artifacts(&self) -> Vec<KeptArtifact> {
        self.artifacts.clone()
    }

    fn hash(&mut self, patterns: &[String]) -> Result<String, String> {
        host::hash_files::hash_files(&self.workspace, patterns, false)
    }
}

impl Little {
    /// In this workspace, with no actions but its own.
    pub fn new(workspace: PathBuf) -> Self {
        Self { workspace, store: BTreeMap::new(), artifacts: Vec::new() }
    }

    /// The script, or the program of an action.
    fn text_of(&self, spec: &ProcessSpec) -> Option<String> {
        match &spec.script.content {
            Some(_) => Some(spec.script.text.to_string()),
            None => self.file(&spec.script.file),
        }
    }

    /// A file of an action.
    fn file(&self, path: &str) -> Option<String> {
        match path.strip_prefix(STORE) {
            Some(stored) => self.store.get(stored).cloned(),
            None => fs::read_to_string(self.workspace.join(path.strip_prefix(WORKSPACE)?)).ok(),
        }
    }

    fn line(&self, line: &str, play: &mut Play) {
        let words: Vec<&str> = line.split(' ').collect();
        let path = |name: &str| self.workspace.join(name);
        match words.as_slice() {
            ["write", name, text] => {
                parent(&path(name));
                if !path(name).is_dir() {
                    let _ = fs::remove_file(path(name));
                    fs::write(path(name), text).unwrap();
                }
            }
            ["append", name, text] => {
                parent(&path(name));
                if !path(name).is_dir() && !path(name).is_symlink() {
                    let mut file = fs::OpenOptions::new().create(true).append(true).open(path(name)).unwrap();
                    file.write_all(text.as_bytes()).unwrap();
                }
            }
            ["remove", name] => drop(fs::remove_file(path(name))),
            ["link", name, target] => {
                parent(&path(name));
                let _ = fs::remove_file(path(name));
                let _ = symlink(target, path(name));
            }
            ["mode", name] => {
                if path(name).is_file() && !path(name).is_symlink() {
                    fs::set_permissions(path(name), fs::Permissions::from_mode(0o755)).unwrap();
                }
            }
            ["folder", name] => fs::create_dir_all(path(name)).unwrap(),
            ["output", name, value] => play.files.output.push(((*name).to_owned(), (*value).to_owned())),
            ["variable", name, value] => play.files.env.push(((*name).to_owned(), (*value).to_owned())),
            ["state", name, value] => play.files.state.push(((*name).to_owned(), (*value).to_owned())),
            ["prepend", entry] => play.files.path.push((*entry).to_owned()),
            ["exit", code] => play.exit = Exit::Code(code.parse().unwrap()),
            ["takes", "for-ever"] => play.takes = None,
            ["takes", seconds] => play.takes = Some(Duration::from_secs(seconds.parse().unwrap())),
            // What these do lies outside the workspace.
            ["git" | "npm", ..] => {}
            other => panic!("unknown line {other:?}"),
        }
    }
}

/// The line with the variables that it names; one that is not set is nothing.
fn filled_in(line: &str, spec: &ProcessSpec) -> String {
    let mut parts = line.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        text.push_str(spec.environment.get(name).map_or("", |value| value));
        text.push_str(rest);
    }
    text
}

fn parent(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
}

/// A debugged job of steps in the little language, standing before its first step.
pub fn debug(text: &str, place: &Place) -> Debugger {
    start(text, place, Mode::Debug)
}

/// A job of steps in the little language.
pub fn start(text: &str, place: &Place, mode: Mode) -> Debugger {
    let host = ScriptedHost::new(Little::new(place.workspace()));
    let files = Some(place.files());
    let inputs = inputs("/t", "/w");
    Debugger::start(plan(text), inputs, Secrets::default(), files, &place.workspace(), mode, |_, _| host)
}

/// A job whose steps are these: everything below `steps:`, without its indentation.
pub fn workflow(steps: &str) -> String {
    let mut text = String::from("on: push\njobs:\n  j:\n    runs-on: ubuntu-latest\n    steps:\n");
    for line in steps.lines() {
        text.push_str("      ");
        text.push_str(line);
        text.push('\n');
    }
    text
}

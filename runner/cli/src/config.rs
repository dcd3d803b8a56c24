//! `.stepback.toml`, and what comes out when the command line is laid over it.
//!
//! Knows the keys and their positions; what a setting does is not its business. Secrets have no values here: a file that
//! lies in a repository names them, and the environment or a secrets file has them.

use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use engine::slots::BackgroundSlots;
use indexmap::IndexMap;
use serde::Deserialize;

use crate::args::{ApiChoice, HomeChoice, Options, SecretText, WorkspaceChoice};
use crate::exit::Fault;

/// The file's name.
pub(crate) const FILE_NAME: &str = ".stepback.toml";

/// Everything that a run may be told, from the file and the command line together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// `event`
    pub(crate) event: Option<String>,
    /// `event-path`
    pub(crate) event_path: Option<PathBuf>,
    /// `input`, by name as given.
    pub(crate) inputs: IndexMap<String, String>,
    /// `secret`, in order; a later one wins.
    pub(crate) secrets: Vec<SecretText>,
    /// `secret-file`: of the configuration, then of the command line.
    pub(crate) secret_files: Vec<PathBuf>,
    /// `var`
    pub(crate) vars: IndexMap<String, String>,
    /// `env`
    pub(crate) env: IndexMap<String, String>,
    /// `env-file`: of the configuration, then of the command line.
    pub(crate) env_files: Vec<PathBuf>,
    /// `matrix`: a key and the values that it may have.
    pub(crate) matrix: IndexMap<String, Vec<String>>,
    /// `action`: a repository, maybe with a reference, and its folder.
    pub(crate) actions: IndexMap<String, PathBuf>,
    /// `offline`
    pub(crate) offline: bool,
    /// `refresh-actions`
    pub(crate) refresh_actions: bool,
    /// `github-api-url`
    pub(crate) api: Option<ApiChoice>,
    /// `actor`
    pub(crate) actor: Option<String>,
    /// `repository`
    pub(crate) repository: Option<String>,
    /// `workspace`
    pub(crate) workspace: WorkspaceChoice,
    /// `home`
    pub(crate) home: HomeChoice,
    /// `host`
    pub(crate) host: bool,
    /// `background-slots`
    pub(crate) background_slots: BackgroundSlots,
    /// The opposite of `no-record`.
    pub(crate) record: bool,
    /// `json`
    pub(crate) json: bool,
}

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    event: Option<String>,
    event_path: Option<PathBuf>,
    input: IndexMap<String, Scalar>,
    secret: Vec<toml::Spanned<String>>,
    secret_file: Option<PathBuf>,
    var: IndexMap<String, Scalar>,
    env: IndexMap<String, Scalar>,
    env_file: Option<PathBuf>,
    matrix: IndexMap<String, OneOrMore>,
    action: IndexMap<String, PathBuf>,
    offline: Option<bool>,
    refresh_actions: Option<bool>,
    github_api_url: Option<String>,
    actor: Option<String>,
    repository: Option<String>,
    workspace: Option<WorkspaceChoice>,
    home: Option<HomeChoice>,
    host: Option<bool>,
    background_slots: Option<NonZeroU32>,
    no_record: Option<bool>,
    json: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected text, a number or a boolean")]
enum Scalar {
    Text(String),
    Bool(bool),
    Integer(i64),
    Float(f64),
}

impl Scalar {
    fn into_text(self) -> String {
        match self {
            Scalar::Text(text) => text,
            Scalar::Bool(flag) => flag.to_string(),
            Scalar::Integer(number) => number.to_string(),
            Scalar::Float(number) => number.to_string(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a value or a list of values")]
enum OneOrMore {
    One(Scalar),
    More(Vec<Scalar>),
}

impl OneOrMore {
    fn into_texts(self) -> Vec<String> {
        match self {
            OneOrMore::One(value) => vec![value.into_text()],
            OneOrMore::More(values) => values.into_iter().map(Scalar::into_text).collect(),
        }
    }
}

/// The settings for a run started in `start`: the nearest `.stepback.toml` from there up to `root`, with the command
/// line laid over it.
///
/// # Errors
/// The file cannot be read or has something at a place where it does not belong; an option is not `KEY=VALUE`.
pub(crate) fn settings(start: &Path, root: &Path, options: Options) -> Result<Settings, Fault> {
    let (file, folder) = match nearest(start, root) {
        Some(path) => {
            let shown = path.strip_prefix(start).unwrap_or(&path).display().to_string();
            let text = fs::read_to_string(&path)
                .map_err(|error| Fault::new(format!("{shown}: cannot be read: {error}")))?;
            (parse(&shown, &text)?, path.parent().unwrap_or(root).to_path_buf())
        }
        None => (File::default(), root.to_path_buf()),
    };
    merged(file, &folder, options)
}

fn nearest(start: &Path, root: &Path) -> Option<PathBuf> {
    let inside = start.starts_with(root);
    start
        .ancestors()
        .take_while(|folder| !inside || folder.starts_with(root))
        .take(if inside { usize::MAX } else { 1 })
        .map(|folder| folder.join(FILE_NAME))
        .find(|path| path.is_file())
}

fn parse(shown: &str, text: &str) -> Result<File, Fault> {
    let file: File = toml::from_str(text).map_err(|error| {
        let place = error.span().map_or_else(String::new, |span| place(text, span.start));
        Fault::new(format!("{shown}{place}: {}", error.message().trim_end()))
    })?;
    if let Some(secret) = file.secret.iter().find(|secret| secret.get_ref().contains('=')) {
        let place = place(text, secret.span().start);
        return Err(Fault::new(format!("{shown}{place}: a secret's value does not belong in this file"))
            .hint("write only its name: the value comes from the environment or from `secret-file`"));
    }
    Ok(file)
}

/// `:LINE:COLUMN` of a byte, both from 1, the column in characters.
fn place(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!(":{line}:{column}")
}

fn merged(file: File, folder: &Path, options: Options) -> Result<Settings, Fault> {
    let texts = |map: IndexMap<String, Scalar>| -> IndexMap<String, String> {
        map.into_iter().map(|(key, value)| (key, value.into_text())).collect()
    };
    let from_file = |path: Option<PathBuf>| path.map(|path| folder.join(path));
    let mut secrets: Vec<SecretText> =
        file.secret.into_iter().map(|name| SecretText::from(name.into_inner())).collect();
    secrets.extend(options.secret);
    let slots = options.background_slots.or(file.background_slots);
    Ok(Settings {
        event: options.event.or(file.event),
        event_path: options.event_path.or_else(|| from_file(file.event_path)),
        inputs: overlaid(texts(file.input), "--input", &options.input)?,
        secrets,
        secret_files: from_file(file.secret_file).into_iter().chain(options.secret_file).collect(),
        vars: overlaid(texts(file.var), "--var", &options.var)?,
        env: overlaid(texts(file.env), "--env", &options.env)?,
        env_files: from_file(file.env_file).into_iter().chain(options.env_file).collect(),
        matrix: matrix(file.matrix, &options.matrix)?,
        actions: actions(file.action, folder, &options.action)?,
        offline: options.offline.or(file.offline).unwrap_or(false),
        refresh_actions: options.refresh_actions.or(file.refresh_actions).unwrap_or(false),
        api: options.github_api_url.or(file.github_api_url.map(ApiChoice::Repository)),
        actor: options.actor.or(file.actor),
        repository: options.repository.or(file.repository),
        workspace: options.workspace.or(file.workspace).unwrap_or(WorkspaceChoice::Fresh),
        home: options.home.or(file.home).unwrap_or(HomeChoice::Own),
        host: options.host.or(file.host).unwrap_or(false),
        background_slots: slots.map(BackgroundSlots::new).unwrap_or_default(),
        record: !options.no_record.or(file.no_record).unwrap_or(false),
        json: options.json.or(file.json).unwrap_or(false),
    })
}

fn overlaid(
    mut values: IndexMap<String, String>,
    option: &str,
    given: &[String],
) -> Result<IndexMap<String, String>, Fault> {
    for text in given {
        let (key, value) = pair(option, text)?;
        values.insert(key.to_owned(), value.to_owned());
    }
    Ok(values)
}

/// Values for the same key add up on the command line; a key given there replaces the file's.
fn matrix(
    file: IndexMap<String, OneOrMore>,
    given: &[String],
) -> Result<IndexMap<String, Vec<String>>, Fault> {
    let mut own: IndexMap<String, Vec<String>> = IndexMap::new();
    for text in given {
        let (key, value) = pair("--matrix", text)?;
        own.entry(key.to_owned()).or_default().push(value.to_owned());
    }
    let mut all: IndexMap<String, Vec<String>> =
        file.into_iter().map(|(key, values)| (key, values.into_texts())).collect();
    all.extend(own);
    Ok(all)
}

/// The folders of actions: of the file relative to its place, of the command line to where we are. The command line's come
/// first.
fn actions(
    file: IndexMap<String, PathBuf>,
    folder: &Path,
    given: &[String],
) -> Result<IndexMap<String, PathBuf>, Fault> {
    let mut all = IndexMap::new();
    for text in given {
        let (name, path) = pair("--action", text)?;
        let path = std::path::absolute(path)
            .map_err(|error| Fault::new(format!("--action {text}: no folder: {error}")))?;
        all.insert(name.to_owned(), path);
    }
    for (name, path) in file {
        all.entry(name).or_insert_with(|| folder.join(path));
    }
    Ok(all)
}

/// `KEY=VALUE` in two.
fn pair<'a>(option: &str, text: &'a str) -> Result<(&'a str, &'a str), Fault> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim(), value)),
        _ => Err(Fault::new(format!("{option} {text}: expected KEY=VALUE"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, options: Options) -> Result<Settings, String> {
        let file = parse(FILE_NAME, text).map_err(|fault| fault.text)?;
        merged(file, Path::new("/repo"), options).map_err(|fault| fault.text)
    }

    fn refused(text: &str, expected: &str) {
        let error = read(text, Options::default()).unwrap_err();
        assert!(error.starts_with(expected), "{text:?}: {error}");
    }

    #[test]
    fn without_a_file_the_defaults_hold() {
        let settings = read("", Options::default()).unwrap();
        assert_eq!(settings.workspace, WorkspaceChoice::Fresh);
        assert!(settings.record && !settings.host && !settings.json);
        assert_eq!(settings.background_slots.number().get(), 10);
    }

    #[test]
    fn every_option_can_be_in_the_file() {
        let text = "event = 'push'\nevent-path = 'e.json'\nsecret = ['TOKEN']\nsecret-file = '.secrets'\nenv-file = '.env'\n\
                    actor = 'mona'\nrepository = 'o/r'\nworkspace = 'in-place'\nhome = 'fresh'\nhost = true\nbackground-slots = 3\nno-record = true\njson = true\n\
                    offline = true\nrefresh-actions = true\ngithub-api-url = 'https://api.example'\n\
                    [action]\n'o/r@v1' = 'actions/r'\n[input]\nlevel = 3\ndry = true\n[var]\nA = 'b'\n[env]\nC = 1.5\n[matrix]\nos = ['a', 'b']\nnode = 20\n";
        let settings = read(text, Options::default()).unwrap();
        assert_eq!(settings.actions.get("o/r@v1"), Some(&PathBuf::from("/repo/actions/r")));
        assert!(settings.offline && settings.refresh_actions);
        assert_eq!(settings.api, Some(ApiChoice::Repository("https://api.example".into())));
        assert_eq!(settings.event_path, Some(PathBuf::from("/repo/e.json")));
        assert_eq!(format!("{:?}", settings.inputs), r#"{"level": "3", "dry": "true"}"#);
        assert_eq!(format!("{:?}", settings.env), r#"{"C": "1.5"}"#);
        assert_eq!(settings.matrix.get("os"), Some(&vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(settings.secrets, [SecretText::from("TOKEN")]);
        assert_eq!(settings.secret_files, [PathBuf::from("/repo/.secrets")]);
        assert!(settings.host && !settings.record && settings.json);
        assert_eq!(settings.background_slots.number().get(), 3);
        assert_eq!((settings.workspace, settings.home), (WorkspaceChoice::InPlace, HomeChoice::Fresh));
    }

    #[test]
    fn the_command_line_wins() {
        let options = Options {
            event: Some("pull_request".into()),
            var: vec!["A=2".into(), "B=3=4".into()],
            matrix: vec!["os=x".into(), "os=y".into()],
            workspace: Some(WorkspaceChoice::Fresh),
            no_record: Some(false),
            background_slots: NonZeroU32::new(2),
            offline: Some(false),
            github_api_url: Some(ApiChoice::Person("https://mine.example".into())),
            ..Options::default()
        };
        let text = "background-slots = 5\nevent = 'push'\noffline = true\ngithub-api-url = 'https://theirs.example'\nworkspace = 'in-place'\nno-record = true\nvar = {A = '1', C = '5'}\nmatrix = {os = 'z', node = 1}";
        let settings = read(text, options).unwrap();
        assert_eq!(settings.event.as_deref(), Some("pull_request"));
        let vars: Vec<String> = settings.vars.iter().map(|(key, value)| format!("{key}:{value}")).collect();
        assert_eq!(vars, ["A:2", "C:5", "B:3=4"]);
        assert_eq!(settings.matrix.get("os"), Some(&vec!["x".to_owned(), "y".to_owned()]));
        assert_eq!(settings.matrix.get("node"), Some(&vec!["1".to_owned()]));
        assert_eq!(settings.background_slots.number().get(), 2);
        assert!(settings.record && !settings.offline && settings.workspace == WorkspaceChoice::Fresh);
        assert_eq!(settings.api, Some(ApiChoice::Person("https://mine.example".into())));
    }

    #[test]
    fn faults_have_a_place() {
        refused("event = 'push'\nevnt = 1\n", ".stepback.toml:2:1: unknown field `evnt`");
        refused("workspace = 'here'", ".stepback.toml:1:13: unknown variant `here`");
        refused("[var]\nA = [1]\n", ".stepback.toml:2:5: expected text, a number or a boolean");
        refused(
            "background-slots = 0",
            ".stepback.toml:1:20: invalid value: integer `0`, expected a nonzero u32",
        );
        refused("a = = 1", ".stepback.toml:1:5:");
        refused(
            "secret = ['A', 'B=hunter2']",
            ".stepback.toml:1:16: a secret's value does not belong in this file",
        );
    }

    #[test]
    fn pairs_need_a_key() {
        for text in ["novalue", "=x", " =x"] {
            let options = Options { env: vec![text.into()], ..Options::default() };
            assert_eq!(read("", options).unwrap_err(), format!("--env {text}: expected KEY=VALUE"));
        }
    }

    #[test]
    fn the_nearest_file_up_to_the_root_counts() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("repo");
        let inner = root.join("a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::write(folder.path().join(FILE_NAME), "actor = 'outside'").unwrap();
        assert_eq!(nearest(&inner, &root), None);
        fs::write(root.join(FILE_NAME), "actor = 'root'").unwrap();
        assert_eq!(nearest(&inner, &root), Some(root.join(FILE_NAME)));
        fs::write(root.join("a").join(FILE_NAME), "actor = 'a'").unwrap();
        assert_eq!(settings(&inner, &root, Options::default()).unwrap().actor.as_deref(), Some("a"));
    }
}

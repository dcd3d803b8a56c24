//! Secrets and variables from options, files and the environment.
//!
//! Knows names and values; masking them is the engine's. No error and no debug print shows a value.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;

use super::dotenv;
use crate::args::SecretText;
use crate::exit::Fault;

/// The token that actions and scripts expect without asking for it.
const TOKEN: &str = "GITHUB_TOKEN";

/// Secrets by their names.
pub(crate) type SecretValues = IndexMap<Arc<str>, Arc<str>>;

/// Everything that the `secrets` context holds. Files first, then options, each overriding what was before it;
/// `GITHUB_TOKEN` comes from the environment unless it was given. Names differ in more than case.
///
/// # Errors
/// A file that cannot be read, or a name without a value that the environment does not have either.
pub(crate) fn gather(
    files: &[impl AsRef<Path>],
    options: &[SecretText],
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<SecretValues, Fault> {
    let mut all = IndexMap::new();
    for path in files {
        for (name, value) in read_file(path.as_ref())? {
            put(&mut all, &name, &value);
        }
    }
    for option in options {
        let (name, given) = option.parts();
        if !is_name(name) {
            return Err(Fault::new("--secret: a name may have letters, digits and `_` only")
                .hint("--secret NAME, or --secret NAME=VALUE"));
        }
        let value = match given {
            Some(value) => value.to_owned(),
            None => variable(name).ok_or_else(|| {
                Fault::new(format!("--secret {name}: the environment has no variable {name}"))
                    .hint(format!("export {name}, or put it into a file and give --secret-file"))
            })?,
        };
        put(&mut all, name, &value);
    }
    if !all.keys().any(|name: &Arc<str>| name.eq_ignore_ascii_case(TOKEN))
        && let Some(token) = variable(TOKEN).filter(|token| !token.is_empty())
    {
        put(&mut all, TOKEN, &token);
    }
    Ok(all)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn put(all: &mut IndexMap<Arc<str>, Arc<str>>, name: &str, value: &str) {
    let same = all.keys().find(|known| known.eq_ignore_ascii_case(name)).cloned();
    all.insert(same.unwrap_or_else(|| Arc::from(name)), Arc::from(value));
}

/// A `.env` file.
///
/// # Errors
/// It cannot be read, or a line is no `KEY=VALUE`; the place is in the text, the value is not.
pub(crate) fn read_file(path: &Path) -> Result<IndexMap<String, String>, Fault> {
    let shown = path.display();
    let text =
        fs::read_to_string(path).map_err(|error| Fault::new(format!("{shown}: cannot be read: {error}")))?;
    dotenv::parse(&text).map_err(|error| Fault::new(format!("{shown}:{error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(file: &str, options: &[&str], variables: &[(&str, &str)]) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets");
        fs::write(&path, file).unwrap();
        let options: Vec<SecretText> = options.iter().map(|text| SecretText::from(*text)).collect();
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let all = gather(&[&path], &options, &variable)
            .map_err(|fault| fault.text.replace(&path.display().to_string(), "secrets"))?;
        Ok(all.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn later_sources_win_and_the_environment_fills_in() {
        assert_eq!(gathered("A=1\nB=2", &["b=3", "C"], &[("C", "4")]).unwrap(), "A=1 B=3 C=4");
        assert_eq!(gathered("", &[], &[("GITHUB_TOKEN", "t")]).unwrap(), "GITHUB_TOKEN=t");
        assert_eq!(
            gathered("", &["github_token=own"], &[("GITHUB_TOKEN", "t")]).unwrap(),
            "github_token=own"
        );
        assert_eq!(gathered("", &["EMPTY="], &[]).unwrap(), "EMPTY=");
    }

    #[test]
    fn faults_show_no_value() {
        assert_eq!(
            gathered("", &["NOPE"], &[]).unwrap_err(),
            "--secret NOPE: the environment has no variable NOPE"
        );
        assert_eq!(gathered("A=1\nhunter2", &[], &[]).unwrap_err(), "secrets:2: expected KEY=VALUE");
        assert_eq!(
            gathered("", &["a-b=hunter2"], &[]).unwrap_err(),
            "--secret: a name may have letters, digits and `_` only"
        );
    }
}

//! Where the actions of other repositories come from, as the options and the environment have it.
//!
//! Knows settings, variables and which token goes where; finding and downloading is the host's affair.

use std::path::PathBuf;
use std::sync::Arc;

use host::action::{ActionStore, Pace, Remote};
use indexmap::IndexMap;

use super::secrets::{self, SecretValues};
use crate::args::ApiChoice;
use crate::config::Settings;
use crate::exit::Fault;
use crate::paths::Paths;

/// GitHub's own.
const GITHUB: &str = "https://api.github.com";
/// The address of the API, as GitHub's runner calls it.
const API_VARIABLE: &str = "GITHUB_API_URL";
const TOKEN: &str = "GITHUB_TOKEN";
/// What `gh` reads as well.
const GH_TOKEN: &str = "GH_TOKEN";

/// The store of a run, before anything else of the run is known, and the secrets, which can be read once only: their file may be a
/// pipe.
///
/// # Errors
/// As [`store`], and secrets that cannot be read.
pub(crate) fn store_and_secrets(settings: &Settings) -> anyhow::Result<(ActionStore, SecretValues)> {
    let variable = |name: &str| std::env::var(name).ok();
    let values = secrets::gather(&settings.secret_files, &settings.secrets, &variable)?;
    let store = store(settings, Paths::from_environment()?.actions(), &values, &variable)?;
    Ok((store, values))
}

/// The store of a run. The token is the secret `GITHUB_TOKEN`, which the environment may have given, else `GH_TOKEN`; an API that
/// the configuration file names is not sent one, for that file comes with the repository.
///
/// # Errors
/// The address of the API is none, or the token cannot be one.
pub(crate) fn store(
    settings: &Settings,
    cache: PathBuf,
    secrets: &IndexMap<Arc<str>, Arc<str>>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<ActionStore, Fault> {
    let named = settings.actions.iter().map(|(name, folder)| (name.clone(), folder.clone()));
    let store = ActionStore::default().with_overrides(named).with_cache(cache);
    if settings.offline {
        return Ok(store);
    }
    let given = |name: &str| variable(name).filter(|value| !value.is_empty());
    let (url, trusted) = match &settings.api {
        Some(ApiChoice::Person(url)) => (url.clone(), true),
        Some(ApiChoice::Repository(url)) => (url.clone(), false),
        None => (given(API_VARIABLE).unwrap_or_else(|| GITHUB.to_owned()), true),
    };
    let secret =
        secrets.iter().find(|(name, _)| name.eq_ignore_ascii_case(TOKEN)).map(|(_, value)| value.to_string());
    let token = secret.or_else(|| given(GH_TOKEN)).filter(|_| trusted);
    let remote = Remote::new(&url, token.as_deref(), Pace::default())
        .map_err(|text| Fault::new(text).hint("--github-api-url https://api.github.com, or --offline"))?;
    Ok(store.with_remote(remote).refreshing(settings.refresh_actions))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::args::Options;
    use crate::config;

    fn made(file: &str, options: Options, secrets: &[(&str, &str)], variables: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(config::FILE_NAME), file).unwrap();
        let settings = config::settings(folder.path(), folder.path(), options).unwrap();
        let secrets = secrets.iter().map(|(name, value)| (Arc::from(*name), Arc::from(*value))).collect();
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        match store(&settings, Path::new("/cache").to_owned(), &secrets, &variable) {
            Ok(store) => format!("{store:?}"),
            Err(fault) => fault.to_string(),
        }
    }

    #[track_caller]
    fn check(text: &str, api: &str, token: bool) {
        assert!(text.contains(&format!("api: \"{api}\", token: {token}")), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }

    #[test]
    fn the_nearest_address_wins_and_only_a_persons_gets_the_token() {
        let own = || Options {
            github_api_url: Some(ApiChoice::Person("https://own.example".into())),
            ..Options::default()
        };
        let file = "github-api-url = 'https://theirs.example'";
        let (secret, variable) =
            (("github_token", "hunter2"), ("GITHUB_API_URL", "https://ghes.example/api/v3"));
        check(&made("", Options::default(), &[], &[]), "https://api.github.com/", false);
        check(&made("", Options::default(), &[secret], &[]), "https://api.github.com/", true);
        check(
            &made("", Options::default(), &[], &[("GH_TOKEN", "hunter2")]),
            "https://api.github.com/",
            true,
        );
        check(&made("", Options::default(), &[secret], &[variable]), "https://ghes.example/api/v3", true);
        check(&made(file, Options::default(), &[secret], &[variable]), "https://theirs.example/", false);
        check(&made(file, own(), &[secret], &[variable]), "https://own.example/", true);
    }

    #[test]
    fn offline_needs_no_address_and_a_wrong_one_is_said() {
        let wrong = |offline| Options {
            github_api_url: Some(ApiChoice::Person("nowhere".into())),
            offline,
            ..Options::default()
        };
        assert!(made("", wrong(Some(true)), &[], &[]).contains("remote: None"));
        let text = made("", wrong(None), &[("GITHUB_TOKEN", "hunter2")], &[]);
        assert!(text.starts_with("`nowhere` is no address") && text.contains("--offline"), "{text}");
        let text = made("", Options::default(), &[("GITHUB_TOKEN", "hunter2\n2")], &[]);
        assert!(text.starts_with("the token for the API") && !text.contains("hunter2"), "{text}");
    }
}

//! Which file a problem matcher meant: kept only if it exists and lies in a checkout of the workflow's
//! repository (steps.md 5.3). Works on path texts; the files themselves are asked of [`CheckoutFiles`].

use crate::limits::MATCHER_FILE_PARENTS;

/// The two questions about files. The host answers from disk, a test from a table.
pub trait CheckoutFiles {
    /// Whether `path` (absolute, normalised) is an existing file.
    fn is_file(&self, path: &str) -> bool;
    /// The text of the file at `path`, `None` if it cannot be read.
    fn read_text(&self, path: &str) -> Option<String>;
}

/// What a matched path is resolved against.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MatchedFiles {
    /// `github.workspace` on the host.
    pub workspace: String,
    /// `github.server_url`; empty means `https://github.com`.
    pub server_url: String,
    /// `github.repository`, `owner/name`.
    pub repository: String,
    /// For a step in a container: folders as `(inside, on the host)`, applied to absolute paths.
    pub mounts: Vec<(String, String)>,
}

impl MatchedFiles {
    /// The path relative to its checkout, or why there is none (a debug text, to be masked).
    pub fn resolve(&self, file: &str, from_path: &str, files: &impl CheckoutFiles) -> Result<String, String> {
        let path = self.absolute(file, from_path);
        if !files.is_file(&path) {
            return Err(format!("Dropping file value '{path}'. Path does not exist"));
        }
        match self.checkout_of(&path, files).and_then(|checkout| path.strip_prefix(checkout)) {
            Some(relative) => Ok(relative.trim_start_matches('/').to_owned()),
            None => Err(format!("Dropping file value '{path}'. Path is not under the workflow repo.")),
        }
    }

    fn absolute(&self, file: &str, from_path: &str) -> String {
        let from_folder = if from_path.trim().is_empty() { None } else { from_path.rsplit_once('/') };
        let file = match from_folder {
            Some((folder, _)) if !file.starts_with('/') && !folder.trim().is_empty() => {
                format!("{folder}/{file}")
            }
            _ => file.to_owned(),
        };
        if !file.starts_with('/') {
            return normalise(&format!("{}/{file}", self.workspace));
        }
        let file = normalise(&file);
        let mounted = self.mounts.iter().find_map(|(inside, outside)| {
            let rest = super::relative_to_workspace(&file, inside)?;
            Some(normalise(&format!("{outside}/{rest}")))
        });
        mounted.unwrap_or(file)
    }

    fn checkout_of<'p>(&self, path: &'p str, files: &impl CheckoutFiles) -> Option<&'p str> {
        let mut folder = path;
        for _ in 0..=MATCHER_FILE_PARENTS {
            folder = folder.rsplit_once('/').map(|(parent, _)| parent)?;
            let config = format!("{folder}/.git/config");
            if files.is_file(&config) {
                // The nearest checkout decides, even if it is another repository.
                let text = files.read_text(&config)?;
                return text.lines().any(|line| self.is_our_url(line.trim())).then_some(folder);
            }
        }
        None
    }

    fn is_our_url(&self, line: &str) -> bool {
        let server = if self.server_url.is_empty() { "https://github.com" } else { &self.server_url };
        let host = server.split_once("://").map_or(server, |(_, rest)| rest);
        let host = host.split(['/', ':']).next().unwrap_or(host);
        let line = line.to_lowercase();
        [format!("url = {server}/{}", self.repository), format!("url = git@{host}:{}.git", self.repository)]
            .iter()
            .any(|url| url.to_lowercase() == line)
    }
}

fn normalise(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Table(Vec<(&'static str, &'static str)>);

    impl CheckoutFiles for Table {
        fn is_file(&self, path: &str) -> bool {
            self.read_text(path).is_some()
        }
        fn read_text(&self, path: &str) -> Option<String> {
            self.0.iter().find(|(known, _)| *known == path).map(|(_, text)| (*text).to_owned())
        }
    }

    fn check(file: &str, from_path: &str, expected: Result<&str, &str>) {
        let files = Table(vec![
            ("/w/.git/config", "[remote]\n  url = https://GitHub.com/me/it\n"),
            ("/w/a/b.rs", ""),
            ("/w/a/ssh/.git/config", "url = git@github.com:me/it.git"),
            ("/w/a/ssh/x", ""),
            ("/w/other/.git/config", "url = https://github.com/you/it"),
            ("/w/other/x", ""),
            ("/elsewhere/x", ""),
        ]);
        let context = MatchedFiles {
            workspace: "/w".into(),
            server_url: String::new(),
            repository: "me/it".into(),
            mounts: vec![("/inside".into(), "/w/a".into())],
        };
        let got = context.resolve(file, from_path, &files);
        assert_eq!(got.as_deref().map_err(String::as_str), expected, "{file} {from_path}");
    }

    #[test]
    fn resolution() {
        check("a/b.rs", "", Ok("a/b.rs"));
        check("./x/../a/b.rs", "", Ok("a/b.rs"));
        check("/w/a/b.rs", "", Ok("a/b.rs"));
        check("b.rs", "a/project.json", Ok("a/b.rs"));
        check("b.rs", "/w/a/project.json", Ok("a/b.rs"));
        check("/inside/b.rs", "", Ok("a/b.rs"));
        check("a/ssh/x", "", Ok("x"));
        check("none", "", Err("Dropping file value '/w/none'. Path does not exist"));
        check("other/x", "", Err("Dropping file value '/w/other/x'. Path is not under the workflow repo."));
        check(
            "/elsewhere/x",
            "",
            Err("Dropping file value '/elsewhere/x'. Path is not under the workflow repo."),
        );
    }
}

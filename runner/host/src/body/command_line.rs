//! From a shell's argument format to an argument list, and from a program's name to its file (steps.md 3.1).
//!
//! Knows the rules of `string.Format` and of .NET's argument strings; not which shell is meant.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Splits the format at blanks outside quotes and puts the script's path in place of `{0}`. Doubled braces are single ones.
/// The format is split first, so that a path with blanks stays one argument.
pub(super) fn arguments(format: &str, script: &str) -> Vec<String> {
    split(format).iter().map(|argument| fill(argument, script)).collect()
}

fn fill(format: &str, script: &str) -> String {
    let mut out = String::with_capacity(format.len() + script.len());
    let mut rest = format;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let (text, taken) = match from {
            _ if from.starts_with("{{") => ("{", 2),
            _ if from.starts_with("}}") => ("}", 2),
            _ if from.starts_with("{0}") => (script, 3),
            _ => (from.get(..1).unwrap_or_default(), 1),
        };
        out.push_str(text);
        rest = from.get(taken..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// .NET's rules: blanks part arguments, quotes keep them together, a backslash only matters before a quote.
fn split(line: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut current: Option<String> = None;
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            ' ' | '\t' if !quoted => arguments.extend(current.take()),
            '\\' => {
                let mut slashes = 1;
                while characters.next_if_eq(&'\\').is_some() {
                    slashes += 1;
                }
                let argument = current.get_or_insert_default();
                if characters.peek() == Some(&'"') {
                    argument.extend(std::iter::repeat_n('\\', slashes / 2));
                    if slashes % 2 == 1 {
                        characters.next();
                        argument.push('"');
                    }
                } else {
                    argument.extend(std::iter::repeat_n('\\', slashes));
                }
            }
            '"' => {
                let argument = current.get_or_insert_default();
                if quoted && characters.next_if_eq(&'"').is_some() {
                    argument.push('"');
                } else {
                    quoted = !quoted;
                }
            }
            other => current.get_or_insert_default().push(other),
        }
    }
    arguments.extend(current);
    arguments
}

/// The first of the programs that PATH holds. A name with a slash is taken as it is, relative to `directory`.
pub(super) fn find(candidates: &[String], path: &OsStr, directory: &Path) -> Option<PathBuf> {
    let runnable =
        |file: &Path| rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok() && !file.is_dir();
    candidates.iter().find_map(|name| {
        if name.contains('/') {
            return Some(directory.join(name)).filter(|file| runnable(file));
        }
        let mut folders = path.as_bytes().split(|byte| *byte == b':').filter(|folder| !folder.is_empty());
        let mut file = PathBuf::new();
        let found = folders.any(|folder| {
            file.as_mut_os_string().clear();
            [directory.as_os_str(), OsStr::from_bytes(folder), OsStr::new(name)]
                .iter()
                .for_each(|part| file.push(part));
            runnable(&file)
        });
        found.then_some(file)
    })
}

/// What to say when there is no node for the program of an action.
pub(super) fn no_node(path: &OsString) -> String {
    format!(
        "node not found: a JavaScript action needs it, and there is none on PATH ({})\nhint: install Node.js, or put an `actions/setup-node` step before this one",
        path.to_string_lossy()
    )
}

/// What to say when there is no shell.
pub(super) fn not_found(candidates: &[String], path: &OsString) -> String {
    let names = candidates.join(" or ");
    format!(
        "shell not found: there is no {names} on PATH ({})\nhint: install it in an earlier step, or choose another `shell:`",
        path.to_string_lossy()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: &str, expected: &[&str]) {
        assert_eq!(arguments(format, "/tmp/a b.sh"), expected);
    }

    #[test]
    fn formats_become_arguments() {
        check("--noprofile -e {0}", &["--noprofile", "-e", "/tmp/a b.sh"]);
        check("-command \". '{0}'\"", &["-command", ". '/tmp/a b.sh'"]);
        check("  -x\t{0}  ", &["-x", "/tmp/a b.sh"]);
        check("-c \"echo \\\"{0}\\\"\"", &["-c", "echo \"/tmp/a b.sh\""]);
        check("{{0}} {0}", &["{0}", "/tmp/a b.sh"]);
        check("\"\" {0} {1}", &["", "/tmp/a b.sh", "{1}"]);
        check(r"a\b {0}", &[r"a\b", "/tmp/a b.sh"]);
    }

    #[test]
    fn programs_are_looked_up_in_order() {
        let path = OsStr::new("/no/such:/usr/bin:/bin");
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let found = find(&names(&["no-such-shell", "sh"]), path, Path::new("/")).unwrap();
        assert!(found.ends_with("sh"), "{found:?}");
        assert_eq!(find(&names(&["/bin/sh"]), path, Path::new("/")), Some(PathBuf::from("/bin/sh")));
        assert_eq!(find(&names(&["fish-not"]), path, Path::new("/")), None);
        let text = not_found(&names(&["bash", "sh"]), &OsString::from("/x"));
        assert!(text.starts_with("shell not found: there is no bash or sh on PATH (/x)\nhint: "));
    }
}

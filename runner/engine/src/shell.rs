//! Which program reads a script, with which arguments, and what the script file holds (steps.md 3.1).
//!
//! Knows GitHub's table of shells; not whether a program exists on this machine.

use crate::process::ShellCommand;

/// What `shell:` names, resolved by GitHub's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shell {
    /// The command line.
    pub command: ShellCommand,
    /// The script file's extension with its dot, or empty.
    pub extension: &'static str,
    fix_up: FixUp,
}

/// What a shell needs around the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FixUp {
    None,
    PowerShell,
    Cmd,
}

/// A `shell:` that GitHub refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Invalid shell option. Shell must be a valid built-in (bash, sh, cmd, powershell, pwsh) or a format string containing '{{0}}'"
)]
pub struct InvalidShell;

impl Shell {
    /// The shell of a `run` step that names none, on Linux and macOS: `bash` if there is one, else `sh`, both
    /// with sh's arguments.
    pub fn unnamed() -> Self {
        Self::of(&["bash", "sh"], "-e {0}", "sh")
    }

    /// The shell that `shell:` names: a built-in name, or a command line with `{0}` for the script's path.
    ///
    /// # Errors
    /// A command line without `{0}`, or a single word that is no built-in.
    pub fn named(option: &str) -> Result<Self, InvalidShell> {
        let option = option.trim();
        match option.to_ascii_lowercase().as_str() {
            "" => Ok(Self::unnamed()),
            "bash" => Ok(Self::of(&[option], "--noprofile --norc -e -o pipefail {0}", "bash")),
            "sh" => Ok(Self::of(&[option], "-e {0}", "sh")),
            "pwsh" | "powershell" => Ok(Self::of(&[option], "-command \". '{0}'\"", option)),
            "cmd" => Ok(Self::of(&[option], "/D /E:ON /V:OFF /S /C \"CALL \"{0}\"\"", option)),
            "python" => Ok(Self::of(&[option], "{0}", "python")),
            _ => Self::custom(option),
        }
    }

    fn custom(option: &str) -> Result<Self, InvalidShell> {
        let (program, arguments) = option.split_once(' ').ok_or(InvalidShell)?;
        if !arguments.contains("{0}") {
            return Err(InvalidShell);
        }
        Ok(Self::of(&[program], arguments.trim_start(), program))
    }

    fn of(candidates: &[&str], arguments: &str, fix_up_name: &str) -> Self {
        Self {
            command: ShellCommand {
                candidates: candidates.iter().map(|name| (*name).to_owned()).collect(),
                arguments: arguments.to_owned(),
            },
            extension: extension(fix_up_name),
            fix_up: match fix_up_name {
                "pwsh" | "powershell" => FixUp::PowerShell,
                "cmd" => FixUp::Cmd,
                _ => FixUp::None,
            },
        }
    }

    /// The content of the script file.
    pub fn script_file(&self, script: &str) -> String {
        match self.fix_up {
            FixUp::None => script.to_owned(),
            FixUp::PowerShell => format!(
                "$ErrorActionPreference = 'stop'\n{script}\nif ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) {{ exit $LASTEXITCODE }}"
            ),
            FixUp::Cmd => format!("@echo off\n{script}"),
        }
    }
}

/// The file extension goes by the program's name in any case, the fix-up only by its exact spelling (steps.md 3.1).
fn extension(name: &str) -> &'static str {
    let endings = [
        ("bash", ".sh"),
        ("sh", ".sh"),
        ("pwsh", ".ps1"),
        ("powershell", ".ps1"),
        ("cmd", ".cmd"),
        ("python", ".py"),
    ];
    endings.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, ending)| ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(option: &str, candidates: &str, arguments: &str, extension: &str) {
        let shell = Shell::named(option).unwrap();
        assert_eq!(shell.command.candidates.join(","), candidates);
        assert_eq!(shell.command.arguments, arguments);
        assert_eq!(shell.extension, extension);
    }

    #[test]
    fn the_table_of_shells() {
        check("", "bash,sh", "-e {0}", ".sh");
        check("bash", "bash", "--noprofile --norc -e -o pipefail {0}", ".sh");
        check("sh", "sh", "-e {0}", ".sh");
        check("python", "python", "{0}", ".py");
        check("pwsh", "pwsh", "-command \". '{0}'\"", ".ps1");
        check("cmd", "cmd", "/D /E:ON /V:OFF /S /C \"CALL \"{0}\"\"", ".cmd");
        check("perl -w {0}", "perl", "-w {0}", "");
        check("bash -x {0}", "bash", "-x {0}", ".sh");
    }

    #[test]
    fn a_command_line_needs_the_place_of_the_script() {
        assert_eq!(Shell::named("bash -x"), Err(InvalidShell));
        assert_eq!(Shell::named("perl"), Err(InvalidShell));
        assert!(InvalidShell.to_string().ends_with("containing '{0}'"));
    }

    #[test]
    fn powershell_and_cmd_get_their_frame() {
        let text = Shell::named("pwsh").unwrap().script_file("ls");
        assert!(text.starts_with("$ErrorActionPreference = 'stop'\nls\n"), "{text}");
        assert_eq!(Shell::named("cmd").unwrap().script_file("dir"), "@echo off\ndir");
        assert_eq!(Shell::named("bash").unwrap().script_file("ls"), "ls");
    }
}

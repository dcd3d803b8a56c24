//! `stepback`: the composition root. Reads the command line, calls one module per command, and turns the result into an
//! exit code.
//!
//! Knows every other crate by name and does nothing itself.

mod args;
mod check;
mod choose;
mod config;
mod dap;
mod debug;
mod exit;
mod given;
mod interrupts;
mod job_place;
mod job_tree;
mod launch;
mod list;
mod one_job;
mod output;
mod paths;
mod prepare;
mod record;
mod reopen;
mod repl;
mod run;
mod seek;
mod services;
mod sweep;
mod terminal;
mod workflow_files;
mod workflow_source;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Arguments, Command};
use crate::exit::{Exit, Fault};
use crate::terminal::Terminal;
use crate::workflow_files::Project;
use session::wording::Painter;

fn main() -> ExitCode {
    host::guardian::main_if_asked();
    let arguments = Arguments::parse();
    let terminal = Terminal::probe(arguments.color);
    match perform(arguments, terminal) {
        Ok(exit) => exit.into(),
        Err(error) => report(&error, terminal),
    }
}

fn perform(arguments: Arguments, terminal: Terminal) -> anyhow::Result<Exit> {
    let start = std::env::current_dir()
        .map_err(|error| Fault::new(format!("the current folder is gone: {error}")))?;
    let project = Project::around(&start);
    let painter = Painter::new(terminal.colour);
    match arguments.command {
        Command::Check(given) => {
            check::check(&project, &given.files, given.json, painter, &mut io::stdout().lock())
        }
        Command::List(given) => {
            list::list(&project, &given.files, given.json, painter, &mut io::stdout().lock())
        }
        Command::Run(given) => run::run(&project.of_file(given.file.as_deref()), given, terminal),
        Command::Attach(given) => repl::attach(given, terminal),
        Command::Dap(given) => dap::dap(given),
        Command::Debug(given) => debug::debug(&project.of_file(given.file.as_deref()), given, terminal),
    }
}

/// Everything that ends here ended before a job did: bad usage, unless the reader of our output has gone.
fn report(error: &anyhow::Error, terminal: Terminal) -> ExitCode {
    let gone =
        error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
    if !gone {
        let painter = Painter::new(terminal.error_colour);
        let word = painter.paint(session::wording::Meaning::Bad, "error:");
        // Nowhere is left to say that standard error is closed.
        let _ = writeln!(io::stderr(), "{word} {error:#}");
    }
    Exit::BadUsage.into()
}

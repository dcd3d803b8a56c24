//! `stepback attach`: the terminal as a client of a debugger that listens, on this machine or behind a forwarded port.
//!
//! Knows how to reach it; everything else is said in DAP.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use dap_server::client::{connect, refuse};
use dap_server::protocol::Token;
use dap_server::transport::{Address, AddressError};

use super::completion::Completion;
use super::lines::Lines;
use super::screen::Screen;
use super::talk::{Ended, Manner, Talk};
use crate::args::AttachArguments;
use crate::exit::{Exit, Fault};
use crate::paths::Paths;
use crate::run::in_runtime;
use crate::terminal::Terminal;
use session::wording::Painter;

/// Where a token may be given that nobody is to see in a list of processes.
const TOKEN_VARIABLE: &str = "STEPBACK_TOKEN";

/// Talks with a debugger that listens.
///
/// # Errors
/// Nobody listens there, or does not let us in.
pub(crate) fn attach(arguments: AttachArguments, terminal: Terminal) -> anyhow::Result<Exit> {
    let address: Address =
        arguments.address.parse().map_err(|error: AddressError| Fault::new(error.to_string()))?;
    let token = match &address {
        Address::Unix(_) => None,
        Address::Tcp(_) => Some(token()?),
    };
    let paths = Paths::from_environment()?;
    Ok(in_runtime(converse(address, token, arguments.verbose, terminal, paths))??)
}

async fn converse(
    address: Address,
    token: Option<Token>,
    verbose: bool,
    terminal: Terminal,
    paths: Paths,
) -> Result<Exit, Fault> {
    let (reader, writer) = address.connect().await.map_err(|error| {
        Fault::new(format!("nobody listens at {address}: {error}"))
            .hint("`stepback debug --listen` says where it listens")
    })?;
    let (client, events, driver) = connect(reader, writer, refuse);
    tokio::task::spawn_local(driver);
    let painter = Painter::new(terminal.colour);
    let (lines, output) = Lines::open(terminal, painter, paths.history(), Completion::of(client.clone()));
    let screen = Screen::new(output, painter, verbose, None);
    let mut talk =
        Talk { client, events, lines, screen, colours: terminal.colour, last: None, manner: Manner::Visits };
    talk.begin(token).await?;
    Ok(match talk.talk().await {
        Ended::Left => {
            talk.screen
                .say_quietly("left", "  the job stands as it stood; `stepback attach` comes back to it");
            Exit::Success
        }
        Ended::Over(code) => match code {
            None | Some(0) => Exit::Success,
            Some(130) => Exit::Cancelled,
            Some(_) => Exit::JobFailed,
        },
    })
}

/// From the environment, else asked for: never an argument, which every program of this machine can see.
fn token() -> Result<Token, Fault> {
    if let Ok(token) = std::env::var(TOKEN_VARIABLE) {
        return Ok(Token::given(token));
    }
    let missing = || {
        Fault::new("a port wants the token that the debugger has shown")
            .hint(format!("put it into the variable {TOKEN_VARIABLE}"))
    };
    if !io::stdin().is_terminal() {
        return Err(missing());
    }
    let mut out = io::stderr();
    let asked = write!(out, "token: ").and_then(|()| out.flush());
    let mut line = String::new();
    asked.and_then(|()| io::stdin().lock().read_line(&mut line)).map_err(|_| missing())?;
    Ok(Token::given(line.trim()))
}

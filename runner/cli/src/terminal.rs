//! What stands at the other end of our output: a terminal or not, how wide, and whether it wants colours.
//!
//! Knows the streams and the environment's wishes (`NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE`); draws nothing.

use std::io::{self, IsTerminal as _};

use clap::ValueEnum;

/// Columns to use when nobody knows the width.
const DEFAULT_WIDTH: usize = 100;
/// Narrower than this nothing is laid out in columns any more.
const SMALLEST_WIDTH: usize = 40;

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColourChoice {
    /// On a terminal, unless `NO_COLOR` or `CLICOLOR=0` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What we know of our output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terminal {
    /// Standard output is a terminal.
    pub(crate) output: bool,
    /// Standard input is a terminal.
    pub(crate) input: bool,
    /// Colours are wanted on standard output.
    pub(crate) colour: bool,
    /// Colours are wanted on standard error.
    pub(crate) error_colour: bool,
    /// Columns.
    pub(crate) width: usize,
}

impl Terminal {
    /// Looks at the three streams.
    pub(crate) fn probe(choice: ColourChoice) -> Terminal {
        Terminal {
            output: io::stdout().is_terminal(),
            input: io::stdin().is_terminal(),
            colour: wanted(choice, || anstream::AutoStream::choice(&io::stdout())),
            error_colour: wanted(choice, || anstream::AutoStream::choice(&io::stderr())),
            width: width(),
        }
    }

    /// Nobody can be asked, and nothing is drawn.
    pub(crate) fn nobody() -> Terminal {
        Terminal { output: false, input: false, colour: false, error_colour: false, width: DEFAULT_WIDTH }
    }

    /// A person sits at both ends: questions can be asked.
    pub(crate) fn can_ask(&self) -> bool {
        self.input && self.output
    }
}

fn wanted(choice: ColourChoice, probe: impl FnOnce() -> anstream::ColorChoice) -> bool {
    match choice {
        ColourChoice::Always => true,
        ColourChoice::Never => false,
        ColourChoice::Auto => probe() != anstream::ColorChoice::Never,
    }
}

/// The columns of the terminal as they are now.
pub(crate) fn width() -> usize {
    rustix::termios::tcgetwinsize(io::stdout())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns > 0)
        .unwrap_or(DEFAULT_WIDTH)
        .max(SMALLEST_WIDTH)
}

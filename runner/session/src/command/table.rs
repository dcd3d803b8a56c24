//! All commands in one table: names, short forms, arguments, help, an example.
//!
//! Knows what commands are called and what they take; [`parse`](super::parse()) turns them into requests.

/// One command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// Short forms and other names, those of gdb first.
    pub aliases: &'static [&'static str],
    /// What it takes.
    pub argument: Argument,
    /// How that is written, for instance `[STEP]`; empty for nothing.
    pub usage: &'static str,
    /// Where it stands in the help.
    pub group: Group,
    /// One line.
    pub summary: &'static str,
    /// More, for `help COMMAND`.
    pub details: &'static str,
    /// A line that a person could type.
    pub example: &'static str,
}

/// What a command takes; completion goes by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Nothing.
    None,
    /// Nothing or a number.
    Count,
    /// Nothing or a step.
    Step,
    /// A step or a moment.
    StepOrMoment,
    /// Nothing or a moment.
    Moment,
    /// Nothing or two moments.
    TwoMoments,
    /// A place, and maybe a condition.
    Breakpoint,
    /// Nothing or the number of a breakpoint.
    BreakpointId,
    /// `on` or `off`.
    Switch,
    /// Nothing, `yes` or `no`.
    YesNo,
    /// `restart` or `leave-out`.
    Lanes,
    /// `NAME=VALUE`.
    Assignment,
    /// A name that can be removed.
    Variable,
    /// An expression.
    Expression,
    /// Something that changes: `env.X`, `steps.ID.outputs.NAME`, `job.status`, `file:PATH`.
    Key,
    /// A command line for the shell.
    Shell,
    /// Nothing or a command of this table.
    Command,
}

/// What commands are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Forwards.
    Forwards,
    /// Backwards.
    Backwards,
    /// Looking.
    Looking,
    /// Changing.
    Changing,
    /// Stopping.
    Stopping,
    /// The debugger itself.
    Debugger,
}

impl Group {
    /// All, in the order of the help.
    pub const ALL: [Group; 6] = [
        Group::Forwards,
        Group::Backwards,
        Group::Looking,
        Group::Changing,
        Group::Stopping,
        Group::Debugger,
    ];

    /// The heading in the help.
    pub fn heading(self) -> &'static str {
        match self {
            Group::Forwards => "Going on",
            Group::Backwards => "Going back",
            Group::Looking => "Looking",
            Group::Changing => "Changing and trying",
            Group::Stopping => "Stopping",
            Group::Debugger => "The debugger",
        }
    }
}

/// Every command, by group in the order of the help.
pub const ENTRIES: &[Entry] = &[
    Entry {
        name: "next",
        aliases: &["n"],
        argument: Argument::None,
        usage: "",
        group: Group::Forwards,
        summary: "run this step and stop before the next one",
        details: "A step whose condition is false is skipped, and the job stops after it all the same. An action is one step.",
        example: "next",
    },
    Entry {
        name: "step",
        aliases: &["s", "into"],
        argument: Argument::None,
        usage: "",
        group: Group::Forwards,
        summary: "the same, but into an action",
        details: "The steps of a composite action are stopped at one by one; other steps are run as `next` runs them.",
        example: "step",
    },
    Entry {
        name: "finish",
        aliases: &["out"],
        argument: Argument::None,
        usage: "",
        group: Group::Forwards,
        summary: "run until the action around this step is left",
        details: "Outside of actions it runs to the end of the job, or to what stops it.",
        example: "finish",
    },
    Entry {
        name: "continue",
        aliases: &["c", "cont"],
        argument: Argument::None,
        usage: "",
        group: Group::Forwards,
        summary: "run until something stops the job",
        details: "A breakpoint, a failed step (see `catch`), `pause`, or the end of the job. In the past this begins a new \
                  branch; what was there before is kept: see `timeline`.",
        example: "continue",
    },
    Entry {
        name: "goto",
        aliases: &["g", "jump"],
        argument: Argument::StepOrMoment,
        usage: "STEP|MOMENT",
        group: Group::Forwards,
        summary: "go to a step or a moment: forwards skips, backwards goes back",
        details: "A step is given by its number, id or name, a moment by its name in the timeline (m12).",
        example: "goto 3",
    },
    Entry {
        name: "rerun",
        aliases: &["again"],
        argument: Argument::None,
        usage: "",
        group: Group::Forwards,
        summary: "run the step again, from the state before it",
        details: "Its files, variables and outputs are put back first.",
        example: "rerun",
    },
    Entry {
        name: "back",
        aliases: &["rn", "reverse-next", "rs", "reverse-step"],
        argument: Argument::Count,
        usage: "[COUNT]",
        group: Group::Backwards,
        summary: "go back to before the step that ran last",
        details: "Files, variables and outputs are at once those of that moment. `return` undoes it; going on makes it final. With \
                  a count, that many times.",
        example: "back 2",
    },
    Entry {
        name: "reverse-continue",
        aliases: &["rc"],
        argument: Argument::None,
        usage: "",
        group: Group::Backwards,
        summary: "go back to the last breakpoint or failure, else to the start",
        details: "Nothing is run again: the recorded states are looked at.",
        example: "reverse-continue",
    },
    Entry {
        name: "return",
        aliases: &["ret"],
        argument: Argument::None,
        usage: "",
        group: Group::Backwards,
        summary: "leave the past: back to the newest moment, as it was",
        details: "An edit that was made in the past stays in the timeline, on a branch of its own.",
        example: "return",
    },
    Entry {
        name: "view",
        aliases: &["v"],
        argument: Argument::Moment,
        usage: "[MOMENT]",
        group: Group::Backwards,
        summary: "look at a moment without moving anything",
        details: "`print`, `env`, `outputs` and `log` answer as of that moment. Without a moment: look at the present again.",
        example: "view m3",
    },
    Entry {
        name: "timeline",
        aliases: &["tl"],
        argument: Argument::None,
        usage: "",
        group: Group::Backwards,
        summary: "all moments, branch by branch",
        details: "`goto MOMENT` goes to one, `view MOMENT` looks at one.",
        example: "timeline",
    },
    Entry {
        name: "when",
        aliases: &[],
        argument: Argument::Key,
        usage: "NAME|file:PATH",
        group: Group::Backwards,
        summary: "which steps changed something",
        details: "For instance env.VERSION, steps.build.outputs.tag, job.status or file:src/version.txt.",
        example: "when file:src/version.txt",
    },
    Entry {
        name: "steps",
        aliases: &["info"],
        argument: Argument::None,
        usage: "",
        group: Group::Looking,
        summary: "the steps, and where the job stands",
        details: "",
        example: "steps",
    },
    Entry {
        name: "list",
        aliases: &["l"],
        argument: Argument::Step,
        usage: "[STEP]",
        group: Group::Looking,
        summary: "the workflow file around a step",
        details: "Without a step: around the current one.",
        example: "list 2",
    },
    Entry {
        name: "log",
        aliases: &[],
        argument: Argument::Step,
        usage: "[STEP]",
        group: Group::Looking,
        summary: "what a step wrote",
        details: "Without a step: the current one.",
        example: "log test",
    },
    Entry {
        name: "print",
        aliases: &["p", "inspect"],
        argument: Argument::Expression,
        usage: "EXPRESSION",
        group: Group::Looking,
        summary: "the value of an expression",
        details: "As in `${{ }}`, with every context, and with the status functions. An expression that begins with a context needs no \
                  `print`.",
        example: "print steps.version.outputs.text",
    },
    Entry {
        name: "env",
        aliases: &["e"],
        argument: Argument::None,
        usage: "",
        group: Group::Looking,
        summary: "the environment, and what the last step changed in it",
        details: "",
        example: "env",
    },
    Entry {
        name: "outputs",
        aliases: &["o"],
        argument: Argument::None,
        usage: "",
        group: Group::Looking,
        summary: "the outputs of all steps",
        details: "",
        example: "outputs",
    },
    Entry {
        name: "why",
        aliases: &["w"],
        argument: Argument::None,
        usage: "",
        group: Group::Looking,
        summary: "why this step runs, or is skipped",
        details: "Its condition, with the value of every part.",
        example: "why",
    },
    Entry {
        name: "diff",
        aliases: &[],
        argument: Argument::TwoMoments,
        usage: "[MOMENT MOMENT] [all]",
        group: Group::Looking,
        summary: "files that the last step changed, or between two moments",
        details: "git's own files, in .git, are shown with `all` only; going back restores them in any case.",
        example: "diff m2 m5",
    },
    Entry {
        name: "status",
        aliases: &["st", "where", "bt"],
        argument: Argument::None,
        usage: "",
        group: Group::Looking,
        summary: "where the job stands, and which jobs have called it",
        details: "",
        example: "status",
    },
    Entry {
        name: "set",
        aliases: &[],
        argument: Argument::Assignment,
        usage: "NAME=VALUE",
        group: Group::Changing,
        summary: "change a variable, output, input or outcome",
        details: "env.NAME, steps.ID.outputs.NAME, steps.ID.outcome, inputs.NAME or job.status. Quotes around the value are left out.",
        example: "set env.VERSION=1.4.2",
    },
    Entry {
        name: "unset",
        aliases: &[],
        argument: Argument::Variable,
        usage: "env.NAME",
        group: Group::Changing,
        summary: "remove a variable",
        details: "",
        example: "unset env.DEBUG",
    },
    Entry {
        name: "shell",
        aliases: &["!", "sh"],
        argument: Argument::Shell,
        usage: "COMMAND",
        group: Group::Changing,
        summary: "run a command in the step's environment and directory",
        details: "Written `! COMMAND`. What it changes belongs to this moment: going back undoes it.",
        example: "! ls -l",
    },
    Entry {
        name: "try",
        aliases: &["t"],
        argument: Argument::Shell,
        usage: "COMMAND",
        group: Group::Changing,
        summary: "run a command on a copy of the workspace; it leaves no trace",
        details: "",
        example: "try make clean test",
    },
    Entry {
        name: "sync",
        aliases: &[],
        argument: Argument::None,
        usage: "",
        group: Group::Changing,
        summary: "take over what was changed in the repository since checkout",
        details: "For a fresh workspace: you edit in your own tree, `sync` brings it here.",
        example: "sync",
    },
    Entry {
        name: "keep",
        aliases: &[],
        argument: Argument::None,
        usage: "",
        group: Group::Changing,
        summary: "write the workspace's changes back to the repository as a patch",
        details: "",
        example: "keep",
    },
    Entry {
        name: "break",
        aliases: &["b", "br"],
        argument: Argument::Breakpoint,
        usage: "STEP|:LINE [if EXPRESSION]",
        group: Group::Stopping,
        summary: "stop before a step",
        details: "A step is given by its number, id or name, a line as :14 or ci.yml:14, a line of an action as build/action.yml:9. \
                  Without a place: the current step.",
        example: "break test if env.VERSION != ''",
    },
    Entry {
        name: "watch",
        aliases: &[],
        argument: Argument::Key,
        usage: "NAME|file:PATTERN [if EXPRESSION]",
        group: Group::Stopping,
        summary: "stop after a step that changed something; also backwards",
        details: "For instance env.VERSION, steps.build.outputs.tag, job.status, PATH or file:src/**.",
        example: "watch env.VERSION",
    },
    Entry {
        name: "breakpoints",
        aliases: &["bl"],
        argument: Argument::None,
        usage: "",
        group: Group::Stopping,
        summary: "all breakpoints",
        details: "",
        example: "breakpoints",
    },
    Entry {
        name: "delete",
        aliases: &["d"],
        argument: Argument::BreakpointId,
        usage: "[BREAKPOINT]",
        group: Group::Stopping,
        summary: "delete a breakpoint, or all",
        details: "",
        example: "delete 1",
    },
    Entry {
        name: "catch",
        aliases: &[],
        argument: Argument::Switch,
        usage: "[FILTER] on|off",
        group: Group::Stopping,
        summary: "whether a failed step stops the job (on at the start)",
        details: "FILTER is one of failed, continue-on-error, expression, cancelled, skipped; failed without one.",
        example: "catch skipped on",
    },
    Entry {
        name: "lanes",
        aliases: &[],
        argument: Argument::Lanes,
        usage: "restart|leave-out",
        group: Group::Forwards,
        summary: "what becomes of background steps that ran at this moment",
        details: "Their processes cannot be taken back to it. When the job goes on from here they start again from their own \
start, or are left out as if `cancel` had named them; going back to before they started is the third way.",
        example: "lanes leave-out",
    },
    Entry {
        name: "pause",
        aliases: &[],
        argument: Argument::None,
        usage: "",
        group: Group::Stopping,
        summary: "stop at the next stop point; again: freeze what runs",
        details: "On a terminal Ctrl-C does the same while the job runs.",
        example: "pause",
    },
    Entry {
        name: "cancel",
        aliases: &[],
        argument: Argument::Step,
        usage: "[STEP]",
        group: Group::Stopping,
        summary: "cancel the job as GitHub does, or a background step; again: kill",
        details: "Steps with always() and cancelled() still run. A background step ends as if a `cancel` step had named it.",
        example: "cancel",
    },
    Entry {
        name: "confirm",
        aliases: &["yes", "y"],
        argument: Argument::YesNo,
        usage: "[yes|no]",
        group: Group::Stopping,
        summary: "run a step again that reached outside the workspace",
        details: "Asked for before such a step runs a second time.",
        example: "confirm",
    },
    Entry {
        name: "help",
        aliases: &["h", "?"],
        argument: Argument::Command,
        usage: "[COMMAND]",
        group: Group::Debugger,
        summary: "this text, or more about a command",
        details: "A command may be cut short as long as it is the only one that begins so. # begins a comment.",
        example: "help back",
    },
    Entry {
        name: "quit",
        aliases: &["q", "exit"],
        argument: Argument::None,
        usage: "",
        group: Group::Debugger,
        summary: "leave; a job that is not over is cancelled",
        details: "",
        example: "quit",
    },
];

/// The command with this name or short form.
pub(super) fn exactly(word: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.name == word || entry.aliases.contains(&word))
}

/// The commands whose names begin so.
pub(super) fn beginning(word: &str) -> impl Iterator<Item = &'static Entry> {
    ENTRIES.iter().filter(move |entry| entry.name.starts_with(word))
}

//! What a debugger tells a terminal: step lines, stops, the output of shell commands.
//!
//! From events of DAP to text. Knows where the job stands as far as it was told; asks nothing.

use std::sync::Arc;

use dap_server::envelope::RawEvent;
use dap_server::protocol::Event;
use dap_server::protocol::breakpoint::Breakpoint;
use dap_server::protocol::custom::{STOP, StopBody};
use dap_server::protocol::output::OutputEvent;
use dap_server::protocol::sound::OutputEventCategory;
use session::wording::{Meaning, Painter, exit_of, shown};

use crate::output::Output;
use crate::output::json::JsonFace;

/// How lines of the log begin that repeat an exit code.
const ERROR_TAG: &str = "##[error]";

/// What is to be seen of the steps' own output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// Nothing: the line for a step that has ended says enough.
    Nothing,
    /// All of it.
    Everything,
    /// That of a shell command, without the line that says its exit code.
    Shell,
}

/// For a program, which hears of steps and stops by itself: what is left to be said.
pub(super) struct Voice {
    /// Writes events.
    pub(super) face: Arc<JsonFace>,
    /// The job's key.
    pub(super) job: String,
}

/// The terminal's view of one job.
pub(super) struct Screen {
    voice: Option<Voice>,
    output: Output,
    painter: Painter,
    verbose: bool,
    shown: Shown,
    prompt: String,
    /// Stops that were told.
    pub(super) stops: u32,
    /// `terminated` came, or the connection is closed.
    pub(super) over: bool,
    /// The job has come to its end and may be gone back from.
    pub(super) ended: bool,
    /// What `exited` said.
    pub(super) exit_code: Option<i64>,
    /// The person leaves: where the job stands is of no interest any more.
    pub(super) leaving: bool,
}

impl Screen {
    pub(super) fn new(output: Output, painter: Painter, verbose: bool, voice: Option<Voice>) -> Self {
        Self {
            voice,
            output,
            painter,
            verbose,
            shown: if verbose { Shown::Everything } else { Shown::Nothing },
            prompt: String::new(),
            stops: 0,
            over: false,
            ended: false,
            exit_code: None,
            leaving: false,
        }
    }

    /// `(build 3 ✗) `; nothing for a program.
    pub(super) fn prompt(&self) -> String {
        if self.voice.is_some() { String::new() } else { format!("({}) ", self.prompt) }
    }

    /// The prompt has changed without a stop.
    pub(super) fn set_prompt(&mut self, prompt: String) {
        self.prompt = prompt;
    }

    /// A shell command begins or ends: the output in between is its own.
    pub(super) fn shell_begins(&mut self, begins: bool) {
        self.shown = match (begins, self.verbose) {
            (true, _) => Shown::Shell,
            (false, true) => Shown::Everything,
            (false, false) => Shown::Nothing,
        };
    }

    /// Text for the person; for a program, as an event.
    pub(super) fn say(&self, event: &str, text: &str) {
        match &self.voice {
            Some(voice) => voice.face.event(event, serde_json::json!({"job": voice.job, "text": text})),
            None => self.output.write(text.as_bytes()),
        }
    }

    /// What a program hears of by itself.
    fn show(&self, text: &str) {
        if self.voice.is_none() {
            self.output.write(text.as_bytes());
        }
    }

    /// What is wrong, in the words of whoever refused it; lines after the first are hints.
    pub(super) fn say_error(&self, text: &str, hint: Option<&str>) {
        let sign = self.painter.paint(Meaning::Bad, "✗");
        let hint =
            hint.map_or_else(String::new, |hint| format!("  {}\n", self.painter.paint(Meaning::Quiet, hint)));
        self.say("refused", &format!("{sign} {text}\n{hint}"));
    }

    pub(super) fn say_quietly(&self, event: &str, text: &str) {
        self.say(event, &format!("{}\n", self.painter.paint(Meaning::Quiet, text)));
    }

    /// Takes an event; those that are of no interest to a terminal are passed over.
    pub(super) fn hear(&mut self, event: RawEvent) {
        if event.event == STOP {
            let body =
                event.body.as_deref().and_then(|body| serde_json::from_str::<StopBody>(body.get()).ok());
            return body.into_iter().for_each(|stop| self.stopped(stop));
        }
        match Event::decode(event) {
            Ok(Event::Output(output)) => self.output(&output),
            Ok(Event::Breakpoint(changed)) => self.breakpoint(&changed.breakpoint),
            Ok(Event::Exited(exited)) => self.exit_code = Some(exited.exit_code),
            Ok(Event::Terminated(_)) => self.over = true,
            _ => {}
        }
    }

    /// The action came in whose file it is.
    fn breakpoint(&self, breakpoint: &Breakpoint) {
        let Some(id) = breakpoint.id.filter(|_| !self.leaving) else { return };
        let file = breakpoint.source.as_ref().and_then(|source| source.path.as_deref()).unwrap_or_default();
        let line = breakpoint.line.map_or_else(String::new, |line| format!(":{line}"));
        let place = shown(&format!("{file}{line}"));
        let text = match &breakpoint.message {
            Some(reason) if !breakpoint.verified => format!("breakpoint {id} at {place}: {}", shown(reason)),
            _ => format!("breakpoint {id} is in force: {place}"),
        };
        self.show(&format!("{}\n", self.painter.paint(Meaning::Quiet, &text)));
    }

    fn stopped(&mut self, stop: StopBody) {
        self.stops += 1;
        self.ended = stop.ended;
        self.prompt = stop.prompt;
        // How a job ends that is left before its end is told by itself; one that was over is brought back to its end.
        if !self.leaving || stop.ended {
            self.show(&stop.text);
        }
    }

    fn output(&mut self, event: &OutputEvent) {
        match &event.category {
            Some(OutputEventCategory::Stdout) => self.step_output(event),
            Some(OutputEventCategory::Important) => {
                let text = event.output.strip_prefix("warning:").unwrap_or(&event.output);
                self.show(&format!("{}{text}", self.painter.paint(Meaning::Warning, "warning:")));
            }
            Some(OutputEventCategory::Stderr) => {
                let text =
                    event.output.strip_prefix(ERROR_TAG).unwrap_or(&event.output).trim_end_matches('\n');
                self.show(&format!("  {}\n", self.painter.paint(Meaning::Bad, text)));
            }
            _ => self.show(&event.output),
        }
    }

    fn step_output(&self, event: &OutputEvent) {
        match self.shown {
            Shown::Nothing => {}
            Shown::Everything => self.show(&event.output),
            Shown::Shell => {
                let is_exit =
                    |line: &&str| line.trim_end().strip_prefix(ERROR_TAG).and_then(exit_of).is_some();
                let lines: String =
                    event.output.split_inclusive('\n').filter(|line| !is_exit(line)).collect();
                self.show(&lines);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dap_server::protocol::output::OutputGroup;

    use crate::output::testing::Written;

    fn event(category: OutputEventCategory, group: Option<OutputGroup>, output: &str) -> RawEvent {
        let event =
            OutputEvent { category: Some(category), group, output: output.to_owned(), ..Default::default() };
        Event::Output(event).encode().unwrap()
    }

    fn check(shell: bool, events: Vec<RawEvent>, expected: &str) {
        let written = Written::default();
        let mut screen = Screen::new(written.output(), Painter::new(false), false, None);
        screen.shell_begins(shell);
        events.into_iter().for_each(|event| screen.hear(event));
        assert_eq!(written.text(), expected);
    }

    #[test]
    fn lines_of_the_debugger_are_shown_and_those_of_steps_are_not() {
        use OutputEventCategory::{Console, Important, Stderr, Stdout};
        let events = vec![
            event(Stdout, Some(OutputGroup::Start), "▸ 1 Test\n"),
            event(Stdout, None, "chatter\n"),
            event(Console, None, "✓ 1 Test\n"),
            event(Important, None, "warning: beware\n"),
            event(Stderr, None, "##[error]bad\n"),
        ];
        check(false, events, "✓ 1 Test\nwarning: beware\n  bad\n");
    }

    #[test]
    fn who_leaves_is_told_of_the_end_to_which_a_job_returns_and_of_no_other_stop() {
        let written = Written::default();
        let mut screen = Screen::new(written.output(), Painter::new(false), false, None);
        screen.leaving = true;
        for ended in [false, true] {
            let (text, prompt) = (format!("ended: {ended}\n"), String::new());
            let body = StopBody { text, prompt, moment: 1, rewound: false, ended };
            let body = Some(serde_json::value::to_raw_value(&body).unwrap());
            screen.hear(RawEvent { event: STOP.to_owned(), body });
        }
        assert_eq!(written.text(), "ended: true\n");
    }

    #[test]
    fn a_breakpoint_whose_action_has_come_is_told_in_one_line() {
        use dap_server::protocol::breakpoint::BreakpointEvent;
        use dap_server::protocol::sound::BreakpointEventReason;
        use dap_server::protocol::source::Source;
        let changed = |verified: bool| {
            let breakpoint = Breakpoint {
                id: Some(2),
                verified,
                message: (!verified).then(|| "no step of the job\u{1b}[2K is meant by this".to_owned()),
                source: Some(Source { path: Some("build/action.yml".to_owned()), ..Source::default() }),
                line: Some(9),
                ..Breakpoint::default()
            };
            let reason = BreakpointEventReason::Changed;
            Event::Breakpoint(BreakpointEvent { reason, breakpoint }).encode().unwrap()
        };
        check(false, vec![changed(true)], "breakpoint 2 is in force: build/action.yml:9\n");
        check(
            false,
            vec![changed(false)],
            "breakpoint 2 at build/action.yml:9: no step of the job is meant by this\n",
        );
    }

    #[test]
    fn a_shell_command_shows_all_of_its_output_but_not_its_exit_code() {
        use OutputEventCategory::Stdout;
        let events = vec![
            event(Stdout, Some(OutputGroup::StartCollapsed), "Files\n"),
            event(Stdout, None, "one\n"),
            event(Stdout, Some(OutputGroup::End), ""),
            event(Stdout, None, "two\n##[error]Process completed with exit code 2.\n"),
        ];
        check(true, events, "Files\none\ntwo\n");
    }
}

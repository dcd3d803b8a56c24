//! Lines of output from bytes to tags, commands and annotations.

use super::*;
use crate::annotation::Annotation;
use crate::limits::{LINE_COMMAND_BYTES, LINE_DISPLAY_BYTES};
use crate::mask::Origin;
use crate::matcher::Matcher;
use proptest::prelude::*;

/// Everything that came out, one entry each, in order.
#[derive(Default, PartialEq, Debug)]
struct Log {
    lines: Vec<String>,
    // Neighbouring plain lines as one text, so that batches compare equal to single lines.
    raw: Vec<(LineTag, Vec<u8>)>,
}

impl LineSink for Log {
    fn line(&mut self, tag: LineTag, text: &[u8]) {
        let continued = if tag == LineTag::Continued { "…" } else { "" };
        self.lines.push(format!("{continued}{}{}", tag.prefix(), String::from_utf8_lossy(text)));
        self.raw.push((tag, text.to_vec()));
    }

    fn command(&mut self, command: StepCommand) {
        self.lines.push(match command {
            StepCommand::SetOutput { name, value } => format!("! output {name}={value}"),
            StepCommand::SaveState { name, value } => format!("! state {name}={value}"),
            StepCommand::SetEnv { name, value } => format!("! env {name}={value}"),
            StepCommand::AddPath { path } => format!("! path {path}"),
            StepCommand::AddMatcher { file } => format!("! add-matcher {file}"),
            StepCommand::RemoveMatcher { owner } => format!("! remove-matcher {owner}"),
            StepCommand::RemoveMatchers { file } => format!("! remove-matchers {file}"),
            StepCommand::Failed { line, .. } => format!("! failed {line}"),
        });
    }

    fn annotation(&mut self, annotation: Annotation) {
        let location = annotation.location;
        let place = [location.line, location.end_line, location.column, location.end_column];
        let place = place.iter().flatten().map(i32::to_string).collect::<Vec<_>>().join(",");
        self.lines.push(format!(
            "@ {:?} {:?} file={} at={place} title={} code={}",
            annotation.level,
            annotation.message,
            annotation.file.unwrap_or_default(),
            annotation.title.unwrap_or_default(),
            annotation.code.unwrap_or_default(),
        ));
    }
}

fn matchers(json: &str) -> Matchers {
    let mut matchers = Matchers::default();
    matchers.add(Matcher::parse(format!(r#"{{"problemMatcher":[{json}]}}"#).as_bytes()).expect("valid"));
    matchers
}

struct Bench {
    processor: LineProcessor,
    masks: Masks,
    log: Log,
}

impl Bench {
    fn new(options: LineOptions, matchers: &Matchers) -> Self {
        let mut masks = Masks::default();
        masks.add("hunter2", Origin::Unnamed);
        Self { processor: LineProcessor::new(options, matchers), masks, log: Log::default() }
    }

    fn feed(&mut self, stream: Stream, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.processor.feed(stream, rest, &mut self.masks, &mut self.log);
            rest = &rest[taken..];
        }
    }

    fn finish(&mut self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            self.processor.finish(stream, &mut self.masks, &mut self.log);
        }
    }

    fn run(mut self, output: &str) -> Log {
        self.feed(Stream::Stdout, output.as_bytes());
        self.finish();
        self.log
    }
}

fn check_with(options: LineOptions, output: &str, expected: &[&str]) {
    let log = Bench::new(options, &Matchers::default()).run(output);
    assert_eq!(log.lines, expected, "{output:?}");
}

fn check(output: &str, expected: &[&str]) {
    check_with(LineOptions::default(), output, expected);
}

fn debugging() -> LineOptions {
    LineOptions { step_debug: true, ..LineOptions::default() }
}

#[test]
fn line_ends() {
    check("a\nb\r\nc\rd\n\n\r\n\re", &["a", "b", "c", "d", "", "", "", "e"]);
    check("a\r\r\nb\r", &["a", "", "b"]);
    check("", &[]);
    check("no end", &["no end"]);
}

#[test]
fn a_carriage_return_at_the_end_of_a_read_waits() {
    let mut bench = Bench::new(LineOptions::default(), &Matchers::default());
    bench.feed(Stream::Stdout, b"a\r");
    assert!(bench.log.lines.is_empty());
    bench.feed(Stream::Stdout, b"\nb\r");
    assert_eq!(bench.log.lines, ["a"]);
    bench.feed(Stream::Stdout, b"\rc");
    bench.finish();
    assert_eq!(bench.log.lines, ["a", "b", "", "c"]);
}

#[test]
fn streams_do_not_mix() {
    let mut bench = Bench::new(LineOptions::default(), &Matchers::default());
    bench.feed(Stream::Stdout, b"out ");
    bench.feed(Stream::Stderr, b"err 1\nerr ");
    bench.feed(Stream::Stdout, b"1\n");
    bench.feed(Stream::Stderr, b"2");
    bench.finish();
    assert_eq!(bench.log.lines, ["err 1", "out 1", "err 2"]);
}

#[test]
fn bytes_pass() {
    let mut bench = Bench::new(LineOptions::default(), &Matchers::default());
    bench.feed(Stream::Stdout, b"\xFF\0hunter2\xFE\nx\0\xFF\n");
    assert_eq!(bench.log.raw[0].1, b"\xFF\0***\xFE");
    assert_eq!(bench.log.raw[1].1, b"x\0\xFF");
}

#[test]
fn outputs_and_state() {
    check(
        "::set-output name=a::hunter2\n  ::SAVE-STATE name=b::x%0Ay\n",
        &["! output a=hunter2", "! state b=x\ny"],
    );
    check(
        "::set-output::hunter2\nnext",
        &[
            "##[error]Unable to process command '::set-output::***' successfully.",
            "@ Error \"Unable to process command '::set-output::***' successfully.\" file= at= title= code=",
            "##[error]Required field 'name' is missing in ##[set-output] command.",
            "@ Error \"Required field 'name' is missing in ##[set-output] command.\" file= at= title= code=",
            "! failed ::set-output::hunter2",
            "next",
        ],
    );
    let deprecating = LineOptions { deprecate_output_commands: true, ..LineOptions::default() };
    let log = Bench::new(deprecating, &Matchers::default()).run("::save-state name=a::1");
    assert!(log.lines[0].starts_with("##[warning]The `save-state` command is deprecated"), "{log:?}");
    assert_eq!(log.lines[2], "! state a=1");
}

#[test]
fn unsecure_commands() {
    let log =
        Bench::new(LineOptions::default(), &Matchers::default()).run("::set-env name=a::b\n::add-path::/x");
    assert!(log.lines[2].starts_with("##[error]The `set-env` command is disabled."), "{log:?}");
    assert!(log.lines[7].starts_with("##[error]The `add-path` command is disabled."), "{log:?}");
    let allowed = LineOptions { allow_unsecure_commands: true, ..LineOptions::default() };
    check_with(
        allowed,
        "::set-env name=a::b\n::add-path::/x\n::set-env name=node_options::x",
        &[
            "! env a=b",
            "! path /x",
            "##[error]Can't update NODE_OPTIONS environment variable using ::set-env:: command.",
            "@ Error \"Can't update NODE_OPTIONS environment variable using ::set-env:: command.\" file= at= title= code=",
        ],
    );
}

#[test]
fn masks_hold_from_the_next_line() {
    check("s3cret\n::add-mask::s3cret\ns3cret\nczNjcmV0\nplain\n", &["s3cret", "***", "***", "plain"]);
    check("::add-mask::one%0A two \none, two", &["***, ***"]);
    check(
        "::add-mask:: \nx",
        &[
            "##[warning]Can't add secret mask for empty string in ##[add-mask] command.",
            "@ Warning \"Can't add secret mask for empty string in ##[add-mask] command.\" file= at= title= code=",
            "x",
        ],
    );
    check_with(debugging(), "::add-mask::s3cret\ns3cret", &["::add-mask::***", "***"]);
    let mut bench = Bench::new(LineOptions::default(), &Matchers::default());
    bench.feed(Stream::Stdout, b"::add-mask::\xFFraw\n\xFFraw\n");
    assert_eq!(bench.log.lines, ["***"]);
}

#[test]
fn stop_commands() {
    check(
        "::stop-commands::longtoken\n::set-output name=a::b\n::LongToken::\n::set-output name=a::b",
        &["::stop-commands::***", "::set-output name=a::b", "::LongToken::", "! output a=b"],
    );
    check_with(
        debugging(),
        "::stop-commands::tok\n::error::x\n##[tok]",
        &[
            "::stop-commands::tok",
            "##[debug]Paused processing commands until the token you called ::stopCommands:: with is received",
            "##[debug]Process commands has been stopped and waiting for '##[tok]' to resume.",
            "::error::x",
            "##[tok]",
            "##[debug]Resume processing commands",
        ],
    );
    for token in ["", "pause-logging", "Add-Mask", "stop-commands"] {
        let line = format!("::stop-commands::{token}\n::set-output name=a::b");
        let log = Bench::new(LineOptions::default(), &Matchers::default()).run(&line);
        assert!(log.lines[0].starts_with("##[error]You cannot use a endToken"), "{log:?}");
        assert_eq!(log.lines[2..], [format!("! failed ::stop-commands::{token}"), "! output a=b".to_owned()]);
    }
    let allowed = LineOptions { allow_unsecure_stop_tokens: true, ..LineOptions::default() };
    check_with(allowed, "::stop-commands::echo\n::echo::on", &["::stop-commands::echo", "::echo::on"]);
}

#[test]
fn echo_groups_and_debug() {
    check(
        "::echo::on\n::set-output name=a::b\n::echo:: OFF \n::set-output name=a::b\n::debug::x",
        &["::set-output name=a::b", "! output a=b", "::echo:: OFF ", "! output a=b"],
    );
    check("::group::build hunter2\nx\n::endgroup::ignored", &["##[group]build ***", "x", "##[endgroup]"]);
    check("##[group]a", &["##[group]a"]);
    check_with(debugging(), "::debug::a%0D%0Ab", &["##[debug]a", "##[debug]b"]);
    let log = Bench::new(LineOptions::default(), &Matchers::default()).run("::echo::maybe");
    assert_eq!(
        log.lines[2],
        "##[error]Invalid echo command value. Possible values can be: 'on', 'off'. Current value is: 'maybe'."
    );
}

#[test]
fn annotations() {
    let options = LineOptions {
        workspace: Some("/w".into()),
        repository: Some("me/it".into()),
        ..LineOptions::default()
    };
    check_with(
        options,
        "::error file=/w/src/a.rs,line=1,col=2,title=hunter2::bad%0Aworse hunter2\n::warning file=b::\n::notice::n",
        &[
            "##[error]bad",
            "worse ***",
            "@ Error \"bad\\nworse ***\" file=src/a.rs at=1,2 title=*** code=",
            "@ Warning \"\" file=b at= title= code=",
            "##[notice]n",
            "@ Notice \"n\" file= at= title= code=",
        ],
    );
    let plain = LineOptions { enhanced_annotations: false, ..LineOptions::default() };
    check_with(plain, "::notice::n", &["::notice::n"]);
    let log = Bench::new(LineOptions::default(), &Matchers::default()).run(&"::error::x\n".repeat(12));
    assert_eq!(log.lines.iter().filter(|line| line.starts_with('@')).count(), 10);
    assert_eq!(log.lines.iter().filter(|line| *line == "##[error]x").count(), 12);
}

#[test]
fn composite_markers_are_defused() {
    check("x ##[start-action a]##[end-action b]", &["x ##[\\start-action a]##[\\end-action b]"]);
}

const SIMPLE: &str = r#"{"owner":"a","pattern":[{"regexp":"^(error|warning|odd): ([^:]+):?(\\w*):?(\\w*)$","severity":1,"message":2,"line":3,"code":4}]}"#;

#[test]
fn matchers_turn_lines_into_annotations() {
    let log = Bench::new(debugging(), &matchers(SIMPLE))
        .run("error: bad hunter2:12:E1\nodd: x\nwarning: y:z\n\x1B[1m\x1B[31merror: \x1B[0mcoloured\x1B[K\n");
    assert_eq!(
        log.lines,
        [
            "##[error]error: bad ***:12:E1",
            "@ Error \"bad ***\" file= at=12 title= code=E1",
            "##[debug]Skipped logging an issue for the matched line because the severity 'odd' is not supported.",
            "odd: x",
            "##[debug]Unable to parse line number 'z'",
            "##[warning]warning: y:z",
            "@ Warning \"y\" file= at= title= code=",
            "##[error]error: coloured",
            "@ Error \"coloured\" file= at= title= code=",
        ]
    );
}

#[test]
fn a_matcher_that_takes_too_long_is_removed() {
    let slow = r#"{"owner":"slow","pattern":[{"regexp":"^(a|a|aa)+\\1b(?!c)$","message":0}]}"#;
    let log = Bench::new(LineOptions::default(), &matchers(slow)).run(&format!("{0}\n{0}\n", "a".repeat(60)));
    let warning = "Removing issue matcher 'slow'. Matcher failed 3 times. Error: the pattern takes too long on this line";
    let line = "a".repeat(60);
    let expected = [
        format!("##[warning]{warning}"),
        format!("@ Warning {warning:?} file= at= title= code="),
        line.clone(),
        line,
    ];
    assert_eq!(log.lines, expected);
}

#[test]
fn feeding_pauses_where_matchers_change() {
    let mut bench = Bench::new(LineOptions::default(), &Matchers::default());
    let output = b"error: x\n::add-matcher::m.json\nerror: x\n::remove-matcher owner=a::\nerror: x\n";
    let taken = bench.processor.feed(Stream::Stdout, output, &mut bench.masks, &mut bench.log);
    assert!(output[taken..].starts_with(b"error: x\n::remove"));
    bench.processor.set_matchers(&matchers(SIMPLE));
    let more = bench.processor.feed(Stream::Stdout, &output[taken..], &mut bench.masks, &mut bench.log);
    bench.processor.set_matchers(&Matchers::default());
    bench.feed(Stream::Stdout, &output[taken + more..]);
    assert_eq!(
        bench.log.lines,
        [
            "error: x",
            "! add-matcher m.json",
            "##[error]error: x",
            "@ Error \"x\" file= at= title= code=",
            "! remove-matcher a",
            "error: x",
        ]
    );
    check("::remove-matcher::m.json", &["! remove-matchers m.json"]);
}

#[test]
fn long_lines_come_in_pieces_with_secrets_masked_across_them() {
    for offset in 0..=8 {
        let line =
            format!("{}hunter2{}", "x".repeat(LINE_DISPLAY_BYTES - offset), "y".repeat(LINE_DISPLAY_BYTES));
        let expected = line.replace("hunter2", "***");
        for split in [1, 4096, 65_536, 1_000_000] {
            let mut bench = Bench::new(LineOptions::default(), &Matchers::default());
            for read in format!("{line}\nnext\n").as_bytes().chunks(split) {
                bench.feed(Stream::Stdout, read);
            }
            bench.finish();
            let text: String = bench.log.lines.concat().replace('…', "");
            assert_eq!(text, format!("{expected}next"), "offset {offset} split {split}");
            assert_eq!(bench.log.raw[1].0, LineTag::Continued);
            assert!(bench.log.raw.iter().all(|(_, piece)| piece.len() <= LINE_DISPLAY_BYTES + 8));
        }
    }
}

#[test]
fn memory_stays_flat_on_a_line_without_end() {
    let mut bench = Bench::new(LineOptions::default(), &Matchers::default());
    let mut longest = 0;
    for _ in 0..200 {
        bench.feed(Stream::Stdout, &[b'a'; 65_536]);
        let shown = format!("{:?}", bench.processor.stdout);
        let held = shown
            .rsplit("held_bytes: ")
            .next()
            .and_then(|text| text.split(|c: char| !c.is_ascii_digit()).next());
        longest = longest.max(held.and_then(|text| text.parse::<usize>().ok()).expect("a number"));
        bench.log = Log::default();
    }
    assert!((1..=2 * LINE_DISPLAY_BYTES).contains(&longest), "{longest}");
}

#[test]
fn commands_may_be_longer_than_a_displayed_line() {
    for (length, is_command) in
        [(200_000, true), (LINE_COMMAND_BYTES - 22, true), (LINE_COMMAND_BYTES - 21, false)]
    {
        let value = "v".repeat(length);
        let line = format!("::set-output name=abc::{value}");
        for split in [1000, 65_536, 2_000_000] {
            let mut bench = Bench::new(LineOptions::default(), &Matchers::default());
            for read in format!("{line}\nnext\n").as_bytes().chunks(split) {
                bench.feed(Stream::Stdout, read);
            }
            bench.finish();
            let first = &bench.log.lines[0];
            assert_eq!(
                first.starts_with("! output abc=v"),
                is_command && line.len() <= LINE_COMMAND_BYTES,
                "{length} {split}"
            );
            assert_eq!(bench.log.lines.last().map(String::as_str), Some("next"));
        }
    }
}

#[test]
fn debug_shows_no_output() {
    let mut bench = Bench::new(LineOptions::default(), &matchers(SIMPLE));
    bench.feed(Stream::Stdout, b"::stop-commands::tokentoken\nunfinished hunter2");
    let shown = format!("{:?}", bench.processor);
    assert!(!shown.contains("hunter2") && !shown.contains("tokentoken"), "{shown}");
}

const TWO_LINES: &str = r#"{"owner":"b","pattern":[{"regexp":"^in (\\S+)$","file":1},{"regexp":"^  (.+)$","message":1,"loop":true}]}"#;

fn outputs() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = vec![
        b"plain text\n",
        b"\n",
        b"\r",
        b"\r\n",
        b"x",
        b" ",
        b"  indented\n",
        b"in file\n",
        b"hunter2",
        b"aHVudGVyMg==",
        b"\xFF",
        b"::set-output name=a::b\n",
        b"::add-mask::lain\n",
        b"::group::g",
        b"##[error]e\n",
        b"a ::error::no\n",
        b"::stop-commands::tok\n",
        b"::tok::\n",
        b"::add-matcher::f\n",
        b"::debug::d\n",
        b"::",
        b"##[",
        b"std::vec\n",
        b"error: bad\n",
        b"\xE2\x80\x83::notice::n\n",
    ];
    proptest::collection::vec(proptest::sample::select(pieces), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn reads_may_split_anywhere(
        output in outputs(),
        cuts in proptest::collection::vec(0usize..200, 0..12),
        with_matchers: bool,
        step_debug: bool,
    ) {
        let set = if with_matchers { matchers(&format!("{SIMPLE},{TWO_LINES}")) } else { Matchers::default() };
        let options = LineOptions { step_debug, ..LineOptions::default() };
        let mut whole = Bench::new(options.clone(), &set);
        whole.feed(Stream::Stdout, &output);
        whole.finish();
        let mut parts = Bench::new(options, &set);
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(output.len())).collect();
        cuts.extend([0, output.len()]);
        cuts.sort_unstable();
        for pair in cuts.windows(2) {
            parts.feed(Stream::Stdout, &output[pair[0]..pair[1]]);
        }
        parts.finish();
        prop_assert_eq!(&whole.log, &parts.log);
        prop_assert_eq!(whole.processor.clone(), whole.processor);
        for line in &whole.log.lines {
            let leaked = line.contains("hunter2") && !line.starts_with('!');
            prop_assert!(!leaked, "{}", line);
        }
    }
}

//! Typed lines turned into requests, completions and hints.

use engine::event::LaneChoice;
use engine::expr::Value;
use engine::step_path::{LaneId, StepPath};

use super::*;
use crate::breakpoint::{ActionFile, BreakpointId, BreakpointSpec, Location};
use crate::exception::ExceptionFilter;
use crate::key::Key;
use crate::moment::MomentId;
use crate::request::{Request, Target};

fn known() -> Known {
    let step = |number: u32, id: Option<&str>, name: &str| KnownStep {
        path: StepPath::main(number - 1),
        number,
        id: id.map(Into::into),
        name: name.into(),
        current: number == 2,
    };
    let mut known = Known::default();
    known.steps = vec![
        step(1, None, "Checkout"),
        step(2, Some("test"), "Run tests"),
        step(3, None, "Run linter"),
        step(4, Some("pack"), "Package"),
    ];
    known.moments = (0..3).map(MomentId).collect();
    known.breakpoints = vec![BreakpointId(7)];
    let set =
        |known: &mut Known, name: &str, json: &str| known.set_context(name, &Value::from_json(json).unwrap());
    set(&mut known, "env", "{VERSION: 1, VERBOSE: 1, HOME: 1}");
    set(&mut known, "steps", "{test: {outputs: {report: 1}, outcome: 'success'}}");
    known
}

fn asks(line: &str, expected: Request) {
    assert_eq!(parse(line, &known()), Ok(Command::Ask(expected)), "{line}");
}

/// The error and its hint.
fn refuses(line: &str, expected: &str) {
    let error = parse(line, &known()).expect_err(line);
    let shown = match &error.hint {
        Some(hint) => format!("{error} | {hint}"),
        None => error.to_string(),
    };
    assert_eq!(shown, expected, "{line}");
}

fn step(index: u32) -> StepPath {
    StepPath::main(index)
}

#[test]
fn names_short_forms_and_beginnings_mean_the_same() {
    for line in ["continue", "c", "cont", "  conti  "] {
        asks(line, Request::Continue);
    }
    asks("n", Request::Next);
    asks("s", Request::StepIn);
    asks("out", Request::StepOut);
    asks("rc", Request::ReverseContinue);
    asks("time", Request::Timeline);
    asks("q", Request::Quit);
    refuses("re", "`re` is not the beginning of one command | rerun, reverse-continue, return?");
    refuses("contineu", "there is no command `contineu` | did you mean `continue`?");
    refuses("next 5", "`next` takes nothing behind it");
}

#[test]
fn nothing_is_nothing() {
    for line in ["", "   ", "# a comment"] {
        assert_eq!(parse(line, &known()), Ok(Command::Nothing));
    }
}

#[test]
fn going_back_takes_a_count_and_goto_a_place() {
    asks("back", Request::Back { steps: 1 });
    asks("rn 3", Request::Back { steps: 3 });
    refuses(
        "back test",
        "`test` is not a count of steps | `goto test` goes to a step by its number, id or name",
    );
    refuses("back 0", "`0` is not a count of steps | `goto 0` goes to a step by its number, id or name");
    asks("goto 3", Request::Goto(Target::Step(step(2))));
    asks("g TEST", Request::Goto(Target::Step(step(1))));
    asks("goto run linter", Request::Goto(Target::Step(step(2))));
    asks("goto check", Request::Goto(Target::Step(step(0))));
    asks("goto m12", Request::Goto(Target::Moment(MomentId(12))));
    refuses(
        "goto run",
        "`run` could be more than one step | 2 Run tests or 3 Run linter, for instance: use the number",
    );
    refuses("goto 9", "there is no step `9` | the job has 4 steps: `steps` lists them");
    refuses("goto tset", "there is no step `tset` | did you mean `test`?");
    refuses("goto", "`goto` needs something behind it | usage: goto STEP|MOMENT   for instance: goto 3");
}

#[test]
fn moments_have_names() {
    asks("view m2", Request::View(Some(MomentId(2))));
    asks("view", Request::View(None));
    asks("view off", Request::View(None));
    refuses("view 2", "`2` is not a moment | moments are called m0, m1, …: `timeline` lists them");
    let two = Some((MomentId(1), MomentId(2)));
    asks("diff m1 M2", Request::Diff { between: two, all: false });
    asks("diff m1 m2 all", Request::Diff { between: two, all: true });
    asks("diff", Request::Diff { between: None, all: false });
    asks("diff ALL", Request::Diff { between: None, all: true });
    refuses("diff m1", "`diff` takes two moments, or nothing | for instance: diff m2 m5");
}

#[test]
fn breakpoints_are_steps_or_lines_with_conditions() {
    let at = |location: Location, condition: Option<&str>| {
        Request::Break(BreakpointSpec {
            condition: condition.map(Into::into),
            ..BreakpointSpec::at(location)
        })
    };
    asks("break 3", at(Location::Step("3".into()), None));
    asks("b pack", at(Location::Step("4".into()), None));
    asks("b", at(Location::Step("2".into()), None));
    asks("b if failure()", at(Location::Step("2".into()), Some("failure()")));
    asks("b :14", at(Location::Line(14), None));
    asks("b ci.yml:14 if env.X == '1'", at(Location::Line(14), Some("env.X == '1'")));
    let manifest =
        |path: &str, line| Location::ActionLine(ActionFile::new(path.as_ref(), None).unwrap(), line);
    asks("b build/action.yml:9", at(manifest("build/action.yml", 9), None));
    asks("b ./action.yaml:9 if inputs.a", at(manifest("action.yaml", 9), Some("inputs.a")));
    refuses("b nowhere", "there is no step `nowhere` | `steps` lists them");
    let error = parse("b 3 if env.X ==", &known()).unwrap_err();
    assert!(error.text.contains("Unexpected end of expression"), "{error}");
    asks("delete 7", Request::DeleteBreakpoint(BreakpointId(7)));
    asks("delete", Request::SetBreakpoints { kind: None, specs: Vec::new() });
    refuses("delete test", "`test` is not a breakpoint's number | `breakpoints` lists them");
    asks("catch skipped on", Request::Catch(ExceptionFilter::Skipped, true));
    let watched = Location::Change(Key::Env("A".into()));
    asks("watch env.A", Request::Break(BreakpointSpec::at(watched.clone())));
    let condition = Some("env.A == 'x'".into());
    asks(
        "watch env.A if env.A == 'x'",
        Request::Break(BreakpointSpec { condition, ..BreakpointSpec::at(watched) }),
    );
    asks("cancel", Request::Cancel);
    asks("cancel test", Request::CancelLane(LaneId(2)));
    asks("lanes leave-out", Request::Lanes(LaneChoice::LeaveOut));
    asks("lanes restart", Request::Lanes(LaneChoice::Restart));
    refuses(
        "lanes both",
        "`both` is neither restart nor leave-out | usage: lanes restart|leave-out   for instance: lanes leave-out",
    );
    asks("catch off", Request::Catch(ExceptionFilter::Failed, false));
    refuses(
        "catch maybe",
        "`maybe` is neither on nor off | usage: catch [FILTER] on|off   for instance: catch skipped on",
    );
    asks("confirm no", Request::Confirm(false));
    asks("yes", Request::Confirm(true));
}

#[test]
fn expressions_need_no_command() {
    let print = |text: &str| Request::Print(text.into());
    asks("p env.VERSION", print("env.VERSION"));
    asks("print ${{ env.VERSION }}", print("env.VERSION"));
    asks("env.VERSION == '1'", print("env.VERSION == '1'"));
    asks("toJSON(github)", print("toJSON(github)"));
    asks("${{ matrix.os }}", print("matrix.os"));
    asks("github", print("github"));
    asks("env", Request::Env);
    refuses("env.VERSION=2", "an expression cannot assign | set env.VERSION=2");
    refuses(
        "print",
        "`print` needs something behind it | usage: print EXPRESSION   for instance: print steps.version.outputs.text",
    );
    let error = parse("p env.", &known()).unwrap_err();
    assert!(!error.text.is_empty());
}

#[test]
fn what_can_be_set_is_checked() {
    let set =
        |name: &str, value: Option<&str>| Request::Set { name: name.into(), value: value.map(Into::into) };
    asks("set env.A=b=c", set("env.A", Some("b=c")));
    asks("set env.A = \"two words \"", set("env.A", Some("two words ")));
    asks("set steps.test.outputs.x=1", set("steps.test.outputs.x", Some("1")));
    asks("set job.status=failure", set("job.status", Some("failure")));
    asks("set env.A=", set("env.A", Some("")));
    asks("unset env.A", set("env.A", None));
    refuses("set VERSION=1", "`VERSION` cannot be set | set env.VERSION=…");
    refuses("set env.A", "`set` needs NAME=VALUE | unset env.A");
    refuses(
        "set github.sha=1",
        "`github.sha` cannot be set | env.NAME, steps.ID.outputs.NAME, steps.ID.outcome, inputs.NAME and job.status can",
    );
    refuses("unset github.sha", "`github.sha` cannot be removed | only variables can: unset env.NAME");
}

#[test]
fn shell_commands_are_taken_as_they_are() {
    let shell = |text: &str| Request::Shell { command: text.into() };
    asks("! ls -l | wc", shell("ls -l | wc"));
    asks("!ls", shell("ls"));
    asks("sh  echo 'a  b'", shell("echo 'a  b'"));
    asks("try make test", Request::Try { command: "make test".into() });
    refuses("!", "`!` needs a command line behind it | for instance: ! ls -l");
}

#[test]
fn changes_are_asked_for_by_name() {
    asks("when file:src/a b.rs", Request::When("file:src/a b.rs".into()));
    asks("when job.status", Request::When("job.status".into()));
    refuses(
        "when x",
        "cannot tell when `x` changed | usage: when NAME|file:PATH   for instance: when file:src/version.txt",
    );
    asks("log test", Request::Log(Some(step(1))));
    asks("l", Request::Source(None));
}

#[test]
fn every_command_has_help_and_an_example_that_works() {
    let all = help(None).unwrap();
    let mut names = std::collections::BTreeSet::new();
    let mut job = known();
    job.steps.push(KnownStep {
        id: Some("version".into()),
        number: 5,
        path: step(4),
        name: "v".into(),
        current: false,
    });
    for entry in ENTRIES {
        assert!(all.contains(entry.summary), "{}", entry.name);
        assert!(help(Some(entry.name)).unwrap().contains(entry.example), "{}", entry.name);
        assert!(parse(entry.example, &job).is_ok(), "{}", entry.example);
        for name in [entry.name].iter().chain(entry.aliases) {
            assert!(names.insert(*name), "`{name}` is taken twice");
        }
    }
    assert!(
        matches!(parse("help back", &job), Ok(Command::Help(text)) if text.starts_with("back [COUNT]\n"))
    );
    assert!(matches!(parse("?b", &job), Ok(Command::Help(text)) if text.starts_with("break ")));
    refuses(
        "help nothing",
        "there is no command `nothing` | `help` lists the commands, `print` evaluates an expression, `!` runs a shell command",
    );
}

/// Where the word starts and the candidates; `|` is the cursor.
fn completes(line: &str, start: usize, expected: &[&str]) {
    let cursor = line.find('|').expect("a cursor");
    let found = complete(&line.replace('|', ""), cursor, &known());
    let texts: Vec<&str> = found.candidates.iter().map(|candidate| candidate.text.as_str()).collect();
    assert_eq!((found.start, texts.as_slice()), (start, expected), "{line}");
}

#[test]
fn completion_knows_commands_steps_contexts_and_keys() {
    completes("ret|", 0, &["return"]);
    completes("  tim|", 2, &["timeline"]);
    completes("goto t|", 5, &["test"]);
    completes("goto m|", 5, &["m2", "m1", "m0"]);
    completes("log |", 4, &["1", "test", "3", "pack"]);
    completes("diff m1 m|", 8, &["m2", "m1", "m0"]);
    completes("print env.V|", 6, &["env.VERSION", "env.VERBOSE"]);
    completes("env.ver|", 0, &["env.VERSION", "env.VERBOSE"]);
    completes("p steps.test.outputs.|", 2, &["steps.test.outputs.report"]);
    completes("p contains(env.H|", 11, &["env.HOME"]);
    completes("p toJ|", 2, &["toJSON("]);
    completes("p 'env.V|", 3, &[]);
    completes("set env.H|", 4, &["env.HOME"]);
    completes("set g|", 4, &[]);
    completes("set env.HOME=e|", 4, &[]);
    completes("unset env.VERB|", 6, &["env.VERBOSE"]);
    completes("when f|", 5, &["file:"]);
    completes("when steps.te|", 5, &["steps.test"]);
    completes("break pa|", 6, &["pack"]);
    completes("break 2 if env.H|", 11, &["env.HOME"]);
    completes("delete |", 7, &["7"]);
    completes("catch o|", 6, &["on", "off"]);
    completes("help ba|", 5, &["back"]);
    completes("! ls|", 4, &[]);
    completes("n|ext", 0, &["next", "needs"]);
}

#[test]
fn completion_never_trips_over_any_cursor() {
    let line = "print steps.tést.outputs['x'] == env.";
    for cursor in 0..=line.len() + 2 {
        let found = complete(line, cursor, &known());
        assert!(found.start <= line.len());
    }
}

#[test]
fn hints_say_what_comes_next() {
    let check =
        |line: &str, expected: Option<&str>| assert_eq!(hint(line, &known()).as_deref(), expected, "{line}");
    check("conti", Some("nue"));
    check("goto", Some(" STEP|MOMENT"));
    check("goto ", Some("STEP|MOMENT"));
    check("goto te", Some("st"));
    check("re", None);
    check("next", None);
    check("p env.HO", Some("ME"));
    check("! l", None);
}

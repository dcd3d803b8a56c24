//! Edits: at the newest moment, in the past, and by a person's own editor.

use session::moment::BranchId;
use session::request::{Reply, Request};

use super::{BACK, Case, before, moment};
use crate::debugger::block_on;

fn shell(command: &str) -> Request {
    Request::Shell { command: command.to_owned() }
}

#[test]
fn an_edit_at_the_newest_moment_makes_no_branch() {
    block_on(async {
        let mut case = Case::start().await;
        case.to(Request::Next).await;
        case.debugger.set("env.X", Some("1")).await;
        case.debugger.set("steps.make.outputs.v", Some("edited")).await;
        let all = case.edits().await;
        assert_eq!(
            all.iter().map(|edit| (edit.1, edit.2.as_str())).collect::<Vec<_>>(),
            [(1, "set env.X=1"), (1, "set steps.make.outputs.v=edited")]
        );
        let stop = case.to(Request::Next).await;
        assert_eq!((stop.point, stop.branch, stop.edited), (before(2), BranchId(1), false));
        assert_eq!(case.debugger.print("format('{0} {1}', env.X, steps.make.outputs.v)").await, "1 edited");
    });
}

#[test]
fn an_edit_in_the_past_belongs_to_a_branch_that_return_leaves_and_keeps() {
    block_on(async {
        let mut case = Case::start().await;
        case.to(Request::Next).await;
        let newest = case.to(Request::Next).await;
        case.to(BACK).await;
        case.debugger.set("env.X", Some("1")).await;
        case.write("by-hand", "text");
        let Reply::Stop(_) = case.debugger.ask(Request::Status).await else { panic!() };

        let stop = case.to(Request::Return).await;
        assert_eq!((stop.moment, stop.branch, stop.rewound), (newest.moment, BranchId(1), false));
        assert_eq!(case.debugger.print("env.X").await, "null");
        assert_eq!((case.read("by-hand"), case.log().as_str()), (None, "12"));
        let all = case.edits().await;
        let kinds: Vec<(u32, &str)> = all.iter().map(|edit| (edit.1, edit.2.as_str())).collect();
        assert_eq!(kinds, [(2, "set env.X=1"), (2, "files changed from outside")]);

        // The way to what was tried is still open.
        let stop = case.to(moment(all[1].0)).await;
        assert_eq!((stop.point, stop.rewound), (before(1), true));
        assert_eq!(case.debugger.print("env.X").await, "1");
        assert_eq!((case.read("by-hand").as_deref(), case.log().as_str()), (Some("text"), "1"));
        let stop = case.to(Request::Next).await;
        assert!(stop.branch != BranchId(1) && !stop.rewound);
        assert_eq!(case.log(), "12");
    });
}

#[test]
fn an_edit_in_the_past_becomes_real_when_the_job_goes_on() {
    block_on(async {
        let mut case = Case::start().await;
        case.to(Request::Next).await;
        case.to(Request::Next).await;
        case.to(BACK).await;
        case.debugger.set("env.X", Some("1")).await;
        let Reply::Stop(stop) = case.debugger.ask(Request::Status).await else { panic!() };
        assert!(stop.rewound && stop.edited, "{stop:?}");
        let stop = case.to(Request::Next).await;
        assert_eq!((stop.branch, stop.rewound, stop.edited), (BranchId(2), false, false));
        assert_eq!(case.debugger.print("env.X").await, "1");
        assert!(case.debugger.refused(Request::Return).await.contains("newest moment already"));
    });
}

#[test]
fn a_file_changed_while_the_job_stands_is_an_edit() {
    block_on(async {
        let mut case = Case::start().await;
        case.to(Request::Next).await;
        case.write("log", "by hand ");
        let stop = case.to(Request::Next).await;
        assert_eq!((stop.branch, case.log().as_str()), (BranchId(1), "by hand 2"));
        let all = case.edits().await;
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!((all[0].1, all[0].2.as_str()), (1, "1 file changed from outside"));
        // Back to it, and to before it.
        case.to(BACK).await;
        assert_eq!(case.log(), "by hand ");
        let stop = case.to(moment(all[0].0 - 1)).await;
        assert_eq!((stop.point, case.log().as_str()), (before(1), "1"));
    });
}

/// What a person wrote is there again after going back and returning, though nothing had recorded it before.
#[test]
fn going_back_loses_nothing_that_was_written_by_hand() {
    block_on(async {
        let mut case = Case::start().await;
        case.to(Request::Next).await;
        case.write("notes", "mine");
        case.to(BACK).await;
        assert_eq!((case.read("notes"), case.log().as_str()), (None, ""));
        case.write("notes", "mine, too");
        case.to(Request::Return).await;
        assert_eq!((case.read("notes").as_deref(), case.log().as_str()), (Some("mine"), "1"));
        let all = case.edits().await;
        assert_eq!(all.iter().map(|edit| edit.1).collect::<Vec<_>>(), [1, 2], "{all:?}");
        case.to(moment(all[1].0)).await;
        assert_eq!(case.read("notes").as_deref(), Some("mine, too"));
    });
}

#[test]
fn a_shell_command_is_an_edit_only_if_it_changed_something() {
    block_on(async {
        let mut case = Case::start().await;
        case.to(Request::Next).await;
        let Reply::Shell(reply) = case.debugger.ask(shell("exit 3")).await else { panic!() };
        assert_eq!((reply.exit_code, reply.changed.len()), (3, 0));
        assert_eq!(case.edits().await, []);
        let Reply::Shell(reply) = case.debugger.ask(shell("write made x\nvariable SHELL_SET y")).await else {
            panic!()
        };
        assert_eq!(reply.changed, ["made", "env.SHELL_SET"]);
        assert_eq!(case.edits().await.len(), 1);
        assert_eq!(case.debugger.print("env.SHELL_SET").await, "y");
        let stop = case.to(Request::Next).await;
        assert_eq!((stop.branch, case.edits().await.len()), (BranchId(1), 1));
    });
}

/// A command under way belongs to the moment at which it was started: nothing moves until it is over.
#[test]
fn nothing_moves_under_a_running_shell_command() {
    block_on(async {
        let mut case = Case::start().await;
        case.to(Request::Next).await;
        case.debugger.handle.tell(shell("takes for-ever"));
        for request in [BACK, Request::ReverseContinue, moment(0), Request::Next, Request::Continue] {
            let text = case.debugger.refused(request).await;
            assert!(text.contains("shell command is running"), "{text}");
        }
        assert_eq!(case.log(), "1");
        // Leaving ends it.
        let ended = case.debugger.quit().await;
        assert_eq!(ended.outcome, engine::effect::Outcome::Cancelled);
    });
}

/// While the job runs there is no moment that an edit could belong to.
#[test]
fn a_running_job_takes_no_edit() {
    let set = || Request::Set { name: "env.X".to_owned(), value: None };
    // One transition is made between two requests: the step is decided, then it runs.
    for (between, request, expected) in [
        (0, set(), "the job is running"),
        (0, shell("write x y"), "the job is running"),
        (1, set(), "a step is running"),
        (1, shell("write x y"), "a step is running"),
    ] {
        block_on(async {
            let mut case = Case::with("- run: takes 100\n- run: append log 2\n").await;
            case.debugger.handle.tell(Request::Continue);
            (0..between).for_each(|_| case.debugger.handle.tell(Request::View(None)));
            assert_eq!(case.debugger.refused(request).await, expected);
            assert_eq!(case.debugger.quit().await.outcome, engine::effect::Outcome::Success);
            assert!(!case.place.workspace().join("x").exists());
        });
    }
}

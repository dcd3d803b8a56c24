//! Bodies that are attended by whoever waits for the next event, and how a thread takes over.

use super::*;

const FOR_EVER: Times = Times { own_thread_after: Duration::from_secs(3600), ..SHORT };

impl Fixture {
    /// Nothing is attended by a thread of its own before `times` says so.
    fn attending(times: Times) -> Self {
        let mut fixture = Self::with_times(times);
        fixture.attended_here = true;
        fixture
    }

    /// Waits for the next event, which is none of those that end a body.
    fn attend_for_a_moment(&mut self) {
        let waiting = async { tokio::time::timeout(Duration::from_millis(5), self.host.next()).await };
        assert!(self.runtime.block_on(waiting).is_err(), "it stands at the pipe");
    }
}

#[test]
fn a_small_step_ends_without_a_thread_of_its_own() {
    let mut fixture = Fixture::attending(FOR_EVER);
    fixture.start(0, "echo hello\necho a=1 >> \"$GITHUB_OUTPUT\"\nexit 3");
    assert!(fixture.host.attended.is_some());
    let (lane, epoch, end) = fixture.end();
    assert_eq!((lane, epoch, end.exit), (LaneId(0), Epoch(0), Exit::Code(3)));
    assert_eq!(end.files.output, [("a".to_owned(), "1".to_owned())]);
    assert_eq!(fixture.body_log(), "hello\n");
    assert!(fixture.host.running().is_empty() && fixture.host.attended.is_none());
}

#[test]
fn what_its_commands_say_comes_before_its_end() {
    let mut fixture = Fixture::attending(FOR_EVER);
    fixture.start(0, "echo '::add-mask::x'; echo '::set-output name=a::1'");
    assert!(matches!(fixture.next().event, Event::Command { .. }));
    assert!(matches!(fixture.next().event, Event::BodyEnded { .. }));
}

#[test]
fn no_step_finds_the_files_of_the_one_before_it() {
    let mut fixture = Fixture::attending(FOR_EVER);
    let list = "cd \"$(dirname \"$GITHUB_OUTPUT\")/..\"; echo \"found: $(echo *)\"; cat */set_env; echo A=1 > \"$GITHUB_ENV\"";
    for step in 0..20 {
        let mut spec = fixture.spec(step, list);
        spec.command_files = CommandFiles::of(&StepPath::main(step));
        fixture.start_spec(0, spec);
        assert_eq!(fixture.end().2.files.env, [("A".to_owned(), "1".to_owned())]);
        let log = fixture.log.text();
        assert!(log.ends_with(&format!("found: main-{step}\n")), "{log}");
    }
    assert_eq!(fixture.host.clean_up(), [""; 0]);
    for folder in ["temp/_runner_file_commands", "spare"] {
        let left = std::fs::read_dir(fixture.folder.path().join(folder)).unwrap();
        let texts: Vec<PathBuf> = left
            .flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap())
            .map(|file| file.unwrap().path())
            .filter(|file| std::fs::metadata(file).unwrap().len() > 0)
            .collect();
        assert_eq!(texts, [""; 0].map(PathBuf::from), "a script may hold secrets");
    }
}

impl Fixture {
    /// A step of its own, with the script in a file of this kind.
    fn start_step(&mut self, step: u32, extension: &str, script: &str) {
        let mut spec = self.spec(step, script);
        spec.command_files = CommandFiles::of(&StepPath::main(step));
        spec.script.file = spec.command_files.script(extension);
        self.start_spec(0, spec);
    }

    /// What the newest step printed.
    fn newest_log(&self) -> String {
        let log = self.log.text();
        let lines = log.rsplit("##[endgroup]\n").next().unwrap().lines();
        lines.map(|line| line.split_once(' ').unwrap().1.to_owned() + "\n").collect()
    }

    /// What lies where steps have their folders.
    fn step_folders(&self) -> Vec<PathBuf> {
        let folders = std::fs::read_dir(self.folder.path().join("temp/_runner_file_commands")).unwrap();
        folders.map(|folder| folder.unwrap().path()).collect()
    }
}

#[test]
fn the_next_step_gets_its_own_script_whatever_the_one_before_had() {
    let mut fixture = Fixture::attending(FOR_EVER);
    let list = "ls \"$(dirname \"$0\")\"";
    let files = |script: &str| {
        let mut files = ["add_path", "save_state", "set_env", "set_output", "step_summary", script];
        files.sort_unstable();
        files.join("\n") + "\n"
    };
    fixture.start_step(0, ".sh", &format!("{list}; exit 1 # {}", "long ".repeat(100)));
    assert_eq!(fixture.end().2.exit, Exit::Code(1));
    assert_eq!(fixture.newest_log(), files("script.sh"));
    fixture.start_step(1, ".sh", "exit 2");
    assert_eq!(fixture.end().2.exit, Exit::Code(2));
    fixture.start_step(2, ".other", &format!("{list}; exit 3"));
    assert_eq!(fixture.end().2.exit, Exit::Code(3));
    assert_eq!(fixture.newest_log(), files("script.other"));
}

#[test]
fn nothing_of_a_step_that_is_over_is_seen_while_the_job_waits_for_something_else() {
    let mut fixture = Fixture::attending(FOR_EVER);
    fixture.start_step(0, ".sh", "true");
    fixture.end();
    fixture.attend_for_a_moment();
    assert_eq!(fixture.step_folders(), [""; 0].map(PathBuf::from));
}

#[test]
fn a_file_that_claims_to_be_larger_than_memory_is_passed_over() {
    let mut fixture = Fixture::attending(FOR_EVER);
    fixture.start_step(0, ".sh", "truncate -s 8T \"$GITHUB_OUTPUT\"; echo A=1 >> \"$GITHUB_ENV\"");
    let (.., end) = fixture.end();
    assert_eq!((end.exit, end.files.output), (Exit::Code(0), Vec::new()));
    assert_eq!(end.files.env, [("A".to_owned(), "1".to_owned())]);
    fixture.start_step(1, ".sh", "cat \"$GITHUB_OUTPUT\"");
    assert_eq!(fixture.end().2.exit, Exit::Code(0));
    assert_eq!(fixture.newest_log(), "");
}

#[test]
fn beside_another_body_no_files_are_handed_on() {
    let mut fixture = Fixture::attending(FOR_EVER);
    let go = fixture.fifo();
    let mut other = fixture.spec(7, &format!("read x < {}", go.display()));
    other.command_files = CommandFiles::of(&StepPath::main(7));
    fixture.start_spec(1, other);
    fixture.start_step(0, ".sh", "stat -c '%i %w' \"$GITHUB_ENV\"");
    assert_eq!(fixture.end().2.exit, Exit::Code(0));
    let first = fixture.newest_log();
    fixture.start_step(1, ".sh", "stat -c '%i %w' \"$GITHUB_ENV\"; ls -d \"$(dirname \"$0\")\"/../*");
    assert_eq!(fixture.end().2.exit, Exit::Code(0));
    let second = fixture.newest_log();
    assert!(!second.starts_with(&first), "{first}{second}");
    assert!(!second.contains("main-0"), "{second}");
    std::fs::write(&go, "\n").unwrap();
    fixture.end();
}

#[test]
fn what_a_step_did_to_its_folder_is_gone_with_it() {
    let folder = "cd \"$(dirname \"$0\")\"";
    let touches = [
        "echo more > more",
        "rm set_env",
        "ln -sf /etc/hostname script.sh",
        "mv set_env ../kept; ln -s ../kept set_env",
        "chmod 600 set_output",
        "rm -r ../main-0; echo none > ../main-0",
        "mv ../main-0 ../other; ln -s other ../main-0",
    ];
    for touch in touches {
        let mut fixture = Fixture::attending(FOR_EVER);
        fixture.start_step(0, ".sh", &format!("{folder}; {touch}"));
        assert_eq!(fixture.end().2.exit, Exit::Code(0), "{touch}");
        fixture.start_step(1, ".sh", &format!("{folder}; stat -c '%F %a %s' * | sort | uniq -c"));
        let (.., end) = fixture.end();
        assert_eq!(
            (end.exit, end.files),
            (Exit::Code(0), engine::file_command::FileCommandResults::default()),
            "{touch}"
        );
        let log = fixture.newest_log();
        assert_eq!(log.lines().count(), 2, "five empty files and a script: {log}, after {touch}");
    }
}

#[test]
fn what_a_step_left_running_cannot_write_into_the_files_of_a_later_one() {
    let mut fixture = Fixture::attending(FOR_EVER);
    let (go, done) = (fixture.fifo(), fixture.folder.path().join("done"));
    let late = format!(
        "exec 3>> \"$GITHUB_ENV\"; (read x < {}; echo LATE=1 >> \"$GITHUB_ENV\" || true; echo LATE=2 >&3; echo > {}) > /dev/null 2>&1 &",
        go.display(),
        done.display()
    );
    fixture.start_step(0, ".sh", &late);
    assert_eq!(fixture.end().2.exit, Exit::Code(0));
    let wait = format!(
        "echo > {}; until [ -e {} ]; do :; done; echo A=1 >> \"$GITHUB_ENV\"",
        go.display(),
        done.display()
    );
    fixture.start_step(1, ".sh", &wait);
    assert_eq!(fixture.end().2.files.env, [("A".to_owned(), "1".to_owned())]);
}

#[test]
fn a_step_that_takes_longer_or_prints_much_gets_a_thread() {
    for (times, script) in [(SHORT, "echo 50000"), (FOR_EVER, "seq 50000")] {
        let mut fixture = Fixture::attending(times);
        let go = fixture.fifo();
        fixture.start(0, &format!("{script}; read x < {}; echo done", go.display()));
        while fixture.host.attended.is_some() {
            fixture.attend_for_a_moment();
        }
        fixture.log.wait_for("50000\n");
        std::fs::write(&go, "\n").unwrap();
        assert_eq!(fixture.end().2.exit, Exit::Code(0));
        assert!(fixture.body_log().ends_with("50000\ndone\n"));
    }
}

#[test]
fn what_a_step_prints_is_seen_before_its_end() {
    let mut fixture = Fixture::attending(FOR_EVER);
    let go = fixture.fifo();
    fixture.start(0, &format!("echo one; echo two; read x < {}; exec >&- 2>&-; bash -c true", go.display()));
    while !fixture.body_log().ends_with("two\n") {
        fixture.attend_for_a_moment();
    }
    assert!(fixture.host.attended.is_some());
    std::fs::write(&go, "\n").unwrap();
    assert_eq!(fixture.end().2.exit, Exit::Code(0));
}

#[test]
fn an_output_that_is_held_open_is_waited_for_by_a_thread() {
    let times = Times { held_pipe: Duration::from_millis(60), ..FOR_EVER };
    let mut fixture = Fixture::attending(times);
    fixture.start(0, "sleep 1000 & echo hello");
    assert_eq!(fixture.end().2.exit, Exit::Code(0));
    let log = fixture.body_log();
    assert!(
        log.starts_with("hello\n") && log.contains("is still open 0.06 s after its end, held by pid"),
        "{log}"
    );
}

#[test]
fn a_signal_a_freeze_and_the_end_of_the_host_do_not_wait_for_the_session() {
    let mut fixture = Fixture::attending(FOR_EVER);
    fixture.start(0, "sleep 1000");
    fixture.host.perform(Effect::Signal { lane: LaneId(0), signal: Signal::Ladder });
    assert!(fixture.host.attended.is_none());
    // Which rung reaches a shell that is just starting is a matter of luck.
    let exit = fixture.end().2.exit;
    assert!(matches!(exit, Exit::Signal(2 | 9 | 15)), "{exit:?}");

    fixture.start(0, "echo ready; sleep 1000");
    let frozen = fixture.freeze();
    assert!(fixture.host.attended.is_none());
    fixture.runtime.block_on(fixture.host.end(frozen)).unwrap();
    assert_eq!(fixture.alive(), []);

    fixture.start(0, "sleep 1000");
    assert!(fixture.host.attended.is_some());
    let tracking = fixture.tracking.clone();
    drop(fixture);
    assert_eq!(lane::Scan::now().unwrap().tagged(&format!("{tracking}.")), []);
}

#[test]
fn a_newer_body_is_not_kept_waiting_by_an_older_one() {
    let mut fixture = Fixture::attending(FOR_EVER);
    let go = fixture.fifo();
    fixture.start(0, &format!("read x < {}; exit 1", go.display()));
    let newer = fixture.spec(1, "exit 2");
    fixture.start_spec(0, newer);
    assert_eq!(fixture.end().2.exit, Exit::Code(2));
    std::fs::write(&go, "\n").unwrap();
    assert_eq!(fixture.end().2.exit, Exit::Code(1));
}

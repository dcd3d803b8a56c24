//! `! COMMAND`: a shell in the step's real environment and directory, while the job stands.
//!
//! What the command changes in files or through file commands is an edit of this moment; a command that changed
//! nothing is none. `try COMMAND` is the same on a scratch copy and changes nothing at all. The session goes on
//! answering while a command runs.

use engine::effect::{Body, Effect, Signal};
use engine::event::{BodyEnd, Edit, Event, Exit};
use engine::step_path::LaneId;
use host::contract::{Host, HostEvent};
use host::snapshot::SnapshotId;
use tokio::sync::oneshot;

use crate::files::{WORKSPACE, is_of_git};
use crate::request::{Refusal, Reply, ShellReply};
use crate::session::Session;

/// The lane in which the debugger's own shell runs; no job has as many.
pub(crate) const SHELL_LANE: LaneId = LaneId(u32::MAX);

/// A shell command under way.
pub(crate) struct ShellRun {
    command: String,
    reply: oneshot::Sender<Reply>,
    /// The workspace before the command.
    before: Option<SnapshotId>,
    /// The scratch copy of `try`, removed at the end.
    scratch: Option<tempfile::TempDir>,
}

impl<H: Host> Session<H> {
    /// Starts a command; its end answers.
    pub(crate) fn start_shell(&mut self, command: String, scratch: bool, reply: oneshot::Sender<Reply>) {
        match self.prepare_shell(&command, scratch) {
            Err(refusal) => {
                let _ = reply.send(Reply::Refused(refusal));
            }
            Ok((body, scratch)) => {
                let before = self.snapshot().map(|(id, _)| id);
                self.shell = Some(ShellRun { command, reply, before, scratch });
                self.host.perform(Effect::Spawn { lane: SHELL_LANE, body: Box::new(body) });
            }
        }
    }

    fn prepare_shell(
        &mut self,
        command: &str,
        scratch: bool,
    ) -> Result<(Body, Option<tempfile::TempDir>), Refusal> {
        self.must_stand()?;
        if self.shell.is_some() {
            return Err(Refusal::new("a shell command is running already"));
        }
        let mut spec = self.job.shell_command(command, &self.secrets);
        if !scratch {
            return Ok((Body::Process(spec), None));
        }
        let copy = self.scratch_copy()?;
        spec.run_in(&copy.path().join(WORKSPACE).to_string_lossy());
        Ok((Body::Process(spec), Some(copy)))
    }

    /// The workspace as it is now, in a folder of its own.
    fn scratch_copy(&mut self) -> Result<tempfile::TempDir, Refusal> {
        let failed =
            |error: &dyn std::fmt::Display| Refusal::new(format!("cannot make a scratch copy: {error}"));
        let now = self.snapshot().map(|(id, _)| id);
        let now =
            now.ok_or_else(|| Refusal::new("`try` needs snapshots, and none are taken in this session"))?;
        let folder = tempfile::tempdir().map_err(|error| failed(&error))?;
        let files =
            self.files.as_mut().ok_or_else(|| Refusal::new("no snapshots are taken in this session"))?;
        files.copy_workspace(now, folder.path()).map_err(|error| failed(&error))?;
        Ok(folder)
    }

    /// Ends a command under way: nobody waits for it any more.
    pub(crate) async fn end_shell(&mut self) {
        if self.shell.is_some() {
            self.host.perform(Effect::Signal { lane: SHELL_LANE, signal: Signal::Kill });
        }
        while self.shell.is_some() {
            let event = self.host.next().await;
            self.host_event(event).await;
        }
    }

    /// Takes the events of the shell's lane; false for all others.
    pub(crate) fn shell_event(&mut self, event: &HostEvent) -> bool {
        match &event.event {
            Event::BodyEnded { lane, end } if *lane == SHELL_LANE => self.shell_ended(end),
            Event::Command { lane, .. } => return *lane == SHELL_LANE,
            _ => return false,
        }
        true
    }

    fn shell_ended(&mut self, end: &BodyEnd) {
        let Some(run) = self.shell.take() else { return };
        self.refresh_masks();
        let exit_code = match &end.exit {
            Exit::Code(code) => *code,
            Exit::Signal(signal) => 128 + signal,
            Exit::NotStarted(text) | Exit::Failed(text) => {
                let _ = run.reply.send(Reply::Refused(Refusal::new(text.clone())));
                return;
            }
        };
        let changed = match run.scratch {
            Some(_) => Vec::new(),
            None => self.record_shell(&run.command, run.before, end),
        };
        let _ = run.reply.send(Reply::Shell(ShellReply { exit_code, changed }));
    }

    /// Records what a command changed; nothing if it changed nothing.
    fn record_shell(&mut self, command: &str, before: Option<SnapshotId>, end: &BodyEnd) -> Vec<String> {
        let mut changed = Vec::new();
        let now = self.snapshot().map(|(id, _)| id);
        if let (Some(before), Some(now), Some(files)) = (before, now, self.files.as_mut()) {
            let changes = files.diff(before, now).unwrap_or_default();
            let in_workspace = changes.iter().filter(|change| change.root == WORKSPACE);
            let (of_git, others): (Vec<_>, Vec<_>) = in_workspace.partition(|change| is_of_git(&change.path));
            changed.extend(others.iter().map(|change| self.secrets.mask(&change.path.to_string_lossy())));
            // An edit all the same: going back brings git's files back too.
            changed.extend((!of_git.is_empty()).then(|| ".git".to_owned()));
        }
        let files = &end.files;
        let names = files.env.iter().map(|(name, _)| format!("env.{name}"));
        changed.extend(names.chain(files.path.iter().map(|_| "PATH".to_owned())));
        let wrote = !files.env.is_empty() || !files.path.is_empty() || !files.output.is_empty();
        if wrote && let Err(refusal) = self.apply(Edit::Files(Box::new(files.clone()))) {
            self.tell(crate::notice::Notice::Warning(refusal.text));
        }
        if !changed.is_empty() {
            self.record_file_edit(self.secrets.mask(&format!("! {command}")), now);
        }
        // A command may write a secret into a name as well.
        changed.iter().map(|name| self.secrets.mask(name)).collect()
    }
}

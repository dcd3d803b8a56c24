//! Sources: the workflow file, which the client reads itself, and texts that only we have.

use std::path::Path;

use session::breakpoint::ActionFile;
use session::engine::step_path::StepPath;
use session::picture::Picture;
use session::request::{Place, Reply, Request as Ask};

use super::documents::Document;
use super::{Adapter, unexpected};
use crate::protocol::source::*;
use crate::protocol::{ErrorId, Failure, ResponseBody};

impl Adapter {
    /// The workflow file as this client writes it.
    pub(super) fn workflow_source(&self) -> Source {
        let path =
            self.debuggee.borrow().as_ref().map(|debuggee| debuggee.workflow.clone()).unwrap_or_default();
        self.file_source(&path)
    }

    /// The file of a job that calls the workflow, so many calls away.
    pub(super) fn caller_source(&self, call: usize) -> Option<Source> {
        let path = self.debuggee.borrow().as_ref()?.callers.get(call).cloned()?;
        Some(self.file_source(&path))
    }

    /// A file: the workflow, or an action's manifest.
    pub(super) fn file_source(&self, path: &Path) -> Source {
        Source {
            name: path.file_name().map(|name| name.to_string_lossy().into_owned()),
            path: Some(self.client.borrow().path_out(path)),
            ..Source::default()
        }
    }

    /// The file of a place, if it is the workflow; the places of an action's steps are told by their frames.
    pub(super) fn source_of(&self, place: &Place) -> Option<Source> {
        let is_workflow =
            self.debuggee.borrow().as_ref().is_some_and(|debuggee| debuggee.workflow.ends_with(&*place.file));
        is_workflow.then(|| self.workflow_source())
    }

    /// Whether the client means the workflow file, by whatever way leads to it.
    pub(super) fn is_workflow(&self, source: &Source) -> bool {
        let Some(debuggee) = self.debuggee.borrow().clone() else { return false };
        let Some(text) = &source.path else { return false };
        let path = self.client.borrow().path_in(text);
        let real = |path: &std::path::Path| std::fs::canonicalize(path).ok();
        path == debuggee.workflow || real(&path).is_some_and(|path| Some(path) == real(&debuggee.workflow))
    }

    /// The file of an action, as the client names it.
    pub(super) fn action_file(&self, source: &Source) -> Option<ActionFile> {
        let path = self.client.borrow().path_in(source.path.as_ref()?);
        ActionFile::new(&path, std::fs::canonicalize(&path).ok())
    }

    pub(super) async fn source(&self, arguments: &SourceArguments) -> Result<ResponseBody, Failure> {
        let inner = arguments.source.as_ref().and_then(|source| source.source_reference);
        let reference = inner.filter(|reference| *reference > 0).unwrap_or(arguments.source_reference);
        let document = self.documents.borrow().get(reference).cloned();
        let picture = self.picture().await?;
        let (content, mime) = match document {
            Some(Document::Script(path)) => (picture.script(&path).unwrap_or_default(), "text/x-shellscript"),
            Some(Document::Log(path)) => (self.log_text(path).await?, "text/plain"),
            None if reference <= 0
                && arguments.source.as_ref().is_some_and(|source| self.is_workflow(source)) =>
            {
                (picture.mask(&picture.source), "text/x-yaml")
            }
            None => {
                return Err(Failure::new(ErrorId::Stale, "there is no source with the number {number}")
                    .with("number", reference.to_string()));
            }
        };
        Ok(ResponseBody::Source(SourceResponse { content, mime_type: Some(mime.to_owned()) }))
    }

    async fn log_text(&self, path: StepPath) -> Result<String, Failure> {
        let Reply::Log(lines) = self.ask(Ask::Log(Some(path))).await? else { return Err(unexpected()) };
        let colours = self.client.borrow().ansi;
        let shown =
            |line: &String| session::wording::sanitize::line(line.as_bytes(), colours).into_owned() + "\n";
        Ok(lines.iter().map(shown).collect())
    }

    /// The workflow, and the script and log of every step that has one.
    pub(super) async fn loaded_sources(&self) -> Result<ResponseBody, Failure> {
        let picture = self.picture().await?;
        let mut sources = vec![self.workflow_source()];
        for step in picture.steps() {
            if picture.script(&step.path).is_some() {
                sources.push(self.document_source(Document::Script(step.path.clone()), &picture));
            }
            if step.outcome.is_some() {
                sources.push(self.document_source(Document::Log(step.path.clone()), &picture));
            }
        }
        Ok(ResponseBody::LoadedSources(LoadedSourcesResponse { sources }))
    }

    fn document_source(&self, document: Document, picture: &Picture) -> Source {
        let (path, ending, origin) = match &document {
            Document::Script(path) => (path, "sh", "script of the step"),
            Document::Log(path) => (path, "log", "log of the step"),
        };
        let name = session::wording::shown(&picture.step_name(path));
        let name = format!("{} {}.{ending}", path.index().saturating_add(1), name.replace(['/', '\\'], "_"));
        Source {
            name: Some(name),
            source_reference: Some(self.documents.borrow_mut().of(document)),
            origin: Some(origin.to_owned()),
            ..Source::default()
        }
    }
}

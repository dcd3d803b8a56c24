//! `ArtifactService` (artifact protocol v4): the artifacts of one run, by name.
//!
//! All jobs of the run share them, and they stay where a person finds them. Knows entries; not how their bytes come and go.

mod budget;
mod digest;
mod entry;
mod message;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::KeptArtifact;
use super::store::{Index, Store, prune_siblings};
use super::token::{Maker, plain};
use super::twirp::{Refusal, check_name, json, read};
use super::upload::Upload;
use super::uploads::Uploads;
use budget::Budget;
use digest::digest;
use entry::{ArtifactEntry, ZIP, file_name};
pub(super) use entry::{Content, Wish};
use message::{Created, Done, Listed, Listing, Message, Signed};

/// How many runs keep their artifacts; those of the oldest go when a new run makes some.
const RUNS_KEPT: usize = 20;
/// The most characters of a name.
const NAME_CHARS_MAX: usize = 256;
/// What GitHub does not allow in a name, besides control characters.
const FORBIDDEN: [char; 9] = ['"', ':', '<', '>', '|', '*', '?', '\\', '/'];
/// The kind of address that uploads have.
pub(super) const UPLOADS: &str = "artifact-uploads";
/// The kind of address that entries have.
pub(super) const ENTRIES: &str = "artifacts";

/// The artifacts of a run.
pub(super) struct Artifacts {
    folder: PathBuf,
    /// Open once there is something in it.
    opened: Mutex<Option<Arc<Store>>>,
    uploads: Uploads<Wish>,
    budget: Budget,
}

impl Artifacts {
    /// Of a run whose artifacts are in `folder`, which is made when the first one comes.
    pub(super) fn in_folder(folder: &Path) -> Self {
        let (opened, uploads, budget) = (Mutex::default(), Uploads::new(), Budget::default());
        Self { folder: folder.to_owned(), opened, uploads, budget }
    }

    /// The store, made if it is not there; the oldest ones of other runs go then.
    fn made(&self) -> io::Result<Arc<Store>> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = &*opened {
            return Ok(Arc::clone(store));
        }
        let store = Arc::new(Store::open(&self.folder)?);
        prune_siblings(&self.folder, RUNS_KEPT);
        Ok(Arc::clone(opened.insert(store)))
    }

    /// The store, if it is there. A run that is gone back to has one of its own from before.
    fn store(&self) -> io::Result<Option<Arc<Store>>> {
        let is_there = self.opened.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if is_there || self.folder.exists() { self.made().map(Some) } else { Ok(None) }
    }

    /// What is kept, and the files.
    fn entries(&self) -> io::Result<Vec<(ArtifactEntry, PathBuf)>> {
        let Some(store) = self.store()? else { return Ok(Vec::new()) };
        let entries: Vec<ArtifactEntry> = store.entries()?;
        let placed = |entry: ArtifactEntry| {
            let path = store.path(&entry.file);
            (entry, path)
        };
        Ok(entries.into_iter().map(placed).collect())
    }

    /// What is kept, in the order in which it came.
    pub(super) fn kept(&self) -> Vec<KeptArtifact> {
        let kept = |(entry, path): (ArtifactEntry, PathBuf)| KeptArtifact {
            path,
            name: entry.name,
            job: entry.maker.job,
            size: entry.size,
        };
        self.entries().unwrap_or_default().into_iter().map(kept).collect()
    }

    /// Carries out a method. `address` makes the address of an upload or of an entry.
    ///
    /// # Errors
    /// There is no such method, or it is refused.
    pub(super) fn call(
        &self,
        maker: &Maker,
        method: &str,
        message: &[u8],
        address: impl Fn(&str, u64) -> String,
    ) -> Result<Vec<u8>, Refusal> {
        let message: Message = read(message)?;
        if message.workflow_run_backend_id != maker.run_id() {
            return Err(Refusal::not_found("this machine has the artifacts of this run alone"));
        }
        match method {
            "CreateArtifact" => {
                let upload = self.begin(maker, message)?;
                Ok(json(&Created { ok: true, signed_upload_url: address(UPLOADS, upload.id) }))
            }
            "FinalizeArtifact" => {
                let artifact_id = self.finish(maker, &message)?.to_string();
                Ok(json(&Done { ok: true, artifact_id }))
            }
            "ListArtifacts" => Ok(json(&self.list(&message)?)),
            "GetSignedArtifactURL" => {
                let entry = self.named(&message.name)?;
                Ok(json(&Signed { signed_url: address(ENTRIES, entry.id) }))
            }
            "DeleteArtifact" => {
                let artifact_id = self.delete(&message.name)?.to_string();
                Ok(json(&Done { ok: true, artifact_id }))
            }
            _ => Err(Refusal::no_method(format!("ArtifactService has no method {method}"))),
        }
    }

    /// An upload on its way.
    pub(super) fn upload(&self, id: u64) -> Option<Arc<Upload<Wish>>> {
        self.uploads.get(id)
    }

    /// The file of an entry.
    pub(super) fn content(&self, id: u64) -> Option<Content> {
        let (entry, path) = self.entries().ok()?.into_iter().find(|(entry, _)| entry.id == id)?;
        Some(Content { path, mime: entry.mime, name: entry.name })
    }

    fn begin(&self, maker: &Maker, message: Message) -> Result<Arc<Upload<Wish>>, Refusal> {
        check_name("the artifact's name", &message.name, NAME_CHARS_MAX)?;
        if let Some(found) = message.name.chars().find(|c| FORBIDDEN.contains(c)) {
            return Err(Refusal::invalid(format!("the artifact's name has a {found} in it")));
        }
        let mime = message.mime_type.unwrap_or_else(|| ZIP.to_owned());
        if mime.len() > NAME_CHARS_MAX || !mime.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(Refusal::invalid("the artifact's type is none"));
        }
        let entries: Vec<ArtifactEntry> = self.entries()?.into_iter().map(|(entry, _)| entry).collect();
        if entries.iter().any(|entry| is_taken(entry, &message.name, maker)) {
            return Err(taken(&message.name));
        }
        // Nothing with content in it would fit: better said before gigabytes have come.
        self.budget.check(&entries, &message.name, 1)?;
        let name = message.name.clone();
        let store = self.made()?;
        let upload = self.uploads.begin(&store, maker, Wish { name: message.name, mime })?;
        upload.ok_or_else(|| taken(&name))
    }

    fn finish(&self, maker: &Maker, message: &Message) -> Result<u64, Refusal> {
        let upload = self
            .uploads
            .find(maker, |wish| wish.name == message.name)
            .ok_or_else(|| Refusal::not_found("this process began no artifact of this name"))?;
        let (content, size) =
            upload.whole().ok_or_else(|| Refusal::precondition("the artifact's content has not arrived"))?;
        if message.size.is_some_and(|told| told != size) {
            return Err(Refusal::invalid(format!("{size} bytes of the artifact's content have arrived")));
        }
        let digest = digest(&content)?;
        if message.hash.as_ref().is_some_and(|told| *told != digest) {
            return Err(Refusal::invalid(format!("the artifact's content has the digest {digest}")));
        }
        let Wish { name, mime } = &upload.what;
        let store = self.made()?;
        let id = store.change(|index: &mut Index<ArtifactEntry>| {
            if index.entries.iter().any(|entry| is_taken(entry, name, maker)) {
                return Err(taken(name));
            }
            self.budget.check(&index.entries, name, size)?;
            // Of the earlier execution that this one replaces; the new file may have the name of the old one.
            index.entries.retain(|entry| entry.name != *name);
            let id = index.take_id();
            // Some file systems take names for equal that differ in case.
            let is_there =
                |file: &str| index.entries.iter().any(|entry| entry.file.eq_ignore_ascii_case(file));
            let file = file_name(name, mime, id, is_there);
            store.take_in(&content, &file)?;
            index.entries.push(ArtifactEntry {
                id,
                name: name.clone(),
                mime: mime.clone(),
                file,
                size,
                digest,
                maker: maker.clone(),
                created: jiff::Timestamp::now().to_string(),
            });
            Ok(id)
        });
        self.uploads.end(upload.id);
        if id.is_ok() {
            self.budget.thin_others(&self.folder);
        }
        id
    }

    fn named(&self, name: &str) -> Result<ArtifactEntry, Refusal> {
        let found = self.entries()?.into_iter().map(|(entry, _)| entry).find(|entry| entry.name == name);
        found.ok_or_else(|| Refusal::not_found("this run has no artifact of this name"))
    }

    fn list(&self, message: &Message) -> Result<Listing, Refusal> {
        let wanted = |entry: &ArtifactEntry| {
            message.name_filter.as_ref().is_none_or(|name| *name == entry.name)
                && message.id_filter.is_none_or(|id| id == entry.id)
        };
        let listed = |entry: ArtifactEntry| Listed {
            workflow_run_backend_id: entry.maker.run_id(),
            workflow_job_run_backend_id: plain(&entry.maker.job),
            database_id: entry.id.to_string(),
            name: entry.name,
            size: entry.size.to_string(),
            created_at: entry.created,
            digest: entry.digest,
        };
        let entries = self.entries()?.into_iter().map(|(entry, _)| entry);
        Ok(Listing { artifacts: entries.filter(wanted).map(listed).collect() })
    }

    fn delete(&self, name: &str) -> Result<u64, Refusal> {
        let id = self.named(name)?.id;
        self.made()?.change(|index: &mut Index<ArtifactEntry>| {
            index.entries.retain(|entry| entry.id != id);
            Ok(id)
        })
    }
}

/// Another step has the name, or this very process used it already.
fn is_taken(entry: &ArtifactEntry, name: &str, maker: &Maker) -> bool {
    entry.name == name && !maker.replaces(&entry.maker)
}

fn taken(name: &str) -> Refusal {
    Refusal::exists(format!("an artifact with this name already exists on the workflow run: {name}"))
}

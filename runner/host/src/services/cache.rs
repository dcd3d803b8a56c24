//! `CacheService` (cache protocol v2): entries by repository, branch, key and version.
//!
//! A run sees the entries of its own branch, then those of the branch that it wants to be merged into, then those of the default
//! branch, and writes for its own: as on GitHub. Knows entries; not how their bytes come and go.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ServiceSettings;
use super::store::{Entry, Index, Store};
use super::token::Maker;
use super::twirp::{Refusal, check_name, json, number, read};
use super::upload::Upload;
use super::uploads::Uploads;

/// The most bytes of all caches together; beyond, those that were not used for the longest time go.
pub(super) const CACHE_BYTES_MAX: u64 = 10 * 1024 * 1024 * 1024;
/// The most characters of a key, as on GitHub.
const KEY_CHARS_MAX: usize = 512;
/// The most keys of one look-up, as on GitHub.
const KEYS_MAX: usize = 10;
/// The ending of files with caches.
const ENDING: &str = ".cache";

/// What an entry is found by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CacheName {
    repository: String,
    /// A ref, as in `refs/heads/main`.
    scope: String,
    key: String,
    /// A hash of the paths and the compression, made by the client.
    version: String,
}

/// A cache that is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct CacheEntry {
    id: u64,
    #[serde(flatten)]
    name: CacheName,
    file: String,
    size: u64,
    maker: Maker,
    /// Milliseconds since 1970.
    used: i64,
}

impl Entry for CacheEntry {
    fn file(&self) -> &str {
        &self.file
    }

    fn size(&self) -> u64 {
        self.size
    }
}

/// The caches of this machine, as one run sees them.
pub(super) struct Caches {
    store: Store,
    uploads: Uploads<CacheName>,
    repository: String,
    /// The run's own ref first.
    scopes: Vec<String>,
    bytes_max: u64,
}

/// What a client asks for.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    key: String,
    #[serde(default, alias = "restoreKeys")]
    restore_keys: Vec<String>,
    #[serde(default)]
    version: String,
    #[serde(default, alias = "sizeBytes", deserialize_with = "number")]
    size_bytes: Option<u64>,
}

impl Wanted {
    /// For a look-up.
    pub(super) fn new(key: String, restore_keys: Vec<String>, version: String) -> Self {
        Self { key, restore_keys, version, size_bytes: None }
    }

    /// Whether GitHub would take key and version.
    ///
    /// # Errors
    /// Says what is wrong with them.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        check_name("the key", &self.key, KEY_CHARS_MAX)?;
        check_name("the version", &self.version, KEY_CHARS_MAX)?;
        if self.key.contains(',') {
            return Err(Refusal::invalid("the key has a comma in it"));
        }
        if self.restore_keys.len() >= KEYS_MAX {
            return Err(Refusal::invalid(format!("there are more than {KEYS_MAX} keys")));
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Created {
    ok: bool,
    signed_upload_url: String,
}

#[derive(Serialize)]
struct Finished {
    ok: bool,
    entry_id: String,
}

#[derive(Serialize)]
struct Found {
    ok: bool,
    signed_download_url: String,
    matched_key: String,
}

impl Caches {
    /// Opens the store.
    ///
    /// # Errors
    /// It cannot be made or locked.
    pub(super) fn open(settings: &ServiceSettings) -> std::io::Result<Self> {
        let store = Store::open(&settings.caches)?;
        store.sweep::<CacheEntry>(ENDING)?;
        Ok(Self {
            store,
            uploads: Uploads::new(),
            repository: settings.repository.clone(),
            scopes: settings.scopes.clone(),
            bytes_max: CACHE_BYTES_MAX,
        })
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
        let wanted = || {
            let wanted: Wanted = read(message)?;
            wanted.check()?;
            Ok::<_, Refusal>(wanted)
        };
        match method {
            "CreateCacheEntry" => {
                let upload = self.begin(maker, &wanted()?)?;
                let signed_upload_url = address(UPLOADS, upload.id);
                Ok(json(&Created { ok: true, signed_upload_url }))
            }
            "FinalizeCacheEntryUpload" => {
                let wanted = wanted()?;
                let name = self.name(&wanted);
                let upload = self.uploads.find(maker, |what| *what == name);
                let upload =
                    upload.ok_or_else(|| Refusal::not_found("this process began no cache with this key"))?;
                let entry_id = self.finish(maker, &upload, wanted.size_bytes)?.to_string();
                Ok(json(&Finished { ok: true, entry_id }))
            }
            "GetCacheEntryDownloadURL" => Ok(json(&match self.find(&wanted()?)? {
                Some((id, matched_key)) => {
                    Found { ok: true, signed_download_url: address(ENTRIES, id), matched_key }
                }
                None => Found { ok: false, signed_download_url: String::new(), matched_key: String::new() },
            })),
            _ => Err(Refusal::no_method(format!("CacheService has no method {method}"))),
        }
    }

    /// An upload on its way.
    pub(super) fn upload(&self, id: u64) -> Option<Arc<Upload<CacheName>>> {
        self.uploads.get(id)
    }

    /// The file of an entry.
    pub(super) fn content(&self, id: u64) -> Option<PathBuf> {
        let entries: Vec<CacheEntry> = self.store.entries().ok()?;
        entries.iter().find(|entry| entry.id == id).map(|entry| self.store.path(&entry.file))
    }

    fn name(&self, wanted: &Wanted) -> CacheName {
        CacheName {
            repository: self.repository.clone(),
            scope: self.scopes.first().cloned().unwrap_or_default(),
            key: wanted.key.clone(),
            version: wanted.version.clone(),
        }
    }

    /// Begins an upload.
    ///
    /// # Errors
    /// There is such a cache, or somebody else is saving one.
    pub(super) fn begin(&self, maker: &Maker, wanted: &Wanted) -> Result<Arc<Upload<CacheName>>, Refusal> {
        let name = self.name(wanted);
        let entries: Vec<CacheEntry> = self.store.entries()?;
        if entries.iter().any(|entry| self.is_taken(entry, &name, maker)) {
            return Err(taken());
        }
        let upload = self.uploads.begin(&self.store, maker, name)?;
        upload.ok_or_else(|| Refusal::exists("another step is saving a cache with this key"))
    }

    /// Somebody else made the entry, or this very process did. One whose file is gone counts for nothing.
    fn is_taken(&self, entry: &CacheEntry, name: &CacheName, maker: &Maker) -> bool {
        entry.name == *name && !maker.replaces(&entry.maker) && self.store.is_whole(entry)
    }

    /// The upload has arrived, and this many bytes were sent. Gives the entry's number.
    ///
    /// # Errors
    /// It has not, or somebody else was faster.
    pub(super) fn finish(
        &self,
        maker: &Maker,
        upload: &Upload<CacheName>,
        sent: Option<u64>,
    ) -> Result<u64, Refusal> {
        let name = upload.what.clone();
        let (content, size) =
            upload.whole().ok_or_else(|| Refusal::precondition("the cache's content has not arrived"))?;
        if sent.is_some_and(|sent| sent != size) {
            return Err(Refusal::invalid(format!("{size} bytes of the cache's content have arrived")));
        }
        let now = jiff::Timestamp::now().as_millisecond();
        let id = self.store.change(|index: &mut Index<CacheEntry>| {
            if index.entries.iter().any(|entry| self.is_taken(entry, &name, maker)) {
                return Err(taken());
            }
            index.entries.retain(|entry| entry.name != name);
            let id = index.take_id();
            let file = format!("{id}{ENDING}");
            self.store.take_in(&content, &file)?;
            index.entries.push(CacheEntry { id, name, file, size, maker: maker.clone(), used: now });
            thin(&mut index.entries, self.bytes_max);
            Ok(id)
        });
        self.uploads.end(upload.id);
        id
    }

    /// The entry and its key. It counts as used.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub(super) fn find(&self, wanted: &Wanted) -> Result<Option<(u64, String)>, Refusal> {
        let entries: Vec<CacheEntry> = self.store.entries()?;
        let usable: Vec<&CacheEntry> = entries
            .iter()
            .filter(|entry| entry.name.repository == self.repository && entry.name.version == wanted.version)
            .filter(|entry| self.store.is_whole(*entry))
            .collect();
        let Some(found) = self.scopes.iter().find_map(|scope| best(&usable, scope, wanted)) else {
            return Ok(None);
        };
        let now = jiff::Timestamp::now().as_millisecond();
        self.store.change(|index: &mut Index<CacheEntry>| {
            index.entries.iter_mut().filter(|entry| entry.id == found.id).for_each(|entry| entry.used = now);
            Ok::<_, Refusal>(())
        })?;
        Ok(Some((found.id, found.name.key.clone())))
    }
}

/// The kind of address that uploads have.
pub(super) const UPLOADS: &str = "cache-uploads";
/// The kind of address that entries have.
pub(super) const ENTRIES: &str = "caches";

fn taken() -> Refusal {
    Refusal::exists("there is a cache with this key and version already")
}

/// Of one branch: the very key, else the newest that begins with it, else the same for each restore key in turn.
fn best<'e>(entries: &[&'e CacheEntry], scope: &str, wanted: &Wanted) -> Option<&'e CacheEntry> {
    let here = || entries.iter().copied().filter(|entry| entry.name.scope == scope);
    let newest_with = |key: &String| here().rfind(|entry| entry.name.key.starts_with(key));
    let restore_keys = wanted.restore_keys.iter().filter(|key| !key.is_empty());
    here()
        .find(|entry| entry.name.key == wanted.key)
        .or_else(|| std::iter::once(&wanted.key).chain(restore_keys).find_map(newest_with))
}

/// Takes away what was not used for the longest time until the rest fits. The newest stays in any case.
fn thin(entries: &mut Vec<CacheEntry>, most: u64) {
    let newest = entries.last().map(|entry| entry.id);
    while entries.iter().map(|entry| entry.size).sum::<u64>() > most {
        let others = entries.iter().filter(|entry| Some(entry.id) != newest);
        let Some(oldest) = others.min_by_key(|entry| (entry.used, entry.id)).map(|entry| entry.id) else {
            return;
        };
        entries.retain(|entry| entry.id != oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u64, scope: &str, key: &str, used: i64) -> CacheEntry {
        let text = |text: &str| text.to_owned();
        CacheEntry {
            id,
            name: CacheName {
                repository: text("o/r"),
                scope: text(scope),
                key: text(key),
                version: text("v"),
            },
            file: format!("{id}{ENDING}"),
            size: 10,
            maker: Maker { run: text(""), job: text(""), step: text(""), execution: text("") },
            used,
        }
    }

    #[test]
    fn the_very_key_comes_before_beginnings_and_the_newest_before_older_ones() {
        let all = [
            entry(1, "a", "npm-1", 0),
            entry(2, "a", "npm-12", 0),
            entry(3, "a", "npm-2", 0),
            entry(4, "b", "npm-9", 0),
        ];
        let entries: Vec<&CacheEntry> = all.iter().collect();
        let check = |scope: &str, key: &str, restore: &[&str], expected: Option<u64>| {
            let restore_keys = restore.iter().map(|key| (*key).to_owned()).collect();
            let wanted =
                Wanted { key: key.to_owned(), restore_keys, version: "v".to_owned(), size_bytes: None };
            assert_eq!(best(&entries, scope, &wanted).map(|entry| entry.id), expected, "{key} {restore:?}");
        };
        check("a", "npm-1", &[], Some(1));
        check("a", "npm-", &[], Some(3));
        check("a", "yarn", &["x", "npm-1"], Some(2));
        check("a", "yarn", &["npm-"], Some(3));
        check("a", "yarn", &["", "x"], None);
        check("b", "npm-1", &["npm-"], Some(4));
        check("c", "npm-1", &["npm-"], None);
    }

    #[test]
    fn what_was_not_used_for_long_goes_first_and_the_newest_never() {
        let mut entries = vec![entry(1, "a", "1", 30), entry(2, "a", "2", 10), entry(3, "a", "3", 20)];
        thin(&mut entries, 20);
        assert_eq!(entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), [1, 3]);
        thin(&mut entries, 5);
        assert_eq!(entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), [3]);
    }
}

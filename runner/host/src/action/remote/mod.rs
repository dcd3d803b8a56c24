//! Downloading actions: which commit a branch or tag means, then the archive of that commit (steps.md 4.1,
//! service-protocol.md 5.4).
//!
//! Blocks the thread that asks; several threads may. Knows GitHub's API and the cache; not what is in an action.

mod body;
mod get;
mod network;

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use engine::action::RepositoryReference;
use reqwest::Url;
use reqwest::header::HeaderValue;

use super::cache::{Cache, Checkout, is_commit};
use super::errand::Errand;
use super::unpack::{Limits, UnpackError, unpack};
use body::{Body, TooLarge};
use get::{Question, Trouble};
use network::Network;

/// A wait that the other side asks for is kept to, up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The answer to "which commit" is a commit.
const COMMIT_BYTES: u64 = 256;
/// An archive as it is sent. Unpacked ones have limits of their own.
const ARCHIVE_BYTES: u64 = 2 << 30;

/// How long is waited for what; tests make it short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How often is tried what may only fail for now.
    pub tries: u32,
    /// Before the second try; before each further one four times as long.
    pub first_wait: Duration,
    /// For a connection.
    pub connect: Duration,
    /// For the next bytes of an answer.
    pub silence: Duration,
    /// For a whole archive (service-protocol.md 5.4).
    pub archive: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            tries: 3,
            first_wait: Duration::from_secs(1),
            connect: Duration::from_secs(15),
            silence: Duration::from_secs(60),
            archive: Duration::from_secs(20 * 60),
        }
    }
}

/// A place that has actions: `api.github.com`, or the API of a GitHub of one's own.
pub struct Remote {
    api: Url,
    token: Option<HeaderValue>,
    pace: Pace,
    network: OnceLock<Result<Network, String>>,
    /// The repositories that are under way, so that nothing is downloaded twice.
    turns: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// What was asked in this run: its jobs see one commit, whatever moves meanwhile.
    answers: Mutex<BTreeMap<String, String>>,
}

impl Remote {
    /// Asks the API at `url`, with a token if there is one. Nothing is done before the first download.
    ///
    /// # Errors
    /// The address is none, or the token cannot be one. The text has no token in it.
    pub fn new(url: &str, token: Option<&str>, pace: Pace) -> Result<Self, String> {
        let api = Url::parse(url).map_err(|error| format!("`{url}` is no address: {error}"))?;
        if !matches!(api.scheme(), "http" | "https") || !api.has_host() {
            return Err(format!("`{url}` is no http or https address"));
        }
        if !api.username().is_empty() || api.password().is_some() || api.query().is_some() {
            return Err("an API address has neither a user nor a query in it".to_owned());
        }
        let bearer = |token: &str| {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
                .map_err(|_| "the token for the API has characters that no token has".to_owned())?;
            value.set_sensitive(true);
            Ok::<_, String>(value)
        };
        let token = token.filter(|token| !token.trim().is_empty()).map(bearer).transpose()?;
        let (network, turns, answers) = (OnceLock::new(), Mutex::default(), Mutex::default());
        Ok(Self { api, token, pace, network, turns, answers })
    }

    /// Downloads the files of a repository into the cache. `commit` is the one to take where it is known; else `refresh` asks
    /// for it even if the cache has an answer.
    ///
    /// # Errors
    /// Why it could not be had, and what a person may do about it.
    pub(super) fn fetch(
        &self,
        wanted: &RepositoryReference<'_>,
        commit: Option<&str>,
        refresh: bool,
        cache: &Cache,
        errand: &Errand,
    ) -> Result<Checkout, String> {
        if tokio::runtime::Handle::try_current().is_ok() {
            return Err("no thread is left for a download".to_owned());
        }
        let network = self.network.get_or_init(|| Network::start(&self.pace, &self.api));
        let network = network.as_ref().map_err(Clone::clone)?;
        let fetching = Fetching { remote: self, network, wanted, cache, errand };
        fetching.in_turn(commit, refresh).map_err(Trouble::into_text)
    }

    fn turn(&self, wanted: &RepositoryReference<'_>) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(wanted.repository.to_ascii_lowercase()).or_default())
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.is_some();
        f.debug_struct("Remote")
            .field("api", &self.api.as_str())
            .field("token", &token)
            .finish_non_exhaustive()
    }
}

/// One action on its way.
struct Fetching<'a> {
    remote: &'a Remote,
    network: &'a Network,
    wanted: &'a RepositoryReference<'a>,
    cache: &'a Cache,
    errand: &'a Errand,
}

impl Fetching<'_> {
    /// Whoever wants the same waits, and finds it in the cache.
    fn in_turn(&self, commit: Option<&str>, refresh: bool) -> Result<Checkout, Trouble> {
        let turn = self.remote.turn(self.wanted);
        let _turn = self.network.wait(self.errand, turn.lock())?;
        let _slot = self.network.wait(self.errand, self.network.slots.acquire())?;
        let commit = match commit {
            Some(commit) => commit.to_ascii_lowercase(),
            None => match self.cache.find(self.wanted).filter(|_| !refresh) {
                Some(found) => return Ok(found),
                None => self.commit()?,
            },
        };
        let checkout = match self.cache.at(self.wanted, &commit) {
            Some(checkout) => checkout,
            None => self.patiently(|| self.download(&commit))?,
        };
        self.cache.point(self.wanted, &commit).map_err(|error| self.not_kept(&error))?;
        Ok(checkout)
    }

    /// What a branch or tag means, asked once in a run.
    fn commit(&self) -> Result<String, Trouble> {
        let answers = || self.remote.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let name = name_of(self.wanted);
        if let Some(known) = answers().get(&name) {
            return Ok(known.clone());
        }
        self.errand.begin();
        let commit = self.patiently(|| {
            let question =
                self.question(&["commits", self.wanted.reference], "application/vnd.github.sha")?;
            let mut answer = String::new();
            let mut body = self.body(&question, COMMIT_BYTES)?;
            let read = body.read_to_string(&mut answer);
            body.trouble().map_or(Ok(()), Err)?;
            match read {
                Ok(_) if is_commit(answer.trim()) => Ok(answer.trim().to_ascii_lowercase()),
                _ => Err(self.remote.refused("answers with something that is no commit")),
            }
        })?;
        answers().insert(name, commit.clone());
        Ok(commit)
    }

    fn download(&self, commit: &str) -> Result<Checkout, Trouble> {
        self.errand.begin();
        let RepositoryReference { repository, reference, .. } = self.wanted;
        self.errand.say(&format!("Download action repository '{repository}@{reference}' (SHA:{commit})"));
        let question = self.question(&["tarball", commit], "application/vnd.github+json")?;
        let mut body = self.body(&question, ARCHIVE_BYTES)?;
        let staging = self.cache.stage().map_err(|error| self.not_kept(&error))?;
        let folder = staging.open().map_err(|error| self.not_kept(&error))?;
        let unpacked = unpack(&mut body, folder, Limits::default());
        // What the network did wrong looks like a broken archive from behind.
        body.trouble().map_or(Ok(()), Err)?;
        let said = unpacked.map_err(|error| self.not_unpacked(error, body.content_type()))?;
        if let Some(said) = said.filter(|said| is_commit(said) && !said.eq_ignore_ascii_case(commit)) {
            return Err(self
                .remote
                .refused(&format!("sent an archive of the commit {said}, not of {commit}")));
        }
        self.cache.keep(self.wanted, commit, &body.checksum(), staging).map_err(|error| self.not_kept(&error))
    }

    fn question(&self, path: &[&str], accept: &'static str) -> Result<Question, Trouble> {
        let parts = ["repos"].into_iter().chain(self.wanted.repository.split('/'));
        let parts = parts.chain(path.iter().flat_map(|part| part.split('/')));
        self.remote.question(parts, accept)
    }

    fn body(&self, question: &Question, most: u64) -> Result<Body<'_>, Trouble> {
        let deadline = tokio::time::Instant::now() + self.remote.pace.archive;
        let asked = self.remote.ask(&self.network.client, question);
        let response = self.network.wait(self.errand, asked)??;
        Ok(Body::new(self.network, self.errand, response, deadline, most))
    }

    /// Tries again after a while what may only fail for now.
    fn patiently<T>(&self, mut attempt: impl FnMut() -> Result<T, Trouble>) -> Result<T, Trouble> {
        let Pace { tries, first_wait, .. } = self.remote.pace;
        let mut wait = first_wait;
        for _ in 1..tries {
            let (text, asked) = match attempt() {
                Err(Trouble::Passing { text, wait }) => (text, wait),
                done => return done,
            };
            let longer = asked.unwrap_or_default().max(wait.mul_f64(1.0 + fastrand::f64() / 4.0));
            if longer > LONGEST_WAIT {
                let hint = "try again later, or give a token: it may ask for more";
                return Err(Trouble::Lasting { text, hint: Some(hint.to_owned()) });
            }
            self.errand.say(&format!("{text}; trying again in {:.1} seconds", longer.as_secs_f64()));
            self.network.wait(self.errand, async { tokio::time::sleep(longer).await })?;
            wait *= 4;
        }
        attempt()
    }

    fn not_unpacked(&self, error: UnpackError, content_type: Option<String>) -> Trouble {
        match error {
            UnpackError::Broken(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Trouble::passing("the archive ends in the middle".to_owned())
            }
            UnpackError::Broken(error) if TooLarge::is(&error) => {
                self.remote.refused("sends too large an archive")
            }
            UnpackError::Broken(error) => {
                let kind = content_type.map_or_else(String::new, |kind| format!(" ({kind})"));
                self.remote.refused(&format!("sent something{kind} that is no sound tar.gz archive: {error}"))
            }
            UnpackError::Disk(text) => Trouble::lasting(text),
            UnpackError::Refused(text) => Trouble::Lasting {
                text: format!("its archive is not unpacked: {text}"),
                hint: Some(
                    "no honest archive of a repository has that; look at the repository before you use it"
                        .to_owned(),
                ),
            },
        }
    }

    fn not_kept(&self, error: &std::io::Error) -> Trouble {
        Trouble::lasting(format!("it cannot be kept in {}: {error}", self.cache.folder().display()))
    }
}

fn name_of(wanted: &RepositoryReference<'_>) -> String {
    format!("{}@{}", wanted.repository.to_ascii_lowercase(), wanted.reference)
}

#[cfg(test)]
mod tests;

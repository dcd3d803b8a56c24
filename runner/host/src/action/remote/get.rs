//! One question to the API, through redirects, and what its answer means (service-protocol.md 5.4).
//!
//! The token goes to the API and nowhere else, and never unencrypted over a network. No address is put into a text whole: a
//! redirect may have a credential in its query.

use std::error::Error;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};

use super::Remote;

/// From the API to where archives lie is one; a repository that was renamed makes it two.
const REDIRECTS: usize = 5;

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It may go away by itself.
    Passing { text: String, wait: Option<Duration> },
    /// It stays until somebody does something.
    Lasting { text: String, hint: Option<String> },
    /// Nobody wants the answer any longer.
    CalledOff,
}

impl Trouble {
    pub(super) fn passing(text: String) -> Self {
        Self::Passing { text, wait: None }
    }

    pub(super) fn lasting(text: String) -> Self {
        Self::Lasting { text, hint: None }
    }

    /// For a person; a hint is on a line of its own.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Passing { text, .. } | Self::Lasting { text, hint: None } => text,
            Self::Lasting { text, hint: Some(hint) } => format!("{text}\nhint: {hint}"),
            Self::CalledOff => "the download was called off".to_owned(),
        }
    }
}

/// What is asked.
pub(super) struct Question {
    url: Url,
    accept: &'static str,
}

impl Remote {
    pub(super) fn question<'p>(
        &self,
        path: impl Iterator<Item = &'p str>,
        accept: &'static str,
    ) -> Result<Question, Trouble> {
        let mut url = self.api.clone();
        match url.path_segments_mut() {
            Ok(mut segments) => segments.pop_if_empty().extend(path),
            Err(()) => return Err(self.refused("has no paths")),
        };
        Ok(Question { url, accept })
    }

    /// Asks, and follows where the answer points to.
    pub(super) async fn ask(&self, client: &Client, question: &Question) -> Result<Response, Trouble> {
        let mut url = question.url.clone();
        for _ in 0..=REDIRECTS {
            let mut request = client.get(url.clone()).header(ACCEPT, question.accept);
            if let Some(token) = self.token.as_ref().filter(|_| self.may_have_the_token(&url)) {
                request = request.header(AUTHORIZATION, token.clone());
            }
            let response = request.send().await.map_err(|error| unreachable(&url, &error))?;
            if !response.status().is_redirection() {
                return self.judged(response);
            }
            url = self.redirected(&url, response.headers())?;
        }
        Err(self.refused("redirects without end"))
    }

    pub(super) fn redirected(&self, from: &Url, headers: &HeaderMap) -> Result<Url, Trouble> {
        let location = headers.get(LOCATION).and_then(|location| location.to_str().ok());
        let to = location.and_then(|location| from.join(location).ok());
        let to = to.ok_or_else(|| self.refused("redirects to no address"))?;
        match (from.scheme(), to.scheme()) {
            (_, "https") | ("http", "http") => Ok(to),
            _ => Err(self.refused("redirects to an address without encryption")),
        }
    }

    pub(super) fn may_have_the_token(&self, url: &Url) -> bool {
        let encrypted = url.scheme() == "https" || is_loopback(url);
        encrypted && url.origin() == self.api.origin()
    }

    fn judged(&self, response: Response) -> Result<Response, Trouble> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = format!("{} answers {status}", host(response.url()));
        let wait = wait_of(response.headers());
        let hint = match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
                return Err(Trouble::Passing { text, wait });
            }
            status if status.is_server_error() => return Err(Trouble::Passing { text, wait }),
            StatusCode::UNAUTHORIZED => self.token_hint(),
            StatusCode::FORBIDDEN if is_used_up(response.headers()) => {
                "no more questions are allowed for now; a token allows more: `--secret GITHUB_TOKEN`"
                    .to_owned()
            }
            StatusCode::FORBIDDEN => self.token_hint(),
            StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY => {
                format!("is the name right, and the branch, tag or commit? {}", self.token_hint())
            }
            _ => return Err(Trouble::lasting(text)),
        };
        Err(Trouble::Lasting { text, hint: Some(hint) })
    }

    fn token_hint(&self) -> String {
        match self.token {
            Some(_) => {
                "the token that was given (GITHUB_TOKEN) may be too old, or not allowed to read it".to_owned()
            }
            None => "what is not public needs a token: `--secret GITHUB_TOKEN`".to_owned(),
        }
    }

    /// Something that another try would not change.
    pub(super) fn refused(&self, what: &str) -> Trouble {
        Trouble::lasting(format!("{} {what}", host(&self.api)))
    }
}

/// A host and its port, which is all of an address that is shown.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The address leads to this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn is_used_up(headers: &HeaderMap) -> bool {
    headers.get("x-ratelimit-remaining").is_some_and(|left| left.as_bytes() == b"0")
        || wait_of(headers).is_some()
}

fn wait_of(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn unreachable(url: &Url, error: &reqwest::Error) -> Trouble {
    Trouble::passing(format!("{} cannot be reached: {}", host(url), chain(error)))
}

/// The error and what it comes from, without an address.
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut deepest: &dyn Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    match error.is_timeout() {
        true => "it takes too long".to_owned(),
        false => deepest.to_string(),
    }
}

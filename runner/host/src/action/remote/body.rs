//! The body of an answer as bytes to be read on the thread that asked, counted and hashed on the way.

use std::fmt;
use std::io::{self, Read};

use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::get::{Trouble, chain};
use super::network::Network;
use crate::action::errand::Errand;

/// A body on its way.
pub(super) struct Body<'a> {
    network: &'a Network,
    errand: &'a Errand,
    response: Response,
    deadline: Instant,
    room: u64,
    hash: Sha256,
    chunk: Vec<u8>,
    at: usize,
    trouble: Option<Trouble>,
}

/// More came than may.
#[derive(Debug)]
pub(super) struct TooLarge;

impl TooLarge {
    pub(super) fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|error| error.is::<TooLarge>())
    }
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is too large")
    }
}

impl std::error::Error for TooLarge {}

impl<'a> Body<'a> {
    pub(super) fn new(
        network: &'a Network,
        errand: &'a Errand,
        response: Response,
        deadline: Instant,
        most: u64,
    ) -> Self {
        let (hash, chunk) = (Sha256::new(), Vec::new());
        Self { network, errand, response, deadline, room: most, hash, chunk, at: 0, trouble: None }
    }

    /// What the network did wrong while this was read.
    pub(super) fn trouble(&mut self) -> Option<Trouble> {
        self.trouble.take()
    }

    pub(super) fn content_type(&self) -> Option<String> {
        let text = self.response.headers().get(CONTENT_TYPE)?.to_str().ok()?;
        Some(text.chars().take(60).collect())
    }

    /// SHA-256 of all that was read, in hexadecimal.
    pub(super) fn checksum(&self) -> String {
        self.hash.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn next(&mut self) -> io::Result<()> {
        // Made on the way, for outside of the runtime there is no clock.
        let (deadline, response) = (self.deadline, &mut self.response);
        let coming = async { tokio::time::timeout_at(deadline, response.chunk()).await };
        let chunk = match self.network.wait(self.errand, coming) {
            Ok(Ok(Ok(chunk))) => chunk.unwrap_or_default(),
            Ok(Ok(Err(error))) => {
                return self.fails(Trouble::passing(format!("the download broke off: {}", chain(&error))));
            }
            Ok(Err(_)) => return self.fails(Trouble::lasting("the download takes too long".to_owned())),
            Err(trouble) => return self.fails(trouble),
        };
        let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        self.room = self.room.checked_sub(length).ok_or_else(|| io::Error::other(TooLarge))?;
        self.hash.update(&chunk);
        self.chunk.clear();
        self.chunk.extend_from_slice(&chunk);
        self.at = 0;
        Ok(())
    }

    fn fails(&mut self, trouble: Trouble) -> io::Result<()> {
        self.trouble = Some(trouble);
        Err(io::Error::other("the download broke off"))
    }
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.len() {
            self.next()?;
        }
        let mut rest = self.chunk.get(self.at..).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

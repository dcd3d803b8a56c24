//! The secret that lets a peer in which came over a port. Who has to show one is decided by the transport.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

/// Bytes of chance in a token: 256 bits.
const TOKEN_BYTES: usize = 32;

/// A token. `Debug` shows nothing of it, and two of them can only be compared in constant time.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// A new one, from the randomness of the system.
    ///
    /// # Errors
    /// The system has none.
    pub fn generate() -> io::Result<Self> {
        let mut bytes = [0; TOKEN_BYTES];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// The token that a person or a program was given.
    pub fn given(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether they are the same; how long that takes says nothing about where they differ.
    pub fn matches(&self, other: &Self) -> bool {
        constant_time_eq::constant_time_eq(self.0.as_bytes(), other.0.as_bytes())
    }

    /// The text, for the one who is to show it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_different_and_not_shown() {
        let (one, other) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert_eq!(one.reveal().len(), 64);
        assert!(!one.matches(&other));
        assert!(one.matches(&Token::given(one.reveal())));
        assert!(!one.matches(&Token::given("")));
        assert!(!format!("{one:?}").contains(one.reveal().get(..4).unwrap()));
    }
}

//! Contents with a secret in them: stored so that only this machine can read them (DESIGN 4).
//!
//! Says what the store needs of whoever knows secrets and keys; knows neither itself.

/// Tells which contents are secret, and hides them.
pub trait Vault: Send + Sync {
    /// Whether something that must not be shown stands in `bytes`.
    fn holds_secret(&self, bytes: &[u8]) -> bool;

    /// `bytes` as they may be stored, to be opened for the content of this hash alone. `None` if there is no key: they are
    /// left out.
    fn seal(&self, content: &[u8; 32], bytes: &[u8]) -> Option<Vec<u8>>;

    /// What [`Vault::seal`] made, as it was; `None` if it was altered, or sealed by another machine.
    fn open(&self, content: &[u8; 32], sealed: &[u8]) -> Option<Vec<u8>>;
}

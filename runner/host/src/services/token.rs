//! Who may ask the services for what: a token for each process of an action, and signatures for addresses of blobs.
//!
//! The secret part of a token is that of its job. Which step of the job asks is what the token says, unsigned: steps of one job
//! could take each other's tokens anyway, and one secret is one mask. Knows one random key, which lives as long as the services
//! and is written nowhere; not what the services keep.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// The token's first part: a JSON web token by form, since `@actions/artifact` decodes it.
const HEADER: &str = r#"{"typ":"JWT","alg":"BLAKE3"}"#;

/// Whom a token was given to. Two executions of one step are the same maker of what they keep, and may replace it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Maker {
    /// The run, by the name of its folder.
    pub(super) run: String,
    /// The job, as in `test[2]`.
    pub(super) job: String,
    /// The step's path with its stage, as in `main.2`.
    pub(super) step: String,
    /// The process: another one whenever the step is executed again.
    pub(super) execution: String,
}

impl Maker {
    /// The same step of the same job of the same run.
    pub(super) fn is_same_step(&self, other: &Maker) -> bool {
        (&self.run, &self.job, &self.step) == (&other.run, &other.job, &other.step)
    }

    /// An earlier execution of this very step made it: going back and running the step again replaces it.
    pub(super) fn replaces(&self, other: &Maker) -> bool {
        self.is_same_step(other) && self.execution != other.execution
    }

    /// `workflow_run_backend_id`, as it stands in the token's scope.
    pub(super) fn run_id(&self) -> String {
        plain(&self.run)
    }
}

/// What the scope's grammar parts cannot be in a name.
pub(super) fn plain(name: &str) -> String {
    name.replace([':', ' '], "_")
}

/// What a token says.
#[derive(Serialize, Deserialize)]
struct Claims {
    /// `Actions.Results:<run>:<job>`: where the client takes the ids of run and job from.
    scp: String,
    #[serde(flatten)]
    maker: Maker,
}

/// The key of the services of one process.
pub(super) struct Key([u8; 32]);

impl Key {
    /// A new one, from the system's source of random bytes.
    ///
    /// # Errors
    /// The system has none.
    pub(super) fn random() -> io::Result<Key> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        Ok(Key(key))
    }

    /// What all tokens of a job end with, and nobody may see.
    pub(super) fn secret(&self, run: &str, job: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.of_job(run, job).as_bytes())
    }

    /// The token of this process: the same whenever it is asked for.
    pub(super) fn token(&self, maker: &Maker) -> String {
        let scp = format!("Actions.Results:{}:{}", maker.run_id(), plain(&maker.job));
        let claims = Claims { scp, maker: maker.clone() };
        // Strings in a struct can always be written.
        let claims = serde_json::to_string(&claims).unwrap_or_default();
        let (header, claims) = (URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(claims));
        format!("{header}.{claims}.{}", self.secret(&maker.run, &maker.job))
    }

    /// Whose token this is; `None` if we never gave it.
    pub(super) fn maker(&self, token: &str) -> Option<Maker> {
        let (_, claims) = token.split_once('.')?;
        let (claims, secret) = claims.split_once('.')?;
        let secret: [u8; 32] = URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()?;
        let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
        let maker = serde_json::from_slice::<Claims>(&claims).ok()?.maker;
        // Equality of hashes takes the same time wherever they differ.
        (self.of_job(&maker.run, &maker.job) == blake3::Hash::from_bytes(secret)).then_some(maker)
    }

    /// What makes the address of a blob good: `sig` of its query.
    pub(super) fn signature(&self, kind: &str, id: u64) -> String {
        self.sign("blob", &format!("{kind}/{id}")).to_hex().to_string()
    }

    /// Whether `signature` belongs to the blob.
    pub(super) fn signed(&self, kind: &str, id: u64, signature: &str) -> bool {
        let given = blake3::Hash::from_hex(signature);
        given.is_ok_and(|given| given == self.sign("blob", &format!("{kind}/{id}")))
    }

    fn of_job(&self, run: &str, job: &str) -> blake3::Hash {
        self.sign("job", &format!("{run}\n{job}"))
    }

    fn sign(&self, purpose: &str, text: &str) -> blake3::Hash {
        blake3::keyed_hash(&self.0, format!("{purpose}\n{text}").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maker() -> Maker {
        let text = |text: &str| text.to_owned();
        Maker { run: text("r"), job: text("a:b c"), step: text("main.0"), execution: text("x.1") }
    }

    #[test]
    fn a_token_tells_its_maker_and_is_good_for_one_job() {
        let key = Key::random().unwrap();
        let token = key.token(&maker());
        assert_eq!(key.maker(&token), Some(maker()));
        assert_eq!(token, key.token(&maker()));
        assert!(token.ends_with(&format!(".{}", key.secret("r", "a:b c"))));
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["scp"], "Actions.Results:r:a_b_c");
        assert_eq!(Key::random().unwrap().maker(&token), None, "another key");
        let mut parts: Vec<&str> = token.split('.').collect();
        let other = URL_SAFE_NO_PAD.encode(
            serde_json::to_string(&Claims {
                scp: String::new(),
                maker: Maker { job: "z".into(), ..maker() },
            })
            .unwrap(),
        );
        parts[1] = &other;
        assert_eq!(key.maker(&parts.join(".")), None, "another job");
        for junk in ["", ".", "..", "a.b.c", token.strip_suffix(|_: char| true).unwrap()] {
            assert_eq!(key.maker(junk), None, "{junk}");
        }
    }

    #[test]
    fn a_signature_is_for_one_blob() {
        let key = Key::random().unwrap();
        let signature = key.signature("uploads", 7);
        assert!(key.signed("uploads", 7, &signature));
        assert!(!key.signed("uploads", 8, &signature) && !key.signed("caches", 7, &signature));
        assert!(!key.signed("uploads", 7, "") && !key.signed("uploads", 7, "ff"));
    }
}

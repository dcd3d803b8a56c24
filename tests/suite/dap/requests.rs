//! The fuzz target of request sequences with random bytes: kept seeds as they are, variations of them, and bytes that nobody
//! chose. A run that fails prints its seed; `STEPBACK_FUZZ_SEED` repeats it alone, and `STEPBACK_FUZZ_ROUNDS` makes a run longer.

use std::path::Path;

use serde_json::Value as Json;

use super::schema::Schema;

#[path = "../../../dap-server/fuzz/talk/mod.rs"]
mod talk;

/// Rounds of an ordinary run: ten seconds or so.
const ROUNDS: u64 = 1000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn kept() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dap-server/fuzz/seeds/requests");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// A job, a client that shakes hands with it, and then anything; or something like what is kept.
fn made(random: &mut fastrand::Rng, kept: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = random.choice(kept).cloned().unwrap_or_default();
    if random.u8(0..4) == 0 {
        for _ in 0..random.usize(1..8) {
            let at = random.usize(0..=bytes.len());
            let until = (at + random.usize(0..6)).min(bytes.len());
            bytes.splice(at..until, (0..random.usize(0..6)).map(|_| random.u8(..)).collect::<Vec<_>>());
        }
        return bytes;
    }
    let mut some = |count: usize| -> Vec<u8> { (0..count).map(|_| random.u8(..)).collect() };
    let mut bytes = some(3);
    if some(1) < vec![200] {
        bytes.push(0);
        bytes.extend(some(1));
    }
    let length = usize::from(some(1)[0]);
    bytes.extend(some(length));
    bytes
}

fn check_with(schema: Option<&Schema>) -> impl FnMut(&str) {
    move |text| {
        if let Some(schema) = schema {
            let mut message: Json = serde_json::from_str(text).unwrap();
            // A client that counts below 1 is answered with its own number, and one whose number cannot be read with 0.
            if message["request_seq"].as_i64().is_some_and(|seq| seq < 1) {
                message["request_seq"] = Json::from(1);
            }
            schema.assert_valid(&message);
        }
    }
}

#[test]
fn any_sequence_of_requests_is_answered() {
    let schema = Schema::load();
    let kept = kept();
    let given = number("STEPBACK_FUZZ_SEED");
    let first = given.unwrap_or_else(|| fastrand::u64(..));
    if given.is_none() {
        kept.iter().for_each(|bytes| talk::conversation(bytes, &mut check_with(schema.as_ref())));
    }
    let rounds = if given.is_some() { 1 } else { number("STEPBACK_FUZZ_ROUNDS").unwrap_or(ROUNDS) };
    for seed in (0..rounds).map(|round| first.wrapping_add(round)) {
        let bytes = made(&mut fastrand::Rng::with_seed(seed), &kept);
        let failed = Failed(seed);
        talk::conversation(&bytes, &mut check_with(schema.as_ref()));
        std::mem::forget(failed);
    }
}

/// Says which seed it was when a round panics.
struct Failed(u64);

impl Drop for Failed {
    fn drop(&mut self) {
        println!("STEPBACK_FUZZ_SEED={}", self.0);
    }
}

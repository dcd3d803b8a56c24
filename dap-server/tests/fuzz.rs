//! The fuzz target of the wire with random bytes: kept seeds as they are, and thousands of variations of them. A run that
//! fails prints a seed; `STEPBACK_FUZZ_SEED` repeats it and `STEPBACK_FUZZ_ROUNDS` makes it longer.

// All of it is test code, also the parts that clippy does not see as such: a failed expectation is a failed test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::path::Path;

#[path = "../fuzz/drive.rs"]
mod drive;

/// Rounds of an ordinary run: a second or so.
const ROUNDS: u64 = 20_000;

/// Pieces that make random bytes look like a connection.
const WORDS: [&[u8]; 24] = [
    b"Content-Length: ",
    b"content-type:",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b"0",
    b"18446744073709551616",
    b"-1",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"seq\":",
    b"\"type\":\"request\"",
    b"\"command\":\"setBreakpoints\"",
    b"\"arguments\":null",
    b"null",
    b"1e999",
    b"\\u0000",
    b"\xff",
    b"\xc3\xa9",
    b"\"body\":{}",
    b"\"event\":\"stopped\"",
    b"POST / HTTP/1.1",
];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/codec");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Changes some bytes; `frame` then gives the body the length that it has, so that more than the header is reached.
fn vary(random: &mut fastrand::Rng, bytes: &mut Vec<u8>) {
    for _ in 0..random.usize(1..6) {
        let at = random.usize(0..=bytes.len());
        let until = (at + random.usize(0..9)).min(bytes.len());
        match random.u8(0..5) {
            0 => drop(bytes.drain(at..until)),
            1 => drop(bytes.splice(at..at, WORDS[random.usize(0..WORDS.len())].iter().copied())),
            2 => bytes[at..until].fill_with(|| random.u8(..)),
            3 => drop(bytes.splice(at..until, bytes.clone()[at..until].repeat(2))),
            _ => bytes.truncate(at.max(1)),
        }
    }
}

fn frame(piece: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![piece];
    bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
    bytes.extend(body);
    bytes
}

#[test]
fn any_bytes_are_taken() {
    let seeds = seeds();
    assert!(!seeds.is_empty());
    seeds.iter().for_each(|bytes| drive::connection(bytes));
    let seed = number("STEPBACK_FUZZ_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("STEPBACK_FUZZ_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..number("STEPBACK_FUZZ_ROUNDS").unwrap_or(ROUNDS) {
        let mut bytes = seeds[random.usize(0..seeds.len())].clone();
        if random.bool() {
            vary(&mut random, &mut bytes);
        } else {
            let start = bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
            let mut body = bytes.split_off(start);
            vary(&mut random, &mut body);
            bytes = frame(random.u8(..), &body);
        }
        drive::connection(&bytes);
    }
}

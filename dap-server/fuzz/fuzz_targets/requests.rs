//! Any bytes as a sequence of requests to a debugged job. In `dap-server`, after `mkdir -p fuzz/corpus/requests`:
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run -s none requests fuzz/corpus/requests fuzz/seeds/requests -- -entropic=0 -len_control=0`;
//! new inputs go to the first folder. All of it is safe code, and a conversation touches so much of it that a sanitizer and the
//! search for rare features would take most of the time.

#![no_main]

#[path = "../talk/mod.rs"]
mod talk;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| talk::conversation(bytes, &mut |_| ()));

//! Any bytes as a connection. In `dap-server`, after `mkdir -p fuzz/corpus/codec`:
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run codec fuzz/corpus/codec fuzz/seeds/codec`; new inputs go to the first folder.

#![no_main]

#[path = "../drive.rs"]
mod drive;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drive::connection(bytes));

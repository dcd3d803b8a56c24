//! `RUSTC_BOOTSTRAP=1 cargo fuzz run codec corpus/codec seeds/codec` in the folder above: any bytes as a connection.

#![no_main]

#[path = "../drive.rs"]
mod drive;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drive::connection(bytes));

//! One test binary for everything that crosses a crate.

// All of it is test code, also the parts that clippy does not see as such: a failed expectation is a failed test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub
)]

mod architecture;
mod background;
mod cli;
mod conformance;
mod crash;
mod dap;
mod debugger;
mod frozen;
mod law;
mod npm;
mod regression;
mod session;

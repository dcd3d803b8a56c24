//! What tests of the protocol share. What is tested stands in the files of the tests.

pub(crate) mod schema;

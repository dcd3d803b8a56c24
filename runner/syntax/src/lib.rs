//! syntax

pub mod filter;

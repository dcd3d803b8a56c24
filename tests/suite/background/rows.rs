//! The edges of background steps, one test each, against real processes: what the reference runner gets wrong here is in the
//! table of steps.md 2.7, whose numbers these tests have; what they expect is its right outcome. Three of them run at the
//! full length of the signal ladder too.

mod cancels;
mod starts;
mod waits;
mod writes;

//! Background steps: each edge of what is known of GitHub's, jobs from a seed against a small model, and what cancelled
//! steps leave behind.

mod back;
mod moments;
mod rows;
mod shells;
mod simulation;
mod strays;
mod threads;

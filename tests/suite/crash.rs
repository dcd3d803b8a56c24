//! The program is killed with `kill -9` while it runs a job, stands in it, or goes back in it; and what the next start
//! makes of that.
//!
//! Nothing here waits for a time to pass: a job says through a named pipe where it is, and the journal's length and the
//! files of the workspace say how far the program has come.

mod background;
mod points;
pub mod process;
mod restore;
mod resumed;
mod swept;

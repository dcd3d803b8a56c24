//! What recording and opening cost in an optimised build. Bounds are wide; the figures are printed.

use super::*;
use std::time::{Duration, Instant};

#[test]
fn a_moment_costs_microseconds_and_opening_milliseconds() {
    let shelf = Shelf::new();
    let mut story = Story::begin(shelf.create("a"), Some(shelf.key.clone()));
    for number in 0..30 {
        let (name, value) = (format!("VARIABLE_{number}"), format!("/home/runner/work/some/path/{number}"));
        let edit = engine::event::Edit::Env { name: name.into(), value: Some(value.into()) };
        story.tell(Event::Edited(edit));
    }
    story.learn(LEARNT);
    let mut fastest = Duration::MAX;
    for _ in 0..400 {
        let start = Instant::now();
        story.record(Cause::Left);
        fastest = fastest.min(start.elapsed());
    }
    drop(story.recorder);
    let journal = std::fs::metadata(shelf.find("a").journal()).unwrap().len();
    let start = Instant::now();
    let found = shelf.open("a").unwrap();
    let opening = start.elapsed();
    println!(
        "a moment: {fastest:?}; opening {} moments in {journal} bytes: {opening:?}",
        found.moments.len()
    );
    assert!(fastest < Duration::from_micros(200), "{fastest:?}");
    assert!(opening < Duration::from_millis(250), "{opening:?}");
}

//! Writing on in a recording, and reading one that is being written.

use super::*;
use engine::event::Edit;

const EARLIER: &str = "another-mask-before-0815";

fn set(name: &str, value: &str) -> Event {
    Event::Edited(Edit::Env { name: name.into(), value: Some(value.into()) })
}

#[test]
fn a_recording_that_is_written_on_opens_as_one() {
    let shelf = Shelf::new();
    let mut story = Story::begin(shelf.create("a"), Some(shelf.key.clone()));
    story.learn(EARLIER);
    story.learn(LEARNT);
    let first = story.start().unwrap();
    story.end(&first, 0);
    story.tell(set("BEFORE", EARLIER));
    story.record(Cause::Edited("set env.BEFORE".into()));
    drop(story.recorder);

    // A second process knows the secrets, and learns what the first one had masked. One of the values has a name by now.
    let named = [("TOKEN", TOKEN), ("NOW_NAMED", EARLIER)];
    let supplied = Secrets::new(named.map(|(name, value)| (name.into(), value.into())).into_iter().collect());
    let (recorder, found) =
        Recorder::resume(shelf.find("a"), Some(shelf.key.clone()), &versions(), &supplied).unwrap();
    assert_same(&found.moments, &story.moments);
    let newest = found.newest.unwrap();
    let job = found.moments[newest.0 as usize].job.as_ref().clone();
    let mut second = Story::around(recorder, job, found.secrets);
    (second.moments, second.events) = (story.moments, story.events);
    second.here = Some(newest);
    second.learn("learnt-later-9911");
    second.tell(set("AFTER", &format!("{EARLIER} learnt-later-9911 {LEARNT}")));
    second.record(Cause::Edited("set env.AFTER".into()));
    while let Some(path) = second.start() {
        second.end(&path, 0);
    }
    assert_eq!(second.recorder.close(), Vec::<String>::new());

    let both = open(&shelf.find("a"), Some(&shelf.key), Some(&supplied)).unwrap();
    assert_same(&both.moments, &second.moments);
    assert!(both.events == second.events, "events");
    assert!(both.complete);
    assert_eq!(both.notes, ["written on by stepback 0.1.0 (engine 1)"]);
    let error = shelf.open("a").unwrap_err();
    assert!(error.to_string().contains("exactly: missing: NOW_NAMED\n"), "{error}");
}

#[test]
fn a_recording_that_is_being_written_can_be_read_and_not_written() {
    let shelf = Shelf::new();
    let mut story = Story::begin(shelf.create("a"), Some(shelf.key.clone()));
    story.start();
    let found = shelf.open("a").unwrap();
    assert_same(&found.moments, &story.moments);
    assert!(!found.complete);
    let error = Recorder::resume(shelf.find("a"), None, &versions(), &secrets()).unwrap_err();
    assert!(matches!(error, ReopenError::InUse), "{error}");
    drop(story);
    assert!(Recorder::resume(shelf.find("a"), None, &versions(), &secrets()).is_ok());
}

#[test]
fn writing_on_needs_the_secrets() {
    let shelf = Shelf::new();
    drop(Story::begin(shelf.create("a"), None));
    let error = Recorder::resume(shelf.find("a"), None, &versions(), &Secrets::default()).unwrap_err();
    assert!(matches!(&error, ReopenError::Secrets(needed) if needed.missing.contains("TOKEN")), "{error}");
}

//! No secret on disk, and what it takes to get them back.

use super::*;
use engine::mask::Encoder;

fn assert_hidden(bytes: &[u8], value: &str) {
    for encoder in Encoder::ALL {
        let form = encoder.encode(value.as_bytes());
        let found = form.len() >= 4 && bytes.windows(form.len()).any(|window| window == form);
        assert!(!found, "{} is on disk", String::from_utf8_lossy(&form));
    }
}

fn recorded(shelf: &Shelf) -> Vec<Moment> {
    let mut story = Story::begin(shelf.create("a"), Some(shelf.key.clone()));
    story.run();
    story.recorder.note(&format!("saw {TOKEN}"));
    story.recorder.bookmark(MomentId(1), &format!("{LEARNT}!"));
    story.recorder.restore_end(MomentId(1), crate::journal::RestoreResult::Failed(TOKEN.into()));
    story.recorder.intent(LaneId(3), &StepPath::main(1), Epoch(0), &format!("Run {TOKEN}"));
    story.record(Cause::Edited(format!("set env.A={TOKEN}")));
    story.recorder.close();
    story.moments
}

#[test]
fn no_secret_is_in_any_file_of_a_recording() {
    let shelf = Shelf::new();
    recorded(&shelf);
    let bytes = bytes_below(&shelf.find("a").folder);
    assert_hidden(&bytes, TOKEN);
    assert_hidden(&bytes, LEARNT);

    // What the same story writes when nothing is masked shows both: this test can fail.
    let bare = Shelf::new();
    let mut story = Story::begin(bare.create("a"), None);
    story.secrets = Secrets::default();
    while let Some(path) = story.start() {
        story.end(&path, 0);
    }
    story.recorder.close();
    let journal = crate::journal::read(&bare.find("a").journal()).unwrap();
    let events = journal.records.iter().filter_map(|entry| match &entry.record {
        crate::journal::Record::Event(event) => Some(event.bytes.0.clone()),
        _ => None,
    });
    let events: Vec<u8> = events.flatten().collect();
    assert!(events.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes()));
    assert!(events.windows(LEARNT.len()).any(|window| window == LEARNT.as_bytes()));
}

#[test]
fn secrets_that_are_missing_or_different_are_named() {
    let shelf = Shelf::new();
    recorded(&shelf);
    let recording = shelf.find("a");
    let error = |key: Option<&SealKey>, secrets: &Secrets| {
        open(&recording, key, Some(secrets)).unwrap_err().to_string().lines().next().unwrap().to_owned()
    };
    let prefix = "failed to read the recording exactly: ";
    assert_eq!(error(Some(&shelf.key), &Secrets::default()), format!("{prefix}missing: TOKEN"));
    let rotated = Secrets::new([("TOKEN".into(), "ghs_new".into())].into_iter().collect());
    let different = "other values than when it was recorded: TOKEN";
    assert_eq!(error(Some(&shelf.key), &rotated), format!("{prefix}{different}"));
    let sealed = "1 values masked during the run, sealed under another key";
    assert_eq!(error(None, &secrets()), format!("{prefix}{sealed}"));
    let other = Shelf::new();
    assert_eq!(error(Some(&other.key), &rotated), format!("{prefix}{different}; {sealed}"));
}

#[test]
fn without_secrets_it_can_be_looked_at() {
    let shelf = Shelf::new();
    let moments = recorded(&shelf);
    let found = open(&shelf.find("a"), Some(&shelf.key), None).unwrap();
    assert!(found.is_for_viewing_only());
    assert_eq!(found.needed.missing.iter().collect::<Vec<_>>(), ["TOKEN"]);
    assert_eq!(found.moments.len(), moments.len());
    assert_eq!(found.moments.last().unwrap().point, moments.last().unwrap().point);
    let job = &found.moments.last().unwrap().job;
    assert_eq!(text_of(job.env().get("TOKEN")), "{secret TOKEN plain}");
    assert_eq!(text_of(job.env().get("FROM_0")), "={secret TOKEN plain}{secret #0 plain}=");
    assert_eq!(found.notes, ["saw ***"]);
    assert_eq!(found.bookmarks, [(MomentId(1), "***!".to_owned())]);
    let cause = &found.moments.last().unwrap().cause;
    assert_eq!(*cause, Cause::Edited("set env.A=***".to_owned()));
}

#[test]
fn a_workflow_in_which_a_secret_stands_by_chance_can_still_be_planned() {
    let shelf = Shelf::new();
    let secrets = Secrets::new([("DB_PASSWORD".into(), "build".into())].into_iter().collect());
    let (facts, plan, text) = (facts(), plan_of(WORKFLOW), PlanText::new("ci.yml", WORKFLOW));
    let beginning =
        Beginning { versions: &versions(), facts: &facts, plan: &plan, text: &text, secrets: &secrets };
    Recorder::begin(shelf.create("a"), None, &beginning).unwrap().close();
    let seen = open(&shelf.find("a"), None, None).unwrap();
    assert_eq!(&*seen.plans[0].plan.key.id, "secret_DB_PASSWORD");
    let exact = open(&shelf.find("a"), None, Some(&secrets)).unwrap();
    assert!(exact.plans[0].plan == plan);
}

//! A job from its beginning to its end, and a workflow that is edited on the way.

use super::*;
use engine::event::Edit;

#[test]
fn a_job_comes_back_as_it_was_at_every_moment() {
    let shelf = Shelf::new();
    let mut story = Story::begin(shelf.create("a"), Some(shelf.key.clone()));
    story.run();
    assert_eq!(story.recorder.close(), Vec::<String>::new());

    let found = shelf.open("a").unwrap();
    assert_same(&found.moments, &story.moments);
    assert!(found.facts == facts());
    assert!(found.events == story.events, "events");
    assert_eq!(found.begun.workflow_path, "ci.yml");
    assert_eq!((found.begun.stepback_version.as_str(), found.begun.job_id.as_str()), ("0.1.0", "build"));
    assert_eq!((found.newest, found.branch, found.epoch), (story.here, BranchId(1), Epoch(0)));
    assert_eq!(found.finished, Some(crate::journal::Outcome::Failure));
    assert!(found.complete && !found.truncated && found.torn.is_none() && !found.is_for_viewing_only());
    assert_eq!((found.unknown, found.unfinished_restore, found.rewound), (Vec::new(), None, None));
    let masks: Vec<_> =
        found.secrets.masks().unnamed().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
    assert_eq!(masks, [("#0".to_owned(), LEARNT.as_bytes().to_vec())]);
}

#[test]
fn the_events_lead_from_the_first_moment_to_the_last() {
    let shelf = Shelf::new();
    let mut story = Story::begin(shelf.create("a"), Some(shelf.key.clone()));
    story.run();
    drop(story.recorder);
    let found = shelf.open("a").unwrap();
    let mut job = found.moments[0].job.as_ref().clone();
    for (_, event) in found.events {
        job.handle(event, &found.secrets, &mut Vec::new()).unwrap();
    }
    assert!(job == *found.moments.last().unwrap().job);
}

#[test]
fn moments_that_are_equal_in_parts_share_them() {
    let shelf = Shelf::new();
    let mut story = Story::begin(shelf.create("a"), Some(shelf.key.clone()));
    story.run();
    drop(story.recorder);
    let moments = shelf.open("a").unwrap().moments;
    let shared = moments.windows(2).filter(|pair| Arc::ptr_eq(pair[0].job.env(), pair[1].job.env())).count();
    assert_eq!(
        shared,
        moments.len() - 1 - 3,
        "the environment changes when a step has run, which is three times"
    );
    assert!(moments.windows(2).all(|pair| Arc::ptr_eq(pair[0].job.given(), pair[1].job.given())));
    assert!(moments.windows(2).all(|pair| Arc::ptr_eq(pair[0].job.plan(), pair[1].job.plan())));
}

#[test]
fn a_workflow_that_is_edited_is_recorded_with_the_moments_that_follow() {
    let shelf = Shelf::new();
    let mut story = Story::begin(shelf.create("a"), Some(shelf.key.clone()));
    let edited = WORKFLOW.replace("echo four", "echo five");
    let plan = plan_of(&edited);
    story.recorder.plan(&plan, &PlanText::new("ci.yml", edited.as_str()));
    story.recorder.plan(&plan, &PlanText::new("ci.yml", edited.as_str()));
    story.tell(Event::Edited(Edit::Plan(plan)));
    story.record(Cause::Edited("workflow".into()));
    story.run();
    drop(story.recorder);
    let found = shelf.open("a").unwrap();
    assert_same(&found.moments, &story.moments);
    assert!(found.events == story.events, "events");
    assert_eq!(found.plans.len(), 2);
    let newest = found.plan().unwrap();
    assert_eq!(newest.sources.text(newest.source), edited);
}

#[test]
fn a_plan_that_nobody_told_of_ends_the_recording_and_says_so() {
    let shelf = Shelf::new();
    let mut story = Story::begin(shelf.create("a"), Some(shelf.key.clone()));
    story.tell(Event::Advance);
    let before = story.moments.len();
    let mut effects = Vec::new();
    let edit = Event::Edited(Edit::Plan(plan_of(&WORKFLOW.replace("four", "five"))));
    story.job.handle(edit, &story.secrets, &mut effects).unwrap();
    story.record(Cause::Edited("workflow".into()));
    story.run();
    let warning = "failed to record moment m2: its workflow was not recorded\nhint: the job goes on; what happens from here \
                   on is not recorded";
    assert_eq!(story.recorder.take_warnings(), [warning]);
    assert!(story.recorder.is_truncated());
    assert_eq!(story.recorder.close(), Vec::<String>::new());
    let found = shelf.open("a").unwrap();
    assert_same(&found.moments, &story.moments[..before]);
    assert!(!found.complete);
    assert_eq!(
        found.notes,
        ["the recording ends here: failed to record moment m2: its workflow was not recorded"]
    );
}

#[test]
fn hooks_of_actions_and_called_workflows_are_planned_again() {
    use engine::expr::{Condition, Scope, Template};
    use engine::plan::{Caller, Hook};
    use engine::syntax::WorkflowOrigin;
    let shelf = Shelf::new();
    let called = "on: workflow_call\njobs:\n  x:\n    runs-on: a\n    steps: [{run: echo}]\n";
    let reference = "./.github/workflows/other.yml";
    let caller = format!("{WORKFLOW}  other:\n    uses: {reference}\n");
    let text = PlanText {
        called: [(reference.into(), called.into())].into_iter().collect(),
        ..PlanText::new("ci.yml", caller.as_str())
    };
    let mut sources = Sources::new();
    let source = sources.add("ci.yml", caller.as_str());
    let (workflow, diagnostics) = parse_workflow(&mut sources, source, &ReadOptions::default(), &text);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let outer = JobKey::single("outer");
    let call = JobKey { caller: Some(Arc::new(outer)), id: "call".into(), combination: Some(2) };
    let key = JobKey { caller: Some(Arc::new(call)), id: "build".into(), combination: Some(3) };
    let caller = |name: &str, line| Caller { name: name.into(), file: "main.yml".into(), line };
    let mut plan = Plan::new(Arc::new(workflow.unwrap()), "ci.yml".into(), key, "build (3)".into())
        .unwrap()
        .called_by([caller("call (2)", 7), caller("outer", 3)].into());
    Arc::make_mut(&mut plan.workflow).origin = Some(WorkflowOrigin {
        repository: "o/r".into(),
        reference: "v1".into(),
        commit: Some("0123abc".into()),
    });
    plan.steps[1].post = Some(Hook {
        condition: Condition::parse(Some("always()"), &Scope::any()).unwrap(),
        script: Template::parse("echo ${{ github.sha }}", &Scope::any()).unwrap(),
    });
    let plan = Arc::new(plan);
    let (facts, secrets) = (facts(), secrets());
    let beginning =
        Beginning { versions: &versions(), facts: &facts, plan: &plan, text: &text, secrets: &secrets };
    let recorder = Recorder::begin(shelf.create("a"), Some(shelf.key.clone()), &beginning).unwrap();
    drop(recorder);
    let found = shelf.open("a").unwrap();
    assert!(found.plans[0].plan == plan);
    assert_eq!(found.newest, None);
}

#[test]
fn the_written_form_of_twins_3_2_stays() {
    // A change of this hash is a change of the format, or of what the engine keeps: see the rules in `twin`.
    use crate::journal::{Record, StateArchive};
    let shelf = Shelf::new();
    let mut story = Story::begin(shelf.create("a"), Some(shelf.key.clone()));
    story.run();
    drop(story.recorder);
    let records = crate::journal::read(&shelf.find("a").journal()).unwrap().records;
    let mut states = StateArchive::of(&records);
    let mut hasher = blake3::Hasher::new();
    for entry in &records {
        match &entry.record {
            Record::Moment(moment) => hasher.update(&states.get(moment.id).unwrap()),
            Record::Event(event) => hasher.update(&event.bytes.0),
            Record::Facts(facts) => hasher.update(&facts.packed.hash),
            Record::Plan(plan) => hasher.update(&plan.packed.hash),
            _ => &mut hasher,
        };
    }
    assert_eq!(
        hasher.finalize().to_hex().as_str(),
        "b0c32e145d233fe55af95ff032ddbd7a1aca8db6d6af76bc27907c5294e28cc1"
    );
}

//! What a job has left for a person to find is told at its end.

use engine::mask::Origin;
use engine::secrets::Secrets;
use host::scripted::ScriptedHost;
use host::services::KeptArtifact;
use serde_json::json;

use super::job::Job;
use super::wire::Peer;
use crate::debugger::little::{Little, workflow};
use crate::debugger::{Place, block_on, plan};

fn artifact(name: &str, size: u64) -> KeptArtifact {
    let path = format!("/state/artifacts/run/{name}.zip").into();
    KeptArtifact { name: name.to_owned(), job: "j".to_owned(), size, path }
}

/// A job that leaves these; `hunter2` is a secret.
fn job(artifacts: Vec<KeptArtifact>) -> Job {
    let place = Place::new();
    let host = ScriptedHost::new(Little { artifacts, ..Little::new(place.workspace()) });
    let secrets = Secrets::default();
    let mut masks = secrets.masks().clone();
    masks.add("hunter2", Origin::Unnamed);
    Job::on(plan(&workflow("- run: append log 0\n")), place, secrets.with_masks(masks), |_, _| host)
}

/// What the client reads in its console from the end of the job on, line by line.
async fn last_words(job: &Job) -> Vec<String> {
    let mut peer = Peer::new(&job.desk);
    peer.attach(&[], &json!({})).await;
    peer.stopped().await;
    peer.ask("continue", &json!({ "threadId": 1 })).await;
    let mut lines = Vec::new();
    loop {
        let (event, body) = peer.event().await;
        match event.as_str() {
            "output" if body["category"] == json!("console") => {
                // Lines that come together may be one event.
                lines.extend(body["output"].as_str().unwrap().lines().map(str::to_owned));
            }
            "terminated" => break,
            _ => {}
        }
    }
    peer.hang_up().await;
    let end = lines.iter().position(|line| line.starts_with("● j succeeded")).expect("the end is told");
    lines.split_off(end + 1)
}

#[test]
fn artifacts_are_told_with_their_places_once_the_job_is_over() {
    block_on(async {
        let job = job(vec![artifact("report", 1536), artifact("of hunter2", 7)]);
        let expected = [
            "artifact: report · 1.5 KiB · /state/artifacts/run/report.zip",
            "artifact: of *** · 7 bytes · /state/artifacts/run/of ***.zip",
        ];
        assert_eq!(last_words(&job).await, expected);
        job.quit().await;
    });
}

#[test]
fn a_job_that_left_none_says_nothing() {
    block_on(async {
        let job = job(Vec::new());
        assert_eq!(last_words(&job).await, [""; 0]);
        job.quit().await;
    });
}

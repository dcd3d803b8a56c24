//! The law of going back, over the wire: however a client walks through a job, running forward from an unedited moment
//! ends as the undisturbed run does, and a moment shows the same variables each time it is visited.

use std::sync::Mutex;

use serde_json::json;

use super::job::Job;
use super::walk::{Count, Walker};
use super::wire::Peer;
use crate::debugger::block_on;
use crate::law::end::End;
use crate::law::job::Generated;
use crate::law::{each, named, seeds, threads};

/// How many jobs a client walks through.
const JOBS: u64 = 200;

#[test]
fn clients_end_the_same_however_often_they_go_back() {
    let counts = Mutex::new(Count::default());
    let seeds = seeds(JOBS);
    each(&seeds, threads(), |seed| {
        let generated = Generated::new(seed);
        let count = named("over the wire", seed, &generated, || check(&generated, seed));
        counts.lock().unwrap().add(count);
    });
    let counts = counts.into_inner().unwrap();
    println!("law: {} jobs over the wire, {counts}", seeds.len());
    assert!(seeds.len() < 100 || counts.is_varied(), "the walks are too much alike: {counts}");
}

/// A straight run and a walk show the same at the end, and have left the same behind.
fn check(generated: &Generated, seed: u64) -> Count {
    block_on(async {
        let job = Job::little(generated.plan(), generated.place());
        let mut peer = Peer::attached(&job.desk, &[]).await;
        assert!(!peer.stopped().await.ended);
        let stop = peer.to("continue").await;
        assert!(stop.ended, "a straight run stopped: {stop:?}");
        let expected = super::look::look(&peer).await;
        peer.disconnect(&json!({ "suspendDebuggee": true })).await;
        let (ended, place) = job.quit().await;
        let straight = End::new(ended, &place);

        let job = Job::little(generated.plan(), generated.place());
        let peer = Peer::attached(&job.desk, &[]).await;
        let (count, shown, peer) = Walker::new(peer, seed).walk().await;
        assert_eq!(shown, expected, "the variables at the end differ");
        peer.disconnect(&json!({ "suspendDebuggee": true })).await;
        let (ended, place) = job.quit().await;
        End::new(ended, &place).must_equal(&straight, "after a walk over the wire");
        count
    })
}

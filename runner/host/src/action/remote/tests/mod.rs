//! Actions downloaded from a server on this machine. What is asked and what is told is compared whole.

mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, mpsc};

use engine::action::ResolvedAction;
use rustix::fs::FlockOperation;

use super::*;
use crate::action::unpack::archive_of;
use crate::action::{ActionStore, Places, find};
use server::{Answer, Asked, Server};

const FIRST: &str = "1111111111111111111111111111111111111111";
const SECOND: &str = "2222222222222222222222222222222222222222";
const TOKEN: &str = "ghp_hunter2hunter2";
const QUICK: Pace = Pace {
    tries: 3,
    first_wait: Duration::ZERO,
    connect: Duration::from_secs(20),
    silence: Duration::from_secs(20),
    archive: Duration::from_secs(60),
};

/// A cache in a folder of its own.
struct Bench {
    dir: tempfile::TempDir,
    said: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), said: Arc::default() }
    }

    fn cache(&self) -> PathBuf {
        self.dir.path().join("_actions")
    }

    fn store(&self, url: &str) -> ActionStore {
        let remote = Remote::new(url, Some(TOKEN), QUICK).unwrap();
        ActionStore::default().with_cache(self.cache()).with_remote(remote)
    }

    fn errand(&self) -> (Errand, crate::action::CallOff) {
        let said = Arc::clone(&self.said);
        Errand::new(move |text| said.lock().unwrap().push(text.to_owned()))
    }

    fn find(&self, store: &ActionStore, reference: &str) -> Result<ResolvedAction, String> {
        let (errand, _call_off) = self.errand();
        find_for(&errand, store, reference)
    }

    #[track_caller]
    fn refused(&self, server: &Server, reference: &str) -> String {
        let text = self.find(&self.store(&server.url()), reference).unwrap_err();
        assert!(!text.contains("hunter2"), "{text}");
        assert!(
            self.find(&ActionStore::default().with_cache(self.cache()), reference).is_err(),
            "it is kept"
        );
        text.replace(server.url().trim_start_matches("http://"), "HOST")
    }

    fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// What lies in the cache beside the folders of owners.
    fn leftovers(&self) -> usize {
        let names = fs::read_dir(self.cache()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with("_temp_")).count()
    }
}

fn find_for(errand: &Errand, store: &ActionStore, reference: &str) -> Result<ResolvedAction, String> {
    find(
        Places { workspace: Path::new("/nowhere"), origin: Path::new("/nowhere"), store },
        reference,
        None,
        errand,
    )
}

fn manifest(word: &str) -> String {
    format!("name: {word}\nruns:\n  using: composite\n  steps: []\n")
}

/// An archive as GitHub makes them.
fn archive(commit: &str, word: &str) -> Vec<u8> {
    archive_of(Some(commit), &[("action.yml", &manifest(word)), ("sub/action.yml", &manifest(word))])
}

/// A repository of which every branch and tag is at one commit.
fn github(commit: &'static str) -> impl Fn(&Asked) -> Answer + Send + Sync {
    move |asked| match asked.path.split('/').nth(4) {
        Some("commits") => Answer::ok(commit),
        Some("tarball") => {
            let commit = asked.path.rsplit('/').next().unwrap();
            Answer::ok(archive(commit, "honest"))
        }
        _ => Answer::status(404, ""),
    }
}

#[test]
fn a_tag_is_asked_for_downloaded_and_kept() {
    let (bench, server) = (Bench::new(), Server::start(github(FIRST)));
    let store = bench.store(&server.url());
    let action = bench.find(&store, "o/r/sub@v1").unwrap();
    assert_eq!(action.commit.as_deref(), Some(FIRST));
    assert_eq!(*action.directory, *bench.cache().join(format!("o/r/{FIRST}/sub")).to_string_lossy());
    let commits = "/repos/o/r/commits/v1".to_owned();
    assert_eq!(server.paths(), [commits, format!("/repos/o/r/tarball/{FIRST}")]);
    assert_eq!(
        bench.said(),
        [
            "Getting action download info".to_owned(),
            format!("Download action repository 'o/r@v1' (SHA:{FIRST})")
        ]
    );
    let asked = server.asked();
    assert_eq!(asked[0].header("accept"), Some("application/vnd.github.sha"));
    assert!(asked.iter().all(|asked| asked.header("authorization") == Some(&format!("Bearer {TOKEN}"))));
    // Again, and at the root, and by its commit: nothing is asked, by nobody.
    let offline = ActionStore::default().with_cache(bench.cache());
    for reference in ["o/r@v1".to_owned(), "o/r/sub@v1".to_owned(), format!("o/r@{FIRST}")] {
        assert_eq!(bench.find(&store, &reference).unwrap().commit.as_deref(), Some(FIRST));
        assert_eq!(bench.find(&offline, &reference).unwrap().commit.as_deref(), Some(FIRST));
    }
    assert_eq!(server.asked().len(), 2);
    assert_eq!(bench.leftovers(), 0);
}

#[test]
fn what_was_downloaded_is_marked_with_commit_and_checksum() {
    let (bench, server) = (Bench::new(), Server::start(github(FIRST)));
    bench.find(&bench.store(&server.url()), "o/r@feature/x").unwrap();
    let checksum: String = sha2_of(&archive(FIRST, "honest"));
    let mark = |name: &str| fs::read_to_string(bench.cache().join("o/r").join(name)).unwrap();
    assert_eq!(mark(&format!("{FIRST}.completed")), format!("{FIRST}\nsha256:{checksum}\n"));
    assert_eq!(mark("feature/x.completed"), format!("{FIRST}\n"));
    assert_eq!(server.paths()[0], "/repos/o/r/commits/feature/x");
}

fn sha2_of(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_whole_commit_is_not_asked_for() {
    let (bench, server) = (Bench::new(), Server::start(github(FIRST)));
    bench.find(&bench.store(&format!("{}/api/v3/", server.url())), &format!("o/r@{SECOND}")).unwrap_err();
    assert_eq!(server.paths(), [format!("/api/v3/repos/o/r/tarball/{SECOND}")]);
    let action = bench.find(&bench.store(&server.url()), &format!("o/r@{SECOND}")).unwrap();
    assert_eq!(action.commit.as_deref(), Some(SECOND));
}

#[test]
fn the_token_is_sent_to_the_api_alone() {
    let bench = Bench::new();
    let codeload = Server::start(|asked: &Asked| {
        let path = asked.path.split('?').next().unwrap_or_default();
        Answer::ok(archive(path.rsplit('/').next().unwrap(), "elsewhere"))
    });
    let elsewhere = codeload.other_url();
    let api = Server::start(move |asked: &Asked| match asked.path.split('/').nth(4) {
        Some("commits") => Answer::ok(FIRST),
        _ => Answer::redirect(format!("{elsewhere}/{FIRST}?token=hunter2")),
    });
    let action = bench.find(&bench.store(&api.url()), "o/r@v1").unwrap();
    assert_eq!(action.manifest.name.as_ref().map(|name| &*name.value), Some("elsewhere"));
    assert!(api.asked().iter().all(|asked| asked.header("authorization").is_some()));
    let asked = codeload.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].header("authorization"), asked[0].header("referer")), (None, None));
    assert!(!format!("{:?}", bench.said()).contains("hunter2"));
}

#[test]
fn redirects_end_somewhere_and_never_lose_encryption() {
    let bench = Bench::new();
    let server = Server::start(|asked: &Asked| Answer::redirect(format!("{}x", asked.path)));
    assert!(bench.refused(&server, "o/r@v1").contains("HOST redirects without end\nhint: clone"));
    assert_eq!(server.asked().len(), 6);
    let secure = Remote::new("https://api.github.com", Some(TOKEN), QUICK).unwrap();
    let from = Url::parse("https://api.github.com/x").unwrap();
    let to = |to: &str| {
        secure.redirected(&from, &[(reqwest::header::LOCATION, to.parse().unwrap())].into_iter().collect())
    };
    assert_eq!(to("/y").unwrap().as_str(), "https://api.github.com/y");
    for wrong in ["http://api.github.com/x", "file:///etc/passwd", "ftp://a/b"] {
        assert!(matches!(to(wrong), Err(Trouble::Lasting { .. })), "{wrong}");
    }
    let may = |api: &str, to: &str| {
        Remote::new(api, None, QUICK).unwrap().may_have_the_token(&Url::parse(to).unwrap())
    };
    assert!(may("https://api.github.com", "https://api.github.com/x"));
    assert!(may("http://[::1]:99/api", "http://[::1]:99/x"));
    for (api, to) in [
        ("https://api.github.com", "https://codeload.github.com/x"),
        ("https://api.github.com", "https://api.github.com:444/x"),
        ("https://api.github.com", "http://api.github.com/x"),
        ("http://ghes.example", "http://ghes.example/x"),
        ("http://127.0.0.1:1", "http://127.0.0.1:2/x"),
    ] {
        assert!(!may(api, to), "{api} {to}");
    }
}

#[test]
fn what_another_try_would_not_change_is_said_at_once_with_a_hint() {
    for (answer, text) in [
        (Answer::status(404, ""), "HOST answers 404 Not Found\nhint: is the name right"),
        (Answer::status(422, ""), "HOST answers 422 Unprocessable Entity\nhint: is the name right"),
        (
            Answer::status(401, ""),
            "HOST answers 401 Unauthorized\nhint: the token that was given (GITHUB_TOKEN)",
        ),
        (Answer::status(403, ""), "HOST answers 403 Forbidden\nhint: the token that was given"),
        (
            Answer::status(403, "").with("x-ratelimit-remaining", "0"),
            "403 Forbidden\nhint: no more questions are allowed",
        ),
        (Answer::status(410, ""), "HOST answers 410 Gone\nhint: clone https://github.com/o/r"),
        (Answer::ok("<html>"), "HOST answers with something that is no commit"),
        (Answer::ok("1".repeat(300)), "HOST answers with something that is no commit"),
        (Answer::status(302, ""), "HOST redirects to no address"),
    ] {
        let (bench, server) = (Bench::new(), Server::start(move |_: &Asked| answer.clone()));
        let said = bench.refused(&server, "o/r@v1");
        assert!(
            said.starts_with("the action o/r@v1 cannot be downloaded: ") && said.contains(text),
            "{said}"
        );
        assert!(said.ends_with("`--action o/r@v1=FOLDER`, or in .stepback.toml under [action]"), "{said}");
        assert_eq!(server.asked().len(), 1, "{text}");
    }
}

/// The answers in order, then those of an honest server.
fn first(answers: Vec<Answer>) -> Server {
    let (count, honest) = (AtomicUsize::new(0), github(FIRST));
    Server::start(move |asked| {
        let nth = count.fetch_add(1, Ordering::SeqCst);
        answers.get(nth).cloned().unwrap_or_else(|| honest(asked))
    })
}

#[test]
fn what_may_pass_is_tried_again() {
    let whole = archive(FIRST, "honest");
    let half = Answer::ok(whole.clone()).cut_at(whole.len() / 2);
    let truncated = Answer::ok(&whole[..whole.len() / 2]);
    for (answers, questions) in [
        (vec![Answer::status(500, "")], 3),
        (vec![Answer::status(503, ""), Answer::status(429, "").with("retry-after", "0")], 4),
        (vec![Answer::ok(FIRST), half.clone()], 3),
        (vec![Answer::ok(FIRST), half, truncated], 4),
        (vec![Answer::ok(FIRST).cut_at(7)], 3),
    ] {
        let (bench, server) = (Bench::new(), first(answers));
        let action = bench.find(&bench.store(&server.url()), "o/r@v1").unwrap();
        assert!(Path::new(&*action.directory).join("action.yml").is_file());
        assert_eq!(server.asked().len(), questions);
        assert!(
            bench.said().iter().any(|line| line.ends_with("trying again in 0.0 seconds")),
            "{:?}",
            bench.said()
        );
        assert_eq!(bench.leftovers(), 0);
    }
}

#[test]
fn trying_again_has_an_end() {
    let (bench, server) = (Bench::new(), Server::start(|_: &Asked| Answer::status(502, "")));
    assert!(bench.refused(&server, "o/r@v1").contains("HOST answers 502 Bad Gateway\nhint: clone"));
    assert_eq!(server.asked().len(), 3);
    let patient = Server::start(|_: &Asked| Answer::status(429, "").with("retry-after", "86400"));
    assert!(bench.refused(&patient, "o/r@v1").contains("429 Too Many Requests\nhint: try again later"));
    assert_eq!(patient.asked().len(), 1);
    // Nobody listens there any longer.
    let gone = { std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap() };
    let text = bench.find(&bench.store(&format!("http://{gone}")), "o/r@v1").unwrap_err();
    assert!(text.contains(&format!("{gone} cannot be reached: ")), "{text}");
}

#[test]
fn an_archive_that_is_none_or_another_is_refused_whole() {
    let top = |files: &[(&str, &str)]| archive_of(None, files);
    for (bytes, text) in [
        (b"<!DOCTYPE html>".to_vec(), "sent something (text/html) that is no sound tar.gz archive"),
        (
            archive(SECOND, "other"),
            "sent an archive of the commit 2222222222222222222222222222222222222222, not of 1111",
        ),
        (
            top(&[("action.yml", "runs:"), ("../../evil", "x")]),
            "its archive is not unpacked: `top/../../evil` leads out by `..`\nhint: no honest",
        ),
        (top(&[("a", "x"), ("A", "y")]), "`A` differs from `a` in nothing but the case of letters"),
    ] {
        let bench = Bench::new();
        let server = Server::start(move |asked: &Asked| match asked.path.contains("/commits/") {
            true => Answer::ok(FIRST),
            false => Answer::ok(bytes.clone()).with("content-type", "text/html"),
        });
        let said = bench.refused(&server, "o/r@v1");
        assert!(said.contains(text), "{said}");
        assert_eq!(server.asked().len(), 2);
        assert_eq!(fs::read_dir(bench.cache()).unwrap().count(), 0, "{text}");
        assert_eq!(fs::read_dir(bench.dir.path()).unwrap().count(), 1);
    }
}

#[test]
fn jobs_of_one_run_download_once() {
    let bench = Bench::new();
    let server = Server::start(github(FIRST));
    let store = bench.store(&server.url());
    let find = |reference: &'static str| bench.find(&store.clone(), reference).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| find("o/r@v1"));
            scope.spawn(|| find("o/r@main"));
        }
    });
    // Two names are asked for, of one commit.
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn two_processes_at_once_do_not_break_each_other() {
    let (bench, barrier) = (Bench::new(), Barrier::new(2));
    let honest = github(FIRST);
    // No archive is sent before both have asked for one.
    let server = Server::start(move |asked| {
        if asked.path.contains("/tarball/") {
            barrier.wait();
        }
        honest(asked)
    });
    let stores = [bench.store(&server.url()), bench.store(&server.url())];
    let folders: Vec<_> = std::thread::scope(|scope| {
        let finders: Vec<_> =
            stores.iter().map(|store| scope.spawn(|| bench.find(store, "o/r@v1").unwrap())).collect();
        finders.into_iter().map(|finder| finder.join().unwrap().directory).collect()
    });
    assert_eq!(folders[0], folders[1]);
    assert!(Path::new(&*folders[0]).join("sub/action.yml").is_file());
    assert_eq!((server.asked().len(), bench.leftovers()), (4, 0));
}

#[test]
fn a_download_can_be_called_off() {
    let bench = Bench::new();
    let (sender, asked) = mpsc::channel();
    let (_never, end) = mpsc::channel::<()>();
    let end = Mutex::new(end);
    let server = Server::start(move |_: &Asked| {
        sender.send(()).unwrap();
        let _ = end.lock().unwrap().recv();
        Answer::ok("")
    });
    let store = bench.store(&server.url());
    let (errand, call_off) = bench.errand();
    std::thread::scope(|scope| {
        let finder = scope.spawn(|| find_for(&errand, &store, "o/r@v1"));
        asked.recv().unwrap();
        drop(call_off);
        assert!(finder.join().unwrap().unwrap_err().contains("the download was called off"));
    });
}

#[test]
fn a_tag_that_moves_takes_nothing_from_what_was_recorded() {
    let (bench, before, after) = (Bench::new(), Server::start(github(FIRST)), Server::start(github(SECOND)));
    let old = bench.find(&bench.store(&before.url()), "o/r@v1").unwrap();
    // The cache has an answer, until somebody asks anew.
    assert_eq!(bench.find(&bench.store(&after.url()), "o/r@v1").unwrap().commit.as_deref(), Some(FIRST));
    let new = bench.find(&bench.store(&after.url()).refreshing(true), "o/r@v1").unwrap();
    assert_eq!((new.commit.as_deref(), after.asked().len()), (Some(SECOND), 2));
    assert_eq!(bench.find(&bench.store(&after.url()), "o/r@v1").unwrap().commit.as_deref(), Some(SECOND));
    assert!(Path::new(&*old.directory).join("action.yml").is_file());
    let recorded = bench.store(&after.url()).refreshing(true).as_recorded([&old]);
    let again = bench.find(&recorded, "o/r/sub@v1").unwrap();
    assert_eq!((again.commit.as_deref(), after.asked().len()), (Some(FIRST), 2));
}

#[test]
fn a_recorded_commit_is_downloaded_again_if_the_cache_lost_it() {
    let (bench, server) = (Bench::new(), Server::start(github(FIRST)));
    let old = bench.find(&bench.store(&server.url()), "o/r@v1").unwrap();
    let (later, moved) = (Bench::new(), Server::start(github(SECOND)));
    let again = later.find(&later.store(&moved.url()).as_recorded([&old]), "o/r@v1").unwrap();
    assert_eq!((again.commit, again.text), (old.commit.clone(), old.text.clone()));
    assert_eq!(moved.paths(), [format!("/repos/o/r/tarball/{FIRST}")]);
    let offline = ActionStore::default().with_cache(Bench::new().cache()).as_recorded([&old]);
    let text = later.find(&offline, "o/r@v1").unwrap_err();
    assert!(
        text.contains(&format!("at the recorded commit {FIRST}\nhint: run once without `--offline`")),
        "{text}"
    );
}

#[test]
fn what_a_killed_download_left_is_removed_and_what_runs_is_not() {
    let (bench, server) = (Bench::new(), Server::start(github(FIRST)));
    let (dead, alive) = (bench.cache().join("_temp_dead/deep"), bench.cache().join("_temp_alive"));
    fs::create_dir_all(&dead).unwrap();
    fs::create_dir_all(&alive).unwrap();
    let held = fs::File::open(&alive).unwrap();
    rustix::fs::flock(&held, FlockOperation::LockExclusive).unwrap();
    // Half of it was put in place by something that does not rename.
    let half = bench.cache().join(format!("o/r/{FIRST}/half"));
    fs::create_dir_all(&half).unwrap();
    bench.find(&bench.store(&server.url()), "o/r@v1").unwrap();
    assert!(!dead.exists() && alive.exists() && !half.exists());
}

#[test]
fn names_that_lead_elsewhere_are_never_asked_for() {
    let (bench, server) = (Bench::new(), Server::start(github(FIRST)));
    let below = format!("o/r@{FIRST}/x");
    for reference in ["o/r@../../x", "o/r@a/../b", "o/..@v1", "_temp_x/r@v1", "o/r@a//b", &below] {
        let text = bench.find(&bench.store(&server.url()), reference).unwrap_err();
        assert!(text.contains("is not on this machine"), "{reference}: {text}");
    }
    assert_eq!(server.asked().len(), 0);
    bench.find(&bench.store(&server.url()), "o/r@a%2e?b#c d").unwrap();
    assert_eq!(server.paths()[0], "/repos/o/r/commits/a%252e%3Fb%23c%20d");
}

#[test]
fn addresses_and_tokens_are_looked_at_beforehand() {
    let refused = |url: &str, token: &str| Remote::new(url, Some(token), QUICK).unwrap_err();
    assert!(refused("api.github.com", "").starts_with("`api.github.com` is no address"));
    assert_eq!(refused("ftp://a", ""), "`ftp://a` is no http or https address");
    assert!(!refused("https://me:hunter2@a", "").contains("hunter2"));
    let text = refused("https://a", "hunter2\nx");
    assert!(text.contains("the token") && !text.contains("hunter2"), "{text}");
    let remote = Remote::new("https://a", Some(TOKEN), QUICK).unwrap();
    assert!(!format!("{remote:?}").contains("hunter2"));
}

//! The services over plain HTTP, as their clients speak it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use serde_json::{Value, json};

use super::*;

/// An answer: status, headers in lower case, body.
struct Answer {
    status: u16,
    headers: String,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn send(url: &str, method: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    let mut stream = TcpStream::connect(host).unwrap();
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    headers.iter().for_each(|(name, value)| request.push_str(&format!("{name}: {value}\r\n")));
    stream.write_all(format!("{request}\r\n").as_bytes()).unwrap();
    // A refusal may come before all of it was sent.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let at = answer.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
    let headers = String::from_utf8(answer[..at].to_vec()).unwrap().to_lowercase();
    let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, headers, body: answer[at + 4..].to_vec() }
}

/// A run with its folders.
struct Run {
    folder: tempfile::TempDir,
    services: Services,
}

/// One process of a step.
struct Process {
    access: Access,
}

impl Run {
    fn new() -> Run {
        let folder = tempfile::tempdir().unwrap();
        let services = Run::another(folder.path(), "run-1", "refs/heads/main");
        Run { folder, services }
    }

    /// Another run that has the same caches.
    fn another(folder: &Path, name: &str, reference: &str) -> Services {
        Services::new(ServiceSettings {
            run: name.to_owned(),
            repository: "o/r".to_owned(),
            scopes: vec![reference.to_owned(), "refs/heads/main".to_owned()],
            caches: folder.join("caches"),
            artifacts: folder.join("artifacts").join(name),
        })
    }

    fn process(&self, step: u32, execution: &str) -> Process {
        Process::of(&self.services, "build", step, execution)
    }

    fn artifacts(&self) -> Vec<(String, String)> {
        let place = self.folder.path().join("artifacts/run-1");
        let kept = self.services.artifacts().into_iter().map(|kept| {
            assert_eq!(kept.path.parent(), Some(place.as_path()), "{:?}", kept.path);
            (kept.name, String::from_utf8(std::fs::read(kept.path).unwrap()).unwrap())
        });
        kept.collect()
    }
}

impl Process {
    fn stranger(url: &str, token: &str) -> Process {
        Process { access: Access { url: url.to_owned(), token: token.to_owned(), secret: String::new() } }
    }

    fn of(services: &Services, job: &str, step: u32, execution: &str) -> Process {
        Process { access: services.for_job(job).access(&StepPath::main(step), execution).unwrap() }
    }

    fn call(&self, method: &str, message: &Value) -> Answer {
        let url = format!("{}twirp/github.actions.results.api.v1.{method}", self.access.url);
        let token = format!("Bearer {}", self.access.token);
        send(&url, "POST", &[("authorization", &token)], message.to_string().as_bytes())
    }

    fn cache(&self, method: &str, key: &str, more: Value) -> Answer {
        let mut message = json!({"key": key, "version": "v1"});
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.call(&format!("CacheService/{method}"), &message)
    }

    /// Saves a cache; the status of the step at which it ended.
    fn save(&self, key: &str, content: &str) -> u16 {
        let created = self.cache("CreateCacheEntry", key, json!({}));
        if created.status != 200 {
            return created.status;
        }
        let url = created.json()["signed_upload_url"].as_str().unwrap().to_owned();
        assert_eq!(send(&url, "PUT", &[("x-ms-blob-type", "BlockBlob")], content.as_bytes()).status, 201);
        self.cache("FinalizeCacheEntryUpload", key, json!({"size_bytes": content.len().to_string()})).status
    }

    /// The key and the content that are found.
    fn restore(&self, key: &str, restore_keys: &[&str]) -> Option<(String, String)> {
        let found = self.cache("GetCacheEntryDownloadURL", key, json!({"restore_keys": restore_keys}));
        assert_eq!(found.status, 200, "{}", found.text());
        let found = found.json();
        let url = found["signed_download_url"].as_str().filter(|_| found["ok"] == true)?;
        let got = send(url, "GET", &[], b"");
        assert_eq!(got.status, 200);
        Some((found["matched_key"].as_str().unwrap().to_owned(), got.text()))
    }

    fn artifact(&self, method: &str, name: &str, more: Value) -> Answer {
        let mut message = json!({"workflow_run_backend_id": "run-1", "workflow_job_run_backend_id": "build"});
        if !name.is_empty() {
            message["name"] = name.into();
        }
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.call(&format!("ArtifactService/{method}"), &message)
    }

    fn begin(&self, name: &str) -> Result<String, Answer> {
        let created = self.artifact("CreateArtifact", name, json!({"version": 7}));
        if created.status != 200 {
            return Err(created);
        }
        Ok(created.json()["signed_upload_url"].as_str().unwrap().to_owned())
    }

    fn upload(&self, name: &str, content: &str) -> u16 {
        let url = match self.begin(name) {
            Ok(url) => url,
            Err(refused) => return refused.status,
        };
        // Two blocks, sent in the wrong order, and their list.
        let (first, second) = content.split_at(content.len() / 2);
        for (block, part) in [("Yg%3D%3D", second), ("YQ%3D%3D", first)] {
            let block = format!("{url}&comp=block&blockid={block}");
            assert_eq!(send(&block, "PUT", &[], part.as_bytes()).status, 201);
        }
        let list = "<?xml version=\"1.0\"?><BlockList><Latest>YQ==</Latest><Latest>Yg==</Latest></BlockList>";
        assert_eq!(send(&format!("{url}&comp=blocklist"), "PUT", &[], list.as_bytes()).status, 201);
        self.artifact("FinalizeArtifact", name, json!({"size": content.len().to_string()})).status
    }

    fn download(&self, name: &str) -> Answer {
        let signed = self.artifact("GetSignedArtifactURL", name, json!({}));
        match signed.json()["signed_url"].as_str() {
            Some(url) => send(url, "GET", &[], b""),
            None => signed,
        }
    }

    fn names(&self) -> Vec<String> {
        let listed = self.artifact("ListArtifacts", "", json!({})).json();
        let all = listed["artifacts"].as_array().unwrap();
        all.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    }
}

/// Everything below `folder`, as paths from it.
fn tree(folder: &Path) -> Vec<String> {
    let mut open = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                open.push(entry);
            } else {
                found.push(entry.strip_prefix(folder).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_cache_is_found_again_by_other_runs_and_never_saved_twice() {
    let run = Run::new();
    let step = run.process(0, "x.1");
    assert_eq!(step.restore("npm-1", &["npm-"]), None);
    assert_eq!(step.save("npm-1", "one"), 200);
    assert_eq!(step.save("npm-1", "again"), 409);
    assert_eq!(run.process(1, "x.2").save("npm-1", "other"), 409);
    assert_eq!(run.process(1, "x.2").save("npm-2", "two"), 200);
    let later = Run::another(run.folder.path(), "run-2", "refs/heads/feature");
    let step = Process::of(&later, "test", 0, "y.1");
    let pair = |key: &str, content: &str| Some((key.to_owned(), content.to_owned()));
    assert_eq!(step.restore("npm-1", &[]), pair("npm-1", "one"));
    assert_eq!(step.restore("npm-9", &["npm-"]), pair("npm-2", "two"));
    assert_eq!(step.save("npm-1", "of the feature"), 200);
    assert_eq!(step.restore("npm-1", &[]), pair("npm-1", "of the feature"));
    assert_eq!(run.process(0, "x.1").restore("npm-1", &[]), pair("npm-1", "one"), "main does not see it");
    let other_version = json!({"version": "v2"});
    assert_eq!(step.cache("GetCacheEntryDownloadURL", "npm-1", other_version).json()["ok"], false);
}

#[test]
fn a_step_that_runs_again_saves_its_cache_again() {
    let run = Run::new();
    assert_eq!(run.process(0, "x.1").save("k", "before"), 200);
    assert_eq!(run.process(0, "x.2").save("k", "after going back"), 200);
    let found = run.process(1, "x.3").restore("k", &[]);
    assert_eq!(found, Some(("k".to_owned(), "after going back".to_owned())));
    let caches = tree(&run.folder.path().join("caches"));
    assert_eq!(caches.iter().filter(|file| file.ends_with(".cache")).count(), 1, "{caches:?}");
}

#[test]
fn artifacts_are_shared_by_the_jobs_of_a_run() {
    let run = Run::new();
    assert_eq!(run.process(0, "x.1").upload("report", "all is well"), 200);
    assert_eq!(run.process(0, "x.1").upload("report", "again"), 409, "the very same process");
    assert_eq!(run.process(1, "x.2").upload("report", "mine"), 409, "another step");
    let other = Process::of(&run.services, "test", 0, "z.1");
    assert_eq!(other.upload("report", "same path, another job"), 409);
    assert_eq!(other.names(), ["report"]);
    let got = other.download("report");
    assert_eq!((got.status, got.text().as_str()), (200, "all is well"));
    assert!(got.headers.contains("content-type: application/zip"), "{}", got.headers);
    assert_eq!(other.artifact("DeleteArtifact", "report", json!({})).json()["ok"], true);
    assert_eq!(other.download("report").status, 404);
    assert_eq!(other.upload("report", "new"), 200);
    assert_eq!(run.artifacts(), [("report".to_owned(), "new".to_owned())]);
    let of = |job: &str| -> Vec<String> {
        run.services
            .for_job(job)
            .artifacts()
            .into_iter()
            .map(|kept| format!("{} of {}", kept.name, kept.job))
            .collect()
    };
    assert_eq!((of("test"), of("build")), (vec!["report of test".to_owned()], Vec::new()));
}

#[test]
fn a_step_that_runs_again_replaces_its_artifact() {
    let run = Run::new();
    assert_eq!(run.process(0, "x.1").upload("report", "first"), 200);
    // It broke off, and somebody went back.
    run.process(0, "x.2").begin("report").unwrap_or_else(|refused| panic!("{}", refused.text()));
    assert_eq!(run.process(0, "x.3").upload("report", "second"), 200);
    assert_eq!(run.artifacts(), [("report".to_owned(), "second".to_owned())]);
    assert_eq!(tree(&run.folder.path().join("artifacts/run-1"))[2..], ["report.zip"]);
}

#[test]
fn no_name_leads_out_of_the_store() {
    let run = Run::new();
    let step = run.process(0, "x.1");
    for name in ["../../x", "a/b", "..\\x", "a\0b", "", "line\nbreak", &"x".repeat(300)] {
        let refused = step.begin(name).err().unwrap_or_else(|| panic!("{name:?} was taken"));
        assert_eq!((refused.status, refused.json()["code"].as_str()), (400, Some("invalid_argument")));
    }
    for (index, name) in ["..", ".", ".store", "größe", &"y".repeat(256)].into_iter().enumerate() {
        assert_eq!(run.process(index as u32, "x").upload(name, "text"), 200, "{name}");
        assert_eq!(step.download(name).text(), "text");
    }
    for (key, status) in [
        ("../../x", 200),
        ("/etc/passwd", 200),
        ("a,b", 400),
        ("a\0b", 400),
        (&"k".repeat(512), 200),
        (&"k".repeat(513), 400),
    ] {
        assert_eq!(step.save(key, "text"), status, "{key:?}");
    }
    let block = step.begin("blocks").ok().unwrap();
    let escaping = format!("{block}&comp=block&blockid=..%2F..%2F..%2Fx");
    assert_eq!(send(&escaping, "PUT", &[], b"text").status, 201);
    let files = tree(run.folder.path());
    let ours = |file: &str| {
        let content = file.starts_with("caches/") && file.ends_with(".cache");
        content || file.contains("/.store/") || file.starts_with("artifacts/run-1/")
    };
    assert!(files.iter().all(|file| ours(file)), "{files:?}");
    assert!(files.iter().all(|file| file.rsplit('/').next().unwrap().len() < 120), "{files:?}");
}

#[test]
fn nobody_gets_in_without_a_token_or_a_signature() {
    let run = Run::new();
    let step = run.process(0, "x.1");
    assert_eq!(step.save("k", "secret"), 200);
    let forged = |token: &str| {
        Process::stranger(&step.access.url, token).cache("GetCacheEntryDownloadURL", "k", json!({})).status
    };
    let (head, tail) = step.access.token.rsplit_once('.').unwrap();
    let turned: String = tail.chars().rev().collect();
    for token in ["", "x", &format!("{head}.{turned}"), &format!("{head}."), &format!("{head}.AAAA")] {
        assert_eq!(forged(token), 401, "{token}");
    }
    assert_eq!(forged(&step.access.token), 200);
    let url = format!("{}twirp/github.actions.results.api.v1.CacheService/CreateCacheEntry", step.access.url);
    assert_eq!(send(&url, "POST", &[], b"{}").status, 401);

    let found = step.cache("GetCacheEntryDownloadURL", "k", json!({})).json();
    let good = found["signed_download_url"].as_str().unwrap();
    let (bare, signature) = good.split_once("?sig=").unwrap();
    assert_eq!(send(good, "GET", &[], b"").text(), "secret");
    let next = bare.replace("caches/1", "caches/2");
    let kind = bare.replace("caches/1", "artifacts/1");
    for bad in [bare, &format!("{next}?sig={signature}"), &format!("{kind}?sig={signature}")] {
        assert_eq!(send(bad, "GET", &[], b"").status, 403, "{bad}");
    }
    let other = Run::another(run.folder.path(), "run-2", "refs/heads/main");
    let elsewhere = Process::of(&other, "build", 0, "x.1");
    let stranger = Process::stranger(&elsewhere.access.url, &step.access.token);
    assert_eq!(stranger.cache("GetCacheEntryDownloadURL", "k", json!({})).status, 401);
    assert_eq!(elsewhere.artifact("ListArtifacts", "", json!({})).status, 404, "another run's artifacts");
}

#[test]
fn downloads_come_in_parts() {
    let run = Run::new();
    let step = run.process(0, "x.1");
    let content: String = (0..40_000).map(|number| format!("{number:05}")).collect();
    assert_eq!(step.save("k", &content), 200);
    let found = step.cache("GetCacheEntryDownloadURL", "k", json!({})).json();
    let url = found["signed_download_url"].as_str().unwrap();
    let whole = send(url, "GET", &[], b"");
    assert_eq!((whole.status, whole.text() == content), (200, true));
    let part = send(url, "GET", &[("range", "bytes=100000-199999")], b"");
    assert_eq!((part.status, part.body == content.as_bytes()[100_000..]), (206, true));
    assert!(part.headers.contains("content-range: bytes 100000-199999/200000"), "{}", part.headers);
    let part = send(url, "GET", &[("x-ms-range", "bytes=5-9"), ("range", "bytes=0-")], b"");
    assert_eq!(part.text(), "00001");
    let beyond = send(url, "GET", &[("range", "bytes=200000-")], b"");
    assert_eq!(beyond.status, 416);
    assert!(beyond.headers.contains("x-ms-error-code: invalidrange"), "{}", beyond.headers);
    let head = send(url, "HEAD", &[], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert!(head.headers.contains("content-length: 200000"), "{}", head.headers);
}

#[test]
fn what_is_incomplete_or_makes_no_sense_is_refused() {
    let run = Run::new();
    let step = run.process(0, "x.1");
    let url = step.begin("a").ok().unwrap();
    assert_eq!(step.artifact("FinalizeArtifact", "a", json!({"size": "3"})).status, 412, "nothing came");
    assert_eq!(send(&url, "PUT", &[], b"abc").status, 400, "no kind of blob");
    let unknown = "<BlockList><Latest>eA==</Latest></BlockList>";
    assert_eq!(send(&format!("{url}&comp=blocklist"), "PUT", &[], unknown.as_bytes()).status, 400);
    assert_eq!(send(&format!("{url}&comp=blocklist"), "PUT", &[], b"{}").status, 400);
    assert_eq!(send(&url, "PUT", &[("x-ms-blob-type", "BlockBlob")], b"abc").status, 201);
    assert_eq!(send(&url, "PUT", &[("x-ms-blob-type", "BlockBlob")], b"abcd").status, 409);
    let short = step.artifact("FinalizeArtifact", "a", json!({"size": "4"}));
    assert_eq!((short.status, short.json()["msg"].as_str().unwrap().contains("3 bytes")), (400, true));
    let hash = json!({"size": 3, "hash": "sha256:00"});
    assert_eq!(step.artifact("FinalizeArtifact", "a", hash).status, 400);
    let hash = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(step.artifact("FinalizeArtifact", "a", json!({"size": 3, "hash": hash})).status, 200);
    let listed = step.artifact("ListArtifacts", "", json!({"id_filter": "1"})).json();
    assert_eq!(
        (&listed["artifacts"][0]["digest"], &listed["artifacts"][0]["size"]),
        (&hash.into(), &"3".into())
    );
    assert_eq!(step.artifact("ListArtifacts", "", json!({"id_filter": "2"})).json()["artifacts"], json!([]));

    assert_eq!(step.artifact("MigrateArtifact", "a", json!({})).json()["code"], "bad_route");
    assert_eq!(step.call("OtherService/Method", &json!({})).status, 404);
    assert_eq!(step.call("CacheService/CreateCacheEntry", &json!([1])).status, 400);
    let long = json!({"key": "k".repeat(twirp::MESSAGE_BYTES_MAX), "version": "v"});
    assert_eq!(step.call("CacheService/CreateCacheEntry", &long).status, 400);
    assert_eq!(send(&step.access.url, "GET", &[], b"").status, 404);
    assert_eq!(step.cache("FinalizeCacheEntryUpload", "never", json!({})).status, 404);
}

#[test]
fn nothing_is_there_before_somebody_asks_and_half_uploads_go_at_the_end() {
    let run = Run::new();
    assert_eq!(run.services.artifacts(), []);
    assert_eq!(tree(run.folder.path()), [] as [&str; 0]);
    let step = run.process(0, "x.1");
    assert_eq!(step.names(), [] as [&str; 0]);
    assert!(!run.folder.path().join("artifacts").exists(), "a run without artifacts has no folder for them");
    let url = step.begin("half").ok().unwrap();
    assert_eq!(send(&format!("{url}&comp=block&blockid=YQ"), "PUT", &[], b"text").status, 201);
    assert!(tree(run.folder.path()).iter().any(|file| file.contains("uploads/")));
    let Run { folder, services } = run;
    drop(services);
    assert!(!tree(folder.path()).iter().any(|file| file.contains("uploads/")), "{:?}", tree(folder.path()));
    assert!(TcpStream::connect(url.strip_prefix("http://").unwrap().split('/').next().unwrap()).is_err());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("caches"), "a file").unwrap();
    let services = Run::another(folder.path(), "run-1", "main");
    let error = services.for_job("a").access(&StepPath::main(0), "x").err().unwrap();
    assert!(error.starts_with(&folder.path().join("caches").display().to_string()), "{error}");
}

impl Process {
    fn old(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let token = format!("Bearer {}", self.access.token);
        let headers = [&[("authorization", token.as_str())], headers].concat();
        send(&format!("{}_apis/artifactcache/{path}", self.access.url), method, &headers, body)
    }
}

#[test]
fn the_older_protocol_has_the_same_caches() {
    let run = Run::new();
    let step = run.process(0, "x.1");
    assert_eq!(step.old("GET", "cache?keys=a,b&version=v1", &[], b"").status, 204);
    assert_eq!(
        step.old("GET", "caches?key=a", &[], b"").json(),
        json!({"totalCount": 0, "artifactCaches": []})
    );
    let reserve = br#"{"key":"npm-1","version":"v1","cacheSize":10}"#;
    let reserved = step.old("POST", "caches", &[], reserve);
    assert_eq!(reserved.status, 201);
    let cache = format!("caches/{}", reserved.json()["cacheId"]);
    assert_eq!(run.process(1, "x.2").old("POST", "caches", &[], reserve).status, 409, "it is under way");
    let chunk = |range: &str, bytes: &str| {
        step.old("PATCH", &cache, &[("content-range", range)], bytes.as_bytes()).status
    };
    assert_eq!(chunk("bytes 5-9/*", "world"), 204);
    assert_eq!(step.old("POST", &cache, &[], br#"{"size":10}"#).status, 400, "the beginning is missing");
    assert_eq!(chunk("bytes 0-4/*", "hell"), 400, "shorter than it says");
    assert_eq!(chunk("lines 0-4", "hello"), 400);
    assert_eq!(chunk("bytes 0-4/*", "hello"), 204);
    assert_eq!(run.process(1, "x.2").old("POST", &cache, &[], br#"{"size":10}"#).status, 404, "not its own");
    assert_eq!(step.old("POST", &cache, &[], br#"{"size":10}"#).status, 204);
    let found = step.old("GET", "cache?keys=yarn%2Cnpm-&version=v1", &[], b"").json();
    assert_eq!(found["cacheKey"], "npm-1");
    assert_eq!(send(found["archiveLocation"].as_str().unwrap(), "GET", &[], b"").text(), "helloworld");
    assert_eq!(step.restore("npm-1", &[]), Some(("npm-1".to_owned(), "helloworld".to_owned())));
    assert_eq!(step.old("DELETE", &cache, &[], b"").status, 404);
    let stranger = Process::stranger(&step.access.url, "x");
    assert_eq!(stranger.old("GET", "cache?keys=npm-1&version=v1", &[], b"").status, 401);
}

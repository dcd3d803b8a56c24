//! As much of GitHub's API on this machine as downloading an action takes.
//!
//! Knows repositories at one commit each; keeps what it was asked.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;

use flate2::Compression;
use flate2::write::GzEncoder;

/// A repository as it stands now: every branch and tag of it is at one commit.
#[derive(Clone)]
pub struct Repository {
    pub name: &'static str,
    pub commit: &'static str,
    pub files: Vec<(&'static str, String)>,
}

#[derive(Default)]
struct State {
    repositories: Mutex<Vec<Repository>>,
    asked: Mutex<Vec<String>>,
    closed: AtomicBool,
    /// Told of the first question, which then gets no answer.
    silent: Mutex<Option<mpsc::Sender<TcpStream>>>,
}

/// Serves until it is dropped; then nobody listens there.
pub struct Github {
    address: SocketAddr,
    state: Arc<State>,
    serving: Option<JoinHandle<()>>,
}

impl Github {
    pub fn start(repositories: Vec<Repository>) -> Github {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State { repositories: Mutex::new(repositories), ..State::default() });
        let serving = std::thread::spawn({
            let state = Arc::clone(&state);
            move || {
                for stream in listener.incoming() {
                    if state.closed.load(Ordering::SeqCst) {
                        return;
                    }
                    // Whoever asks may have gone.
                    let _ = serve(stream.expect("a connection"), &state);
                }
            }
        });
        Github { address, state, serving: Some(serving) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on its branches and tags are here.
    pub fn moves(&self, repository: Repository) {
        let mut all = self.state.repositories.lock().expect("no panic");
        all.retain(|known| known.name != repository.name);
        all.push(repository);
    }

    /// The next question gets no answer; who asked is handed out.
    pub fn falls_silent(&self) -> mpsc::Receiver<TcpStream> {
        let (sender, receiver) = mpsc::channel();
        *self.state.silent.lock().expect("no panic") = Some(sender);
        receiver
    }

    /// What was asked since the last time: path, and `*` where a token came with it.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.state.asked.lock().expect("no panic"))
    }
}

impl Drop for Github {
    fn drop(&mut self) {
        self.state.closed.store(true, Ordering::SeqCst);
        // Wakes it, so that it sees that it is to end.
        drop(TcpStream::connect(self.address));
        if let Some(serving) = self.serving.take() {
            let _ = serving.join();
        }
    }
}

fn serve(stream: TcpStream, state: &State) -> std::io::Result<()> {
    let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let has_token = headers.iter().any(|line| line.to_lowercase().starts_with("authorization:"));
    state.asked.lock().expect("no panic").push(format!("{path}{}", if has_token { " *" } else { "" }));
    if let Some(silent) = state.silent.lock().expect("no panic").take() {
        let _ = silent.send(stream);
        return Ok(());
    }
    let found = answer(&path, &state.repositories.lock().expect("no panic"));
    let (status, body) = found.map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
    let mut out = &stream;
    write!(out, "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len())?;
    out.write_all(&body)
}

/// `[http://HOST]/repos/OWNER/REPO/commits/REF` and `.../tarball/COMMIT`
fn answer(path: &str, repositories: &[Repository]) -> Option<Vec<u8>> {
    let (_, path) = path.split_once("/repos/")?;
    let repository = repositories.iter().find(|known| path.starts_with(&format!("{}/", known.name)))?;
    match path.split('/').nth(2)? {
        "commits" => Some(repository.commit.as_bytes().to_vec()),
        "tarball" if path.ends_with(repository.commit) => Some(archive(repository)),
        _ => None,
    }
}

fn archive(repository: &Repository) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut put = |kind: tar::EntryType, name: &str, text: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(text.len() as u64);
        tar.append_data(&mut header, name, text).expect("an archive");
    };
    let comment = format!("52 comment={}\n", repository.commit);
    put(tar::EntryType::XGlobalHeader, "pax_global_header", comment.as_bytes());
    let top = format!("{}-{}", repository.name.replace('/', "-"), &repository.commit[..7]);
    for (name, text) in &repository.files {
        put(tar::EntryType::Regular, &format!("{top}/{name}"), text.as_bytes());
    }
    tar.into_inner().and_then(GzEncoder::finish).expect("an archive")
}

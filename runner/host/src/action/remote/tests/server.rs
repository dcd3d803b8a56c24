//! A server on this machine that says what a test wants, also what no honest one would.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What was asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) path: String,
    headers: HashMap<String, String>,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// Only so much of the body is sent before the connection ends.
    sent: Option<usize>,
}

impl Answer {
    pub(super) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200, body)
    }

    pub(super) fn status(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), sent: None }
    }

    pub(super) fn redirect(to: String) -> Self {
        Self::status(302, "").with("location", to)
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn cut_at(self, sent: usize) -> Self {
        Self { sent: Some(sent), ..self }
    }
}

type Handler = Arc<dyn Fn(&Asked) -> Answer + Send + Sync>;

/// Runs until the test ends.
pub(super) struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(super) fn start(handler: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (handler, all): (Handler, _) = (Arc::new(handler), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (handler, all) = (Arc::clone(&handler), Arc::clone(&all));
                // Whoever asks may go away in the middle.
                std::thread::spawn(move || drop(serve(stream, &handler, &all)));
            }
        });
        Self { port, asked }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The same server, for a client that compares names.
    pub(super) fn other_url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.path).collect()
    }
}

fn serve(stream: TcpStream, handler: &Handler, all: &Mutex<Vec<Asked>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(&stream).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let mut asked =
        Asked { path: first.split(' ').nth(1).unwrap_or_default().to_owned(), ..Asked::default() };
    for line in lines {
        match line?.split_once(": ") {
            Some((name, value)) => drop(asked.headers.insert(name.to_lowercase(), value.to_owned())),
            None => break,
        }
    }
    all.lock().unwrap().push(asked.clone());
    let answer = handler(&asked);
    let mut out = &stream;
    write!(
        out,
        "HTTP/1.1 {} Status\r\nconnection: close\r\ncontent-length: {}\r\n",
        answer.status,
        answer.body.len()
    )?;
    for (name, value) in &answer.headers {
        write!(out, "{name}: {value}\r\n")?;
    }
    out.write_all(b"\r\n")?;
    out.write_all(&answer.body[..answer.sent.unwrap_or(answer.body.len())])
}

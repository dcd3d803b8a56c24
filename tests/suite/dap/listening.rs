//! The built program as it listens for clients, and a client of it that blocks. Keeps every byte that it is sent.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

use dap_server::codec::{Decoder, encode};
use serde_json::{Value as Json, json};

use super::schema::Schema;
use crate::cli::program::Sandbox;

/// A program that has said nothing for so long will say nothing any more, on any machine.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// A debugger that waits for clients.
pub(crate) struct Listening {
    pub address: String,
    /// For a port.
    pub token: Option<String>,
    child: Child,
    _out: BufReader<Box<dyn Read>>,
}

impl Listening {
    /// `debug` with these arguments; sockets lie in the sandbox.
    pub(crate) fn start(sandbox: &Sandbox, arguments: &[&str]) -> Self {
        let mut command = sandbox.command(&[&["debug"], arguments].concat());
        command.env("XDG_RUNTIME_DIR", runtime(sandbox)).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = child.stdout.take().unwrap();
        Self::where_it_says(child, Box::new(out))
    }

    /// `dap --listen` at a socket in the sandbox.
    pub(crate) fn for_launches(sandbox: &Sandbox) -> Self {
        let socket = runtime(sandbox).join("adapter");
        let mut command = sandbox.command(&["dap", "--listen", &socket.to_string_lossy()]);
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let errors = child.stderr.take().unwrap();
        Self::where_it_says(child, Box::new(errors))
    }

    fn where_it_says(child: Child, out: Box<dyn Read>) -> Self {
        let mut out = BufReader::new(out);
        let mut said = |what: &str| loop {
            let mut line = String::new();
            assert_ne!(out.read_line(&mut line).unwrap(), 0, "it ended before it said `{what}`");
            if let Some(rest) = line.trim().strip_prefix(what) {
                return rest.trim().to_owned();
            }
        };
        let address = said("waiting for a debugger at");
        let token = (!address.contains('/')).then(|| said("token"));
        Self { address, token, child, _out: out }
    }

    /// A client that has not said anything.
    pub(crate) fn client(&self) -> Blocking {
        Blocking::to(&self.address)
    }

    /// What `attach` has to carry.
    pub(crate) fn attachment(&self) -> Json {
        self.token.as_ref().map_or_else(|| json!({}), |token| json!({ "token": token }))
    }

    /// How it ends, when it does so by itself.
    pub(crate) fn ended(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // A test that has failed leaves nothing behind; any other has waited for the end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The folder for sockets; closed to others.
pub(crate) fn runtime(sandbox: &Sandbox) -> PathBuf {
    let folder = sandbox.beside().join("runtime");
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).unwrap();
    folder
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// The input and output of a program.
struct Pipes {
    input: ChildStdin,
    output: ChildStdout,
}

impl Read for Pipes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.output.read(buffer)
    }
}

impl Write for Pipes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.input.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.input.flush()
    }
}

/// A client that blocks.
pub(crate) struct Blocking {
    stream: Box<dyn Stream>,
    decoder: Decoder,
    unread: Vec<u8>,
    sent: i64,
    schema: Option<Schema>,
    /// Events that came while an answer was awaited.
    events: VecDeque<Json>,
    /// Everything that it was sent.
    pub heard: Vec<u8>,
}

impl Blocking {
    pub(crate) fn to(address: &str) -> Self {
        let stream: Box<dyn Stream> = if address.contains('/') {
            let stream = UnixStream::connect(Path::new(address)).unwrap();
            stream.set_read_timeout(Some(STUCK_AFTER)).unwrap();
            Box::new(stream)
        } else {
            let stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(STUCK_AFTER)).unwrap();
            Box::new(stream)
        };
        Self::over(stream)
    }

    fn over(stream: Box<dyn Stream>) -> Self {
        let (decoder, schema) = (Decoder::new(), Schema::load());
        let (unread, events, heard) = Default::default();
        Self { stream, decoder, unread, sent: 0, schema, events, heard }
    }

    /// To `stepback dap` on its own input and output, and the program itself.
    pub(crate) fn of_program(sandbox: &Sandbox) -> (Self, Child) {
        let mut command = sandbox.command(&["dap"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let pipes = Pipes { input: child.stdin.take().unwrap(), output: child.stdout.take().unwrap() };
        (Self::over(Box::new(pipes)), child)
    }

    /// Sends a request, and gives its number.
    pub(crate) fn send(&mut self, command: &str, arguments: &Json) -> i64 {
        self.sent += 1;
        let request =
            json!({ "seq": self.sent, "type": "request", "command": command, "arguments": arguments });
        let mut frame = Vec::new();
        encode(&request.to_string(), &mut frame);
        self.stream.write_all(&frame).unwrap();
        self.sent
    }

    /// Sends whatever.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        // The other end may have hung up already.
        let _ = self.stream.write_all(bytes);
    }

    /// The next message; `None` when the connection is closed.
    fn next(&mut self) -> Option<Json> {
        loop {
            let mut bytes = self.unread.as_slice();
            let body = self.decoder.decode(&mut bytes).unwrap();
            self.unread = bytes.to_vec();
            if let Some(body) = body {
                let message = serde_json::from_str(&body).unwrap();
                if let Some(schema) = &self.schema {
                    schema.assert_valid(&message);
                }
                return Some(message);
            }
            if self.read() == 0 {
                return None;
            }
        }
    }

    fn read(&mut self) -> usize {
        let mut buffer = [0; 16 * 1024];
        let count = match self.stream.read(&mut buffer) {
            Ok(count) => count,
            // It has hung up while we were still talking.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) =>
            {
                0
            }
            Err(error) => panic!("nothing comes: {error}"),
        };
        self.heard.extend_from_slice(&buffer[..count]);
        self.unread.extend_from_slice(&buffer[..count]);
        count
    }

    /// The answer to a request, as it came.
    pub(crate) fn tried(&mut self, command: &str, arguments: &Json) -> Json {
        let seq = self.send(command, arguments);
        loop {
            let message = self.next().unwrap_or_else(|| panic!("no answer to {command}"));
            if message["type"] == "response" && message["request_seq"] == seq {
                return message;
            }
            self.events.push_back(message);
        }
    }

    /// The body of the answer; a refusal fails the test.
    pub(crate) fn ask(&mut self, command: &str, arguments: &Json) -> Json {
        let answer = self.tried(command, arguments);
        assert_eq!(answer["success"], true, "{command} {arguments}: {answer}");
        answer["body"].clone()
    }

    /// The next event of this name.
    pub(crate) fn event(&mut self, name: &str) -> Json {
        loop {
            let message = self.events.pop_front().or_else(|| self.next());
            let message = message.unwrap_or_else(|| panic!("no {name}"));
            if message["event"] == name {
                return message["body"].clone();
            }
        }
    }

    /// Comes to the job, and is told where it stands.
    pub(crate) fn attach(&mut self, arguments: &Json) {
        self.come(arguments);
        self.event("stopped");
    }

    /// Comes to the job, which may be running.
    pub(crate) fn come(&mut self, arguments: &Json) {
        self.ask("initialize", &json!({ "adapterID": "stepback" }));
        self.ask("attach", arguments);
        self.ask("setExceptionBreakpoints", &json!({ "filters": [] }));
        self.ask("configurationDone", &json!({}));
    }

    /// Reads until the connection is closed.
    pub(crate) fn rest(mut self) -> Vec<u8> {
        while self.read() > 0 {}
        self.heard
    }
}

//! Connections over pipes, sockets and ports, and how each of them ends.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::{Duration, Instant};

use super::*;
use crate::codec;
use crate::envelope::{Content, Envelope};
use crate::limits::{UNADMITTED_BYTES_MAX, UNADMITTED_TIME_MAX};
use crate::protocol::{Request, Token};

fn anyone() -> Arc<dyn PeerCheck> {
    Arc::new(|_: &Peer| true)
}

/// A folder that is closed to others, whatever the umask.
fn own_folder() -> tempfile::TempDir {
    let own = std::fs::Permissions::from_mode(0o700);
    tempfile::Builder::new().permissions(own).tempdir().unwrap()
}

fn frame(body: &str) -> Vec<u8> {
    let mut out = Vec::new();
    codec::encode(body, &mut out);
    out
}

fn request(body: &str) -> Request {
    let Content::Request(request) = Envelope::parse(body).unwrap().content else { panic!("a request") };
    Request::decode(request).unwrap()
}

fn initialize() -> Request {
    request(r#"{"seq":1,"type":"request","command":"initialize","arguments":{"adapterID":"stepback"}}"#)
}

fn attach(token: &str) -> Request {
    request(&format!(r#"{{"seq":2,"type":"request","command":"attach","arguments":{{"token":"{token}"}}}}"#))
}

fn launch(token: &str) -> Request {
    request(&format!(r#"{{"seq":2,"type":"request","command":"launch","arguments":{{"token":"{token}"}}}}"#))
}

fn threads() -> Request {
    request(r#"{"seq":3,"type":"request","command":"threads"}"#)
}

#[tokio::test(start_paused = true)]
async fn messages_come_until_the_peer_hangs_up() {
    let (connection, mut theirs) = Connection::in_memory();
    let mut reader = connection.reader;
    assert!(reader.is_admitted());
    theirs.write_all(&[frame("1"), frame("2")].concat()).await.unwrap();
    assert_eq!(reader.next().await.unwrap().as_deref(), Some("1"));
    assert_eq!(reader.next().await.unwrap().as_deref(), Some("2"));
    drop(theirs);
    assert_eq!(reader.next().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_cut_off_is_an_error() {
    let (connection, mut theirs) = Connection::in_memory();
    let mut reader = connection.reader;
    theirs.write_all(b"Content-Length: 5\r\n\r\n{").await.unwrap();
    drop(theirs);
    assert!(matches!(reader.next().await, Err(ReadError::CutOff)));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_wait_loses_nothing() {
    let (connection, mut theirs) = Connection::in_memory();
    let mut reader = connection.reader;
    for byte in frame("{\"seq\":1}") {
        let waited = tokio::time::timeout(Duration::from_millis(1), reader.next()).await;
        assert!(waited.is_err());
        theirs.write_all(&[byte]).await.unwrap();
    }
    assert_eq!(reader.next().await.unwrap().as_deref(), Some("{\"seq\":1}"));
}

#[tokio::test(start_paused = true)]
async fn a_peer_without_a_token_has_little_time() {
    let (mut theirs, ours) = duplex(1 << 16);
    let mut reader = MessageReader::with_token(ours, Token::given("x"));
    let begin = Instant::now();
    theirs.write_all(&frame("{}")).await.unwrap();
    assert!(reader.next().await.unwrap().is_some());
    assert!(matches!(reader.next().await, Err(ReadError::TooLate)));
    assert!((UNADMITTED_TIME_MAX..UNADMITTED_TIME_MAX + Duration::from_millis(5)).contains(&begin.elapsed()));
}

#[tokio::test(start_paused = true)]
async fn a_peer_without_a_token_has_few_bytes() {
    let (mut theirs, ours) = duplex(1 << 16);
    let mut reader = MessageReader::with_token(ours, Token::given("x"));
    theirs.write_all(&frame(&" ".repeat(UNADMITTED_BYTES_MAX))).await.unwrap();
    assert!(matches!(reader.next().await, Err(ReadError::TooMuch)));
    let mut rest = Vec::new();
    drop(reader);
    theirs.read_to_end(&mut rest).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_admitted_peer_has_all_time_and_room() {
    let (mut theirs, ours) = duplex(1 << 20);
    let mut reader = MessageReader::with_token(ours, Token::given("x"));
    // All that was sent in one go waits behind the bytes that count.
    let large = " ".repeat(UNADMITTED_BYTES_MAX * 4);
    theirs.write_all(&[frame("{}"), frame(&large)].concat()).await.unwrap();
    assert!(reader.next().await.unwrap().is_some());
    reader.admit(&initialize()).unwrap();
    assert!(!reader.is_admitted());
    reader.admit(&attach("x")).unwrap();
    assert!(reader.is_admitted());
    assert_eq!(reader.next().await.unwrap(), Some(large));
    let patience = tokio::time::timeout(UNADMITTED_TIME_MAX * 100, reader.next()).await;
    assert!(patience.is_err(), "it still waits");
    reader.admit(&threads()).unwrap();
    reader.admit(&attach("whatever")).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_starts_its_own_job_shows_its_token_in_launch() {
    let (_theirs, ours) = duplex(1 << 16);
    let mut reader = MessageReader::with_token(ours, Token::given("x"));
    reader.admit(&launch("x")).unwrap();
    assert!(reader.is_admitted());
}

#[tokio::test(start_paused = true)]
async fn a_wrong_token_learns_nothing_and_ends_it() {
    let mut answers = Vec::new();
    for wrong in [
        attach("y"),
        attach(""),
        attach("xx"),
        launch("y"),
        request(r#"{"seq":1,"type":"request","command":"launch","arguments":{"token":7}}"#),
        threads(),
        request(r#"{"seq":1,"type":"request","command":"attach"}"#),
    ] {
        let (mut theirs, ours) = duplex(1 << 16);
        let mut reader = MessageReader::with_token(ours, Token::given("x"));
        theirs.write_all(&frame("{}")).await.unwrap();
        answers.push(reader.admit(&wrong).unwrap_err().into_response(1, ""));
        assert!(reader.admit(&attach("x")).is_err(), "no second try");
        let mut reader = reader;
        while let Ok(body) = reader.next().await {
            assert_eq!(body.as_deref(), Some("{}"), "nothing was read since");
        }
    }
    let texts: Vec<_> =
        answers.iter().map(|answer| (&answer.message, answer.body.as_ref().map(|body| body.get()))).collect();
    assert!(texts.windows(2).all(|two| two[0] == two[1]), "{texts:?}");
}

#[tokio::test]
async fn a_socket_is_closed_to_others_and_knows_its_peer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own/dap.sock");
    let mut listener = Listener::unix(&path, anyone()).unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert!(listener.token().is_none());
    let (_, mut writer) = listener.address().connect().await.unwrap();
    let mut connection = listener.accept().await.unwrap();
    let uid = rustix::process::geteuid().as_raw();
    assert_eq!(connection.peer, Peer { uid: Some(uid), pids: vec![std::process::id() as i32] });
    writer.write_all(&frame("{}")).await.unwrap();
    assert_eq!(connection.reader.next().await.unwrap().as_deref(), Some("{}"));
    drop(listener);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_socket_is_only_put_where_nothing_else_is() {
    let folder = own_folder();
    let path = folder.path().join("dap.sock");
    let first = Listener::unix(&path, anyone()).unwrap();
    assert!(matches!(Listener::unix(&path, anyone()), Err(ListenError::InUse(_))));
    std::mem::forget(first);
    let file = folder.path().join("file");
    std::fs::write(&file, "kept").unwrap();
    assert!(matches!(Listener::unix(&file, anyone()), Err(ListenError::InUse(_))));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
    let stale = folder.path().join("stale.sock");
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    Listener::unix(&stale, anyone()).unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let open = Listener::unix(&folder.path().join("other.sock"), anyone());
    assert!(matches!(open, Err(ListenError::OpenFolder(_))));
}

#[tokio::test]
async fn a_port_is_on_loopback_asks_for_a_token_and_knows_its_peer() {
    let mut listener = Listener::tcp(0, anyone()).await.unwrap();
    let Address::Tcp(address) = listener.address() else { panic!("a port") };
    assert!(address.ip().is_loopback() && address.port() != 0);
    let token = listener.token().unwrap().clone();
    let (_reader, mut writer) = listener.address().connect().await.unwrap();
    // A wait that is given up again and again still lets the peer in.
    let mut connection = loop {
        tokio::select! {
            biased;
            accepted = listener.accept() => break accepted.unwrap(),
            () = tokio::task::yield_now() => {}
        }
    };
    assert!(!connection.reader.is_admitted());
    if cfg!(target_os = "linux") {
        assert_eq!(connection.peer.uid, Some(rustix::process::geteuid().as_raw()));
        assert_eq!(connection.peer.pids, [std::process::id() as i32]);
    }
    writer.write_all(&frame("{}")).await.unwrap();
    assert!(connection.reader.next().await.unwrap().is_some());
    connection.reader.admit(&attach(token.reveal())).unwrap();
    let other = Listener::tcp(address.port(), anyone()).await;
    assert!(matches!(other, Err(ListenError::Io { .. })));
}

#[tokio::test]
async fn a_refused_peer_hears_nothing() {
    let folder = own_folder();
    let nobody: Arc<dyn PeerCheck> = Arc::new(|_: &Peer| false);
    let unix = Listener::unix(&folder.path().join("dap.sock"), Arc::clone(&nobody)).unwrap();
    for mut listener in [unix, Listener::tcp(0, nobody).await.unwrap()] {
        let (mut reader, _writer) = listener.address().connect().await.unwrap();
        let mut heard = Vec::new();
        tokio::select! {
            _ = listener.accept() => panic!("it was let in"),
            read = reader.read_to_end(&mut heard) => drop(read),
        }
        assert!(heard.is_empty());
    }
}

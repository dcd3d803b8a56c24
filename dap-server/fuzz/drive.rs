//! What has to hold for any bytes that a peer may send. Driven by `cargo fuzz`, and by a test with random bytes that
//! needs no special compiler. Panics when something does not hold.

use dap_server::codec::{Decoder, FrameError};
use dap_server::envelope::{Content, Envelope};
use dap_server::protocol::{Event, Failure, Request, ResponseBody};

/// All that a connection would do with the bytes. The first says in which pieces they come.
pub(crate) fn connection(bytes: &[u8]) {
    let Some((piece, bytes)) = bytes.split_first() else { return };
    let whole = bodies(bytes, bytes.len());
    assert_eq!(bodies(bytes, usize::from(*piece)), whole, "pieces matter");
    for body in &whole.0 {
        message(body);
    }
}

fn bodies(bytes: &[u8], piece: usize) -> (Vec<String>, Option<FrameError>) {
    let mut decoder = Decoder::new();
    let mut found = Vec::new();
    for mut input in bytes.chunks(piece.max(1)) {
        loop {
            match decoder.decode(&mut input) {
                Ok(Some(body)) => found.push(body),
                Ok(None) => break,
                Err(error) => return (found, Some(error)),
            }
        }
        assert!(input.is_empty(), "bytes are left");
    }
    (found, None)
}

/// Whatever is read can be written and read again; whatever is not is answered by a message.
fn message(body: &str) {
    match Envelope::parse(body) {
        Ok(envelope) => {
            again(&envelope.to_json());
            content(envelope);
        }
        Err(malformed) => {
            if let Some(response) = malformed.answer() {
                again(&Envelope { seq: 1, content: Content::Response(response) }.to_json());
            }
        }
    }
}

fn content(envelope: Envelope) {
    match envelope.content {
        Content::Request(request) => {
            let command = request.command.clone();
            match Request::decode(request) {
                Ok(request) => {
                    let encoded = request.encode().expect("what was read can be written");
                    Request::decode(encoded).expect("what was written can be read");
                }
                Err(error) => {
                    let response = Failure::from(error).into_response(envelope.seq, command);
                    again(&Envelope { seq: 1, content: Content::Response(response) }.to_json());
                }
            }
        }
        Content::Response(response) => {
            let body = ResponseBody::decode(&response.command, response.body.as_deref());
            if let Ok(body) = body {
                let response = body.into_response(response.request_seq, response.command);
                assert!(response.success, "what was read can be written");
            }
        }
        Content::Event(event) => {
            if let Ok(event) = Event::decode(event) {
                Event::decode(event.encode().expect("what was read can be written")).expect("and read");
            }
        }
    }
}

fn again(json: &str) {
    let envelope = Envelope::parse(json).expect("what was written can be read");
    assert_eq!(envelope.to_json(), json, "and is the same");
}

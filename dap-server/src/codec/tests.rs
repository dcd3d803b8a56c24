//! Messages whole, cut and damaged: what the codec gives back and what it refuses.

use proptest::prelude::*;

use super::*;

/// Everything that comes out when the bytes go in `piece` at a time.
fn decode(bytes: &[u8], piece: usize) -> (Vec<String>, Option<FrameError>) {
    let mut decoder = Decoder::new();
    let mut bodies = Vec::new();
    for mut input in bytes.chunks(piece.max(1)) {
        loop {
            match decoder.decode(&mut input) {
                Ok(Some(body)) => bodies.push(body),
                Ok(None) => break,
                Err(error) => return (bodies, Some(error)),
            }
        }
        assert!(input.is_empty(), "bytes were left although more are needed");
    }
    (bodies, None)
}

fn frame(body: &str) -> Vec<u8> {
    let mut out = Vec::new();
    encode(body, &mut out);
    out
}

#[track_caller]
fn refused(bytes: impl AsRef<[u8]>, with: FrameError) {
    let bytes = bytes.as_ref();
    for piece in [1, 3, bytes.len()] {
        assert_eq!(decode(bytes, piece), (Vec::new(), Some(with)), "in pieces of {piece}");
    }
}

#[track_caller]
fn accepted(bytes: impl AsRef<[u8]>, bodies: &[&str]) {
    let bytes = bytes.as_ref();
    for piece in [1, 2, bytes.len()] {
        let expected = bodies.iter().map(ToString::to_string).collect();
        assert_eq!(decode(bytes, piece), (expected, None), "in pieces of {piece}");
    }
}

#[test]
fn a_frame_has_one_header_and_nothing_after_the_body() {
    assert_eq!(frame("{}"), b"Content-Length: 2\r\n\r\n{}");
    assert_eq!(frame("é"), "Content-Length: 2\r\n\r\né".as_bytes());
}

#[test]
fn headers_are_read_with_tolerance() {
    accepted("content-LENGTH:2\r\n\r\n{}", &["{}"]);
    accepted("Content-Length: \t2 \t\r\n\r\n{}", &["{}"]);
    accepted("Content-Length: 002\r\n\r\n{}", &["{}"]);
    accepted("Content-Length: 2\n\n{}", &["{}"]);
    let typed = "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}";
    accepted(typed, &["{}"]);
    accepted("Content-Length: 0\r\n\r\n", &[""]);
    accepted("Content-Length: 2\r\n\r\n{}\r\nContent-Length: 2\r\n\r\n[]\n\n", &["{}", "[]"]);
}

#[test]
fn whatever_talks_http_is_refused_before_its_body() {
    refused("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", FrameError::UnknownHeader);
    refused("GET / HTTP/1.1\r\n\r\n", FrameError::UnknownHeader);
    refused("CONNECT x:1 HTTP/1.1\r\n", FrameError::UnknownHeader);
    refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", FrameError::UnknownHeader);
    let hidden = "Content-Length: 2\r\nOrigin: http://evil.example\r\n\r\n{}";
    refused(hidden, FrameError::UnknownHeader);
    refused("Content-Length: 2\r\nHost: 127.0.0.1\r\n\r\n{}", FrameError::UnknownHeader);
}

#[test]
fn what_is_no_header_is_refused_at_its_first_byte() {
    let mut decoder = Decoder::new();
    assert_eq!(decoder.decode(&mut &b"P"[..]), Err(FrameError::UnknownHeader));
    refused("{\"seq\":1}", FrameError::UnknownHeader);
    refused(b"\x16\x03\x01\x02\x00\x01", FrameError::UnknownHeader);
    refused(b"\x00", FrameError::UnknownHeader);
    refused(" Content-Length: 2\r\n\r\n{}", FrameError::UnknownHeader);
    refused("Content-Length : 2\r\n\r\n{}", FrameError::UnknownHeader);
    refused("Content-Length2: 2\r\n\r\n{}", FrameError::UnknownHeader);
    refused("Content-Length\r\n\r\n{}", FrameError::UnknownHeader);
    refused("\r{}", FrameError::UnknownHeader);
    refused("Content-Length: 2\r\n more\r\n\r\n{}", FrameError::UnknownHeader);
}

#[test]
fn lengths_are_plain_numbers_once() {
    for bad in ["", " ", "-1", "+2", "2.0", "0x2", "2a", "2 2", "1e3", "٢", "NaN", "2\r"] {
        refused(format!("Content-Length: {bad}\r\n\r\n{{}}"), FrameError::BadLength);
    }
    refused("Content-Type: x\r\n\r\n{}", FrameError::NoLength);
    refused("Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", FrameError::SecondLength);
    refused("Content-Length: 2\r\ncontent-length: 3\r\n\r\n{}", FrameError::SecondLength);
    let too_large = FrameError::TooLarge { max: MESSAGE_BYTES_MAX };
    for huge in ["10485761", "18446744073709551615", "18446744073709551616", &"9".repeat(400)] {
        refused(format!("Content-Length: {huge}\r\n\r\n"), too_large);
    }
}

#[test]
fn header_blocks_end_somewhere() {
    let long = format!("Content-Type: {}\r\n", "x".repeat(HEADER_BYTES_MAX));
    refused(long, FrameError::HeaderTooLarge);
    refused("Content-Type: x".repeat(HEADER_BYTES_MAX), FrameError::HeaderTooLarge);
    refused("Content-Type: x\n".repeat(HEADERS_MAX + 1), FrameError::HeaderTooLarge);
    refused("\n".repeat(HEADERS_MAX + 1), FrameError::HeaderTooLarge);
    let most = format!("{}Content-Length: 2\n\n{{}}", "Content-Type: x\n".repeat(HEADERS_MAX - 2));
    accepted(most, &["{}"]);
}

#[test]
fn text_is_utf8() {
    refused(b"Content-Length: 2\r\n\r\n\xff\xfe", FrameError::NotUtf8);
    refused(b"Content-Length: 1\r\n\r\n\xc3", FrameError::NotUtf8);
    refused(b"Content-Type: \xff\r\n", FrameError::NotUtf8);
}

#[test]
fn nothing_comes_after_an_error() {
    let mut decoder = Decoder::new();
    let error = decoder.decode(&mut &b"x"[..]).unwrap_err();
    assert_eq!(decoder.decode(&mut frame("{}").as_slice()), Err(error));
    assert!(!decoder.is_between_frames());
}

#[test]
fn an_announced_length_takes_no_memory() {
    let mut decoder = Decoder::new();
    let header = format!("Content-Length: {MESSAGE_BYTES_MAX}\r\n\r\n{{");
    assert_eq!(decoder.decode(&mut header.as_bytes()), Ok(None));
    let State::Body { bytes, .. } = &decoder.state else { panic!("in the body") };
    assert!(bytes.capacity() < 1024, "{}", bytes.capacity());
}

#[test]
fn the_largest_body_passes() {
    let body = " ".repeat(MESSAGE_BYTES_MAX);
    let (bodies, error) = decode(&frame(&body), 1 << 16);
    assert_eq!((bodies.len(), error), (1, None));
    assert_eq!(bodies[0].len(), MESSAGE_BYTES_MAX);
}

#[test]
fn a_stream_ends_well_between_frames_alone() {
    let bytes = frame("{}");
    for cut in 0..=bytes.len() {
        let mut decoder = Decoder::new();
        let _ = decoder.decode(&mut &bytes[..cut]);
        assert_eq!(decoder.is_between_frames(), cut == 0 || cut == bytes.len(), "after {cut}");
    }
}

proptest! {
    #[test]
    fn pieces_do_not_matter(bodies in prop::collection::vec(".{0,80}", 0..6), cuts in prop::collection::vec(1usize..40, 0..50)) {
        let bytes: Vec<u8> = bodies.iter().flat_map(|body| frame(body)).collect();
        let mut decoder = Decoder::new();
        let mut found = Vec::new();
        let mut rest = bytes.as_slice();
        for cut in cuts.into_iter().chain([usize::MAX]) {
            let (mut piece, later) = rest.split_at(cut.min(rest.len()));
            while let Some(body) = decoder.decode(&mut piece).unwrap() {
                found.push(body);
            }
            prop_assert!(piece.is_empty());
            rest = later;
        }
        prop_assert_eq!(found, bodies);
        prop_assert!(decoder.is_between_frames());
    }

    #[test]
    fn any_bytes_give_the_same_in_any_pieces(bytes in prop::collection::vec(any::<u8>(), 0..200), piece in 1usize..20) {
        prop_assert_eq!(decode(&bytes, piece), decode(&bytes, bytes.len()));
    }

    #[test]
    fn almost_frames_give_the_same_in_any_pieces(
        parts in prop::collection::vec(prop_oneof![
            Just("Content-Length: ".to_owned()), Just("content-type: ".to_owned()), Just("\r\n".to_owned()),
            Just("\n".to_owned()), Just(":".to_owned()), "[0-9]{1,3}", ".{0,6}",
        ], 0..20),
        piece in 1usize..9,
    ) {
        let text = parts.concat();
        prop_assert_eq!(decode(text.as_bytes(), piece), decode(text.as_bytes(), text.len()));
    }
}

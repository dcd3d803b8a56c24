//! Blobs over HTTP, as far as the clients of the storage service want it: Put Blob, Put Block, Put Block List, and GET and HEAD
//! with ranges.
//!
//! Bytes go from the connection to the disk and back, a piece at a time. Knows headers and queries; not what a blob is for.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Method, Response, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::upload::{Upload, UploadError};

/// The most bytes of a list of blocks.
const BLOCK_LIST_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How much of a blob is in memory on its way out.
const PIECE_BYTES: usize = 64 * 1024;

/// What the query of an address may say.
#[derive(Default)]
pub(super) struct Query {
    pub(super) sig: String,
    comp: String,
    block: String,
}

impl Query {
    /// Reads it. What it says besides is for others.
    pub(super) fn of(text: &str) -> Self {
        let mut query = Query::default();
        for (name, value) in text.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "sig" => query.sig = value.to_owned(),
                "comp" => query.comp = value.to_owned(),
                // Compared only with itself and with the list, so what matters is that both are decoded alike.
                "blockid" => query.block = percent_decoded(value),
                _ => {}
            }
        }
        query
    }
}

/// The text with `%41` and the like decoded, once.
pub(super) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
        let escaped = || u8::try_from(digit(0)? * 16 + digit(1)?).ok();
        let escaped = (byte == b'%').then(escaped).flatten();
        bytes.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Takes a piece of an upload.
pub(super) async fn put<W: Send + Sync + 'static>(
    upload: std::sync::Arc<Upload<W>>,
    query: &Query,
    headers: &HeaderMap,
    mut body: Body,
) -> Response<Body> {
    let kind = headers.get("x-ms-blob-type").map(HeaderValue::as_bytes);
    let result = match (query.comp.as_str(), kind) {
        ("block", _) => receive(&upload, &mut body, |piece| upload.keep_block(&query.block, piece)).await,
        ("blocklist", _) => join(&upload, &mut body).await,
        ("", Some(b"BlockBlob")) => receive(&upload, &mut body, |piece| upload.keep_whole(piece)).await,
        _ => return refused(StatusCode::BAD_REQUEST, "UnsupportedOperation"),
    };
    match result {
        Ok(()) => answer(StatusCode::CREATED, Body::empty()),
        Err(PutError::Broken) => refused(StatusCode::BAD_REQUEST, "IncompleteBody"),
        Err(PutError::BadList) => refused(StatusCode::BAD_REQUEST, "InvalidBlockList"),
        Err(PutError::Upload(error)) => {
            tracing::debug!("upload {}: {error}", upload.id);
            match error {
                UploadError::TooLarge => refused(StatusCode::PAYLOAD_TOO_LARGE, "RequestBodyTooLarge"),
                UploadError::UnknownBlock | UploadError::Gap => {
                    refused(StatusCode::BAD_REQUEST, "InvalidBlockList")
                }
                UploadError::Finished => refused(StatusCode::CONFLICT, "BlobAlreadyExists"),
                // The client would try again and again what cannot get better.
                UploadError::Disk(_) => refused(StatusCode::INSUFFICIENT_STORAGE, "DiskFull"),
            }
        }
    }
}

enum PutError {
    /// The connection broke off.
    Broken,
    BadList,
    Upload(UploadError),
}

impl From<UploadError> for PutError {
    fn from(error: UploadError) -> Self {
        PutError::Upload(error)
    }
}

async fn receive<W>(
    upload: &Upload<W>,
    body: &mut Body,
    keep: impl FnOnce(super::upload::Piece) -> Result<(), UploadError>,
) -> Result<(), PutError> {
    let mut piece = upload.piece()?;
    while let Some(bytes) = next(body).await {
        piece.write(&bytes.map_err(|_| PutError::Broken)?)?;
    }
    Ok(keep(piece)?)
}

async fn join<W: Send + Sync + 'static>(
    upload: &std::sync::Arc<Upload<W>>,
    body: &mut Body,
) -> Result<(), PutError> {
    let list = all(body, BLOCK_LIST_BYTES_MAX).await.ok_or(PutError::BadList)?;
    let names = block_names(&list).ok_or(PutError::BadList)?;
    let upload = std::sync::Arc::clone(upload);
    // Gigabytes may have to be copied, and other uploads go on meanwhile.
    let joined = tokio::task::spawn_blocking(move || upload.join_blocks(&names)).await;
    Ok(joined.unwrap_or_else(|error| Err(UploadError::Disk(io::Error::other(error))))?)
}

/// The next bytes of a body.
pub(super) async fn next(body: &mut Body) -> Option<Result<Bytes, axum::Error>> {
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await?;
        match frame.map(Frame::into_data) {
            Ok(Ok(bytes)) => return Some(Ok(bytes)),
            // Trailers say nothing to us.
            Ok(Err(_)) => {}
            Err(error) => return Some(Err(error)),
        }
    }
}

/// A whole body, if it is not longer than `most` bytes.
pub(super) async fn all(body: &mut Body, most: usize) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(bytes) = next(body).await {
        all.extend_from_slice(&bytes.ok()?);
        if all.len() > most {
            return None;
        }
    }
    Some(all)
}

/// The names in `<BlockList><Latest>NAME</Latest>…</BlockList>`, in order; `Committed` and `Uncommitted` are blocks as well.
/// Names are base64, so there is nothing to unescape.
fn block_names(list: &[u8]) -> Option<Vec<String>> {
    let text = std::str::from_utf8(list).ok()?;
    let mut rest = text.split_once("<BlockList>")?.1.split_once("</BlockList>")?.0.trim();
    let mut names = Vec::new();
    while !rest.is_empty() {
        let (kind, after) = rest.strip_prefix('<')?.split_once('>')?;
        if !matches!(kind, "Latest" | "Committed" | "Uncommitted") {
            return None;
        }
        let (name, after) = after.split_once(&format!("</{kind}>"))?;
        names.push(name.trim().to_owned());
        rest = after.trim_start();
    }
    Some(names)
}

/// Gives a file, or the range of it that was asked for.
pub(super) fn get(
    method: &Method,
    headers: &HeaderMap,
    path: &Path,
    extra: impl IntoIterator<Item = (header::HeaderName, HeaderValue)>,
) -> Response<Body> {
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
    let Ok((found, file)) = opened else { return refused(StatusCode::NOT_FOUND, "BlobNotFound") };
    let wanted = headers.get("x-ms-range").or_else(|| headers.get(header::RANGE));
    let wanted = wanted.and_then(|wanted| wanted.to_str().ok());
    let range = match wanted.map(|wanted| range(wanted, found.len())) {
        None => None,
        Some(Some(range)) => Some(range),
        Some(None) => {
            let mut refused = refused(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange");
            set(&mut refused, header::CONTENT_RANGE, &format!("bytes */{}", found.len()));
            return refused;
        }
    };
    let part = range.clone().unwrap_or(0..found.len());
    let length = part.end - part.start;
    let body = match (method == Method::HEAD, FileBody::new(file, part.clone())) {
        (true, _) => Body::empty(),
        (false, Ok(body)) => Body::new(body),
        (false, Err(_)) => return refused(StatusCode::NOT_FOUND, "BlobNotFound"),
    };
    let status = if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let mut answer = answer(status, body);
    answer.headers_mut().extend(extra);
    set(&mut answer, header::CONTENT_LENGTH, &length.to_string());
    set(&mut answer, header::ACCEPT_RANGES, "bytes");
    set(&mut answer, header::HeaderName::from_static("x-ms-blob-type"), "BlockBlob");
    if range.is_some() {
        let text = format!("bytes {}-{}/{}", part.start, part.end.saturating_sub(1), found.len());
        set(&mut answer, header::CONTENT_RANGE, &text);
    }
    answer
}

/// `bytes=2-5`, `bytes=2-` or `bytes=-3` of a file of this size; `None` if nothing of it is there.
fn range(text: &str, size: u64) -> Option<Range<u64>> {
    let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let range = match (from.trim(), to.trim()) {
        ("", last) => size.saturating_sub(number(last)?)..size,
        (from, "") => number(from)?..size,
        (from, to) => number(from)?..number(to)?.saturating_add(1).min(size),
    };
    (range.start < range.end).then_some(range)
}

/// An answer as the storage service gives it.
pub(super) fn answer(status: StatusCode, body: Body) -> Response<Body> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    set(&mut answer, header::HeaderName::from_static("x-ms-version"), "2025-01-05");
    answer
}

/// A refusal: clients of the storage service look for its code in a header.
pub(super) fn refused(status: StatusCode, code: &'static str) -> Response<Body> {
    let mut refused = answer(status, Body::empty());
    set(&mut refused, header::HeaderName::from_static("x-ms-error-code"), code);
    refused
}

fn set(answer: &mut Response<Body>, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

/// A part of a file as a body, read as fast as the connection takes it.
struct FileBody {
    file: File,
    left: u64,
}

impl FileBody {
    fn new(mut file: File, part: Range<u64>) -> io::Result<Self> {
        file.seek(SeekFrom::Start(part.start))?;
        Ok(Self { file, left: part.end - part.start })
    }
}

impl HttpBody for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let body = self.get_mut();
        if body.left == 0 {
            return Poll::Ready(None);
        }
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        let most = body.left.min(PIECE_BYTES as u64);
        Poll::Ready(Some(match (&body.file).take(most).read_to_end(&mut piece) {
            // Somebody cut the file meanwhile; the client sees that the rest is missing.
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(bytes) => {
                body.left -= bytes as u64;
                Ok(Frame::data(piece.into()))
            }
            Err(error) => Err(error),
        }))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_lie_inside_of_the_file() {
        for (text, expected) in [
            ("bytes=0-3", Some(0..4)),
            ("bytes=2-", Some(2..10)),
            ("bytes=-3", Some(7..10)),
            ("bytes=-30", Some(0..10)),
            ("bytes=8-18446744073709551615", Some(8..10)),
            ("bytes=10-", None),
            ("bytes=5-4", None),
            ("bytes=-0", None),
            ("lines=1-2", None),
            ("bytes=", None),
        ] {
            assert_eq!(range(text, 10), expected, "{text}");
        }
        assert_eq!(range("bytes=0-", 0), None);
    }

    #[test]
    fn lists_of_blocks_are_read_in_their_order() {
        let names = |text: &str| block_names(text.as_bytes());
        let both = r#"<?xml version="1.0" encoding="UTF-8"?><BlockList><Latest>YQ==</Latest>
            <Uncommitted>Yg==</Uncommitted></BlockList>"#;
        assert_eq!(names(both), Some(vec!["YQ==".to_owned(), "Yg==".to_owned()]));
        assert_eq!(names("<BlockList></BlockList>"), Some(Vec::new()));
        for wrong in
            ["", "<BlockList>", "<BlockList><Latest>a</BlockList>", "<BlockList><x>a</x></BlockList>"]
        {
            assert_eq!(names(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn queries_are_decoded_once() {
        let query = Query::of("sig=ab&comp=block&blockid=YQ%3D%3d&timeout=5&x");
        assert_eq!((query.sig.as_str(), query.comp.as_str(), query.block.as_str()), ("ab", "block", "YQ=="));
        assert_eq!(percent_decoded("%41%4%zz%"), "A%4%zz%");
    }
}

//! The first protocol of caches, which older clients speak, and newer ones where the repository's server is not github.com:
//! `_apis/artifactcache` with chunks by range. The entries are those of [`Caches`].

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use serde::{Deserialize, Serialize};

use super::blob::{self, percent_decoded};
use super::cache::{self, CacheName, Caches, Wanted};
use super::server::{ServerState, with_json};
use super::token::Maker;
use super::twirp::{MESSAGE_BYTES_MAX, Refusal, json, read};
use super::upload::{Upload, UploadError};

#[derive(Deserialize)]
struct Committed {
    size: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reserved {
    cache_id: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    cache_key: String,
    archive_location: String,
}

/// Nothing is listed: the client only prints it when it found nothing.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    total_count: u64,
    artifact_caches: [(); 0],
}

#[derive(Serialize)]
struct Message<'t> {
    message: &'t str,
}

/// Answers a request to what lies below `_apis/artifactcache`.
pub(super) async fn respond(state: Arc<ServerState>, parts: &[&str], request: Request) -> Response<Body> {
    match answer(state, parts, request).await {
        Ok(answer) => answer,
        Err(refusal) => with_json(refusal.status, json(&Message { message: &refusal.text })),
    }
}

async fn answer(
    state: Arc<ServerState>,
    parts: &[&str],
    request: Request,
) -> Result<Response<Body>, Refusal> {
    let maker = state.maker(request.headers())?;
    let (head, mut body) = request.into_parts();
    match (&head.method, parts) {
        (&Method::GET, ["cache"]) => {
            let wanted = wanted(head.uri.query().unwrap_or_default())?;
            in_background(move || match state.caches.find(&wanted)? {
                Some((id, cache_key)) => {
                    let archive_location = state.blob_address(cache::ENTRIES, id);
                    Ok(with_json(StatusCode::OK, json(&Found { cache_key, archive_location })))
                }
                None => Ok(with_status(StatusCode::NO_CONTENT)),
            })
            .await
        }
        (&Method::GET, ["caches"]) => {
            Ok(with_json(StatusCode::OK, json(&Listed { total_count: 0, artifact_caches: [] })))
        }
        (&Method::POST, ["caches"]) => {
            let wanted: Wanted = read(&message(&mut body).await?)?;
            in_background(move || {
                wanted.check()?;
                let cache_id = state.caches.begin(&maker, &wanted)?.id;
                Ok(with_json(StatusCode::CREATED, json(&Reserved { cache_id })))
            })
            .await
        }
        (&Method::PATCH, ["caches", id]) => {
            let upload = own_upload(&state.caches, &maker, id)?;
            receive(&upload, &head.headers, &mut body).await?;
            Ok(with_status(StatusCode::NO_CONTENT))
        }
        (&Method::POST, ["caches", id]) => {
            let upload = own_upload(&state.caches, &maker, id)?;
            let Committed { size } = read(&message(&mut body).await?)?;
            in_background(move || {
                upload.join_ranges().map_err(refused)?;
                state.caches.finish(&maker, &upload, Some(size))?;
                Ok(with_status(StatusCode::NO_CONTENT))
            })
            .await
        }
        _ => Err(Refusal::no_method("the service of caches has no such method")),
    }
}

/// Other requests go on while an index is read and written, and while chunks are put together.
async fn in_background(
    work: impl FnOnce() -> Result<Response<Body>, Refusal> + Send + 'static,
) -> Result<Response<Body>, Refusal> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(std::io::Error::other(error).into()))
}

async fn message(body: &mut Body) -> Result<Vec<u8>, Refusal> {
    let message = blob::all(body, MESSAGE_BYTES_MAX).await;
    message.ok_or_else(|| Refusal::invalid("the message is too long, or broke off"))
}

/// The first key is the one that is wanted most.
fn wanted(query: &str) -> Result<Wanted, Refusal> {
    let value = |wanted: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == wanted).map(|(_, value)| percent_decoded(value)).unwrap_or_default()
    };
    let keys = value("keys");
    let mut keys = keys.split(',').map(str::to_owned);
    let wanted = Wanted::new(keys.next().unwrap_or_default(), keys.collect(), value("version"));
    wanted.check()?;
    Ok(wanted)
}

fn own_upload(caches: &Caches, maker: &Maker, id: &str) -> Result<Arc<Upload<CacheName>>, Refusal> {
    let found = id.parse().ok().and_then(|id| caches.upload(id)).filter(|upload| upload.maker == *maker);
    found.ok_or_else(|| Refusal::not_found("this process began no such cache"))
}

/// Takes the chunk that `Content-Range: bytes 0-199/*` tells of.
async fn receive(upload: &Upload<CacheName>, headers: &HeaderMap, body: &mut Body) -> Result<(), Refusal> {
    let range = headers.get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok()).and_then(|text| {
        let (start, end) = text.strip_prefix("bytes ")?.split_once('/')?.0.split_once('-')?;
        Some((start.parse::<u64>().ok()?, end.parse::<u64>().ok()?))
    });
    let (start, end) = range.ok_or_else(|| Refusal::invalid("the chunk does not say where it belongs"))?;
    let mut piece = upload.piece().map_err(refused)?;
    while let Some(bytes) = blob::next(body).await {
        let bytes = bytes.map_err(|_| Refusal::invalid("the chunk broke off"))?;
        piece.write(&bytes).map_err(refused)?;
    }
    if start.checked_add(piece.size()) != end.checked_add(1) {
        return Err(Refusal::invalid(format!("the chunk has {} bytes", piece.size())));
    }
    upload.keep_block(&start.to_string(), piece).map_err(refused)
}

fn refused(error: UploadError) -> Refusal {
    match error {
        UploadError::Disk(error) => error.into(),
        other => Refusal::invalid(other.to_string()),
    }
}

fn with_status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

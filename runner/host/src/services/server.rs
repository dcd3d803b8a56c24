//! The HTTP server of the services: one loopback listener and one thread, started when the first action's process wants it.
//!
//! Knows addresses, tokens and which service is meant; not what a service keeps.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Method, Response, StatusCode};
use tokio::sync::oneshot;

use super::ServiceSettings;
use super::artifact::{self, Artifacts};
use super::blob::{self, Query};
use super::cache::{self, Caches};
use super::cache_v1;
use super::token::{Key, Maker};
use super::twirp::{MESSAGE_BYTES_MAX, Refusal};

/// Before the names of services, as in GitHub's addresses.
const PACKAGE: &str = "github.actions.results.api.v1.";
/// Where blobs are. The storage client takes the first part for an account and the second for a container.
const BLOBS: &str = "stepback";

/// A running server. Dropped, it ends; what it kept stays.
pub(super) struct Server {
    pub(super) state: Arc<ServerState>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What all requests share.
pub(super) struct ServerState {
    pub(super) key: Key,
    /// `http://127.0.0.1:PORT`
    pub(super) address: String,
    pub(super) artifacts: Artifacts,
    pub(super) caches: Caches,
}

impl Server {
    /// Opens the stores and listens on a free port of the loopback interface.
    ///
    /// # Errors
    /// A store cannot be opened, or there is no port, no thread, no source of random bytes.
    pub(super) fn start(settings: &ServiceSettings) -> io::Result<Server> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        listener.set_nonblocking(true)?;
        let state = Arc::new(ServerState {
            key: Key::random()?,
            address: format!("http://{}", listener.local_addr()?),
            artifacts: Artifacts::in_folder(&settings.artifacts),
            caches: Caches::open(settings)?,
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let router = Router::new().fallback(respond).with_state(Arc::clone(&state));
        let serve = move || {
            runtime.block_on(async {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                tokio::select! {
                    _ = axum::serve(listener, router) => {}
                    _ = stopped => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("services".to_owned()).spawn(serve)?;
        Ok(Server { state, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        // Its stores are closed then, and their half uploads gone.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl ServerState {
    /// The signed address of a blob.
    pub(super) fn blob_address(&self, kind: &str, id: u64) -> String {
        format!("{}/{BLOBS}/{kind}/{id}?sig={}", self.address, self.key.signature(kind, id))
    }

    /// Who asks.
    ///
    /// # Errors
    /// Nobody to whom we gave a token.
    pub(super) fn maker(&self, headers: &HeaderMap) -> Result<Maker, Refusal> {
        let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer "));
        token.and_then(|token| self.key.maker(token.trim())).ok_or_else(Refusal::unauthenticated)
    }
}

async fn respond(State(state): State<Arc<ServerState>>, request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["twirp", service, method] => twirp(state, service, method, request).await,
        [BLOBS, kind, id] => match id.parse() {
            Ok(id) => blob(&state, kind, id, request).await,
            Err(_) => blob::refused(StatusCode::NOT_FOUND, "BlobNotFound"),
        },
        ["_apis", "artifactcache", rest @ ..] => cache_v1::respond(state, rest, request).await,
        _ => refuse(&Refusal::no_method(format!("there is nothing at {path}"))),
    }
}

async fn twirp(state: Arc<ServerState>, service: &str, method: &str, request: Request) -> Response<Body> {
    match call(state, service, method, request).await {
        Ok(message) => with_json(StatusCode::OK, message),
        Err(refusal) => refuse(&refusal),
    }
}

async fn call(
    state: Arc<ServerState>,
    service: &str,
    method: &str,
    request: Request,
) -> Result<Vec<u8>, Refusal> {
    let maker = state.maker(request.headers())?;
    if request.method() != Method::POST {
        return Err(Refusal::no_method("methods are called by POST"));
    }
    let mut body = request.into_body();
    let message = blob::all(&mut body, MESSAGE_BYTES_MAX).await;
    let message = message.ok_or_else(|| Refusal::invalid("the message is too long, or broke off"))?;
    let (service, method) = (service.to_owned(), method.to_owned());
    // Other uploads and downloads go on while an index is written.
    let work = move || {
        let address = |kind: &str, id: u64| state.blob_address(kind, id);
        match service.strip_prefix(PACKAGE) {
            Some("CacheService") => state.caches.call(&maker, &method, &message, address),
            Some("ArtifactService") => state.artifacts.call(&maker, &method, &message, address),
            _ => Err(Refusal::no_method(format!("there is no service {service}"))),
        }
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error).into()))
}

async fn blob(state: &ServerState, kind: &str, id: u64, request: Request) -> Response<Body> {
    let query = Query::of(request.uri().query().unwrap_or_default());
    if !state.key.signed(kind, id, &query.sig) {
        return blob::refused(StatusCode::FORBIDDEN, "AuthenticationFailed");
    }
    let (parts, body) = request.into_parts();
    let nothing = || blob::refused(StatusCode::NOT_FOUND, "BlobNotFound");
    match (&parts.method, kind) {
        (&Method::PUT, cache::UPLOADS) => match state.caches.upload(id) {
            Some(upload) => blob::put(upload, &query, &parts.headers, body).await,
            None => nothing(),
        },
        (&Method::PUT, artifact::UPLOADS) => match state.artifacts.upload(id) {
            Some(upload) => blob::put(upload, &query, &parts.headers, body).await,
            None => nothing(),
        },
        (method @ (&Method::GET | &Method::HEAD), cache::ENTRIES) => {
            let plain = (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
            let content = state.caches.content(id);
            content.map_or_else(nothing, |path| blob::get(method, &parts.headers, &path, [plain]))
        }
        (method @ (&Method::GET | &Method::HEAD), artifact::ENTRIES) => {
            let Some(content) = state.artifacts.content(id) else { return nothing() };
            blob::get(method, &parts.headers, &content.path, content.headers())
        }
        _ => blob::refused(StatusCode::METHOD_NOT_ALLOWED, "UnsupportedHttpVerb"),
    }
}

fn refuse(refusal: &Refusal) -> Response<Body> {
    with_json(refusal.status, refusal.to_json())
}

/// An answer with a message.
pub(super) fn with_json(status: StatusCode, message: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(message));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

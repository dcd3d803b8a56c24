//! Listening on a UNIX socket or a port, and letting in only who may be there. What is said afterwards is not known here.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdUnixListener, UnixStream as StdUnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::JoinHandle;

use super::{Address, Connection, MessageReader, Peer, PeerCheck, Writer, owner};
use crate::protocol::Token;

/// The folder of a socket is closed to all but its user.
const FOLDER_MODE: u32 = 0o700;
/// And so is the socket.
const SOCKET_MODE: u32 = 0o600;
/// A user id that nobody has.
const NOBODY: u32 = u32::MAX;
/// What nobody but the user may have of the folder.
const OTHERS_MODE: u32 = 0o077;

/// Why nobody can listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Others could replace the socket.
    #[error("the folder {} belongs to another user or is open to others; run 'chmod 700' on it, or choose another", .0.display())]
    OpenFolder(PathBuf),
    /// Somebody listens there, or something else lies there.
    #[error("{} is in use; end the debugger that listens there, or choose another path", .0.display())]
    InUse(PathBuf),
    /// The system refuses.
    #[error("failed to listen on {address}: {error}")]
    Io {
        /// Where.
        address: Address,
        /// Why.
        error: io::Error,
    },
    /// The system gives no random bytes for a token.
    #[error("failed to make a token: {0}")]
    Token(io::Error),
}

/// Lets peers in, one after another.
pub struct Listener {
    socket: Socket,
    check: Arc<dyn PeerCheck>,
    /// Kept here, so that nobody gets lost when the wait for it is dropped.
    coming: Option<Coming>,
}

enum Socket {
    Unix { listener: UnixListener, path: PathBuf },
    Tcp { listener: TcpListener, address: SocketAddr, token: Token },
}

impl Listener {
    /// Listens on a socket. Its folder is made if it is not there. A socket that nobody listens on any more is replaced.
    ///
    /// # Errors
    /// The folder is open to others, the path is in use, or the system refuses.
    pub fn unix(path: &Path, check: Arc<dyn PeerCheck>) -> Result<Self, ListenError> {
        close_folder(path)?;
        remove_stale(path)?;
        let listener = bind(path).map_err(io_error(Address::Unix(path.to_owned())))?;
        Ok(Self { socket: Socket::Unix { listener, path: path.to_owned() }, check, coming: None })
    }

    /// Listens on a port of the loopback address; 0 lets the system choose. Peers have to show [`Listener::token`].
    ///
    /// # Errors
    /// The port is taken, or the system refuses.
    pub async fn tcp(port: u16, check: Arc<dyn PeerCheck>) -> Result<Self, ListenError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let failed = io_error(Address::Tcp(address));
        let listener = TcpListener::bind(address).await.map_err(&failed)?;
        let address = listener.local_addr().map_err(&failed)?;
        let token = Token::generate().map_err(ListenError::Token)?;
        Ok(Self { socket: Socket::Tcp { listener, address, token }, check, coming: None })
    }

    /// Where it listens.
    pub fn address(&self) -> Address {
        match &self.socket {
            Socket::Unix { path, .. } => Address::Unix(path.clone()),
            Socket::Tcp { address, .. } => Address::Tcp(*address),
        }
    }

    /// What a peer has to show, if it has to.
    pub fn token(&self) -> Option<&Token> {
        match &self.socket {
            Socket::Unix { .. } => None,
            Socket::Tcp { token, .. } => Some(token),
        }
    }

    /// The next peer that may come in. Others are hung up on meanwhile. May be dropped while it waits: nobody gets lost.
    ///
    /// # Errors
    /// The system cannot accept at the moment.
    pub async fn accept(&mut self) -> io::Result<Connection> {
        loop {
            let coming = match &mut self.coming {
                Some(coming) => coming,
                None => self.coming.insert(self.socket.accept().await?),
            };
            let peer = coming.peer().await;
            let Some(coming) = self.coming.take() else { continue };
            let uid = rustix::process::geteuid().as_raw();
            if is_same_user(&peer, uid) && self.check.admits(&peer) {
                return Ok(Connection { reader: coming.reader, writer: coming.writer, peer });
            }
            tracing::warn!(?peer, "a peer was refused");
        }
    }
}

impl Socket {
    async fn accept(&self) -> io::Result<Coming> {
        match self {
            Self::Unix { listener, .. } => Ok(over_socket(listener.accept().await?.0)),
            Self::Tcp { listener, address, token } => {
                let (stream, client) = listener.accept().await?;
                Ok(over_port(stream, client, *address, token.clone()))
            }
        }
    }
}

/// A peer at the door.
struct Coming {
    reader: MessageReader,
    writer: Writer,
    identity: Identity,
}

/// Who it is, or the search for that.
enum Identity {
    Known(Peer),
    Searched(JoinHandle<Peer>),
}

impl Coming {
    async fn peer(&mut self) -> Peer {
        match &mut self.identity {
            Identity::Known(peer) => peer.clone(),
            Identity::Searched(search) => search.await.unwrap_or_default(),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Socket::Unix { path, .. } = &self.socket {
            // Whoever comes later replaces it anyway.
            let _ = fs::remove_file(path);
        }
    }
}

/// The system always knows the user at the other end of a socket, and of a port mostly: there the token decides.
fn is_same_user(peer: &Peer, ours: u32) -> bool {
    peer.uid.is_none_or(|uid| uid == ours)
}

fn over_socket(stream: UnixStream) -> Coming {
    let credentials = stream.peer_cred();
    let peer =
        credentials.map(|found| Peer { uid: Some(found.uid()), pids: found.pid().into_iter().collect() });
    // Whoever cannot be asked is nobody's friend.
    let peer = peer.unwrap_or(Peer { uid: Some(NOBODY), pids: Vec::new() });
    let (reader, writer) = stream.into_split();
    Coming { reader: MessageReader::new(reader), writer: Box::new(writer), identity: Identity::Known(peer) }
}

fn over_port(stream: TcpStream, client: SocketAddr, server: SocketAddr, token: Token) -> Coming {
    // Requests and answers are small, and each waits for the other; without it they are only slower.
    let _ = stream.set_nodelay(true);
    let (reader, writer) = stream.into_split();
    // Looking through all processes takes a few milliseconds, in which the job is not to stand.
    let search = tokio::task::spawn_blocking(move || owner::of(client, server));
    let reader = MessageReader::with_token(reader, token);
    Coming { reader, writer: Box::new(writer), identity: Identity::Searched(search) }
}

fn io_error(address: Address) -> impl Fn(io::Error) -> ListenError {
    move |error| ListenError::Io { address: address.clone(), error }
}

fn close_folder(path: &Path) -> Result<(), ListenError> {
    let failed = io_error(Address::Unix(path.to_owned()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder).map_err(&failed)?;
    let found = fs::symlink_metadata(folder).map_err(&failed)?;
    let ours = found.uid() == rustix::process::geteuid().as_raw();
    if !found.is_dir() || !ours || found.mode() & OTHERS_MODE != 0 {
        return Err(ListenError::OpenFolder(folder.to_owned()));
    }
    Ok(())
}

/// A debugger that was killed leaves its socket behind; one that still answers is left alone, and so is any other file.
fn remove_stale(path: &Path) -> Result<(), ListenError> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    if !found.file_type().is_socket() || !StdUnixStream::connect(path).is_err_and(refused) {
        return Err(ListenError::InUse(path.to_owned()));
    }
    fs::remove_file(path).map_err(io_error(Address::Unix(path.to_owned())))
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    let listener = StdUnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(SOCKET_MODE))?;
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_user_is_refused() {
        let peer = |uid| Peer { uid, pids: Vec::new() };
        assert!(is_same_user(&peer(Some(1000)), 1000));
        assert!(!is_same_user(&peer(Some(1001)), 1000));
        assert!(!is_same_user(&peer(Some(0)), 1000));
        assert!(is_same_user(&peer(None), 1000));
    }
}

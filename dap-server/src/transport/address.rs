//! Where a debugger listens, as people write it: a path, or a port of this machine. Reaching it, too; who may come in is
//! decided at the other end.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use tokio::io::AsyncRead;
use tokio::net::{TcpStream, UnixStream};

use super::Writer;

/// The address of a debugger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A UNIX socket.
    Unix(PathBuf),
    /// A port on the loopback address.
    Tcp(SocketAddr),
}

/// Why a text is no address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It would be reached over a network.
    #[error("'{0}' is not an address of this machine; forward a port, for instance by 'ssh -L'")]
    NotLoopback(String),
    /// It is neither a path nor a port.
    #[error("'{0}' is no address; give the path of a socket, or 127.0.0.1:PORT")]
    Unknown(String),
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Self::Unix(path.into()));
        }
        if text.contains('/') {
            return Ok(Self::Unix(text.into()));
        }
        let port = text.strip_prefix("tcp:").unwrap_or(text);
        let port = port.strip_prefix("localhost:").or(port.strip_prefix(':')).unwrap_or(port);
        if let Ok(port) = port.parse() {
            return Ok(Self::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)));
        }
        match port.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => Ok(Self::Tcp(address)),
            Ok(_) => Err(AddressError::NotLoopback(text.to_owned())),
            Err(_) => Err(AddressError::Unknown(text.to_owned())),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => path.display().fmt(f),
            Self::Tcp(address) => address.fmt(f),
        }
    }
}

impl Address {
    /// Connects to whoever listens there.
    ///
    /// # Errors
    /// Nobody does, or may.
    pub async fn connect(&self) -> io::Result<(Box<dyn AsyncRead + Send + Unpin>, Writer)> {
        match self {
            Self::Unix(path) => {
                let (reader, writer) = UnixStream::connect(path).await?.into_split();
                Ok((Box::new(reader), Box::new(writer)))
            }
            Self::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                let (reader, writer) = stream.into_split();
                Ok((Box::new(reader), Box::new(writer)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, address) in [
            ("unix:a.sock", "a.sock"),
            ("/run/x.sock", "/run/x.sock"),
            ("./x", "./x"),
            ("4711", "127.0.0.1:4711"),
            (":4711", "127.0.0.1:4711"),
            ("localhost:4711", "127.0.0.1:4711"),
            ("tcp:127.0.0.1:4711", "127.0.0.1:4711"),
            ("[::1]:4711", "[::1]:4711"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), address, "{text}");
        }
        for text in ["", "x", "70000", "example.org:1", "127.0.0.1"] {
            assert_eq!(text.parse::<Address>(), Err(AddressError::Unknown(text.to_owned())), "{text}");
        }
        for text in ["0.0.0.0:1", "192.168.0.1:1", "[::]:1"] {
            assert_eq!(text.parse::<Address>(), Err(AddressError::NotLoopback(text.to_owned())), "{text}");
        }
    }
}

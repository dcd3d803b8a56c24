//! The peer of a port on Linux: the kernel's table of connections names user and inode of the peer's end, and the links
//! below `/proc/PID/fd` name the processes that hold it.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::transport::Peer;

/// The tables; a program may reach an IPv4 address through an IPv6 socket.
const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// Who holds the end `client` of a connection to `server`. Empty where that cannot be found.
pub(in crate::transport) fn of(client: SocketAddr, server: SocketAddr) -> Peer {
    let tables = TABLES.iter().filter_map(|path| fs::read_to_string(path).ok());
    let found = tables.filter_map(|table| find(&table, client, server)).next();
    found.map_or_else(Peer::default, |(uid, inode)| Peer { uid: Some(uid), pids: holders(inode) })
}

/// User and inode of a connection in a table.
fn find(table: &str, client: SocketAddr, server: SocketAddr) -> Option<(u32, u64)> {
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (local, remote) = (address(fields.next()?)?, address(fields.next()?)?);
        let uid = fields.nth(4)?.parse().ok()?;
        let inode = fields.nth(1)?.parse().ok()?;
        (local == client && remote == server && inode != 0).then_some((uid, inode))
    })
}

/// `0100007F:1F90`: the words of the address as this machine stores them, and the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut bytes = Vec::new();
    for start in (0..ip.len()).step_by(8) {
        let word = u32::from_str_radix(ip.get(start..start + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    let ip = match (<[u8; 4]>::try_from(bytes.as_slice()), <[u8; 16]>::try_from(bytes.as_slice())) {
        (Ok(four), _) => IpAddr::V4(Ipv4Addr::from(four)),
        (_, Ok(sixteen)) => Ipv6Addr::from(sixteen).to_canonical(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// The processes that have the socket open, as far as we may look.
fn holders(inode: u64) -> Vec<i32> {
    let link = format!("socket:[{inode}]");
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| holds(*pid, &link)).collect()
}

fn holds(pid: i32, link: &str) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    files.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == link))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000  1000        0 22 1 0 20 4 30 10 -1
   2: 0100007F:C001 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 33 1 0 20 4 30 10 -1
   3: 0100007F:C002 0100007F:1F90 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0
";

    const TABLE_6: &str = "  sl  local_address remote_address st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode
   0: 0000000000000000FFFF00000100007F:C003 0000000000000000FFFF00000100007F:1F90 01 00000000:00000000 00:00000000 00000000 1002 0 44 1
";

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, port))
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn the_end_of_the_client_is_found() {
        assert_eq!(find(TABLE, at(0xC001), at(0x1F90)), Some((1001, 33)));
        assert_eq!(find(TABLE, at(0xC002), at(0x1F90)), None, "already closed");
        assert_eq!(find(TABLE, at(0xC003), at(0x1F90)), None);
        assert_eq!(find(TABLE_6, at(0xC003), at(0x1F90)), Some((1002, 44)));
        assert_eq!(find("", at(1), at(2)), None);
        assert_eq!(find("x\n 0: z:1 1:z", at(1), at(2)), None);
    }
}

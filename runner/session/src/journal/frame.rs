//! One frame: how bytes of one kind are wrapped so that a cut, a flipped bit or a swapped frame is seen. It
//! does not know what the payload means.
//!
//! ```text
//! payload length  u32 LE
//! CRC32           u32 LE, over length, kind and payload
//! kind            u8
//! payload
//! link            16 bytes: blake3(link before, length, kind, payload), cut
//! ```

use super::chain::{Chain, LINK_BYTES};
use super::limits::FRAME_BYTES_MAX;

/// Bytes of a frame in front of the payload.
const HEAD_BYTES: usize = 9;

/// A frame found in the file, with the link that ends it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) kind: u8,
    pub(super) payload: &'a [u8],
    pub(super) chain: Chain,
    /// Length of the whole frame in the file.
    pub(super) bytes: usize,
}

/// Why no frame could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadFrame {
    /// The file ends before the frame does.
    Short,
    /// The length is above [`FRAME_BYTES_MAX`].
    Length,
    Crc,
    Link,
}

/// Wraps the payload that `fill` writes and appends the frame to `out`; gives the new link. On error `out` is as
/// it was.
pub(super) fn wrap<E>(
    out: &mut Vec<u8>,
    chain: &Chain,
    kind: u8,
    fill: impl FnOnce(Vec<u8>) -> Result<Vec<u8>, E>,
) -> Result<Chain, WrapError<E>> {
    let mut payload = fill(Vec::new()).map_err(WrapError::Fill)?;
    if payload.len() > FRAME_BYTES_MAX {
        return Err(WrapError::TooLarge(payload.len()));
    }
    let length = (payload.len() as u32).to_le_bytes();
    let next = chain.next(&[&length, &[kind], &payload]);
    out.reserve(HEAD_BYTES + payload.len() + LINK_BYTES);
    out.extend_from_slice(&length);
    out.extend_from_slice(&crc(&length, kind, &payload).to_le_bytes());
    out.push(kind);
    out.append(&mut payload);
    out.extend_from_slice(next.bytes());
    Ok(next)
}

/// Why a frame could not be made.
#[derive(Debug)]
pub(super) enum WrapError<E> {
    Fill(E),
    TooLarge(usize),
}

/// The frame at the front of `file`, which follows `chain`.
pub(super) fn unwrap<'a>(file: &'a [u8], chain: &Chain) -> Result<Frame<'a>, BadFrame> {
    let (length_bytes, rest) = file.split_first_chunk::<4>().ok_or(BadFrame::Short)?;
    let length = u32::from_le_bytes(*length_bytes) as usize;
    if length > FRAME_BYTES_MAX {
        return Err(BadFrame::Length);
    }
    let (found_crc, rest) = rest.split_first_chunk::<4>().ok_or(BadFrame::Short)?;
    let (&kind, rest) = rest.split_first().ok_or(BadFrame::Short)?;
    let (payload, rest) = rest.split_at_checked(length).ok_or(BadFrame::Short)?;
    let (link, _) = rest.split_first_chunk::<LINK_BYTES>().ok_or(BadFrame::Short)?;
    if u32::from_le_bytes(*found_crc) != crc(length_bytes, kind, payload) {
        return Err(BadFrame::Crc);
    }
    let next = chain.next(&[length_bytes, &[kind], payload]);
    if next.bytes() != link {
        return Err(BadFrame::Link);
    }
    Ok(Frame { kind, payload, chain: next, bytes: HEAD_BYTES + length + LINK_BYTES })
}

fn crc(length: &[u8; 4], kind: u8, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(length);
    hasher.update(&[kind]);
    hasher.update(payload);
    hasher.finalize()
}

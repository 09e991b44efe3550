//! Judges WebSocket frames by their heads, before anything of them is buffered.
//!
//! The framework compares the size of a frame with its limit only once all of it has arrived, so a
//! client could fill the memory with one frame that it never ends.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use actix_web::{error::PayloadError, web::Bytes};
use futures_util::Stream;

/// A head has at most two bytes, eight of length and four of mask.
const LONGEST_HEAD: usize = 14;

/// The bytes of a WebSocket connection, up to the first frame that is too large.
pub struct Guarded<S> {
    bytes: S,
    heads: Heads,
    too_large: TooLarge,
}

/// Whether a frame was refused for its size.
#[derive(Clone, Default)]
pub struct TooLarge(Arc<AtomicBool>);

impl TooLarge {
    pub fn was_seen(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl<S> Guarded<S> {
    /// `most`: the largest payload of a frame, in bytes.
    pub fn new(bytes: S, most: u64) -> (Self, TooLarge) {
        let too_large = TooLarge::default();
        (Self { bytes, heads: Heads::new(most), too_large: too_large.clone() }, too_large)
    }
}

impl<S: Stream<Item = Result<Bytes, PayloadError>> + Unpin> Stream for Guarded<S> {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.too_large.was_seen() {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut self.bytes).poll_next(context);
        if let Poll::Ready(Some(Ok(bytes))) = &polled
            && !self.heads.admit(bytes)
        {
            self.too_large.0.store(true, Ordering::Relaxed);
            return Poll::Ready(Some(Err(PayloadError::Overflow)));
        }
        polled
    }
}

/// Where the next byte stands (RFC 6455, section 5.2).
pub struct Heads {
    most: u64,
    head: Vec<u8>,
    /// Bytes of the payload that are still to come.
    left: u64,
}

impl Heads {
    /// `most`: the largest payload of a frame, in bytes.
    pub fn new(most: u64) -> Self {
        Self { most, head: Vec::with_capacity(LONGEST_HEAD), left: 0 }
    }

    /// False if a frame begins in `bytes` that is too large.
    pub fn admit(&mut self, mut bytes: &[u8]) -> bool {
        while let Some((first, rest)) = bytes.split_first() {
            if self.left > 0 {
                let skipped = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                self.left -= skipped as u64;
                bytes = &bytes[skipped..];
                continue;
            }
            self.head.push(*first);
            bytes = rest;
            let Some(payload) = payload_of(&self.head) else { continue };
            if payload > self.most {
                return false;
            }
            self.head.clear();
            self.left = payload;
        }
        true
    }
}

/// The length of the payload, once the head is whole. A length that is too large is known before
/// the mask has arrived, but the few bytes do no harm.
fn payload_of(head: &[u8]) -> Option<u64> {
    let second = *head.get(1)?;
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    let (extended, short) = match second & 0x7f {
        126 => (2, 0),
        127 => (8, 0),
        short => (0, u64::from(short)),
    };
    if head.len() < 2 + extended + mask {
        return None;
    }
    let length = head.get(2..2 + extended)?;
    Some(length.iter().fold(short, |sum, byte| (sum << 8) | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt as _, stream};

    use super::*;

    /// A masked text frame.
    fn frame(payload: usize) -> Vec<u8> {
        let mut bytes = vec![0x81];
        match payload {
            0..126 => bytes.push(0x80 | payload as u8),
            126..65_536 => {
                bytes.push(0x80 | 126);
                bytes.extend_from_slice(&(payload as u16).to_be_bytes());
            }
            _ => {
                bytes.push(0x80 | 127);
                bytes.extend_from_slice(&(payload as u64).to_be_bytes());
            }
        }
        bytes.extend_from_slice(&[1, 2, 3, 4]);
        bytes.resize(bytes.len() + payload, b'x');
        bytes
    }

    #[test]
    fn frames_of_every_length_pass_however_they_are_cut() {
        let all: Vec<u8> =
            [0, 1, 125, 126, 300, 65_535, 65_536, 70_000].into_iter().flat_map(frame).collect();
        for piece in [1, 2, 3, 7, 100, 4096, all.len()] {
            let mut heads = Heads::new(70_000);
            assert!(all.chunks(piece).all(|bytes| heads.admit(bytes)), "pieces of {piece}");
            assert!(heads.head.is_empty() && heads.left == 0);
        }
    }

    #[test]
    fn a_frame_that_is_too_large_is_refused_at_its_head() {
        for (announced, most) in [(126, 125), (70_000, 65_536), (usize::MAX, 1 << 20)] {
            let head = &frame(0)[..1];
            let mut bytes = head.to_vec();
            if announced < 65_536 {
                bytes.push(0x80 | 126);
                bytes.extend_from_slice(&(announced as u16).to_be_bytes());
            } else {
                bytes.push(0x80 | 127);
                bytes.extend_from_slice(&(announced as u64).to_be_bytes());
            }
            bytes.extend_from_slice(&[0; 4]);
            let mut heads = Heads::new(most);
            assert!(heads.admit(&frame(100)));
            assert!(!heads.admit(&bytes), "{announced} of {most}");
        }
    }

    #[tokio::test]
    async fn nothing_is_read_behind_a_frame_that_is_too_large() {
        let pieces = [frame(10), frame(200), frame(10)].map(|bytes| Ok(Bytes::from(bytes)));
        let (mut guarded, too_large) = Guarded::new(stream::iter(pieces), 100);
        assert!(guarded.next().await.unwrap().is_ok() && !too_large.was_seen());
        assert!(matches!(guarded.next().await, Some(Err(PayloadError::Overflow))));
        assert!(too_large.was_seen() && guarded.next().await.is_none());
    }
}

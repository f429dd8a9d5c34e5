//! Frames as messages of a data channel: one flag byte, then a piece of the frame. Pure.
//!
//! `web/src/link/pieces.ts` mirrors this file. The pieces of a frame follow each other, and every
//! piece of a text frame has the flag [`TEXT`].

use bytes::{Bytes, BytesMut};
use pando_protocol::volunteer::Frame;

/// Longest message, in bytes, including its flags.
pub(crate) const LONGEST: usize = 16 * 1024;
/// Longest frame that is assembled, in bytes.
const LONGEST_FRAME: usize = (1 << 20) + (64 << 10);

/// The piece is the last of its frame.
const LAST: u8 = 1;
/// The frame is text.
const TEXT: u8 = 2;

/// Cuts frames into messages, one frame at a time.
#[derive(Debug, Default)]
pub(crate) struct PieceCutter {
    rest: Bytes,
    flags: u8,
    busy: bool,
}

impl PieceCutter {
    /// Starts on `frame`; the previous frame must be cut completely.
    pub(crate) fn start(&mut self, frame: Frame) {
        debug_assert!(!self.busy, "one frame is cut at a time");
        (self.rest, self.flags) = match frame {
            Frame::Text(text) => (text.into(), TEXT),
            Frame::Binary(bytes) => (bytes, 0),
        };
        self.busy = true;
    }

    /// Whether there are more pieces of the frame.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Length of the next message.
    pub(crate) fn next_len(&self) -> usize {
        LONGEST.min(self.rest.len() + 1)
    }

    /// Replaces `message` with the next message.
    pub(crate) fn next_message(&mut self, message: &mut Vec<u8>) {
        let piece = self.rest.split_to(self.next_len() - 1);
        self.busy = !self.rest.is_empty();
        message.clear();
        message.push(if self.busy { self.flags } else { self.flags | LAST });
        message.extend_from_slice(&piece);
    }
}

/// A message that is not a piece of a frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken;

/// Assembles frames from messages.
#[derive(Debug, Default)]
pub(crate) struct PieceAssembler {
    begun: BytesMut,
    /// The flags of a frame whose first pieces have arrived.
    flags: Option<u8>,
}

impl PieceAssembler {
    /// Takes a message; returns the whole frame with its last message.
    ///
    /// # Errors
    /// When the message is not a piece, or the frame is too long, or the frame is text but not
    /// UTF-8.
    pub(crate) fn message(&mut self, message: Vec<u8>) -> Result<Option<Frame>, Broken> {
        let (&flags, piece) = message.split_first().ok_or(Broken)?;
        let kind = flags & !LAST;
        if kind & !TEXT != 0
            || self.flags.is_some_and(|begun| begun != kind)
            || self.begun.len() + piece.len() > LONGEST_FRAME
        {
            return Err(Broken);
        }
        if flags & LAST == 0 {
            self.flags = Some(kind);
            self.begun.extend_from_slice(piece);
            return Ok(None);
        }
        let bytes = if self.flags.take().is_none() {
            Bytes::from(message).slice(1..)
        } else {
            self.begun.extend_from_slice(piece);
            std::mem::take(&mut self.begun).freeze()
        };
        if kind != TEXT {
            return Ok(Some(Frame::Binary(bytes)));
        }
        String::from_utf8(bytes.into()).map(|text| Some(Frame::Text(text))).map_err(|_| Broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(frame: Frame) -> Vec<Vec<u8>> {
        let (mut cutter, mut messages) = (PieceCutter::default(), Vec::new());
        cutter.start(frame);
        while cutter.is_busy() {
            let (length, mut message) = (cutter.next_len(), b"what was there".to_vec());
            cutter.next_message(&mut message);
            assert_eq!(message.len(), length);
            messages.push(message);
        }
        messages
    }

    #[test]
    fn frames_of_any_length_come_out_as_they_went_in() {
        let mut assembler = PieceAssembler::default();
        for length in [0, 1, LONGEST - 1, LONGEST, 3 * (LONGEST - 1), LONGEST_FRAME] {
            for frame in [Frame::Binary(vec![7; length].into()), Frame::Text("x".repeat(length))] {
                let mut messages = messages(frame.clone());
                assert!(messages.iter().all(|message| message.len() <= LONGEST));
                let last = messages.pop().expect("at least one");
                assert!(messages.into_iter().all(|message| assembler.message(message) == Ok(None)));
                assert_eq!(assembler.message(last), Ok(Some(frame)));
            }
        }
    }

    #[test]
    fn the_flags_are_as_agreed() {
        assert_eq!(messages(Frame::Text("{}".into())), [b"\x03{}"]);
        assert_eq!(messages(Frame::Binary(Bytes::from_static(b"ab"))), [b"\x01ab"]);
    }

    #[test]
    fn what_is_no_piece_is_refused() {
        for message in [&b""[..], b"\x04x", b"\x83x", b"\x03\xff"] {
            assert_eq!(PieceAssembler::default().message(message.to_vec()), Err(Broken));
        }
        let mut assembler = PieceAssembler::default();
        assert_eq!(assembler.message(b"\x00half".to_vec()), Ok(None));
        assert_eq!(assembler.message(b"\x03text".to_vec()), Err(Broken));
    }

    #[test]
    fn a_frame_that_does_not_end_is_refused() {
        let mut assembler = PieceAssembler::default();
        let mut piece = vec![9; LONGEST];
        piece[0] = 0;
        let taken = (0..1000).take_while(|_| assembler.message(piece.clone()).is_ok()).count();
        assert_eq!(taken, LONGEST_FRAME / (LONGEST - 1));
    }
}

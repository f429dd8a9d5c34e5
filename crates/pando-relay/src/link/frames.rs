//! Turns the WebSocket frames of a client into frames of a server: the same frames, without their
//! masks.
//!
//! A link joins two clients of the relay. Frames are passed on piece by piece as they arrive,
//! however long they are. So a link needs only a small buffer, and no message is assembled here.
//! Pings, pongs and closing frames pass like all others, and the other end answers them. Pure:
//! bytes in, bytes out.

use std::io::Cursor;
use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Control, Data, OpCode},
};

/// Longest frame, in bytes: no message of Pando's protocol is longer.
const LONGEST: u64 = (1 << 20) + (64 << 10);

/// Why a client's bytes cannot be passed on. The number of each variant is its closing code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum BrokenFrame {
    /// The bytes break the protocol.
    Protocol = 1002,
    /// A frame is too long.
    TooLong = 1009,
}

/// The result of [`Frames::translate`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Translated {
    /// The number of bytes for the other end, at the start of the buffer.
    pub(super) out: usize,
    /// The number of bytes at the end of the buffer that begin a header. They must come again,
    /// before the next bytes.
    pub(super) rest: usize,
    /// The number of frames that began.
    pub(super) frames: usize,
}

/// The position in the stream of frames, for one direction of a link.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// Bytes left of the present frame's payload.
    left: u64,
    /// The mask of the next bytes of the payload.
    mask: [u8; 4],
    /// Whether more frames of the present message follow.
    fragmented: bool,
    closing: bool,
    closed: bool,
}

impl Frames {
    /// Whether the last frame passed on is complete.
    pub(super) fn is_between(&self) -> bool {
        self.left == 0
    }

    /// Whether a closing frame was passed on, after which nothing may follow.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Turns `bytes` into bytes for the other end, in place.
    ///
    /// # Errors
    /// When the bytes are not frames of a client.
    pub(super) fn translate(&mut self, bytes: &mut [u8]) -> Result<Translated, BrokenFrame> {
        let (mut read, mut written, mut frames) = (0, 0, 0);
        while !self.closed {
            if self.left == 0 {
                let mut cursor = Cursor::new(&bytes[read..]);
                let header = FrameHeader::parse(&mut cursor).map_err(|_| BrokenFrame::Protocol)?;
                let Some((header, length)) = header else { break };
                read += cursor.position() as usize;
                let header = self.begin(header, length)?;
                // Without its mask a header is shorter, so bytes that are not yet read are never
                // overwritten.
                let mut place = &mut bytes[written..read];
                let room = place.len();
                header.format(length, &mut place).map_err(|_| BrokenFrame::Protocol)?;
                written += room - place.len();
                frames += 1;
            }
            let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len() - read);
            bytes.copy_within(read..read + count, written);
            self.unmask(&mut bytes[written..written + count]);
            (read, written) = (read + count, written + count);
            self.left -= count as u64;
            if self.left > 0 {
                break;
            }
            self.closed = self.closing;
        }
        let rest = if self.closed { 0 } else { bytes.len() - read };
        Ok(Translated { out: written, rest, frames })
    }

    /// Checks a header, and returns the header to send instead.
    fn begin(&mut self, header: FrameHeader, length: u64) -> Result<FrameHeader, BrokenFrame> {
        let Some(mask) = header.mask else { return Err(BrokenFrame::Protocol) };
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(BrokenFrame::Protocol);
        }
        if length > LONGEST {
            return Err(BrokenFrame::TooLong);
        }
        match header.opcode {
            OpCode::Control(control) if header.is_final && length <= 125 => {
                self.closing = control == Control::Close
            }
            OpCode::Data(data) if (data == Data::Continue) == self.fragmented => {
                self.fragmented = !header.is_final
            }
            _ => return Err(BrokenFrame::Protocol),
        }
        (self.left, self.mask) = (length, mask);
        Ok(FrameHeader { mask: None, ..header })
    }

    fn unmask(&mut self, bytes: &mut [u8]) {
        let mask = u64::from(u32::from_ne_bytes(self.mask));
        let mask = mask << 32 | mask;
        let mut words = bytes.chunks_exact_mut(8);
        for word in &mut words {
            let plain = u64::from_ne_bytes(word.try_into().expect("eight bytes")) ^ mask;
            word.copy_from_slice(&plain.to_ne_bytes());
        }
        let last = words.into_remainder();
        last.iter_mut().zip(self.mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        self.mask.rotate_left(bytes.len() % 4);
    }
}

/// Passes `bytes` on in pieces whose lengths `next` chooses; returns the output.
pub(super) fn pass(
    frames: &mut Frames,
    mut bytes: &[u8],
    mut next: impl FnMut() -> usize,
) -> Result<Vec<u8>, BrokenFrame> {
    let (mut out, mut buffer) = (Vec::new(), Vec::new());
    while !bytes.is_empty() && !frames.is_closed() {
        let (piece, more) = bytes.split_at(next().clamp(1, bytes.len()));
        bytes = more;
        buffer.extend_from_slice(piece);
        let translated = frames.translate(&mut buffer)?;
        assert!(translated.rest < 14, "only the start of a header waits");
        out.extend_from_slice(&buffer[..translated.out]);
        buffer.drain(..buffer.len() - translated.rest);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(opcode: OpCode, is_final: bool, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let header = FrameHeader { is_final, opcode, mask, ..FrameHeader::default() };
        header.format(payload.len() as u64, &mut bytes).unwrap();
        let mask = mask.unwrap_or_default();
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }

    #[test]
    fn random_frames_in_random_pieces_come_out_unmasked() {
        for seed in 0..500 {
            let mut random = fastrand::Rng::with_seed(seed);
            let (mut masked, mut plain, mut fragmented) = (Vec::new(), Vec::new(), false);
            for _ in 0..random.usize(1..12) {
                let (opcode, is_final, most) = match random.u8(..4) {
                    0 => (
                        OpCode::Control(if random.bool() { Control::Ping } else { Control::Pong }),
                        true,
                        126,
                    ),
                    _ if fragmented => (OpCode::Data(Data::Continue), random.bool(), 300),
                    1 => (OpCode::Data(Data::Text), random.bool(), 300),
                    _ => (OpCode::Data(Data::Binary), random.bool(), 70_000),
                };
                if let OpCode::Data(_) = opcode {
                    fragmented = !is_final;
                }
                let payload: Vec<u8> = (0..random.usize(..most)).map(|_| random.u8(..)).collect();
                masked.extend(frame(
                    opcode,
                    is_final,
                    Some(random.u32(..).to_le_bytes()),
                    &payload,
                ));
                plain.extend(frame(opcode, is_final, None, &payload));
            }
            let longest = if random.bool() { 20 } else { 40_000 };
            let mut frames = Frames::default();
            let out = pass(&mut frames, &masked, || random.usize(1..longest));
            assert!(out.as_ref() == Ok(&plain), "seed {seed}");
            assert!(frames.is_between() && !frames.is_closed(), "seed {seed}");
        }
    }

    #[test]
    fn nothing_goes_on_after_a_closing_frame() {
        let mask = Some([1, 2, 3, 4]);
        let mut bytes = frame(OpCode::Control(Control::Close), true, mask, &[0x03, 0xe8]);
        bytes.extend(frame(OpCode::Data(Data::Text), true, mask, b"more"));
        for piece in [1, 3, 7, 100] {
            let mut frames = Frames::default();
            assert_eq!(pass(&mut frames, &bytes, || piece), Ok(vec![0x88, 2, 0x03, 0xe8]));
            assert!(frames.is_closed());
        }
    }

    #[test]
    fn what_no_client_may_send_is_refused() {
        let mask = Some([9; 4]);
        let refused =
            |bytes: &[u8]| pass(&mut Frames::default(), bytes, || usize::MAX).unwrap_err();
        assert_eq!(
            refused(&frame(OpCode::Data(Data::Text), true, None, b"unmasked")),
            BrokenFrame::Protocol
        );
        assert_eq!(
            refused(&frame(OpCode::Data(Data::Continue), true, mask, b"of nothing")),
            BrokenFrame::Protocol
        );
        assert_eq!(
            refused(&frame(OpCode::Control(Control::Ping), false, mask, b"in pieces")),
            BrokenFrame::Protocol
        );
        assert_eq!(
            refused(&frame(OpCode::Control(Control::Ping), true, mask, &[0; 126])),
            BrokenFrame::Protocol
        );
        assert_eq!(
            refused(&[0xc1, 0x80, 0, 0, 0, 0]),
            BrokenFrame::Protocol,
            "compressed, which was not agreed on"
        );
        assert_eq!(refused(&[0x83, 0x80, 0, 0, 0, 0]), BrokenFrame::Protocol, "of no known kind");
        let mut two = frame(OpCode::Data(Data::Text), false, mask, b"a");
        two.extend(frame(OpCode::Data(Data::Text), true, mask, b"b"));
        assert_eq!(refused(&two), BrokenFrame::Protocol, "a message within a message");
        let mut long = vec![0x82, 0xff];
        long.extend((LONGEST + 1).to_be_bytes());
        long.extend([0; 4]);
        assert_eq!(refused(&long), BrokenFrame::TooLong);
    }

    #[test]
    fn random_bytes_never_panic() {
        for seed in 0..20_000 {
            let mut random = fastrand::Rng::with_seed(seed);
            let bytes: Vec<u8> = (0..random.usize(1..64)).map(|_| random.u8(..)).collect();
            let _ = pass(&mut Frames::default(), &bytes, || random.usize(1..64));
        }
    }
}

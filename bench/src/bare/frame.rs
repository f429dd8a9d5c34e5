//! The messages of the prototypes: for each value its number, its length, and its bytes. Numbers
//! are written in groups of seven bits.

use anyhow::Context;
use bytes::Bytes;

/// Appends one value to a message.
pub(super) fn push(message: &mut Vec<u8>, number: u64, value: &[u8]) {
    push_number(message, number);
    push_number(message, value.len() as u64);
    message.extend_from_slice(value);
}

/// Calls `each` with the number and the bytes of all values in `message`.
///
/// # Errors
/// When the message is cut off, or a value is no text.
pub(super) fn read(message: &Bytes, mut each: impl FnMut(u64, Bytes)) -> anyhow::Result<()> {
    let mut at = 0;
    while at < message.len() {
        let number = take_number(message, &mut at)?;
        let length = take_number(message, &mut at)? as usize;
        let value = message.get(at..at + length).context("a message is cut off")?;
        std::str::from_utf8(value)?;
        each(number, message.slice(at..at + length));
        at += length;
    }
    Ok(())
}

fn push_number(message: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        message.push(number as u8 | 0x80);
        number >>= 7;
    }
    message.push(number as u8);
}

fn take_number(message: &[u8], at: &mut usize) -> anyhow::Result<u64> {
    let (mut number, mut shift) = (0, 0);
    loop {
        let byte = *message.get(*at).context("a message is cut off")?;
        *at += 1;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
        shift += 7;
    }
}

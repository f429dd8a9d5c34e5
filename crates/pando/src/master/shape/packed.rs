//! Results with their inputs, while they wait for the output.

use bytes::{BufMut, Bytes, BytesMut};

/// What the output of an item is made of.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::master) struct Packed {
    /// The value; empty where the input was unusable.
    pub(in crate::master) input: Bytes,
    /// The result, or the report.
    pub(in crate::master) result: Bytes,
    /// Whether the item failed, and a report stands in the place of its result.
    pub(in crate::master) failed: bool,
}

/// The length of the head: a flag, and the length of the input.
const HEAD: usize = 9;

impl Packed {
    /// One sequence of bytes with everything, so that the window counts all of it.
    pub(in crate::master) fn pack(input: &[u8], result: &[u8], failed: bool) -> Bytes {
        let mut packed = BytesMut::with_capacity(HEAD + input.len() + result.len());
        packed.put_u8(failed.into());
        packed.put_u64(input.len() as u64);
        packed.put_slice(input);
        packed.put_slice(result);
        packed.freeze()
    }

    /// The parts of what [`pack`](Self::pack) gave.
    pub(in crate::master) fn unpack(packed: &Bytes) -> Self {
        let mut length = [0; 8];
        length.copy_from_slice(&packed[1..HEAD]);
        let end = HEAD + u64::from_be_bytes(length) as usize;
        Self { input: packed.slice(HEAD..end), result: packed.slice(end..), failed: packed[0] != 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_out_as_it_was() {
        for (input, result, failed) in [("", "", false), ("a\tb", "", true), ("", "xyz", false)] {
            let packed = Packed::pack(input.as_bytes(), result.as_bytes(), failed);
            let expected = Packed { input: input.into(), result: result.into(), failed };
            assert_eq!(Packed::unpack(&packed), expected);
        }
    }
}

//! The form of a journal: its header, and how records stand in it.
//!
//! In version 2 the header has a random salt. Each record begins with a mark from the salt, and its
//! checksum includes the salt. So the next record after damaged bytes can be found, and no bytes
//! inside a result are taken for a record, whoever made them. Version 1 has neither mark nor salt.

use super::record::{Record, number};
use std::io;

/// The start of a journal of this version.
pub const HEADER: &[u8; 16] = b"pando journal 2\n";
/// The start of a journal of version 1.
const OLD_HEADER: &[u8; 16] = b"pando journal 1\n";

/// Bytes of a salt.
const SALT: usize = 8;
/// How often the header has the salt, because without the salt no record can be read.
const COPIES: usize = 3;
/// Length of a header of this version.
const LENGTH: usize = HEADER.len() + COPIES * SALT;
/// Length of a mark.
const MARK: usize = 4;
/// Length of checksum and length.
const SUMS: usize = 8;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// The salt; `None` in version 1.
    salt: Option<[u8; SALT]>,
}

impl Format {
    /// The longest header, in bytes.
    pub(super) const LONGEST_HEADER: usize = LENGTH;

    /// The form of a new journal.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub(super) fn new() -> io::Result<Self> {
        let mut salt = [0; SALT];
        getrandom::fill(&mut salt).map_err(io::Error::other)?;
        Ok(Self { salt: Some(salt) })
    }

    /// The form of version 1.
    #[cfg(test)]
    pub(super) fn old() -> Self {
        Self { salt: None }
    }

    /// The form of the journal that begins with `bytes`; `None` if these are no complete header.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(OLD_HEADER) {
            return Some(Self { salt: None });
        }
        let salts = bytes.strip_prefix(HEADER)?.get(..COPIES * SALT)?;
        // Each byte counts as most of its copies are.
        let byte = |at: usize| {
            let [a, b, c] = [0, 1, 2].map(|copy| salts[copy * SALT + at]);
            (a & b) | (a & c) | (b & c)
        };
        Some(Self { salt: Some(std::array::from_fn(byte)) })
    }

    /// Whether `bytes` may become a header of some version, once more bytes follow.
    pub(super) fn may_begin(bytes: &[u8]) -> bool {
        OLD_HEADER.starts_with(bytes)
            || HEADER.starts_with(bytes)
            || bytes.starts_with(HEADER) && bytes.len() < LENGTH
    }

    /// The header.
    pub(super) fn header(self) -> Vec<u8> {
        match self.salt {
            None => OLD_HEADER.to_vec(),
            Some(salt) => [&HEADER[..], &salt.repeat(COPIES)].concat(),
        }
    }

    /// Length of the header.
    pub fn header_length(self) -> usize {
        if self.salt.is_some() { LENGTH } else { OLD_HEADER.len() }
    }

    /// The bytes with which each record begins; empty in version 1.
    pub(super) fn mark(&self) -> &[u8] {
        self.salt.as_ref().map_or(&[], |salt| &salt[..MARK])
    }

    /// Length of a record before its body.
    pub(super) fn prefix(self) -> usize {
        self.mark().len() + SUMS
    }

    /// The length of the record that begins with these bytes, which are at least a prefix. `None`
    /// if no record begins with them.
    pub(super) fn length(self, bytes: &[u8]) -> Option<usize> {
        let sums = bytes.strip_prefix(self.mark())?;
        usize::try_from(number(sums.get(4..)?)?).ok()?.checked_add(self.prefix())
    }

    /// The body of the record at the start of `bytes`, and the record's length; `None` if there is
    /// no complete record.
    fn body(self, bytes: &[u8]) -> Option<(&[u8], usize)> {
        let length = self.length(bytes)?;
        let sums = &bytes.get(..length)?[self.mark().len()..];
        (self.checksum(&sums[4..]) == number(sums)?).then_some((&sums[SUMS..], length))
    }

    /// The record at the start of `bytes`, and its length; `None` if there is no complete record.
    pub fn first(self, bytes: &[u8]) -> Option<(Record<'_>, usize)> {
        let (body, length) = self.body(bytes)?;
        Some((Record::of_body(body)?, length))
    }

    /// Appends a record to `out`.
    pub fn append(self, record: &Record, out: &mut Vec<u8>) {
        out.extend(self.mark());
        let start = out.len();
        out.extend([0; SUMS]);
        record.append_body_to(out);
        let length = u32::try_from(out.len() - start - SUMS)
            .expect("no result is longer than a frame, 2 GiB");
        out[start + 4..start + SUMS].copy_from_slice(&length.to_le_bytes());
        let checksum = self.checksum(&out[start + 4..]);
        out[start..start + 4].copy_from_slice(&checksum.to_le_bytes());
    }

    fn checksum(self, bytes: &[u8]) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(self.salt.as_ref().map_or(&[], |salt| &salt[MARK..]));
        hasher.update(bytes);
        hasher.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_with_a_damaged_byte_of_the_salt_is_the_same_header() {
        let format = Format::new().unwrap();
        let header = format.header();
        assert_eq!(Format::of(&header), Some(format));
        for at in HEADER.len()..header.len() {
            let mut damaged = header.clone();
            damaged[at] ^= 0x5a;
            assert_eq!(Format::of(&damaged), Some(format), "byte {at}");
        }
        for end in 0..header.len() {
            assert!(Format::of(&header[..end]).is_none() && Format::may_begin(&header[..end]));
        }
        assert!(!Format::may_begin(b"pando journal 3"));
        assert_eq!(Format::of(OLD_HEADER), Some(Format::old()));
    }
}

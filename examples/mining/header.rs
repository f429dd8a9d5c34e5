//! Block headers as in Bitcoin: 80 bytes, the last four of which are the nonce.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, ensure};
use sha2::{Digest, Sha256};

/// The length of a header in bytes.
const LENGTH: usize = 80;

/// The header of a block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Header([u8; LENGTH]);

/// A number of 256 bits in big-endian order, the order in which hashes and targets are compared
/// and printed.
pub type Number = [u8; 32];

impl Header {
    /// A header of version 1 with the hash of the previous block, and the root hash of the
    /// transactions.
    pub fn new(previous: Number, root: Number, time: u32, bits: u32, nonce: u32) -> Self {
        let reversed = |mut number: Number| {
            number.reverse();
            number
        };
        let parts: [&[u8]; 6] = [
            &1_u32.to_le_bytes(),
            &reversed(previous),
            &reversed(root),
            &time.to_le_bytes(),
            &bits.to_le_bytes(),
            &nonce.to_le_bytes(),
        ];
        Self(parts.concat().try_into().expect("80 bytes"))
    }

    /// The nonce of the header.
    pub fn nonce(&self) -> u32 {
        self.word(76)
    }

    /// The same header with another nonce.
    pub fn with_nonce(mut self, nonce: u32) -> Self {
        self.0[76..].copy_from_slice(&nonce.to_le_bytes());
        self
    }

    /// The double SHA-256 of the header.
    pub fn hash(&self) -> Number {
        let mut hash: Number = Sha256::digest(Sha256::digest(self.0)).into();
        hash.reverse();
        hash
    }

    /// The largest valid hash, unpacked from the header's `bits`: one byte for the length of the
    /// target, and its three highest bytes.
    ///
    /// # Errors
    /// When no hash can be small enough, or the target has more than 256 bits.
    pub fn target(&self) -> anyhow::Result<Number> {
        let bits = self.word(72);
        let [size, mantissa @ ..] = bits.to_be_bytes();
        let mut target = [0; 32];
        for (index, byte) in mantissa.into_iter().enumerate() {
            // The number of target bytes after this byte.
            let Some(behind) = usize::from(size).checked_sub(index + 1) else { continue };
            match target.len().checked_sub(behind + 1) {
                Some(place) => target[place] = byte,
                None => {
                    ensure!(byte == 0, "its bits {bits:08x} are a target of more than 256 bits")
                }
            }
        }
        ensure!(
            mantissa[0] < 0x80 && target != [0; 32],
            "its bits {bits:08x} are a target that no hash meets"
        );
        Ok(target)
    }

    /// Whether the hash of the header meets its target.
    pub fn is_valid(&self) -> bool {
        self.target().is_ok_and(|target| self.hash() <= target)
    }

    fn word(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.0[at..at + 4].try_into().expect("four bytes"))
    }
}

/// Parses 160 hexadecimal digits.
impl FromStr for Header {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let bytes = hex::decode(text).context("a header is written in hexadecimal digits")?;
        let length = bytes.len();
        let header = bytes.try_into().map(Self);
        let header = header
            .map_err(|_| anyhow::anyhow!("a header has {LENGTH} bytes, and this one {length}"))?;
        header.target()?;
        Ok(header)
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

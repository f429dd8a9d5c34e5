//! The search: chooses the next attempt, and interprets results. It does not depend on how
//! attempts reach the cores.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{bail, ensure};
use serde::{Deserialize, Serialize};

use super::Header;

/// The work for a core: find one of `count` nonces, starting with `nonce`, that makes a header
/// valid.
#[derive(Serialize)]
pub struct Attempt {
    /// The header, in hexadecimal digits. Its own nonce is ignored.
    pub header: String,
    /// The largest valid hash, in hexadecimal digits, highest digit first.
    pub target: String,
    /// The first nonce.
    pub nonce: u32,
    /// The number of nonces.
    pub count: u32,
}

/// The outcome of an attempt.
#[derive(Clone, Copy, Deserialize)]
pub struct Outcome {
    /// A nonce that makes the header valid, if the attempt found one.
    pub nonce: Option<u32>,
    /// The number of hashes computed.
    pub hashes: u64,
}

/// The cores that compute attempts. Attempts are numbered from 1, in the order in which they are
/// given.
pub trait Cores {
    /// Gives the next attempt to the cores.
    fn give(&mut self, attempt: &Attempt) -> anyhow::Result<()>;
    /// Cancels an attempt whose outcome is not needed any more.
    fn cancel(&mut self, index: u64) -> anyhow::Result<()>;
    /// Ends the sequence of attempts.
    fn end(&mut self) -> anyhow::Result<()>;
}

/// A mined block.
pub struct Mined {
    /// The header with a valid nonce.
    pub header: Header,
    /// The number of attempts with an outcome.
    pub attempts: u64,
}

/// Searches one block after the other, with as many attempts at a time as the cores ask for.
pub struct Search<B> {
    blocks: B,
    /// The number of nonces in an attempt.
    size: u32,
    current: Option<Current>,
    /// The number of attempts that the cores asked for and that must wait for the next block.
    owed: u64,
    ended: bool,
    tally: Tally,
}

/// The present block.
struct Current {
    header: Header,
    /// The first nonce that has not been given, or 2^32 when all have been given.
    next: u64,
    /// The attempts that were given and have no outcome.
    out: BTreeSet<u64>,
    /// The number of attempts with an outcome.
    attempts: u64,
}

/// The statistics of a search.
#[derive(Default)]
pub struct Tally {
    blocks: u64,
    given: u64,
    counted: u64,
    hashes: u64,
    cancelled: u64,
}

impl<B: Iterator<Item = anyhow::Result<Header>>> Search<B> {
    /// A search for `blocks`, each starting at the nonce in its header, with `size` nonces in an
    /// attempt.
    pub fn new(blocks: B, size: u32) -> Self {
        Self { blocks, size, current: None, owed: 0, ended: false, tally: Tally::default() }
    }

    /// The statistics so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Gives up to `count` more attempts, because cores are free for them.
    pub fn asked(&mut self, count: u64, cores: &mut impl Cores) -> anyhow::Result<()> {
        self.owed += count;
        while self.owed > 0 {
            let Some(attempt) = self.next(cores)? else { break };
            cores.give(&attempt)?;
            self.owed -= 1;
        }
        Ok(())
    }

    /// Takes the outcome of attempt `index`. Returns the block if this attempt mined it.
    pub fn result(
        &mut self,
        index: u64,
        outcome: Outcome,
        cores: &mut impl Cores,
    ) -> anyhow::Result<Option<Mined>> {
        // Outcomes for a finished block do not count.
        let Some(current) = &mut self.current else { return Ok(None) };
        if !current.out.remove(&index) {
            return Ok(None);
        }
        current.attempts += 1;
        self.tally.counted += 1;
        self.tally.hashes += outcome.hashes;
        let Some(nonce) = outcome.nonce else {
            // If this was the last attempt, the block has failed: `asked` detects this.
            self.asked(0, cores)?;
            return Ok(None);
        };
        let header = current.header.with_nonce(nonce);
        ensure!(
            header.is_valid(),
            "attempt {index} came to the nonce {nonce}, which does not make its header valid: {header}"
        );
        let mined = Mined { header, attempts: current.attempts };
        for index in &current.out {
            cores.cancel(*index)?;
        }
        self.tally.cancelled += current.out.len() as u64;
        self.tally.blocks += 1;
        self.current = None;
        self.asked(0, cores)?;
        Ok(Some(mined))
    }

    /// Handles the message that attempt `index` failed finally or was cancelled. This is an error
    /// if its outcome is still needed.
    pub fn failed(&self, index: u64, message: &str) -> anyhow::Result<()> {
        match &self.current {
            Some(current) if current.out.contains(&index) => bail!("attempt {index}: {message}"),
            _ => Ok(()),
        }
    }

    /// The next attempt. `None` when all attempts of the block are given, or no more blocks come.
    fn next(&mut self, cores: &mut impl Cores) -> anyhow::Result<Option<Attempt>> {
        if self.current.is_none() {
            let Some(header) = self.blocks.next().transpose()? else {
                if !std::mem::replace(&mut self.ended, true) {
                    cores.end()?;
                }
                return Ok(None);
            };
            self.current = Some(Current {
                header,
                next: header.nonce().into(),
                out: BTreeSet::new(),
                attempts: 0,
            });
        }
        let Some(current) = &mut self.current else { return Ok(None) };
        let Ok(nonce) = u32::try_from(current.next) else {
            ensure!(
                !current.out.is_empty(),
                "no nonce from {} on makes this header valid: {}",
                current.header.nonce(),
                current.header
            );
            return Ok(None);
        };
        let count = self.size.min((u32::MAX - nonce).saturating_add(1));
        current.next += u64::from(count);
        self.tally.given += 1;
        current.out.insert(self.tally.given);
        let target = hex::encode(current.header.target()?);
        Ok(Some(Attempt { header: current.header.to_string(), target, nonce, count }))
    }
}

/// A line of output: the mined header, its nonce, and the number of attempts.
impl fmt::Display for Mined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.header, self.header.nonce(), self.attempts)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { blocks, given, counted, hashes, cancelled } = self;
        write!(
            f,
            "{blocks} mined, {hashes} hashes: of {given} attempts {counted} counted, {cancelled} were cancelled"
        )
    }
}

//! The search: which attempt is next, and what results mean. It knows nothing of how attempts reach the cores.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{bail, ensure};
use serde::{Deserialize, Serialize};

use super::Header;

/// What a core computes: whether one of `count` nonces, from `nonce` on, makes a header valid.
#[derive(Serialize)]
pub struct Attempt {
    /// The header, in hexadecimal digits; its own nonce does not matter.
    pub header: String,
    /// The largest hash that is valid, likewise, its highest digit first.
    pub target: String,
    /// The first nonce.
    pub nonce: u32,
    /// How many.
    pub count: u32,
}

/// What came out of an attempt.
#[derive(Clone, Copy, Deserialize)]
pub struct Outcome {
    /// A nonce that makes the header valid, if the attempt came to one.
    pub nonce: Option<u32>,
    /// How many hashes it took.
    pub hashes: u64,
}

/// Where attempts are computed. They are numbered from 1, in the order in which they are given.
pub trait Cores {
    /// Has one more computed.
    fn give(&mut self, attempt: &Attempt) -> anyhow::Result<()>;
    /// One is not needed any more.
    fn cancel(&mut self, index: u64) -> anyhow::Result<()>;
    /// No more come.
    fn end(&mut self) -> anyhow::Result<()>;
}

/// A block that was searched to its end.
pub struct Mined {
    /// Its header, with the nonce that makes it valid.
    pub header: Header,
    /// How many attempts that took.
    pub attempts: u64,
}

/// Searches one block after the other, with as many attempts at a time as are asked for.
pub struct Search<B> {
    blocks: B,
    /// Nonces in an attempt.
    size: u32,
    current: Option<Current>,
    /// Attempts that were asked for and cannot be given before the block is done.
    owed: u64,
    ended: bool,
    tally: Tally,
}

/// The block that is searched.
struct Current {
    header: Header,
    /// The first nonce that has not been given; beyond them all when there is none.
    next: u64,
    /// Attempts that were given and have no outcome.
    out: BTreeSet<u64>,
    /// Attempts that counted.
    attempts: u64,
}

/// What was done so far.
#[derive(Default)]
pub struct Tally {
    blocks: u64,
    given: u64,
    counted: u64,
    hashes: u64,
    cancelled: u64,
}

impl<B: Iterator<Item = anyhow::Result<Header>>> Search<B> {
    /// Of `blocks`, each from the nonce in its header on, with `size` nonces in an attempt.
    pub fn new(blocks: B, size: u32) -> Self {
        Self { blocks, size, current: None, owed: 0, ended: false, tally: Tally::default() }
    }

    /// What was done so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Cores are free for `count` more attempts.
    pub fn asked(&mut self, count: u64, cores: &mut impl Cores) -> anyhow::Result<()> {
        self.owed += count;
        while self.owed > 0 {
            let Some(attempt) = self.next(cores)? else { break };
            cores.give(&attempt)?;
            self.owed -= 1;
        }
        Ok(())
    }

    /// Attempt `index` has an outcome: the block may be done.
    pub fn result(&mut self, index: u64, outcome: Outcome, cores: &mut impl Cores) -> anyhow::Result<Option<Mined>> {
        // What was computed for a block that is done does not count.
        let Some(current) = &mut self.current else { return Ok(None) };
        if !current.out.remove(&index) {
            return Ok(None);
        }
        current.attempts += 1;
        self.tally.counted += 1;
        self.tally.hashes += outcome.hashes;
        let Some(nonce) = outcome.nonce else {
            // It may have been the last.
            self.asked(0, cores)?;
            return Ok(None);
        };
        let header = current.header.with_nonce(nonce);
        ensure!(header.is_valid(), "attempt {index} came to the nonce {nonce}, which does not make its header valid: {header}");
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

    /// Attempt `index` failed for good, or was cancelled.
    pub fn failed(&self, index: u64, message: &str) -> anyhow::Result<()> {
        match &self.current {
            Some(current) if current.out.contains(&index) => bail!("attempt {index}: {message}"),
            _ => Ok(()),
        }
    }

    /// The next attempt, unless all of the block are under way or there are no more blocks.
    fn next(&mut self, cores: &mut impl Cores) -> anyhow::Result<Option<Attempt>> {
        if self.current.is_none() {
            let Some(header) = self.blocks.next().transpose()? else {
                if !std::mem::replace(&mut self.ended, true) {
                    cores.end()?;
                }
                return Ok(None);
            };
            self.current = Some(Current { header, next: header.nonce().into(), out: BTreeSet::new(), attempts: 0 });
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

/// A line of output: the header as it was mined, its nonce, and how many attempts that took.
impl fmt::Display for Mined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.header, self.header.nonce(), self.attempts)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { blocks, given, counted, hashes, cancelled } = self;
        write!(f, "{blocks} mined, {hashes} hashes: of {given} attempts {counted} counted, {cancelled} were cancelled")
    }
}

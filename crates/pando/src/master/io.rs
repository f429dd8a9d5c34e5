//! The two ends of a run: where values come from, where results go, and who confirms
//! and compares results.

mod chunk;
mod compare;
mod confirm;
mod feed;
mod feedback;
mod gateway;
mod input;
mod journal;
mod judge;
mod numbers;
mod output;
mod reshape;
mod source;
mod stream;

pub(crate) use compare::compare;
pub(crate) use confirm::confirm;
pub(crate) use feed::InputValues;
#[cfg(test)]
pub(in crate::master) use {chunk::Chunker, reshape::Reshaper};

pub(crate) use input::{values_of_failed, values_of_items};

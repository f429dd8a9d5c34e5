//! The two ends of a run: where values come from, where results go, and who confirms results.

mod chunk;
mod confirm;
mod feed;
mod feedback;
mod input;
mod journal;
mod numbers;
mod output;
mod reshape;
mod source;
mod stream;

pub(crate) use confirm::confirm;
pub(crate) use feed::InputValues;
pub(crate) use input::{values_of_failed, values_of_items};

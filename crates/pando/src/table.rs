//! Tables in text: rows of fields with a header (RFC 4180), with commas or with TABs.
//!
//! [`TableReader`] cuts a byte stream into rows, as JSON objects. [`TableWriter`] writes rows with
//! the columns of the input and the fields of the results. Both know nothing of a run.

mod fields;
mod reader;
mod scanner;
mod writer;

pub(crate) use fields::{Element, Text, elements, plain};
pub(crate) use reader::TableReader;
pub(crate) use writer::{TableWriter, check_fields};

/// The column of results that are no objects.
pub(crate) const RESULT: &str = "result";

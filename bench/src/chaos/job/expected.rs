//! The input of one master, and the correct outcome, from a plain loop over its values.

use super::{AfterFailure, RandomJob, Shape, ValueFormat, function::text_of};
use bytes::Bytes;
use serde_json::Value as Json;

/// The columns of a table's input.
pub(crate) const HEADER: &str = "key,text\n";

/// The input of one master.
pub(crate) struct Input {
    pub(crate) values: Vec<String>,
    /// The values as the master sends them to devices: with `--chunk` lists, with `--csv` objects.
    pub(crate) items: Vec<Bytes>,
    /// The bytes that the master reads.
    pub(crate) bytes: Vec<u8>,
    pub(crate) expected: Expected,
}

/// The correct outcome of a run.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    pub(crate) output: Vec<u8>,
    pub(crate) status: i32,
    /// The indices of the items whose results are in the output.
    pub(crate) results: Vec<u64>,
}

impl Input {
    pub(crate) fn new(job: &RandomJob, values: Vec<String>) -> Self {
        Self {
            items: job.items_of(&values),
            bytes: job.input(&values),
            expected: job.expected(&values),
            values,
        }
    }
}

impl RandomJob {
    fn input(&self, values: &[String]) -> Vec<u8> {
        let mut input = Vec::new();
        if self.shape == Shape::Table {
            input.extend_from_slice(HEADER.as_bytes());
        }
        for value in values {
            if self.shape == Shape::Table {
                input.extend_from_slice(row(&[key(value), value]).as_bytes());
            } else {
                input.extend_from_slice(value.as_bytes());
            }
            // The master strips one `\r` from the end of each line.
            let is_line = self.framing == ValueFormat::Lines && self.shape != Shape::Table;
            if is_line && (self.carriage || value.ends_with('\r')) {
                input.push(b'\r');
            }
            input.push(self.separator());
        }
        if self.open_end
            && values.last().is_some_and(|last| !last.is_empty() && !last.ends_with('\r'))
        {
            input.pop();
        }
        input
    }

    fn items_of(&self, values: &[String]) -> Vec<Bytes> {
        let one = |value: &String| Bytes::copy_from_slice(value.as_bytes());
        match self.shape {
            Shape::Plain => values.iter().map(one).collect(),
            Shape::Table => values
                .iter()
                .map(|value| {
                    let text = Json::from(value.as_str());
                    format!("{{\"key\":\"{}\",\"text\":{text}}}", key(value)).into()
                })
                .collect(),
            Shape::Chunk(size) => values
                .chunks(size)
                .map(|chunk| {
                    let json = |value: &String| match self.framing {
                        ValueFormat::Json => value.clone(),
                        _ => Json::from(value.as_str()).to_string(),
                    };
                    let all: Vec<String> = chunk.iter().map(json).collect();
                    format!("[{}]", all.join(",")).into()
                })
                .collect(),
        }
    }

    fn expected(&self, values: &[String]) -> Expected {
        let mut expected = Expected::default();
        if self.shape == Shape::Table {
            expected.output.extend_from_slice(HEADER.as_bytes());
        }
        for (index, value) in (0..).zip(values) {
            match self.compute(&self.text(value), 1, None) {
                Ok(result) => {
                    if self.shape == Shape::Table && expected.results.is_empty() {
                        let header = HEADER.replace('\n', ",result\n");
                        expected.output = header.into_bytes();
                    }
                    expected.results.push(index);
                    let line = self.line(index, value, result);
                    expected.output.extend_from_slice(line.as_bytes());
                    expected.output.push(self.separator());
                }
                Err(failure) => {
                    expected.status = 1;
                    match self.poison.map(|(_, on_error)| on_error) {
                        Some(AfterFailure::Skip) => {}
                        Some(AfterFailure::Report) => {
                            let message = Json::from(failure.message);
                            let report = format!(
                                "{{\"error\":{{\"index\":{},\"message\":{message},\"input\":{}}}}}",
                                index + 1,
                                value.trim()
                            );
                            expected.output.extend_from_slice(report.as_bytes());
                            expected.output.push(b'\n');
                        }
                        Some(AfterFailure::Stop) | None => {
                            if expected.results.is_empty() {
                                // A run that ends before its first row prints no columns.
                                expected.output.clear();
                            }
                            return expected;
                        }
                    }
                }
            }
        }
        if let Shape::Chunk(size) = self.shape {
            expected.results = (0..values.len().div_ceil(size) as u64).collect();
        }
        expected
    }

    /// The line of a value, whose result ends with `word`.
    pub(crate) fn right_line(&self, index: u64, value: &str, word: &str) -> Vec<u8> {
        let result = self.compute(&self.text(value), 1, None).unwrap_or_default();
        let mut line = self.line(index, value, result + word).into_bytes();
        line.push(self.separator());
        line
    }

    /// The text of a value, as the function takes it.
    fn text(&self, value: &str) -> String {
        match self.framing {
            ValueFormat::Json => text_of(&serde_json::from_str(value).expect("it is JSON")),
            _ => value.to_owned(),
        }
    }

    /// The line of a result, without its end.
    fn line(&self, index: u64, value: &str, result: String) -> String {
        match (self.shape, self.framing, self.tags) {
            (Shape::Table, ..) => row(&[key(value), value, &result]),
            (_, ValueFormat::Json, true) => {
                let (value, result) = (self.as_tag(value), Json::from(result));
                format!("{{\"index\":{},\"input\":{value},\"result\":{result}}}", index + 1)
            }
            (_, ValueFormat::Json, false) => Json::from(result).to_string(),
            (_, _, true) => format!("{value}\t{result}"),
            (_, _, false) => result,
        }
    }

    /// A JSON value as it stands beside its result: within a chunk, the space around it is gone.
    fn as_tag<'a>(&self, value: &'a str) -> &'a str {
        if self.shape == Shape::Plain { value } else { value.trim() }
    }
}

/// The key of a row, which depends on its text alone.
fn key(text: &str) -> &'static str {
    ["even", "odd"][text.len() % 2]
}

/// A row of a table, without its end.
fn row(cells: &[&str]) -> String {
    let quoted = |cell: &&str| match cell.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => (*cell).to_owned(),
    };
    cells.iter().map(quoted).collect::<Vec<_>>().join(",")
}

//! Runs with `--tag`, `--csv` and `--chunk`: the form of their values and results, and a check of
//! the lines that they print.

use super::{plan::Item, world::World};
use crate::{
    config::OnError,
    master::{
        io::{Chunker, Reshaper},
        job::Job,
        shape::{Packed, Shape},
    },
    protocol::Form,
    table::elements,
};
use bytes::Bytes;
use serde_json::json;
use std::str;
use stream_lender::Index;

/// How values become items, and results lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RunShape {
    /// Each value is an item, and each result a line.
    Plain,
    /// `--tag`
    Tagged,
    /// `--csv`: values are objects.
    Rows,
    /// `--chunk`: items are lists of this many values.
    Chunks(u64),
}

impl RunShape {
    /// The shape of the run with this seed: another one than the plain shape in one of four runs.
    pub(super) fn of(seed: u64) -> Self {
        match seed / 7 % 12 {
            3 => Self::Tagged,
            6 => Self::Rows,
            9 => Self::Chunks(seed % 7 % 4 + 1),
            _ => Self::Plain,
        }
    }

    /// Whether results of an earlier run fit the edited input of this shape.
    pub(super) fn goes_with_journal(self) -> bool {
        matches!(self, Self::Plain | Self::Tagged)
    }

    /// Gives the job and the values of a run this shape.
    pub(super) fn apply(self, job: &mut Job, items: &mut [Item]) {
        match self {
            Self::Plain => return,
            Self::Tagged => job.shape = Shape::new(None, None, true, None),
            Self::Rows => {
                job.shape = Shape::new(Some(b','), None, false, None);
                let table =
                    job.shape.table.iter().flat_map(|table| table.columns.set(vec!["at".into()]));
                table.for_each(drop);
            }
            Self::Chunks(size) => job.shape = Shape::new(None, Some(size), false, None),
        }
        if self == Self::Tagged {
            return;
        }
        job.options.json = true;
        if self == Self::Rows {
            job.framing.form = Form::Json;
        }
        let last = items.len().saturating_sub(1);
        for (at, item) in items.iter_mut().enumerate() {
            let text = str::from_utf8(&item.text).expect("values are text").to_owned();
            item.text = match self {
                // The last chunk is shorter.
                Self::Chunks(size) => {
                    let places = if at == last { 1 } else { size };
                    let values: Vec<String> =
                        (0..places).map(|place| format!("{text} {place}")).collect();
                    json!(values).to_string().into()
                }
                _ => json!({"at": text}).to_string().into(),
            };
        }
    }

    /// The result `text` of an item with `values` values, in the form of this shape. `two`: with a
    /// newline, as no result may have.
    pub(super) fn result(self, text: &str, values: usize, two: bool) -> Bytes {
        let end = if two { "\n" } else { "" };
        match self {
            Self::Plain | Self::Tagged => format!("{text}{end}").into(),
            Self::Rows => format!("{}{end}", json!(text)).into(),
            Self::Chunks(_) if two => "[\n]".into(),
            Self::Chunks(_) => json!(vec![text; values]).to_string().into(),
        }
    }
}

/// The text inside a result of any shape.
pub(super) fn bare(result: &[u8]) -> &[u8] {
    let start = result.iter().take_while(|byte| b"[\"".contains(byte)).count();
    &result[start..]
}

/// The values of a chunk.
pub(super) fn values_of_chunk(item: &Item) -> Vec<String> {
    serde_json::from_slice(&item.text).expect("a chunk is a list")
}

/// The ends of a run that has another shape than the plain one.
pub(super) struct ShapedEnds {
    pub(super) chunker: Option<Chunker>,
    reshaper: Reshaper,
    /// Lines so far, without a header.
    lines: u64,
}

impl ShapedEnds {
    /// The ends of a run of `job`, if they have something to do.
    pub(super) fn of(job: &Job) -> Option<Self> {
        let chunker = job.shape.chunks.clone().map(Chunker::new);
        Some(Self { chunker, reshaper: Reshaper::of(job)?, lines: 0 })
    }
}

impl World {
    /// The number of values in an item of the plan; 1 for an item that does not exist.
    pub(super) fn values_in(&self, index: Index) -> usize {
        match (self.shape, self.plan.items.get(index as usize)) {
            (RunShape::Chunks(_), Some(item)) => values_of_chunk(item).len(),
            _ => 1,
        }
    }

    /// Checks the lines of an output, and returns the result or the report in it.
    pub(super) fn unpack(&mut self, index: Index, packed: &Bytes) -> Bytes {
        let Some(ends) = &mut self.shaped else { return packed.clone() };
        let (packed, item) = (Packed::unpack(packed), &self.plan.items[index as usize]);
        assert_eq!(packed.input, item.text, "the input of {index}");
        let is_table = self.shape == RunShape::Rows;
        // A report is no row: this shape goes without reports.
        assert!(!packed.failed || self.plan.job.on_error == OnError::Report && !is_table);
        let mut out = Vec::new();
        let misfits = ends.reshaper.put(index, (&packed, None), false, &mut out);
        assert!(misfits.is_empty(), "{misfits:?}");
        let header = u64::from(is_table && ends.lines == 0);
        let text = String::from_utf8_lossy(&out).into_owned();
        let lines: Vec<&str> = text.lines().skip(header as usize).collect();
        ends.lines += lines.len() as u64;
        self.seen.note("shaped lines");
        let result = String::from_utf8_lossy(&packed.result);
        match self.shape {
            RunShape::Plain => unreachable!("nothing is packed"),
            RunShape::Tagged => {
                let input = String::from_utf8_lossy(&item.text);
                assert_eq!(lines, [format!("{input}\t{result}")]);
            }
            RunShape::Rows => {
                let row: serde_json::Value = serde_json::from_slice(&item.text).expect("a row");
                let at = row["at"].as_str().expect("a field");
                assert!(lines.len() == 1 && lines[0].starts_with(&format!("{at},")), "{lines:?}");
            }
            RunShape::Chunks(_) => {
                assert_eq!(lines.len(), values_of_chunk(item).len(), "lines of chunk {index}");
                self.seen.note("lines of a chunk");
                if !packed.failed {
                    let results = elements(&result).expect("the result of a chunk is a list");
                    assert_eq!(results.len(), lines.len());
                    for (result, line) in results.iter().zip(lines) {
                        let text = serde_json::from_str::<String>(result.get());
                        assert_eq!(text.as_deref().unwrap_or(result.get()), line);
                    }
                }
            }
        }
        packed.result
    }
}

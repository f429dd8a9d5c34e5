//! Writes results in another shape than their own: as rows of a table, with their inputs, or one
//! by one from the list of a chunk.

use crate::{
    failed::FailedInput,
    master::{
        items::Misfit,
        job::Job,
        shape::{Chunks, Packed, Table},
    },
    protocol::Form,
    table::{TableWriter, Text, elements, plain},
};
use bytes::Bytes;
use serde_json::json;
use std::{path::Path, sync::Arc};
use stream_lender::Index;

/// See the module.
pub(in crate::master) struct Reshaper {
    table: Option<(Table, TableWriter)>,
    chunks: Option<Arc<Chunks>>,
    tags: bool,
    /// Whether lines are JSON texts.
    json: bool,
    separator: u8,
    /// The numbers of the values in the whole input, if this run has only some of them.
    numbers: Option<Arc<[u64]>>,
}

/// One value on its way to the output.
struct Line<'a> {
    number: u64,
    /// The input: JSON, or text.
    input: Text<'a>,
    /// The result or the report: JSON, or text or bytes.
    result: &'a [u8],
    failed: bool,
}

impl Reshaper {
    /// The writer for the results of `job`; `None` if they are printed as they are.
    pub(in crate::master) fn of(job: &Job) -> Option<Self> {
        let writer = |table: &Table| (table.clone(), TableWriter::new(table.delimiter));
        job.packs().then(|| Self {
            table: job.shape.table.as_ref().map(writer),
            chunks: job.shape.chunks.clone(),
            tags: job.shape.tags,
            json: job.framing.form == Form::Json,
            separator: job.framing.separator,
            numbers: job.numbers.clone(),
        })
    }

    /// Appends the lines of an item to `out`. If the result is in a file, the path stands for the
    /// result. Returns the values with no place in the output; with `stops`, at most one, and
    /// nothing after it is written.
    pub(in crate::master) fn put(
        &mut self,
        index: Index,
        (packed, file): (&Packed, Option<&Path>),
        stops: bool,
        out: &mut Vec<u8>,
    ) -> Vec<Misfit> {
        if let Some(chunks) = self.chunks.clone() {
            return self.put_chunk(index, packed, &chunks, stops, out);
        }
        let path = file.map(|path| self.path(path));
        let line = Line {
            number: index + 1,
            input: String::from_utf8_lossy(&packed.input),
            result: path.as_deref().map_or(&packed.result, str::as_bytes),
            failed: packed.failed,
        };
        let put = self.line(&line, out);
        let misfit = |why| Misfit { index, place: index, why, input: self.input(&packed.input) };
        put.err().map(misfit).into_iter().collect()
    }

    /// The input of a value whose result has no place in the output.
    fn input(&self, input: &[u8]) -> FailedInput {
        let bytes = Bytes::copy_from_slice(input);
        if self.json || self.table.is_some() {
            FailedInput::Json(bytes)
        } else {
            FailedInput::Text(bytes)
        }
    }

    /// Appends what stands in place of rows, if there were none.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if let Some((table, writer)) = &mut self.table {
            writer.finish(table.columns.get().map(Vec::as_slice).unwrap_or_default(), out);
        }
    }

    /// A path as the result of an item.
    fn path(&self, path: &Path) -> String {
        let path = path.to_string_lossy();
        let is_json = self.table.is_some() || self.tags && self.json;
        if is_json { json!(path).to_string() } else { path.into_owned() }
    }

    fn line(&mut self, line: &Line, out: &mut Vec<u8>) -> Result<(), String> {
        let Line { number, input, result, failed } = line;
        if let Some((table, writer)) = &mut self.table {
            let result = std::str::from_utf8(result).map_err(|_| "its result is no text")?;
            writer.row(input, result, out)?;
            table.header.get_or_init(|| writer.columns().cloned().collect());
            return Ok(());
        }
        if self.tags && self.json {
            let input = if input.is_empty() { "null" } else { input };
            out.extend_from_slice(format!("{{\"index\":{number},\"input\":{input},").as_bytes());
            match result.strip_prefix(b"{") {
                Some(report) if *failed => out.extend_from_slice(report),
                _ => {
                    out.extend_from_slice(b"\"result\":");
                    out.extend_from_slice(result);
                    out.push(b'}');
                }
            }
        } else {
            if self.tags {
                out.extend_from_slice(input.as_bytes());
                out.push(b'\t');
            }
            out.extend_from_slice(result);
        }
        out.push(self.separator);
        Ok(())
    }

    fn put_chunk(
        &mut self,
        index: Index,
        packed: &Packed,
        chunks: &Chunks,
        stops: bool,
        out: &mut Vec<u8>,
    ) -> Vec<Misfit> {
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        let (inputs, results) = (text(&packed.input), text(&packed.result));
        let mut inputs = elements(&inputs).unwrap_or_default().into_iter();
        let mut results = elements(&results).unwrap_or_default().into_iter();
        let mut holes = chunks.take_holes(index).into_iter().peekable();
        let mut misfits = Vec::new();
        for (place, number) in (0..).zip(chunks.numbers(index)) {
            let mut given = "";
            let put = if let Some(hole) = holes.next_if(|hole| hole.place == place) {
                let Some(report) = hole.report else { continue };
                let input = Text::default();
                self.line(&Line { number, input, result: &report, failed: true }, out)
            } else if packed.failed {
                let input = inputs.next().map_or("", |input| input.get());
                let listed = self.numbers.as_ref().and_then(|all| all.get(number as usize - 1));
                let report = report_for(*listed.unwrap_or(&number), input, &packed.result);
                let result = report.as_bytes();
                self.line(&Line { number, input: input.into(), result, failed: true }, out)
            } else {
                let (input, result) = (inputs.next(), results.next());
                let (input, result) =
                    (input.map_or("", |it| it.get()), result.map_or("", |it| it.get()));
                given = input;
                self.put_element(number, input, result, out)
            };
            if let Err(why) = put {
                let input = self.input(given.as_bytes());
                misfits.push(Misfit { index, place: number - 1, why, input });
                if stops {
                    break;
                }
            }
        }
        misfits
    }

    /// Appends the line of a value of a chunk, whose input and result are JSON.
    fn put_element(
        &mut self,
        number: u64,
        input: &str,
        result: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let is_json = self.json || self.table.is_some();
        let form = |json| if is_json { Ok(Text::Borrowed(json)) } else { plain(json) };
        let (input, result) = (form(input)?, form(result)?);
        self.line(&Line { number, input, result: result.as_bytes(), failed: false }, out)
    }
}

/// The report about a chunk as the report about one of its values.
fn report_for(number: u64, input: &str, report: &[u8]) -> String {
    let mut report: serde_json::Value = serde_json::from_slice(report).unwrap_or_default();
    report["error"]["index"] = number.into();
    report["error"]["input"] = serde_json::from_str(input).unwrap_or_default();
    report.to_string()
}

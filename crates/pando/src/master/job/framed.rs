//! Checks results before they are accepted: what the output cannot show is a failure of the
//! function.

use super::Job;
use crate::{
    config::TrustRule,
    master::shape::Chunks,
    number::count,
    protocol::{Failure, Form},
    table::{check_fields, elements, plain},
};
use bytes::Bytes;
use stream_lender::Index;

/// Checks that the result of `index` contains no separator, and is JSON if the output is JSON, or
/// that it has a result for each value of a chunk. A result for a file becomes the content of the
/// file.
///
/// # Errors
/// Otherwise, with the failure of the function that stands for the result.
pub(in crate::master) fn check_framing(
    index: Index,
    result: &mut (Form, Bytes),
    job: &Job,
) -> Result<(), Failure> {
    match (&job.files, &job.shape.chunks) {
        (Some(files), _) if files.output_dir.is_some() => {
            *result = content(result.0, result.1.clone(), files.reads)?;
            Ok(())
        }
        (_, Some(chunks)) => check_chunk(index, &result.1, job, chunks),
        _ => check_line(&result.1, job),
    }
}

fn check_line(result: &[u8], job: &Job) -> Result<(), Failure> {
    if memchr::memchr(job.framing.separator, result).is_some() {
        return Err(framing("its result", job.framing.separator));
    }
    if job.options.json && !is_json(result) {
        let message = "its result is not JSON: answer a value rather than bytes";
        return Err(Failure::new(message, "json"));
    }
    check_row(result, job)
}

/// Checks that the fields of a result have columns, if the header of the table is printed. The
/// header comes with the first row, so results before this are checked when they are printed. With
/// `--copies`, the list of all answers is in one column, whatever they are.
fn check_row(result: &[u8], job: &Job) -> Result<(), Failure> {
    let is_in_list = job.trust.is_some_and(|trust| matches!(trust.rule, TrustRule::Copies(_)));
    let table = job.shape.table.as_ref().filter(|_| !is_in_list);
    let Some(header) = table.and_then(|table| table.header.get()) else { return Ok(()) };
    let Ok(result) = std::str::from_utf8(result) else { return Ok(()) };
    check_fields(result, header).map_err(|why| Failure::new(why, "fields"))
}

/// Checks the result of a chunk: a JSON array with an element for each value.
fn check_chunk(index: Index, result: &[u8], job: &Job, chunks: &Chunks) -> Result<(), Failure> {
    let values = chunks.values(index);
    let results = std::str::from_utf8(result).ok().and_then(elements);
    let Some(results) = results else {
        let message = format!(
            "its result is no array: with --chunk the function gets an array, here of {}, and answers an array with a result for each",
            count(values, "value")
        );
        return Err(Failure::new(message, "chunk"));
    };
    if results.len() as u64 != values {
        let message = format!(
            "its result is an array of {} for {}: with --chunk the function answers an array with a result for each value",
            count(results.len() as u64, "element"),
            count(values, "value")
        );
        return Err(Failure::new(message, "chunk"));
    }
    let separator = job.framing.separator;
    for (place, element) in results.iter().enumerate() {
        // Only as lines of text do strings lose their quotes.
        let is_framed = match job.framing.form {
            Form::Json => memchr::memchr(separator, element.get().as_bytes()).is_none(),
            _ => {
                let text = plain(element.get()).map_err(|why| Failure::new(why, "json"))?;
                memchr::memchr(separator, text.as_bytes()).is_none()
            }
        };
        if !is_framed {
            return Err(framing(&format!("its result [{place}]"), separator));
        }
        check_row(element.get().as_bytes(), job)?;
    }
    Ok(())
}

/// The content of a file for a result. `from_file`: the value is a file, too. Otherwise the result
/// may be JSON although the file is not to have quotes around a text.
fn content(form: Form, result: Bytes, from_file: bool) -> Result<(Form, Bytes), Failure> {
    if from_file || form != Form::Json || !result.starts_with(b"\"") {
        return Ok((form, result));
    }
    let text =
        std::str::from_utf8(&result).map_err(|_| Failure::new("its result is no text", "json"))?;
    let text = plain(text).map_err(|why| Failure::new(why, "json"))?;
    Ok((Form::Text, text.into_owned().into()))
}

fn framing(what: &str, separator: u8) -> Failure {
    let message = if separator == b'\n' {
        format!(
            "{what} contains a newline, which would be taken for two results: answer text without one (JSON.stringify, base64), or separate results with NUL by -0"
        )
    } else {
        format!(
            "{what} contains a NUL, which would be taken for two results: answer text without one (JSON.stringify, base64)"
        )
    };
    Failure::new(message, "framing")
}

fn is_json(text: &[u8]) -> bool {
    std::str::from_utf8(text)
        .is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
}

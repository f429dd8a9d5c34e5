//! `pando journal FILE`: tells what is in a journal, or prints its results. Never changes it.

use crate::{
    command_line,
    console::printable,
    journal::{JournalContents, PrintedResult},
    number,
};
use clap::Parser;
use serde_json::{Value, json};
use std::{
    env,
    io::{self, BufWriter, ErrorKind, Write},
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

/// Tells what is in a journal of `pando --journal FILE`: how many results, of which function, and
/// whether bytes are damaged. Reads the file and never changes it.
#[derive(Debug, Parser)]
#[command(name = "pando journal", version, about)]
#[command(after_help = "\
Results are printed by item, with the number of the item when its result was written. The journal
keeps the hash of a value (BLAKE3, the first 16 bytes), not the value itself.
Exit status: 0 all is printed (or the reader left), 1 the journal cannot be read, 2 wrong usage.")]
struct JournalOptions {
    /// The journal
    file: PathBuf,

    /// Print the results as CSV: index, hash of the value, result, name of its file
    #[arg(long, conflicts_with = "json")]
    csv: bool,

    /// Print the results as JSON, one object per line: index, input (the hash of the value), and
    /// result or file
    #[arg(long)]
    json: bool,
}

/// Runs `pando journal` with the options of this process; returns the exit status.
pub fn show_journal() -> i32 {
    let options: JournalOptions = command_line::read(env::args_os().skip(1));
    let contents = match JournalContents::read(&options.file) {
        Ok(contents) => contents,
        Err(error) => return fail(&format!("{error:#}")),
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let printed = match (options.csv, options.json) {
        (true, _) => print_csv(&contents, &mut out),
        (_, true) => print_json(&contents, &mut out),
        _ => out.write_all(printable(&overview(&options, &contents)).as_bytes()),
    };
    match printed.and_then(|()| out.flush()) {
        Ok(()) => 0,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => 0,
        Err(error) => fail(&format!("{}: {error}", options.file.display())),
    }
}

fn fail(why: &str) -> i32 {
    // Standard error may not be open.
    let _ = writeln!(io::stderr(), "error: {}", printable(why));
    1
}

fn overview(options: &JournalOptions, contents: &JournalContents) -> String {
    let mut text = format!(
        "{}: {}, {}\n",
        options.file.display(),
        number::count(contents.count(), "result"),
        number::count(contents.length, "byte")
    );
    let mut add = |name: &str, value: String| text.push_str(&format!("  {name}: {value}\n"));
    if contents.in_files > 0 {
        add("results in files of their own", number::grouped(&contents.in_files.to_string()));
    }
    if contents.distrusted > 0 {
        let count = number::grouped(&contents.distrusted.to_string());
        add(
            "results that do not count",
            format!("{count}, of devices that were not trusted any more"),
        );
    }
    add("failed items", "none; a journal keeps results only".into());
    match &contents.facts {
        None => add("function", "unknown: the description of the run is missing".into()),
        Some(facts) => {
            let hash = facts.meaning.as_deref().unwrap_or(&facts.function);
            let hash = if hash.is_empty() { "none, a program (--exec)" } else { hash };
            add("function", hash.into());
            let options = facts.options.join(" ");
            add(
                "options that change results",
                if options.is_empty() { "none".into() } else { options },
            );
        }
    }
    match (contents.runs.first(), contents.runs.last()) {
        (Some(first), Some(last)) => {
            add("runs", number::grouped(&contents.runs.len().to_string()));
            add("first run began", date(*first));
            add("last run began", date(*last));
        }
        _ => add("runs", "unknown".into()),
    }
    let changed = contents.changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    changed.into_iter().for_each(|time| add("last written", date(time.as_secs())));
    add("damage", damage(contents));
    text
}

fn damage(contents: &JournalContents) -> String {
    let mut found = Vec::new();
    if contents.damages > 0 {
        found.push(format!(
            "{} in {}, whose results the next run computes again",
            number::count(contents.damaged, "byte"),
            number::count(contents.damages, "place")
        ));
    }
    if contents.tail > 0 {
        found.push(format!(
            "{} at the end are no complete record, and the next run cuts them off",
            number::count(contents.tail, "byte")
        ));
    }
    if found.is_empty() { "none".into() } else { found.join("; ") }
}

fn print_csv(contents: &JournalContents, out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"index,input,result,file\r\n")?;
    for result in contents.results() {
        let PrintedResult { index, input, in_file, bytes } = result?;
        write!(out, "{},{},", index + 1, hex(&input))?;
        if in_file {
            out.write_all(b",")?;
        }
        write_field(&bytes, out)?;
        out.write_all(if in_file { b"\r\n" } else { b",\r\n" })?;
    }
    Ok(())
}

/// Writes a field as in RFC 4180.
fn write_field(bytes: &[u8], out: &mut impl Write) -> io::Result<()> {
    if !bytes.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
        return out.write_all(bytes);
    }
    out.write_all(b"\"")?;
    for part in bytes.split_inclusive(|byte| *byte == b'"') {
        out.write_all(part)?;
        if part.ends_with(b"\"") {
            out.write_all(b"\"")?;
        }
    }
    out.write_all(b"\"")
}

fn print_json(contents: &JournalContents, out: &mut impl Write) -> io::Result<()> {
    let options = contents.facts.as_ref().map(|facts| &*facts.options).unwrap_or_default();
    let is_json = options.iter().any(|option| option == "--json");
    for result in contents.results() {
        let PrintedResult { index, input, in_file, bytes } = result?;
        write!(out, "{{\"index\":{},\"input\":\"{}\",", index + 1, hex(&input))?;
        match String::from_utf8(bytes) {
            Ok(text) if in_file => write!(out, "\"file\":{}}}", Value::String(text))?,
            // The number types of other programs must not round a result.
            Ok(text) if is_json && !text.contains(['\n', '\r']) => {
                write!(out, "\"result\":{text}}}")?;
            }
            Ok(text) => write!(out, "\"result\":{}}}", Value::String(text))?,
            Err(error) => {
                let name = if in_file { "fileBytes" } else { "resultBytes" };
                write!(out, "\"{name}\":{}}}", json!(hex(error.as_bytes())))?;
            }
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A time in seconds since 1970, in words.
fn date(unix: u64) -> String {
    let (days, seconds) = (unix / 86_400, unix % 86_400);
    // Years that begin in March have their leap day at the end, and 400 years are 146,097 days.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute) = (seconds / 3_600, seconds / 60 % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
}

/// The present time in seconds since 1970.
pub(crate) fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(951_782_399), "2000-02-28 23:59 UTC");
        assert_eq!(date(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(date(1_795_832_460), "2026-11-28 02:21 UTC");
        assert_eq!(date(4_107_542_400), "2100-03-01 00:00 UTC");
    }

    #[test]
    fn a_field_with_quotes_and_line_feeds_is_quoted() {
        let field = |text: &str| {
            let mut out = Vec::new();
            write_field(text.as_bytes(), &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(field("plain text"), "plain text");
        assert_eq!(field("a \"b\",\nc"), "\"a \"\"b\"\",\nc\"");
    }
}

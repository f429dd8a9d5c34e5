//! The forms of the input: lines, the rows of a table, a grid, and the items of the command line.

use super::input::Splitter;
use crate::{
    failed::FailedInput,
    grid::Grid,
    master::{
        items::{Cut, Framing, InputError, LONGEST, Unusable, check_length, no_memory, too_long},
        shape::Table,
    },
    protocol::{Form, Value},
    table::TableReader,
};
use std::{io, mem, sync::Arc};

/// The number of bytes per read of the input.
pub(super) const BLOCK: usize = 64 * 1024;
/// The number of combinations that a grid makes at a time.
const COMBINATIONS: u64 = 1024;

/// Values that are read in blocks.
pub(super) trait Source {
    /// Reads a block and appends its values to `out`. Returns false at the end.
    ///
    /// # Errors
    /// When reading fails. Values read before are in `out`.
    fn read(&mut self, out: &mut Vec<Cut>) -> Result<bool, InputError>;

    /// Bytes of the values read so far.
    fn bytes_cut(&self) -> u64 {
        0
    }
}

/// The words about a byte stream that cannot be read.
pub(super) fn cannot_read(why: &dyn std::fmt::Display) -> InputError {
    InputError::new(format!("standard input cannot be read: {why}"))
}

/// Reads once from `input` to the end of `buffer`, whatever signals arrive. Returns the number of
/// bytes.
pub(super) fn read_block(
    input: &mut impl io::Read,
    buffer: &mut Vec<u8>,
) -> Result<usize, InputError> {
    let before = buffer.len();
    buffer.resize(before + BLOCK, 0);
    let read = loop {
        match input.read(&mut buffer[before..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other,
        }
    };
    buffer.truncate(before + *read.as_ref().unwrap_or(&0));
    read.map_err(|error| cannot_read(&error))
}

/// The values between separators.
pub(super) struct Lines<R> {
    splitter: Splitter,
    source: R,
}

impl<R: io::Read> Lines<R> {
    pub(super) fn new(source: R, framing: Framing) -> Self {
        Self { splitter: Splitter::new(framing), source }
    }
}

impl<R: io::Read> Source for Lines<R> {
    fn read(&mut self, out: &mut Vec<Cut>) -> Result<bool, InputError> {
        self.splitter.read(&mut self.source, out)
    }

    fn bytes_cut(&self) -> u64 {
        self.splitter.bytes_cut()
    }
}

/// The rows of a table.
pub(super) struct Rows<R> {
    reader: TableReader,
    source: R,
    table: Table,
    bytes: u64,
}

impl<R: io::Read> Rows<R> {
    pub(super) fn new(source: R, table: Table) -> Self {
        Self { reader: TableReader::new(table.delimiter), source, table, bytes: 0 }
    }

    /// Makes room for one more block.
    fn make_room(&mut self) -> Result<(), String> {
        let buffered = self.reader.buffered();
        if buffered > LONGEST {
            return Err(too_long());
        }
        self.reader.buffer().try_reserve(BLOCK).map_err(|_| no_memory(buffered, " so far"))
    }
}

impl<R: io::Read> Source for Rows<R> {
    fn read(&mut self, out: &mut Vec<Cut>) -> Result<bool, InputError> {
        if let Err(why) = self.make_room() {
            self.reader.drop_row(why);
            self.make_room().map_err(|why| cannot_read(&why))?;
        }
        let count = read_block(&mut self.source, self.reader.buffer())?;
        self.bytes += count as u64;
        let mut rows = Vec::new();
        self.reader.cut(&mut rows, count == 0).map_err(InputError::usage)?;
        if let Some(columns) = self.reader.columns() {
            self.table.columns.get_or_init(|| columns.to_vec());
        }
        out.extend(rows.into_iter().map(|(number, row)| {
            let checked = row.and_then(|row| {
                let short = check_length(row.len());
                let long = |why| (format!("row {number} {why}"), Vec::new());
                short.map(|()| row).map_err(long)
            });
            match checked {
                Ok(row) => Ok(Value::new(row.into(), Form::Json)),
                Err((why, text)) => {
                    let input = FailedInput::Unusable(text.into());
                    Err(Box::new(Unusable { number, why, input }))
                }
            }
        }));
        Ok(count > 0)
    }

    fn bytes_cut(&self) -> u64 {
        self.bytes - self.reader.buffered() as u64
    }
}

/// The combinations of a grid.
pub(super) struct Combinations {
    grid: Arc<Grid>,
    next: u64,
}

impl Combinations {
    pub(super) fn new(grid: Arc<Grid>) -> Self {
        Self { grid, next: 0 }
    }
}

impl Source for Combinations {
    fn read(&mut self, out: &mut Vec<Cut>) -> Result<bool, InputError> {
        let end = self.grid.total().min(self.next + COMBINATIONS);
        let next = mem::replace(&mut self.next, end);
        let value = |at| Ok(Value::new(self.grid.point(at).into(), Form::Json));
        out.extend((next..end).map(value));
        Ok(end < self.grid.total())
    }
}

/// Values that are all there.
pub(super) struct Given(pub(super) Vec<Cut>);

impl Source for Given {
    fn read(&mut self, out: &mut Vec<Cut>) -> Result<bool, InputError> {
        out.append(&mut self.0);
        Ok(false)
    }
}

/// The first values of a source, which is read no further.
pub(super) struct Head<S> {
    pub(super) source: S,
    /// The number of values that are missing.
    pub(super) missing: Option<u64>,
}

impl<S: Source> Source for Head<S> {
    fn read(&mut self, out: &mut Vec<Cut>) -> Result<bool, InputError> {
        let before = out.len();
        let Some(missing) = &mut self.missing else { return self.source.read(out) };
        if *missing == 0 {
            return Ok(false);
        }
        let read = self.source.read(out);
        let count = (out.len() - before) as u64;
        if count < *missing {
            *missing -= count;
            return read;
        }
        out.truncate(before + *missing as usize);
        *missing = 0;
        Ok(false)
    }

    fn bytes_cut(&self) -> u64 {
        self.source.bytes_cut()
    }
}

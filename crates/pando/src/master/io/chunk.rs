//! `--chunk`: makes lists of values, each of which is an item.

use crate::{
    failed::FailedInput,
    master::{
        items::{Cut, InputError, LONGEST, Read, Unusable, check_length},
        run::Master,
        shape::{Chunks, Hole},
    },
    protocol::{Form, Value},
};
use bytes::Bytes;
use std::{mem, sync::Arc};
use stream_lender::Index;

/// The chunk that is being filled.
pub(in crate::master) struct Chunker {
    chunks: Arc<Chunks>,
    /// The index of the chunk.
    index: Index,
    /// The values as a JSON array, without its end.
    json: Vec<u8>,
    /// The number of places that are filled.
    places: u64,
    holes: Vec<Hole>,
}

impl Chunker {
    /// A chunker before the first value.
    pub(in crate::master) fn new(chunks: Arc<Chunks>) -> Self {
        Self { chunks, index: 0, json: Vec::new(), places: 0, holes: Vec::new() }
    }

    fn push(&mut self, value: &Value) {
        self.places += 1;
        // A chunk that is too long is not kept whole.
        if self.json.len() > LONGEST {
            return;
        }
        self.json.push(if self.json.is_empty() { b'[' } else { b',' });
        match std::str::from_utf8(&value.bytes) {
            Ok(text) if value.form == Form::Text => {
                serde_json::to_writer(&mut self.json, text).expect("memory takes all bytes")
            }
            _ => self.json.extend_from_slice(&value.bytes),
        }
    }

    fn push_hole(&mut self, report: Option<Bytes>) {
        self.holes.push(Hole { place: self.places, report });
        self.places += 1;
    }

    fn is_full(&self) -> bool {
        self.places == self.chunks.size()
    }

    /// Takes the chunk as it is, and starts the next one. `is_last`: no chunk follows.
    fn take(&mut self, is_last: bool) -> Cut {
        let places = mem::take(&mut self.places);
        if is_last {
            self.chunks.end(self.index, places);
        }
        self.chunks.note_holes(self.index, mem::take(&mut self.holes));
        let (number, name) =
            (*self.chunks.numbers(self.index).start(), self.chunks.name(self.index));
        self.index += 1;
        let mut json = mem::take(&mut self.json);
        if json.is_empty() {
            json.push(b'[');
        }
        json.push(b']');
        check_length(json.len()).map_err(|why| {
            let (why, input) = (format!("{name}: their chunk {why}"), Bytes::new());
            Box::new(Unusable { number, why, input: FailedInput::Unusable(input) })
        })?;
        Ok(Value::new(json.into(), Form::Json))
    }
}

impl Master {
    /// Adds values to the input, in chunks. `ends`: the last chunk may be shorter, because no more
    /// values follow.
    ///
    /// # Errors
    /// As for [`offer`](Self::offer).
    pub(in crate::master) fn offer_chunks(
        &self,
        chunker: &mut Chunker,
        values: impl Iterator<Item = Cut>,
        ends: bool,
    ) -> Result<(), InputError> {
        let (mut complete, mut failed) = (Vec::new(), None);
        for value in values {
            match value.map_err(|unusable| self.fail_unusable(*unusable)) {
                Ok(value) => chunker.push(&value),
                Err(Ok(Read::Finished(report))) => chunker.push_hole(Some(report)),
                Err(Ok(_)) => chunker.push_hole(None),
                Err(Err(error)) => {
                    failed = Some(error);
                    break;
                }
            }
            if chunker.is_full() {
                complete.push((chunker.take(false), None));
            }
        }
        if (ends || failed.is_some()) && chunker.places > 0 {
            complete.push((chunker.take(true), None));
        }
        self.offer(complete)?;
        failed.map_or(Ok(()), Err)
    }
}

//! What is output, and how the run ends.

use super::{End, Fate, Model};
use crate::{
    config::OnError,
    master::{items::Ending, simulation::seen::Seen},
};
use bytes::Bytes;
use std::mem;
use stream_lender::{Index, Order};

impl Model {
    /// Checks an output.
    pub(in crate::master::simulation) fn output(
        &mut self,
        index: Index,
        output: Result<Bytes, String>,
    ) {
        if let Some(shared) = &mut self.shared {
            return shared.output(index, output);
        }
        if self.job.order == Order::OfInput {
            assert_eq!(index, self.skip(), "out of its place");
            assert!(
                self.cut().is_none_or(|fatal| index < fatal),
                "{index} is output, and the run was to end before"
            );
            self.next += 1;
        }
        // In one frame, a failure may be final before the next one ends the run.
        let is_unordered = self.job.order == Order::OfResults;
        let is_cut = is_unordered && self.cut().is_some_and(|cut| cut <= index);
        let fate = &mut self.fates[index as usize];
        assert!(!mem::replace(&mut fate.is_output, true), "{index} is output twice");
        if is_cut && fate.end.is_none() && fate.failures > self.job.retries {
            fate.end = Some(End::Told);
        }
        match (&self.fates[index as usize].end, output) {
            (Some(End::Result(result)), Ok(output)) => assert_eq!(*result, output, "of {index}"),
            (Some(End::Told), Err(text)) if self.job.on_error == OnError::Tell => {
                assert!(!text.is_empty())
            }
            (Some(End::Told), Ok(text)) if self.job.on_error == OnError::Report => {
                let report: serde_json::Value =
                    serde_json::from_slice(&text).expect("a report is JSON");
                assert_eq!(report["error"]["index"], self.job.number(index));
            }
            (_, output) => panic!("{index} is output and has none: {output:?}"),
        }
    }

    /// The index of the next output, after values left out.
    fn skip(&mut self) -> Index {
        while let Some(Fate { end: Some(End::LeftOut), .. }) = self.fates.get(self.next as usize) {
            self.next += 1;
        }
        self.next
    }

    /// The number of values that were output or left out, before the value at `end`.
    fn done_before(&self, end: Index) -> u64 {
        let fates = self.fates.iter().take(end as usize);
        let is_done = |fate: &&Fate| fate.is_output || matches!(fate.end, Some(End::LeftOut));
        fates.filter(is_done).count() as u64
    }

    /// Checks the end of the run, after `read` values were read.
    pub(in crate::master::simulation) fn ended(
        &mut self,
        ending: &Ending,
        read: u64,
        all: bool,
        input_failed: bool,
        seen: &mut Seen,
    ) {
        if let Some(shared) = &mut self.shared {
            return shared.ended(ending, read, all);
        }
        self.is_over = true;
        let is_unordered = self.job.order == Order::OfResults;
        let next = if is_unordered { self.done_before(read) } else { self.skip() };
        seen.note_if(is_unordered, "output as results came");
        let told = matches!(
            ending,
            Ending::InputFailed(_)
                | Ending::ItemFailed(..)
                | Ending::ReaderLeft
                | Ending::CutShort(_)
        );
        assert!(!input_failed || told, "{ending:?}, and the input failed");
        match ending {
            Ending::Complete => assert!(
                all && next == self.fates.len() as u64 && self.left_out == 0,
                "complete, after {next}"
            ),
            Ending::SomeFailed(count) => {
                assert_eq!((*count, next), (self.left_out, read), "failed, and output");
                assert!(*count > 0);
            }
            Ending::ItemFailed(index, _) => {
                let before = self.done_before(*index);
                assert_eq!((Some(*index), before), (self.fatal, *index), "failed, and output");
                assert!(is_unordered || next == before, "{next} are output, and {index} failed");
            }
            Ending::InputFailed(_) | Ending::Interrupted => {
                assert_eq!((next, self.fatal), (read, None), "output, and read")
            }
            Ending::ReaderLeft => {}
            Ending::CutShort(left) => {
                let end = self.fatal.unwrap_or(read);
                let first = self.given_up.expect("values were given up");
                assert_eq!(self.done_before(first), first, "output, of those before");
                let next = if is_unordered { self.done_before(end) } else { next };
                assert!(is_unordered || next == first, "{next} are output, not {first}");
                assert_eq!(next + left.items as u64, end, "output, and left");
            }
            Ending::InDoubt(_) | Ending::CannotRun(_) | Ending::OutputFailed(_) => {
                panic!("{ending:?}")
            }
        }
    }
}

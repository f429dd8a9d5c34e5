//! `--failed`: which values of a failed item are listed, and under which numbers.

use crate::{
    failed::{FailedInput, FailedItem},
    master::{job::Job, policy::account},
    protocol::Form,
    table::{elements, plain},
};
use stream_lender::Index;

/// Lists the item `index`, with its `input`, as far as there is a list. Of a chunk, each value is
/// listed. `item` makes the entry for a number and an input.
pub(super) fn list(
    job: &Job,
    index: Index,
    input: &FailedInput,
    item: impl Fn(u64, FailedInput) -> FailedItem,
) {
    let Some(list) = &job.failed else { return };
    let Some(chunks) = &job.shape.chunks else {
        return list.record(item(job.number(index), account::kept(input.clone())));
    };
    let text = String::from_utf8_lossy(input.bytes());
    let values = elements(&text).unwrap_or_default();
    for (number, value) in chunks.numbers_of_values(index).into_iter().zip(values) {
        let input = match job.framing.form {
            Form::Json => FailedInput::Json(value.get().to_owned().into()),
            _ => {
                let text = plain(value.get()).unwrap_or_default().into_owned();
                FailedInput::Text(text.into())
            }
        };
        list.record(item(job.number_of_value(number - 1), input));
    }
}

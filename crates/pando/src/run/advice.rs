//! What to do after a run that has not computed everything, in words for people.

use crate::{
    config::{InputSource, RunConfig},
    master::{Ending, LastFigures, Left, Master},
};
use stream_lender::Order;

/// How to go on after a run of `config` that came to `ending`; empty if nothing is left to do, or
/// nobody can know.
pub(super) fn advice(
    config: &RunConfig,
    master: &Master,
    last: &LastFigures,
    ending: &Ending,
) -> String {
    let is_over = matches!(
        ending,
        Ending::Complete | Ending::ReaderLeft | Ending::CannotRun(_) | Ending::InDoubt(_)
    );
    if is_over || config.sync || config.mosaic.is_some() {
        return String::new();
    }
    if config.journal.is_some() {
        return "To go on: give the same command again. It computes only what has no result yet."
            .into();
    }
    if let Ending::SomeFailed(_) = ending {
        return failed(config).into();
    }
    let is_whole = match ending {
        Ending::CutShort(Left { unread, .. }) => *unread == 0,
        other => !matches!(other, Ending::OutputFailed(_)),
    };
    let is_read = matches!(config.input, InputSource::Stdin | InputSource::Grid(_));
    let output = last.run.window.output;
    let next = match master.job.order {
        Order::OfInput if is_read && is_whole && output > 0 => {
            let next = master.job.number(output);
            format!("To go on: compute the items from {next} on; the output has those before. ")
        }
        _ => String::new(),
    };
    let skip = match ending {
        Ending::ItemFailed(..) => "With --on-error skip, a run leaves failed items out. ",
        _ => "",
    };
    next + skip + "With --journal FILE from the start, the same command goes on by itself."
}

/// How to compute failed items again. If there is a list of them, a message names it already.
fn failed(config: &RunConfig) -> &'static str {
    match config.failed.is_some() {
        true => "",
        false => {
            "To compute the failed items again: give their inputs. With --failed FILE from the start, --only-failed FILE does it."
        }
    }
}

//! What a relay needs for a value that it passes on.

use super::Setup;
use crate::{
    relay::{RelayLoadOptions, micros_per_value},
    table::{Row, Samples, thousands},
};
use std::time::Duration;

/// Volunteers, and runs for which the relay carries them.
const VOLUNTEERS: u64 = 1000;
const ROOMS: u64 = 100;
/// The time between the values of each volunteer.
const PACE: Duration = Duration::from_millis(50);
const TIME: Duration = Duration::from_secs(10);
/// The most that a relay may need, compared with two sockets whose bytes are copied.
const MOST: f64 = 2.0;

pub(super) fn relay(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let options = RelayLoadOptions {
        binary: setup.pando.clone(),
        rooms: setup.scaled(ROOMS) as usize,
        volunteers: setup.scaled(VOLUNTEERS) as usize,
        time: TIME.mul_f64(setup.scale).max(Duration::from_secs(2)),
        pace: PACE,
    };
    let bare = setup.bare();
    let (mut own, mut ratio) = <(Samples, Samples)>::default();
    for run in setup.runs() {
        let measured = |bare| {
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(micros_per_value(&options, bare))
        };
        let copied = measured(Some(bare.as_path()))?;
        let passed = measured(None)?;
        eprintln!("relay, run {run}: {passed:.1} µs, {copied:.1} µs by two bare sockets");
        own.push(passed);
        ratio.push(passed / copied);
    }
    let what = format!(
        "a relay passes values of 100 bytes on, {} volunteers, each a value in {} ms: its processor \
         time, there and back",
        thousands(options.volunteers as f64),
        PACE.as_millis()
    );
    Ok(vec![
        Row::plain(what, own.show(|micros| format!("{micros:.1} µs/item"))),
        Row::goal(
            "… of that of two bare sockets whose bytes are copied",
            ratio.show(|ratio| format!("× {ratio:.2}")),
            format!("≤ × {MOST}"),
            ratio.median() <= MOST,
        ),
    ])
}

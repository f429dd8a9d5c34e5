//! Compares a WebSocket with a peer connection (WebRTC): the same values through the same browser,
//! in turn, near and far.

use super::Setup;
use crate::{
    far::Far,
    lines::GeneratedLines,
    program::EchoRun,
    table::{Row, Samples, thousands},
};
use pando_testing::{Chromium, Tab};
use std::time::Duration;

/// The delay of the long distance, in each direction.
const LATE: Duration = Duration::from_millis(50);
/// The length of a value with its newline in bytes, and the number of values.
const SIZES: [(usize, u64); 3] = [(100, 400_000), (10_000, 20_000), (1_000_000, 100)];

/// The figures of one kind of channel.
#[derive(Default)]
struct ChannelFigures {
    items: Samples,
    megabytes: Samples,
    micros: Samples,
}

impl ChannelFigures {
    fn rows(&self, what: &str) -> [Row; 2] {
        let speed = format!(
            "{}; {}",
            self.items.show(|n| thousands(n) + " items/s"),
            self.megabytes.show(|n| format!("{n:.1} MB/s"))
        );
        let cost = self.micros.show(|micros| format!("{micros:.1} µs/item"));
        [Row::plain(what, speed), Row::plain("… processor time of the master", cost)]
    }
}

/// Measures over the loopback device.
pub(super) fn near(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    both(setup, 1.0, "", |webrtc| {
        let mut pando = EchoRun::start(&setup.pando, &["--cores", "0"])?;
        let url = pando.url()?;
        Ok((pando, Chromium::at(&setup.chromium).open(&fragment(&url, webrtc))?))
    })
}

/// Measures between two computers far from each other.
pub(super) fn far(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let far = Far::new(&setup.delay(), LATE)?;
    let chromium = Chromium::at(&setup.chromium).inside(&far.at_volunteer());
    both(setup, 0.2, &format!(", {} ms each way", LATE.as_millis()), |webrtc| {
        let mut options = vec!["--cores", "0"];
        options.extend(Far::OPTIONS);
        let mut pando = EchoRun::start_inside(&far.at_master(), &setup.pando, &options)?;
        let url = Far::url(&pando.url()?);
        Ok((pando, chromium.open(&fragment(&url, webrtc))?))
    })
}

fn fragment(url: &str, webrtc: bool) -> String {
    format!("{url}#cores=1;protocol={};", if webrtc { "webrtc" } else { "websocket" })
}

/// Measures each length over both kinds of channel in turn. `much` is the fraction of the usual
/// number of values.
fn both(
    setup: &Setup,
    much: f64,
    place: &str,
    open: impl Fn(bool) -> anyhow::Result<(EchoRun, Tab)>,
) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (length, count) in SIZES {
        let count = setup.scaled((count as f64 * much) as u64);
        let mut ways =
            [("WebSocket", ChannelFigures::default()), ("WebRTC", ChannelFigures::default())];
        for run in setup.runs() {
            for (name, figures) in &mut ways {
                let (mut pando, _browser) = open(*name == "WebRTC")?;
                let joined = pando.hears("joined with")?;
                anyhow::ensure!(
                    joined.contains("direct") == (*name == "WebRTC"),
                    "another way than {name}: {joined}"
                );
                let ran = pando.run(GeneratedLines::long(count, length))?;
                let items = count as f64 / ran.elapsed.as_secs_f64();
                let micros = ran.cpu.sum().as_secs_f64() * 1e6 / count as f64;
                eprintln!(
                    "{name}{place}, {length} bytes, run {run}: {} items/s, {micros:.1} µs of the master per item",
                    thousands(items)
                );
                figures.items.push(items);
                figures.megabytes.push(items * length as f64 / 1e6);
                figures.micros.push(micros);
            }
        }
        let ratio = ways[1].1.items.median() / ways[0].1.items.median();
        for (name, figures) in &ways {
            let what = format!(
                "{} values of {length} bytes echoed by a tab{place}, {name}",
                thousands(count as f64)
            );
            rows.extend(figures.rows(&what));
        }
        rows.push(Row::plain("… WebRTC against WebSocket", format!("{ratio:.2}")));
    }
    Ok(rows)
}

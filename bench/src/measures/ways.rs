//! A WebSocket and a peer connection (WebRTC) side by side: the same values through the same tab, one after the other.

use super::Setup;
use crate::{
    browser::Browser,
    lines::Lines,
    program::Pando,
    table::{Row, Samples, thousands},
};

/// Length of a value with its newline, in bytes, and how many there are.
const SIZES: [(usize, u64); 3] = [(100, 400_000), (10_000, 20_000), (1_000_000, 100)];

/// What one way took.
#[derive(Default)]
struct Figures {
    items: Samples,
    megabytes: Samples,
    micros: Samples,
}

impl Figures {
    fn rows(&self, what: &str) -> [Row; 2] {
        let speed =
            format!("{}; {}", self.items.show(|n| thousands(n) + " items/s"), self.megabytes.show(|n| format!("{n:.1} MB/s")));
        let cost = self.micros.show(|micros| format!("{micros:.1} µs/item"));
        [Row::plain(what, speed), Row::plain("… processor time of the master", cost)]
    }
}

/// Each size both ways, in turns.
pub(super) fn websocket_and_webrtc(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (length, count) in SIZES {
        let count = setup.scaled(count);
        let mut ways = [("WebSocket", Figures::default()), ("WebRTC", Figures::default())];
        for run in setup.runs() {
            for (name, figures) in &mut ways {
                let mut pando = Pando::start(&setup.pando, &["--cores", "0"])?;
                let url = format!("{}#cores=1;protocol={};", pando.url()?, name.to_lowercase());
                let _browser = Browser::open(&setup.chromium, &url)?;
                pando.wait_for("joined with")?;
                let ran = pando.run(Lines::long(count, length))?;
                let items = count as f64 / ran.elapsed.as_secs_f64();
                let micros = ran.cpu.sum().as_secs_f64() * 1e6 / count as f64;
                eprintln!(
                    "{name}, {length} bytes, run {run}: {} items/s, {micros:.1} µs of the master per item",
                    thousands(items)
                );
                figures.items.push(items);
                figures.megabytes.push(items * length as f64 / 1e6);
                figures.micros.push(micros);
            }
        }
        let ratio = ways[1].1.items.median() / ways[0].1.items.median();
        for (name, figures) in &ways {
            rows.extend(figures.rows(&format!("{} values of {length} bytes echoed by a tab, {name}", thousands(count as f64))));
        }
        rows.push(Row::plain("… WebRTC against WebSocket", format!("{ratio:.2}")));
    }
    Ok(rows)
}

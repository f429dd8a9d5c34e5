//! Compares a WebSocket with a peer connection (WebRTC): the same values through the same browser,
//! in turn, near and far.

use super::Setup;
use crate::{
    bare::{Peers, PeersTask},
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

/// Measures over the loopback device, with a bare peer connection of two pages beside it.
pub(super) fn near(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let open = |webrtc| {
        let mut pando = EchoRun::start(&setup.pando, &["--cores", "0"])?;
        let url = pando.url()?;
        Ok((pando, Chromium::at(&setup.chromium).open(&fragment(&url, webrtc))?))
    };
    let mut rows =
        both(setup, 1.0, "", &|count, length| bare_peers(setup, count, length, true), open)?;
    let bare = |count, length| bare_peers(setup, count, length, false);
    rows.extend(one_way(setup, (100, ""), bare, |module| {
        let options = ["--cores", "0"];
        let mut pando = EchoRun::start_function(&[], &setup.pando, module, &options)?;
        let url = pando.url()?;
        Ok((pando, Chromium::at(&setup.chromium).open(&fragment(&url, true))?))
    })?);
    Ok(rows)
}

/// Values of 1 MB that travel in one direction only.
fn one_way(
    setup: &Setup,
    (count, place): (u64, &str),
    bare: impl Fn(u64, usize) -> anyhow::Result<f64>,
    open: impl Fn(&str) -> anyhow::Result<(EchoRun, Tab)>,
) -> anyhow::Result<Vec<Row>> {
    let (length, count) = (SIZES[2].0, setup.scaled(count));
    let (mut speed, mut ratio) = <(Samples, Samples)>::default();
    for run in setup.runs() {
        let (mut pando, _browser) = open("module.exports = (x, cb) => cb(null, '')\n")?;
        pando.hears("joined with")?;
        let (values, results) =
            (GeneratedLines::long(count, length), GeneratedLines::long(count, 1));
        let rate = count as f64 / pando.run_expecting(values, results)?.elapsed.as_secs_f64();
        let bare = bare(count, length)?;
        eprintln!(
            "1 MB to a tab by WebRTC{place}, run {run}: {rate:.1} MB/s, two bare pages {bare:.1}"
        );
        speed.push(rate * length as f64 / 1e6);
        ratio.push(rate / bare);
    }
    Ok(vec![
        Row::plain(
            format!("{count} values of 1 MB to a tab by WebRTC{place}"),
            speed.show(|speed| format!("{speed:.1} MB/s")),
        ),
        Row::ratio(format!("… 1 MB to a tab{place}: WebRTC against two bare pages"), ratio, 0.8),
    ])
}

/// Values per second that a bare peer connection of two pages sends or, with `echo`, echoes.
fn bare_peers(setup: &Setup, count: u64, length: usize, echo: bool) -> anyhow::Result<f64> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut peers = runtime.block_on(Peers::serve())?;
    let chromium = Chromium::at(&setup.chromium).with(Peers::BROWSER);
    let url = peers.url();
    let _pages = [chromium.open(&url)?, chromium.open(&url)?];
    let task = PeersTask { count: count as usize, length, echo, stun: None };
    let time = runtime.block_on(peers.measure(&task))?;
    Ok(count as f64 / time.as_secs_f64())
}

/// Measures between two computers far from each other.
pub(super) fn far(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let far = Far::new(&setup.delay(), LATE)?;
    let place = format!(", {} ms each way", LATE.as_millis());
    let chromium = Chromium::at(&setup.chromium).inside(&far.at_volunteer());
    let start = |module: Option<&str>| {
        let options: Vec<_> = ["--cores", "0"].into_iter().chain(Far::OPTIONS).collect();
        let (inside, pando) = (far.at_master(), &setup.pando);
        let mut pando = match module {
            Some(module) => EchoRun::start_function(&inside, pando, module, &options)?,
            None => EchoRun::start_inside(&inside, pando, &options)?,
        };
        let url = Far::url(&pando.url()?);
        anyhow::Ok((pando, url))
    };
    let bare = |count, length, echo| {
        let time = far.bare_pages(&setup.bare(), &setup.chromium, count, length, echo)?;
        anyhow::Ok(count as f64 / time)
    };
    let mut rows =
        both(setup, 0.2, &place, &|count, length| bare(count, length, true), |webrtc| {
            let (pando, url) = start(None)?;
            Ok((pando, chromium.open(&fragment(&url, webrtc))?))
        })?;
    rows.extend(one_way(
        setup,
        (60, &place),
        |count, length| bare(count, length, false),
        |module| {
            let (pando, url) = start(Some(module))?;
            Ok((pando, chromium.open(&fragment(&url, true))?))
        },
    )?);
    Ok(rows)
}

fn fragment(url: &str, webrtc: bool) -> String {
    format!("{url}#cores=1;protocol={};", if webrtc { "webrtc" } else { "websocket" })
}

/// The values per second of a bare peer connection, for a number of values and their length.
type Bare<'a> = dyn Fn(u64, usize) -> anyhow::Result<f64> + 'a;

/// Measures each length over both kinds of channel in turn. `much` is the fraction of the usual
/// number of values.
fn both(
    setup: &Setup,
    much: f64,
    place: &str,
    bare: &Bare,
    open: impl Fn(bool) -> anyhow::Result<(EchoRun, Tab)>,
) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (length, count) in SIZES {
        let count = setup.scaled((count as f64 * much) as u64);
        let mut ways =
            [("WebSocket", ChannelFigures::default()), ("WebRTC", ChannelFigures::default())];
        let (mut between, mut of_bare) = <(Samples, Samples)>::default();
        for run in setup.runs() {
            let mut rates = Vec::new();
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
                rates.push(items);
            }
            between.push(rates[1] / rates[0]);
            let limit = bare(count, length)?;
            eprintln!("… two bare pages: {} items/s", thousands(limit));
            of_bare.push(rates[1] / limit);
        }
        for (name, figures) in &ways {
            let what = format!(
                "{} values of {length} bytes echoed by a tab{place}, {name}",
                thousands(count as f64)
            );
            rows.extend(figures.rows(&what));
        }
        let against = format!("… {length} bytes{place}: WebRTC against");
        let what = format!("{against} WebSocket");
        rows.push(match length {
            100 => Row::ratio(what, between, 0.75),
            _ => Row::plain(what, between.show(|ratio| format!("{ratio:.2}"))),
        });
        rows.push(Row::ratio(format!("{against} two bare pages"), of_bare, 0.8));
    }
    Ok(rows)
}

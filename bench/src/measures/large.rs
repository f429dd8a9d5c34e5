//! Large values through a tab, compared with the same tab without pando.

use super::Setup;
use crate::{
    echo::Echo,
    lines::GeneratedLines,
    program::EchoRun,
    table::{Row, Samples},
};
use pando_testing::Chromium;

/// The length in bytes of a value with its newline, and of a message of the bare echo.
const LENGTH: usize = 1_000_000;
/// The number of values per run.
const COUNT: u64 = 400;

/// Measures the bare echo first, then pando in the same tab.
pub(super) fn one_megabyte(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let count = setup.scaled(COUNT);
    let (mut bare, mut mapped, mut ratio) =
        (Samples::default(), Samples::default(), Samples::default());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for run in setup.runs() {
        let mut pando = EchoRun::start(&setup.pando, &["--cores", "0"])?;
        let next = format!("{}#cores=1;", pando.url()?);
        let mut echo = runtime.block_on(Echo::serve())?;
        let _browser = Chromium::at(&setup.chromium).open(&echo.url())?;
        let rate =
            |time: std::time::Duration| count as f64 * LENGTH as f64 / 1e6 / time.as_secs_f64();
        let without = rate(runtime.block_on(echo.measure(count as usize, LENGTH, &next))?);
        pando.hears("joined with")?;
        let with = rate(pando.run(GeneratedLines::long(count, LENGTH))?.elapsed);
        eprintln!("large, run {run}: bare echo {without:.0} MB/s, pando {with:.0} MB/s");
        bare.push(without);
        mapped.push(with);
        ratio.push(with / without);
    }
    let what = format!("{count} values of 1 MB echoed by a tab, against its bare WebSocket");
    Ok(vec![
        Row::ratio(what, ratio, 0.8),
        Row::plain("… through pando", mapped.show(|r| format!("{r:.0} MB/s"))),
        Row::plain("… bare echo of the same browser", bare.show(|r| format!("{r:.0} MB/s"))),
    ])
}

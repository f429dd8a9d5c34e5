//! A function of half a millisecond in one tab, compared with the same function in a bare loop of a
//! worker in the same browser.

use super::Setup;
use crate::{
    bare::Loop,
    lines::GeneratedLines,
    program::EchoRun,
    table::{Row, Samples},
};
use pando_testing::Chromium;

/// The function computes for about 0.6 ms, and returns its argument.
const FUNCTION: &str = "function f(x) {
  let sum = Number(x)
  for (let i = 0; i < 120000; i++) sum = (sum * 1103515245 + i) | 0
  return sum === 0.5 ? sum : x
}";
/// The number of calls.
const CALLS: u64 = 10_000;

/// Measures the bare loop first, then Pando in the same tab.
pub(super) fn work(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let calls = setup.scaled(CALLS);
    let (mut ratio, mut lost, mut bare) = <(Samples, Samples, Samples)>::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let module = format!("{FUNCTION}\nmodule.exports = (x, cb) => cb(null, f(x))\n");
    for run in setup.runs() {
        let mut pando = EchoRun::start_function(&[], &setup.pando, &module, &["--cores", "0"])?;
        let next = format!("{}#cores=1;", pando.url()?);
        let mut page = runtime.block_on(Loop::serve(FUNCTION, calls))?;
        let _browser = Chromium::at(&setup.chromium).open(&page.url())?;
        let alone = runtime.block_on(page.time(&next))?;
        pando.hears("joined with")?;
        let with = pando.run(GeneratedLines::numbers(calls))?.elapsed;
        let each = |time: std::time::Duration| time.as_secs_f64() * 1e6 / calls as f64;
        eprintln!("work, run {run}: {:.1} µs alone, {:.1} µs with pando", each(alone), each(with));
        bare.push(each(alone));
        lost.push(each(with) - each(alone));
        ratio.push(each(alone) / each(with));
    }
    let what = format!("{calls} calls of a function in a tab: speed of that of a bare loop");
    Ok(vec![
        Row::ratio(what, ratio, 0.98),
        Row::plain("… a call in the bare loop", bare.show(|micros| format!("{micros:.0} µs"))),
        Row::plain("… lost for each call", lost.show(|micros| format!("{micros:.1} µs"))),
    ])
}

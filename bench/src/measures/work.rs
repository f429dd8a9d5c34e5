//! Functions in one tab, compared with the same functions in bare loops of workers in the same
//! browser.

use super::Setup;
use crate::{
    bare::Loop,
    lines::GeneratedLines,
    program::EchoRun,
    table::{Row, Samples},
};
use pando_testing::Chromium;
use std::time::Duration;

/// The module of a function that computes for about 0.6 ms, and returns its argument.
const SHORT: &str = "module.exports = (x, cb) => {
  let sum = Number(x)
  for (let i = 0; i < 120000; i++) sum = (sum * 1103515245 + i) | 0
  cb(null, sum === 0.5 ? sum : x)
}";
/// The modules of two applications: inputs are made of numbers, which are also the results.
const COLLATZ: &str = "const collatz = require('EXAMPLES/collatz/collatz-bigint.js')['/pando/1.0.0']
const first = BigInt('3179389980591125407167')
module.exports = (x, cb) => collatz(first + BigInt(x) * BigInt(20) + ' 20', (error) => cb(error, x))";
const RAYTRACER: &str =
    "const raytracer = require('EXAMPLES/raytracer/raytracer.js')['/pando/1.0.0']
module.exports = (x, cb) => raytracer(String(x * Math.PI / 50), (error) => cb(error, x))";

/// A function in a tab.
struct Task {
    what: &'static str,
    module: String,
    calls: u64,
    cores: u64,
}

/// Measures a bare loop first, then Pando in the same tab, for each function.
pub(super) fn work(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");
    let task = |what, module: &str, calls, cores| {
        let module = module.replace("EXAMPLES", examples);
        Task { what, module, calls: setup.scaled(calls), cores }
    };
    let tasks = [
        task("a function of 0.6 ms in a tab", SHORT, 10_000, 1),
        task("Collatz, 20 numbers each, in two cores of a tab", COLLATZ, 4000, 2),
        task("frames of the raytracer in two cores of a tab", RAYTRACER, 300, 2),
    ];
    let mut rows = Vec::new();
    for task in tasks {
        rows.extend(task.measure(setup)?);
    }
    Ok(rows)
}

impl Task {
    fn measure(&self, setup: &Setup) -> anyhow::Result<[Row; 3]> {
        let Self { what, module, calls, cores } = self;
        let (mut ratio, mut lost, mut bare) = <(Samples, Samples, Samples)>::default();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let function = runtime.block_on(bundled(module))?;
        for run in setup.runs() {
            let mut pando = EchoRun::start_function(&[], &setup.pando, module, &["--cores", "0"])?;
            let next = format!("{}#cores={cores};", pando.url()?);
            let mut page = runtime.block_on(Loop::serve(&function, *calls, *cores))?;
            let _browser = Chromium::at(&setup.chromium).open(&page.url())?;
            let alone = runtime.block_on(page.time(&next))?;
            pando.hears("joined with")?;
            let with = pando.run(GeneratedLines::numbers(*calls))?.elapsed;
            // The time that one core spends on a call.
            let each = |time: Duration| time.as_secs_f64() * 1e6 * *cores as f64 / *calls as f64;
            eprintln!("{what}, run {run}: {:.1} µs alone, {:.1} µs here", each(alone), each(with));
            bare.push(each(alone));
            lost.push(each(with) - each(alone));
            ratio.push(each(alone) / each(with));
        }
        Ok([
            Row::ratio(format!("{calls} calls, {what}: speed of that of a bare loop"), ratio, 0.98),
            Row::plain("… a call in the bare loop", bare.show(|micros| format!("{micros:.0} µs"))),
            Row::plain("… lost for each call", lost.show(|micros| format!("{micros:.1} µs"))),
        ])
    }
}

/// The script of `module` with all that it requires, which defines `f` for the bare loop.
async fn bundled(module: &str) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("function.js");
    std::fs::write(&file, module)?;
    let options = pando_bundler::Options::new(pando_web::embedded::builtin);
    let bundle = pando_bundler::bundle(&file, &options).await?;
    Ok(format!(
        "{}\nconst f = (x) => __pandoModule.exports(x, (error) => {{ if (error) throw error }})",
        bundle.code
    ))
}

//! Functions of all kinds, written as for a single machine.

use pando_testing::{EventsFile, FunctionGate, PandoCommand, lines, numbers};

const TYPESCRIPT: &str = "
interface Context { index: number; attempt: number; signal: AbortSignal; report(info: object): void; log(...args: unknown[]): void }
enum Unit { Pixel = 'px' }
export default async (x: string, { index, attempt, signal, log }: Context): Promise<string> => {
  log('at', x)
  return `${x} ${index} ${attempt} ${signal.aborted}${Unit.Pixel satisfies string}`
}
";

#[test]
fn typescript_with_a_context_that_counts_from_1() {
    let run =
        PandoCommand::bare().with_file("f.ts", TYPESCRIPT).function("f.ts").stdin("a\nb\n").run();
    run.gives("a 1 1 falsepx\nb 2 1 falsepx\n")
        .said(&["this machine, item 1: at a", "this machine, item 2: at b"]);
}

#[test]
fn an_es_module_that_imports_another() {
    let pando =
        PandoCommand::new("import { twice } from './lib/twice.js'\nexport default x => twice(x)")
            .with_file("lib/twice.js", "export const twice = x => x + x");
    pando.stdin("a\n").run().gives("aa\n");
}

#[test]
fn an_es_module_may_export_the_callback_style() {
    let f = "const f = (x, cb) => cb(null, x + '!')\nexport { f as '/pando/1.0.0' }";
    PandoCommand::new(f).stdin("a\n").run().gives("a!\n");
}

#[test]
fn a_module_that_is_a_function() {
    PandoCommand::new("module.exports = x => ({ got: x })")
        .stdin("a\n")
        .run()
        .gives("{\"got\":\"a\"}\n");
}

#[test]
fn old_code_with_implicit_globals_octals_and_with() {
    let f = "total = 010\nmodule.exports['/pando/1.0.0'] = function (x, cb) { with (Math) { total += max(x, 1) } cb(null, total) }";
    PandoCommand::new(f).args(["--cores", "1"]).stdin("1\n2\n").run().gives("9\n11\n");
}

#[test]
fn promises_and_async_functions() {
    let wait = "new Promise(done => setTimeout(done, 5))";
    PandoCommand::new(&format!("export default async x => {{ await {wait}; return x + 1 }}"))
        .stdin(lines(1..=5))
        .run()
        .gives(lines([11, 21, 31, 41, 51]));
    PandoCommand::f(&format!("async (x, cb) => {{ await {wait}; cb(null, x) }}"))
        .stdin(lines(1..=5))
        .run()
        .gives(lines(1..=5));
}

#[test]
fn a_thenable_is_awaited() {
    PandoCommand::new("export default x => ({ then: done => setTimeout(() => done(x + '!'), 1) })")
        .stdin("a\n")
        .run()
        .gives("a!\n");
}

#[test]
fn packages_next_to_the_function_and_above_it() {
    let pando = PandoCommand::bare()
        .with_file("node_modules/above/package.json", r#"{"name": "above", "main": "main.js"}"#)
        .with_file("node_modules/above/main.js", "module.exports = x => x + ' above'")
        .with_file("deep/node_modules/next/index.js", "exports.next = x => x + ' next'")
        .with_file("deep/f.js", "const above = require('above'), { next } = require('next')\nmodule.exports['/pando/1.0.0'] = (x, cb) => cb(null, next(above(x)))")
        .function("deep/f.js");
    pando.stdin("a\n").run().gives("a above next\n");
}

#[test]
fn node_s_built_ins_work() {
    let f = "
const zlib = require('zlib'), crypto = require('node:crypto'), path = require('path'), util = require('util'), { EventEmitter } = require('events')
module.exports['/pando/1.0.0'] = (x, cb) => {
  const packed = zlib.gzipSync(Buffer.from(x))
  const parts = [zlib.gunzipSync(packed).toString(), crypto.createHash('sha256').update(x).digest('hex').slice(0, 8), path.join('a', '..', 'b'), util.format('%d', 5)]
  const events = new EventEmitter()
  events.on('done', () => cb(null, parts.join(' ')))
  process.nextTick(() => events.emit('done'))
}";
    PandoCommand::new(f).stdin("abc\n").run().gives("abc ba7816bf b 5\n");
}

#[test]
fn a_built_in_that_browsers_lack_is_an_empty_object_here_too_and_said() {
    let f = "const fs = require('fs')\nmodule.exports['/pando/1.0.0'] = (x, cb) => cb(null, Object.keys(fs).length)";
    PandoCommand::new(f).stdin("1\n").run().gives("0\n").said(&["warning: ", "f.js", "fs"]);
}

#[test]
fn the_pando_module_reports_and_tells_its_version() {
    let f = "
const pando = require('pando-computing')
module.exports['/pando/1.0.0'] = (x, cb) => {
  pando.report({ cpuTime: 3, dataTransferTime: 2, nbItems: 5, units: 'Frames' })
  cb(null, pando.version)
}";
    let events = EventsFile::empty();
    PandoCommand::new(f)
        .events(&events)
        .stdin("a\n")
        .run()
        .gives(format!("{}\n", env!("CARGO_PKG_VERSION")));
    let reports = events.of("report");
    assert_eq!(reports.len(), 1, "{:#?}", events.all());
    assert_eq!(reports[0]["index"], 1);
    assert_eq!(reports[0]["device"], "this machine");
    let expected =
        serde_json::json!({"cpuTime": 3, "dataTransferTime": 2, "nbItems": 5, "units": "Frames"});
    assert_eq!(reports[0]["report"], expected);
}

#[test]
fn a_context_s_report_and_log_name_their_item_although_calls_overlap() {
    let f = "export default async (x, { report, log }) => {
  await new Promise(done => setTimeout(done, 50 - 10 * x))
  report({ nbItems: +x })
  log('done with ' + x)
  return x
}";
    let events = EventsFile::empty();
    let run = PandoCommand::new(f)
        .args(["--concurrency", "5", "--cores", "1"])
        .events(&events)
        .stdin(lines(1..=4))
        .run();
    run.gives(lines(1..=4));
    let reports = events.of("report");
    assert_eq!(reports.len(), 4);
    assert!(
        reports.iter().all(|event| event["index"] == event["report"]["nbItems"]),
        "{reports:#?}"
    );
    for x in 1..=4 {
        run.said(&[&format!("this machine, item {x}: done with {x}")]);
    }
}

#[test]
fn state_of_the_module_lives_as_long_as_its_core() {
    let f = "let calls = 0\nmodule.exports['/pando/1.0.0'] = (x, cb) => cb(null, ++calls)";
    PandoCommand::new(f).args(["--cores", "1"]).stdin("a\nb\nc\n").run().gives("1\n2\n3\n");
}

#[test]
fn this_is_the_object_that_holds_the_function() {
    let f = "module.exports = { greet: x => 'hello ' + x, '/pando/1.0.0': function (x, cb) { cb(null, this.greet(x)) } }";
    PandoCommand::new(f).stdin("you\n").run().gives("hello you\n");
}

#[test]
fn fetch_works_as_it_does_in_a_tab() {
    let server = FunctionGate::closed();
    server.open_for_all();
    PandoCommand::new(&format!("export default async x => x + ': ' + await {}", server.knock("x")))
        .stdin("a\n")
        .run()
        .gives("a: pass\n");
}

#[test]
fn as_many_calls_are_open_as_the_option_says_however_slow_they_are() {
    let gate = FunctionGate::closed();
    let f = format!("export default async x => {{ await {}; return x }}", gate.knock("x"));
    let run = PandoCommand::new(&f)
        .args(["--local", "--cores", "1", "--concurrency", "20"])
        .stdin(numbers(20))
        .start();
    (1..=20).for_each(|number| gate.waits_for(&number.to_string()));
    gate.open_for_all();
    run.wait().gives(numbers(20));
}

//! Things that functions may do in a tab.

use crate::{Tab, tab, tabs_only};
use pando_testing::{PandoCommand, lines, numbers};

#[test]
fn asynchronous_calls_of_uneven_latency_keep_every_line_in_its_place() {
    let f = "(x, cb) => setTimeout(() => cb(null, 'v' + x), (Number(x) * 7919) % 40)";
    let run = tabs_only(f).args(["--concurrency", "10"]).stdin(numbers(1000)).start();
    let _tabs = [tab(&run, "Ann"), tab(&run, "Bob")];
    run.wait().gives(lines((1..=1000).map(|n| format!("v{n}"))));
}

#[test]
fn an_endless_loop_ends_by_its_timeout_and_only_it_is_blamed() {
    let f = "(x, cb) => { if (x === '500') for (;;); cb(null, x) }";
    let run =
        tabs_only(f).args(["--timeout", "500ms", "--retries", "1"]).stdin(numbers(1000)).start();
    let _tab = tab(&run, "Ann");
    run.wait().ends(1, numbers(499)).said(&[
        "item 500 failed on Ann",
        "no answer within 500 ms",
        "attempts: 2",
    ]);
}

#[test]
fn an_error_names_item_device_and_stack_and_stops_the_run() {
    let f = "function cube (x, cb) { if (x === '7') throw new Error('seven is bad'); cb(null, x) }";
    let run = tabs_only(f).args(["--retries", "0"]).stdin(numbers(20)).start();
    let _tab = tab(&run, "Ann");
    run.wait().ends(1, numbers(6)).said(&[
        "item 7 failed on Ann: ",
        "seven is bad",
        "cube [as /pando/1.0.0] (f.js:1:79)",
    ]);
}

#[test]
fn what_a_function_prints_in_a_tab_is_shown_with_device_and_item() {
    let run = tabs_only("(x, cb) => { console.log('hello from', x); cb(null, x) }")
        .stdin("a\nb\n")
        .start();
    let _tab = tab(&run, "Ann");
    run.wait().gives("a\nb\n").said(&["Ann, item 1: hello from a", "Ann, item 2: hello from b"]);
}

#[test]
fn built_ins_and_bytes_work_in_a_tab() {
    let f = "function (x, cb) { cb(null, require('zlib').gunzipSync(require('zlib').gzipSync(new Buffer(x)))) }";
    let run = tabs_only(f).stdin("äöü\n€\n").start();
    let _tab = tab(&run, "Ann");
    run.wait().gives("äöü\n€\n");
}

#[test]
fn rows_chunks_and_files_work_in_a_tab() {
    let f =
        "export default rows => rows.map(({ name }) => ({ length: name.length, of: rows.length }))";
    let rows = PandoCommand::new(f).args(["--cores", "0", "--csv", "--chunk", "2"]);
    let run = rows.stdin("name\nAda\n\"Hopper, Grace\"\nEmmy\n").start();
    let _tab = tab(&run, "Ann");
    run.wait().gives("name,length,of\nAda,3,2\n\"Hopper, Grace\",13,2\nEmmy,4,1\n");
    let out = tempfile::tempdir().unwrap();
    let f = "export default async ({ x }) => { const canvas = new OffscreenCanvas(x, 1); \
             canvas.getContext('2d'); return canvas.convertToBlob() }";
    let files = PandoCommand::new(f).args(["--cores", "0", "--grid", "x=1,2", "--ext", "png"]);
    let run = files.args(["--unordered", "--output-dir"]).args([out.path()]).start();
    let _tab = tab(&run, "Bob");
    run.wait().status(0);
    for name in ["000001.png", "000002.png"] {
        let picture = std::fs::read(out.path().join(name)).unwrap();
        assert!(picture.starts_with(b"\x89PNG\r\n"), "{name}: {} bytes", picture.len());
    }
}

#[test]
fn large_values_and_results_arrive_whole() {
    let line = |n: usize| n.to_string().repeat(1_000_000) + "\n";
    let input: String = (1..=5).map(line).collect();
    let run = tabs_only("(x, cb) => cb(null, x)").stdin(input.clone()).start();
    let _tab = tab(&run, "Ann");
    run.wait().gives(input);
}

#[test]
fn a_dom_function_sees_the_document_one_value_at_a_time() {
    let f = "(function () {
      var open = 0
      return function (x, cb) {
        var element = document.getElementById('visualization')
        var before = element.children.length
        element.appendChild(document.createElement('p')).textContent = x
        open++
        setTimeout(function () { cb(null, [x, before, open--, global === window].join(' ')) }, 5)
      }
    })()";
    let run = PandoCommand::f(f).args(["--dom"]).stdin("a\nb\nc\n").start();
    let _tab = tab(&run, "Ann");
    run.wait().gives("a 0 1 true\nb 1 1 true\nc 2 1 true\n");
}

#[test]
fn a_function_that_cannot_run_in_tabs_is_told() {
    let source = "if (typeof XMLHttpRequest === 'function') throw new Error('not in a browser')\nmodule.exports['/pando/1.0.0'] = (x, cb) => cb(null, x)\n";
    let mut run = PandoCommand::new(source).args(["--cores", "0"]).stdin_open().start();
    let _tab = tab(&run, "Ann");
    run.says("Ann cannot run the function: ");
    run.says("f.js:1:");
    run.signal("INT");
    run.close_stdin();
    run.wait().said(&["not in a browser"]);
}

#[test]
fn results_and_errors_of_a_tab_over_plain_http_are_those_of_a_core_of_this_machine() {
    let f = "export default x => [
      () => new Blob([new Uint8Array([1, 255])]),
      () => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()) && !isSecureContext,
      () => [1, 2].map(async v => v),
      () => ({ image: new ImageData(1, 1) }),
      () => { throw new RangeError('outer', { cause: new Error('inner') }) },
      () => require('fs').readFileSync('x'),
    ][x]()";
    let args = ["--cores", "0", "--retries", "0", "--on-error", "skip", "--allow-host", "lan.test"];
    let run = PandoCommand::new(f).args(args).stdin(lines(0..6)).start();
    let url = run.url().replace("127.0.0.1", "lan.test");
    let _tab = Tab::open_with(
        &["--host-resolver-rules=MAP lan.test 127.0.0.1"],
        &url,
        "device=Ann;cores=1;",
    );
    run.wait().ends(1, b"\x01\xff\ntrue\n").said(&[
        "item 3 failed on Ann: the answer has no JSON form: result[0] is a promise",
        "item 4 failed on Ann: the answer has no JSON form: result.image",
        "item 5 failed on Ann: RangeError: outer (cause: inner)",
        "item 6 failed on Ann: TypeError: ",
        "'fs' is empty in the function",
    ]);
}

#[test]
fn the_second_argument_is_a_context_and_a_callback_in_a_tab_too() {
    let f = "module.exports = (x, context) => setTimeout(() => {
      context.log('at', x)
      context(x === 'bad' && new Error('bad ' + x), [context.index, context.device, context.env.KEY, process.env.KEY])
    }, 5)";
    let args = ["--cores", "0", "--env", "KEY=7", "--retries", "0", "--on-error", "skip"];
    let run = PandoCommand::new(f).args(args).stdin("a\nbad\nb\n").start();
    let _tab = tab(&run, "Ann");
    run.wait()
        .ends(1, "[1,\"Ann\",\"7\",\"7\"]\n[3,\"Ann\",\"7\",\"7\"]\n")
        .said(&["Ann, item 1: at a", "item 2 failed on Ann: bad bad"]);
}

#[test]
fn a_function_of_the_command_line_with_bytes_runs_in_a_tab() {
    let f = "x => require('./model.bin')[x]";
    let run = PandoCommand::bare()
        .with_file("model.bin", b"\x07\xff")
        .args(["-e", f, "--cores", "0"])
        .stdin("0\n1\n")
        .start();
    let _tab = tab(&run, "Ann");
    run.wait().gives("7\n255\n");
}

#[test]
fn the_context_knows_the_device_in_a_page() {
    let f = "export default (x, { device }) => device + typeof document";
    let run = PandoCommand::new(f).args(["--dom"]).stdin("a\n").start();
    let _tab = tab(&run, "Ann");
    run.wait().gives("Annobject\n");
}

//! Globals of a function.

use serde_json::json;

use crate::support::{Folder, result_of, run};

/// Figure 2 of the Pando paper, with a `render` function for it.
const FIGURE_2: &str = "\
function render (angle) { return [angle, 2 * angle, 3 * angle] }
var zlib = require('zlib');

module.exports['/pando/1.0.0'] = function (cameraPos, cb) {
  try {
    var pixels = render(parseFloat(cameraPos));
    cb(null, zlib.gzipSync(new Buffer(pixels)).toString('base64'))
  } catch (err) {
    cb(err)
  }
}
";

#[test]
fn figure_2_of_the_paper_works_as_printed() {
    let folder = Folder::with(&[("render.js", FIGURE_2)]);
    let text = folder.result("7.0");
    let unzip = "const { gunzipSync } = require('zlib')\nmodule.exports = x => [...gunzipSync(Buffer.from(x, 'base64'))]";
    let unzipped = Folder::with(&[("render.js", unzip)]).result(text.as_str().unwrap());
    assert_eq!(unzipped, json!([7, 14, 21]));
}

#[test]
fn globals_of_node_are_there() {
    let source = "module.exports = function (x) {\n\
        return new Promise(function (resolve) {\n\
        var cancelled = setImmediate(function () { resolve('not cancelled') }); clearImmediate(cancelled)\n\
        setImmediate(function (a) { process.nextTick(function (b) {\n\
        resolve([a, b, global === globalThis, typeof Buffer.from, process.env.HOME === undefined, process.env.NODE_ENV, __dirname, __filename])\n\
        }, 2) }, 1) }) }";
    let folder = Folder::with(&[("render.js", source)]);
    assert_eq!(
        folder.result(""),
        json!([1, 2, true, "function", true, "production", "/", "/index.js"])
    );
}

#[test]
fn what_is_not_used_is_not_in_the_bundle() {
    let size = |source| Folder::with(&[("render.js", source)]).bundle().code.len();
    assert!(size("module.exports = x => x") < 500);
    assert!(size("export default x => x") < 500);
    let with_buffer = size("module.exports = x => Buffer.from(x)");
    assert!((20_000..60_000).contains(&with_buffer), "{with_buffer}");
}

#[test]
fn the_runtime_is_reached_through_pando_computing() {
    let source = "var pando = require('pando-computing')\n\
        module.exports = function (x) { pando.report({ nbItems: 3 }); return [pando.version, globalThis.reported] }";
    let folder = Folder::with(&[
        ("render.js", source),
        ("node_modules/pando-computing/index.js", "throw new Error('the installed one')"),
        ("node_modules/pando-computing/package.json", "{}"),
        (
            "module.mjs",
            "import { report, version } from 'pando-computing'\nexport default x => { report(x); return [version, globalThis.reported] }",
        ),
    ]);
    assert_eq!(folder.result(""), json!(["0.1.0", {"nbItems": 3}]));
    assert_eq!(folder.answer("module.mjs", "5")["result"], json!(["0.1.0", "5"]));
}

#[test]
fn a_module_that_is_also_a_program_is_not_started() {
    let source = "module.exports = x => 'a module'\nif (require.main === module || !module.parent) throw new Error('started')";
    assert_eq!(Folder::with(&[("render.js", source)]).result(""), json!("a module"));
}

#[test]
fn the_url_of_a_module_is_that_of_its_file_name() {
    let source = "import path from 'node:path'\nimport { fileURLToPath } from 'node:url'\n\
                  const folder = path.dirname(fileURLToPath(import.meta.url))\n\
                  export default x => [path.join(folder, x), __filename, fileURLToPath(import.meta.url), import.meta.dirname]";
    let folder = Folder::with(&[("render.mjs", source)]);
    assert_eq!(
        folder.answer("render.mjs", "a")["result"],
        json!(["/a", "/index.js", "/index.js", "/"])
    );
}

#[test]
fn a_random_uuid_is_there_without_https() {
    let source = "const { randomUUID } = crypto\nmodule.exports = x => { if (x) throw new Error('here'); return [randomUUID(), crypto.randomUUID()] }";
    let folder = Folder::with(&[("render.js", source)]);
    let bundle = folder.bundle();
    let uuids = run(
        &format!(
            "globalThis.crypto = {{ getRandomValues: (bytes) => bytes.fill(255) }};{}",
            bundle.code
        ),
        "",
    );
    let uuid = "ffffffff-ffff-4fff-bfff-ffffffffffff";
    assert_eq!(result_of(uuids), json!([uuid, uuid]));
    let place = bundle.trace(&format!(
        "    at x (http://a/function.js:2:{})",
        bundle.code.lines().nth(1).unwrap().find("new Error").unwrap() + 1
    ));
    assert!(place.contains("render.js:2:"), "{place}");
}

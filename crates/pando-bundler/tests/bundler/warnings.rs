//! Warnings about code that can be bundled but works differently than in Node.

use serde_json::json;

use crate::support::Folder;

fn warnings(files: &[(&str, &str)]) -> String {
    Folder::with(files).bundle().warnings.join("\n")
}

#[test]
fn a_built_in_without_a_browser_form_is_empty_and_told_with_its_importer() {
    let folder = Folder::with(&[
        (
            "render.js",
            "var fs = require('fs')\nmodule.exports = x => [Object.keys(fs), Object.keys(require('node:net')), require('lib')]",
        ),
        ("node_modules/lib/index.js", "module.exports = Object.keys(require('fs/promises'))"),
        (
            "module.mjs",
            "import { readFileSync } from 'fs'\nimport * as all from 'node:fs'\nexport default x => [typeof readFileSync, typeof all.readFileSync]",
        ),
    ]);
    assert_eq!(folder.result(""), json!([[], [], []]));
    let warnings = folder.bundle().warnings.join("\n");
    for (name, importer) in
        [("fs", "render.js"), ("net", "render.js"), ("fs/promises", "node_modules/lib/index.js")]
    {
        let importer = folder.path(importer);
        let line = format!(
            "Node's built-in '{name}' has no form for browsers: it is an empty object in {}",
            importer.display()
        );
        assert!(warnings.lines().any(|warning| warning == line), "{line}\n{warnings}");
    }
    assert_eq!(folder.answer("module.mjs", "")["result"], json!(["undefined", "undefined"]));
}

#[test]
fn a_dynamic_require_or_import_is_told() {
    let source = "module.exports = function (x) {\n  try { return require(x) } catch (error) { return 'threw' } }";
    assert_eq!(Folder::with(&[("render.js", source)]).result("a"), json!("threw"));
    let text = warnings(&[("render.js", source)]);
    assert!(
        text.contains("render.js:2:16: a `require` with a computed name cannot be bundled"),
        "{text}"
    );
    let text = warnings(&[("render.js", "module.exports = x => import(x)")]);
    assert!(text.contains("render.js:1:23: an `import()` with a computed name"), "{text}");
}

#[test]
fn workers_and_bindings_are_told() {
    let text = warnings(&[(
        "render.js",
        "module.exports = x => {\n new Worker('w.js')\n process.binding('fs') }",
    )]);
    assert!(text.contains("render.js:2:2: the script of a `new Worker` is not bundled"), "{text}");
    assert!(
        text.contains("render.js:3:2: `process.binding` does not exist outside Node"),
        "{text}"
    );
    let module = warnings(&[("render.js", "export default x => import.meta.env")]);
    assert!(module.contains("`import.meta` is an empty object in the bundle"), "{module}");
}

#[test]
fn a_file_beside_the_function_is_told() {
    let source = "export default x => fetch(new URL('./a.wasm', import.meta.url))\nexport const b = () => [new URL(b, import.meta.url), new URL('./c', 'http://h/')]";
    let text = warnings(&[("render.js", source)]);
    let start = "render.js:1:27: `new URL(…, import.meta.url)` leads to no file";
    assert!(text.contains(start), "{text}");
    assert!(text.contains("--assets DIR") && text.lines().count() == 1, "{text}");
    let worker = "export default x => new Worker(new URL('./w.js', import.meta.url))";
    let text = warnings(&[("render.js", worker)]);
    assert!(text.contains("`new Worker`") && text.lines().count() == 1, "{text}");
}

#[test]
fn packages_own_habits_are_not_told() {
    let folder = [
        ("render.js", "module.exports = x => require('lib')"),
        (
            "node_modules/lib/index.js",
            "module.exports = function (x) { eval('1'); return require(x) }",
        ),
    ];
    assert_eq!(warnings(&folder), "");
}

#[test]
fn mixing_styles_is_told() {
    let text = warnings(&[("render.js", "export default x => x\nmodule.exports.more = 1")]);
    assert!(text.contains("`module` and `exports` do nothing in an ES module"), "{text}");
}

#[test]
fn syntax_that_works_although_it_cannot_be_lowered_is_not_told() {
    let source =
        "module.exports = x => [String(BigInt(x) * 10n ** 3n), 'ab'.replace(/(?<=a)b/, 'c')]";
    assert_eq!(Folder::with(&[("render.js", source)]).result("3"), json!(["3000", "ac"]));
    assert_eq!(warnings(&[("render.js", source)]), "");
    let source = "module.exports = function (x) { var local = 5; return eval('local + 1') }";
    assert_eq!(Folder::with(&[("render.js", source)]).result("3"), json!(6));
    assert_eq!(warnings(&[("render.js", source)]), "");
}

#[test]
fn variables_of_the_environment_that_the_user_s_files_read_are_told_once() {
    let told = |source: &str| warnings(&[("render.js", source)]);
    let one = told("module.exports = x => process.env.A + process.env['A']");
    assert!(one.ends_with("render.js:1:23: process.env.A is not set in the function, which has only the variables of the environment that --env gives it: add --env A"), "{one}");
    for source in [
        "const { A, B: b } = process.env; module.exports = x => x",
        "const { env } = process; module.exports = x => env.A + env.B",
        "const env = process.env; module.exports = x => env.A || env.B",
        "import { env } from 'node:process'; export default x => env.A + env.B",
    ] {
        let text = told(source);
        assert!(
            text.contains("process.env.A, process.env.B are not set") && text.lines().count() == 1,
            "{source}: {text}"
        );
    }
    assert_eq!(
        told("process.env.A = 1; module.exports = x => process.env.A + process.env.NODE_ENV"),
        ""
    );
    let packages = [
        ("render.js", "module.exports = require('lib')"),
        ("node_modules/lib/index.js", "module.exports = x => process.env.DEBUG"),
    ];
    assert_eq!(warnings(&packages), "");
}

#[test]
fn errors_about_empty_built_ins_are_known_by_their_words() {
    let folder = Folder::with(&[
        (
            "render.js",
            "import fs, { existsSync } from 'fs'\nimport lib from 'lib'\nexport default x => x ? fs.readFileSync(x) : existsSync(x)",
        ),
        (
            "node_modules/lib/index.js",
            "var cp = require('child_process'); module.exports = function () { cp.spawn('x') }",
        ),
    ]);
    let bundle = folder.bundle();
    for (message, builtin) in [
        ("TypeError: import_fs.default.readFileSync is not a function", Some("fs")),
        ("TypeError: (0 , import_fs.existsSync) is not a function", Some("fs")),
        ("TypeError: cp.spawn is not a function", Some("child_process")),
        ("TypeError: x.spawn is not a function", None),
    ] {
        assert_eq!(bundle.missing_builtin(message), builtin, "{message}");
    }
    for input in ["", "1"] {
        let answer = folder.answer("render.js", input);
        let message = format!("TypeError: {}", answer["error"].as_str().unwrap());
        assert_eq!(bundle.missing_builtin(&message), Some("fs"), "{message}");
    }
}

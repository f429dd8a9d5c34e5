//! Languages and module formats of functions.

use serde_json::json;

use crate::support::{Folder, result_of};

const CALLBACK: &str =
    "module.exports['/pando/1.0.0'] = function (x, cb) { cb(null, answer(x)) }\n";

fn common_js(body: &str) -> Folder {
    Folder::with(&[("render.js", &format!("{CALLBACK}{body}"))])
}

#[test]
fn common_js_is_sloppy() {
    let folder = common_js(
        "function answer () { leaked = 1; return [leaked, this === globalThis, delete globalThis.leaked] }",
    );
    assert_eq!(folder.result(""), json!([1, true, true]));
}

#[test]
fn common_js_that_only_parses_in_sloppy_mode_works() {
    let old = "function answer (x) { var o = { a: 010 }; with (o) { return [a, typeof x, arguments.length] } }";
    let folder = Folder::with(&[
        ("render.js", &format!("{CALLBACK}var answer = require('./lib/old')")),
        ("lib/old.js", &format!("{old}\nmodule.exports = answer")),
    ]);
    assert_eq!(folder.result(""), json!([8, "string", 1]));
    assert_eq!(common_js(old).result(""), json!([8, "string", 1]));
}

#[test]
fn common_js_that_says_use_strict_is_strict() {
    let folder = Folder::with(&[(
        "render.js",
        &format!("'use strict'\n{CALLBACK}function answer () {{ leaked = 1 }}"),
    )]);
    assert_eq!(folder.answer("render.js", ""), json!({"error": "leaked is not defined"}));
}

#[test]
fn an_es_module_is_strict() {
    let folder = Folder::with(&[
        ("leak.mjs", "export default function (x) { leaked = x; return leaked }"),
        (
            "this.mjs",
            "export default function (x) { return (function () { return this === undefined })() }",
        ),
        ("lexical.mjs", "const f = (x) => { leaked = x }; export { f as default }"),
    ]);
    assert_eq!(folder.answer("leak.mjs", "1"), json!({"error": "leaked is not defined"}));
    assert_eq!(folder.answer("lexical.mjs", "1"), json!({"error": "leaked is not defined"}));
    assert_eq!(folder.answer("this.mjs", "1"), json!({"result": true}));
}

#[test]
fn typescript_is_strict_in_both_styles() {
    let folder = Folder::with(&[
        (
            "a.ts",
            "interface A { x: number }\nenum E { One = 1 }\nexport default async (x: string): Promise<number> => Number(x) + E.One",
        ),
        ("leak.ts", "declare var leaked: any\nexport default (x: string) => { leaked = x }"),
        (
            "common.ts",
            "module.exports['/pando/1.0.0'] = (x: string, cb: any) => { leaked = x; cb(null, x as any) }\ndeclare var module: any, leaked: any",
        ),
    ]);
    assert_eq!(folder.answer("a.ts", "41"), json!({"result": 42}));
    assert_eq!(folder.answer("leak.ts", "1"), json!({"error": "leaked is not defined"}));
    assert_eq!(folder.answer("common.ts", "1"), json!({"error": "leaked is not defined"}));
}

#[test]
fn strict_and_sloppy_modules_mix() {
    let folder = Folder::with(&[
        (
            "render.js",
            "import sloppy from './sloppy.cjs'\nimport { strict, Counter } from './strict.mjs'\nimport data from './data.json'\nexport default x => [sloppy(x), strict(), new Counter().next(), data.n]",
        ),
        (
            "sloppy.cjs",
            "var later = require('./strict.mjs')\nmodule.exports = function (x) { leaked = x; return [leaked, later.strict(), later.name, later.default()] }",
        ),
        (
            "strict.mjs",
            "import './side.js'\nexport const name = 'strict'\nexport let n = 0\nexport class Counter { next () { n++; return n } }\nexport function strict () { try { other = 1; return false } catch (error) { return true } }\nexport default () => globalThis.side",
        ),
        ("side.js", "side = typeof Buffer"),
        ("data.json", "{\"n\": 7}"),
    ]);
    assert_eq!(folder.result("x"), json!([["x", true, "strict", "function"], true, 1, 7]));
}

#[test]
fn cycles_between_common_js_and_es_modules_work() {
    let folder = Folder::with(&[
        (
            "render.js",
            "module.exports['/pando/1.0.0'] = function (x, cb) { cb(null, require('./b.mjs').twice(x)) }\nmodule.exports.own = 'own'",
        ),
        (
            "b.mjs",
            "import a from './render.js'\nexport function twice (x) { return x + x + a.own }",
        ),
    ]);
    assert_eq!(folder.result("x"), json!("xxown"));
}

#[test]
fn the_runtime_is_told_whether_it_is_an_es_module() {
    let folder = Folder::with(&[
        ("a.js", "module.exports = x => x"),
        ("b.js", "export default x => x"),
        ("c.ts", "export default (x: string) => x"),
        ("d.mjs", "function f (x) { return x }\nexport { f as default }"),
        ("e.js", "exports.default = { '/pando/1.0.0': (x, cb) => cb(null, x) }"),
    ]);
    let esm =
        ["a.js", "b.js", "c.ts", "d.mjs", "e.js"].map(|name| folder.try_bundle(name).unwrap().esm);
    assert_eq!(esm, [false, true, true, true, false]);
    for name in ["a.js", "b.js", "c.ts", "d.mjs", "e.js"] {
        assert_eq!(result_of(folder.answer(name, "same")), json!("same"), "{name}");
    }
}

#[test]
fn syntax_is_lowered_to_es2018() {
    let source = "class A { field = 1; static s = 2; #p = 3; p () { return this.#p } static { A.t = 4 } }\n\
        export default async x => {\n\
        let n = null; n ??= 5; const o = { a: { b: 6 } }\n\
        async function * g () { yield 7; yield 1_0 }\n\
        const all = []; for await (const v of g()) all.push(v)\n\
        try { throw 0 } catch { all.push(o?.a?.b ?? 0, o.z?.()) }\n\
        return [new A().field, A.s, new A().p(), A.t, n, ...all, { ...o }.a.b] }";
    let folder = Folder::with(&[("render.js", source)]);
    let code = folder.bundle().code;
    for newer in ["??", "?.", "#p", "static s", "catch{", "1_0"] {
        assert!(!code.contains(newer), "{newer} in {code}");
    }
    assert!(code.contains("async function*"), "{code}");
    assert_eq!(folder.result(""), json!([1, 2, 3, 4, 5, 7, 10, 6, null, 6]));
}

#[test]
fn a_functions_text_is_kept() {
    let folder = common_js(
        "function answer (x) { var argument = x; return String(function named (first, second) { return first + second }) }",
    );
    let text = folder.result("").as_str().unwrap().replace([' ', '\n', '\t', ';'], "");
    assert_eq!(text, "functionnamed(first,second){returnfirst+second}");
}

#[test]
fn a_script_of_one_file_comes_out() {
    let folder = Folder::with(&[
        ("render.js", "export default async x => (await import('./lazy.js')).default(x)"),
        ("lazy.js", "export default x => x + '!'"),
    ]);
    assert_eq!(folder.result("a"), json!("a!"));
    let bundle = folder.bundle();
    assert!(bundle.code.starts_with("(function("), "{}", bundle.code);
    assert_eq!(bundle.modules.len(), 2);
}

#[test]
fn the_hash_is_that_of_the_code() {
    let (a, b) = ("module.exports = x => 1", "module.exports = x => 2");
    let hash = |source| Folder::with(&[("render.js", source)]).bundle().hash;
    assert_eq!(hash(a), hash(a));
    assert_ne!(hash(a), hash(b));
    assert!(hash(a).len() == 16 && hash(a).chars().all(|c| c.is_ascii_hexdigit()), "{}", hash(a));
}

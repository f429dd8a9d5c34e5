//! Modules that the bundler refuses, and its messages.

use std::fs;

use crate::support::Folder;

/// The message that refuses the file `entry`, without the folder's path.
pub(crate) fn refused_as(folder: &Folder, entry: &str) -> String {
    let error = folder.try_bundle(entry).expect_err("refused").to_string();
    error.replace(&format!("{}/", folder.path("").display()).replace("//", "/"), "")
}

pub(crate) fn refused(source: &str) -> String {
    refused_as(&Folder::with(&[("render.js", source)]), "render.js")
}

#[track_caller]
pub(crate) fn assert_starts(text: &str, start: &str) {
    assert!(text.starts_with(start), "{text}\n\nexpected to start with\n\n{start}");
}

#[test]
fn what_is_not_a_readable_file() {
    let folder =
        Folder::with(&[("sub/a.js", ""), ("near.js", ""), ("picture.png", ""), ("bin.js", "")]);
    fs::write(folder.path("bin.js"), [0xff, 0xfe, 0x00]).unwrap();
    assert_eq!(refused_as(&folder, "none.js"), "none.js: no such file");
    assert_starts(&refused_as(&folder, "near"), "near: no such file\n  did you mean near.js?");
    assert_starts(&refused_as(&folder, "sub"), "sub: this is a folder, not a file");
    assert_starts(
        &refused_as(&folder, "picture.png"),
        "picture.png: not a JavaScript or TypeScript file",
    );
    assert_starts(
        &refused_as(&folder, "bin.js"),
        "bin.js: this file is not UTF-8 text\n  convert it, for example by: iconv ",
    );
    fs::write(folder.path("sub/a.js"), "module.exports = require('../bin.js')").unwrap();
    let text = refused_as(&folder, "sub/a.js");
    assert!(text.contains("valid UTF-8") && text.contains("\n  convert it, "), "{text}");
}

#[test]
fn a_syntax_error() {
    let text = refused("var a = 1\nvar = 2\nmodule.exports = a\n");
    assert_starts(&text, "render.js:2:5: syntax error: ");
    assert!(
        text.ends_with("\n  1 | var a = 1\n> 2 | var = 2\n    |     ^\n  3 | module.exports = a"),
        "{text}"
    );
}

#[test]
fn a_syntax_error_in_a_required_file_after_wide_characters() {
    let folder = Folder::with(&[
        ("render.js", "module.exports = require('./lib')"),
        ("lib.js", "// \u{e9}\u{1f600}\nvar s = '\u{1f600}'; let 1"),
    ]);
    assert_starts(&refused_as(&folder, "render.js"), "lib.js:2:18: syntax error: ");
}

#[test]
fn broken_json() {
    let folder = Folder::with(&[
        ("render.js", "module.exports = require('./a.json')"),
        ("a.json", "{\n  \"a\": }"),
    ]);
    assert_starts(&refused_as(&folder, "render.js"), "a.json:2:8: this is not JSON: ");
}

#[test]
fn a_top_level_await() {
    let text = refused("const x = await fetch('a')\nexport default () => x");
    assert_starts(&text, "render.js:1:11: a top-level `await` is not supported");
    assert!(text.contains("await inside the function"), "{text}");
}

#[test]
fn a_package_that_is_not_installed() {
    let text = refused("// a comment\nvar pad = require('left-pad')\nmodule.exports = pad");
    assert_eq!(
        text,
        "render.js:2:19: the package 'left-pad' is not installed\n  1 | // a comment\n> 2 | var pad = require('left-pad')\n    \
         |                   ^\n  3 | module.exports = pad\n  run: npm install left-pad"
    );
    assert!(
        refused("import '@scope/name/sub.js'\nexport default 1 + x")
            .contains("\n  run: npm install @scope/name")
    );
    assert!(
        refused("module.exports = require('a/b/c')").contains("the package 'a' is not installed")
    );
}

#[test]
fn every_missing_package_is_named_once() {
    let text = refused("exports.a = require('aa'); exports.b = require('bb')");
    assert!(text.contains("npm install aa") && text.contains("npm install bb"), "{text}");
    assert_eq!(text.matches("not installed").count(), 2, "{text}");
}

#[test]
fn a_package_that_a_package_needs() {
    let folder = Folder::with(&[
        ("render.js", "module.exports = require('lib')"),
        ("node_modules/lib/index.js", "module.exports = require('deep')"),
    ]);
    assert_starts(
        &refused_as(&folder, "render.js"),
        "node_modules/lib/index.js:1:26: the package 'deep' is not installed",
    );
}

#[test]
fn a_package_that_jsx_needs() {
    let folder = Folder::with(&[("render.jsx", "export default x => <p>{x}</p>")]);
    assert_starts(
        &refused_as(&folder, "render.jsx"),
        "the package 'react' is not installed; render.jsx needs it",
    );
}

#[test]
fn what_an_installed_package_does_not_have() {
    let folder = Folder::with(&[
        ("render.js", "module.exports = require('lib/none')"),
        ("node_modules/lib/package.json", "{}"),
        ("exports.js", "module.exports = require('closed/none')"),
        ("node_modules/closed/package.json", r#"{"exports": {".": "./index.js"}}"#),
        ("node_modules/closed/index.js", ""),
    ]);
    let text = refused_as(&folder, "render.js");
    assert_starts(
        &text,
        "render.js:1:26: the package 'lib' is installed in node_modules/lib, but has no 'lib/none'",
    );
    let text = refused_as(&folder, "exports.js");
    assert_starts(
        &text,
        "exports.js:1:26: the package 'closed' is installed in node_modules/closed, but has no 'closed/none'",
    );
}

#[test]
fn a_package_that_hides_all_its_modules() {
    let folder = Folder::with(&[
        ("render.js", "module.exports = require('hidden')"),
        ("node_modules/hidden/package.json", r#"{"exports": null, "main": "index.js"}"#),
        ("node_modules/hidden/index.js", ""),
    ]);
    let text = refused_as(&folder, "render.js");
    assert_starts(
        &text,
        "render.js:1:26: the package 'hidden' is installed in node_modules/hidden, but its package.json has \"exports\": null",
    );
    assert!(text.contains("take \"exports\" out"), "{text}");
}

#[test]
fn other_things_that_cannot_be_found() {
    assert_starts(
        &refused("module.exports = require('./none')"),
        "render.js:1:26: there is no file './none'",
    );
    assert_starts(
        &refused("module.exports = require('node:none')"),
        "render.js:1:26: Node has no built-in module 'none'",
    );
    let text = refused("import a from 'https://example.com/a.js'\nexport default a");
    assert_starts(&text, "render.js:1:15: 'https://example.com/a.js' is an address");
    let folder =
        Folder::with(&[("render.js", "module.exports = require('./sub')"), ("sub/a.js", "")]);
    assert_starts(
        &refused_as(&folder, "render.js"),
        "render.js:1:26: './sub' is a folder without an index.js",
    );
}

#[test]
fn a_name_that_a_module_does_not_export() {
    let folder = Folder::with(&[
        ("render.js", "import { b } from './a.js'\nexport default x => b"),
        ("a.js", "export const a = 1"),
    ]);
    let text = refused_as(&folder, "render.js");
    assert_starts(&text, "render.js:1:10: ");
    assert!(text.contains("not exported"), "{text}");
}

#[test]
fn a_module_without_a_usable_function() {
    let example = "\n  write one of these:\n    export default function (x) { return 'result of ' + x }\n    \
                   module.exports = function (x, cb) { cb(null, 'result of ' + x) }\n    \
                   module.exports['/pando/1.0.0'] = function (x, cb) { cb(null, 'result of ' + x) }";
    let cases = [
        ("", "render.js: no usable function: the file is empty"),
        ("function f (x) { return x }", "render.js: no usable function: nothing is exported"),
        (
            "export function f (x) { return x }",
            "render.js: no usable function: there is no default export",
        ),
        ("import fs from 'fs'\nfs.x()", "render.js: no usable function: nothing is exported"),
        (
            "export default 5",
            "render.js:1:16: no usable function: the default export is not a function",
        ),
        (
            "export default class A {}",
            "render.js:1:16: no usable function: the module exports a class, which cannot be called",
        ),
        (
            "class A {}\nexport default A",
            "render.js:2:16: no usable function: the module exports a class",
        ),
        (
            "class A {}\nexport { A as default }",
            "render.js:2:10: no usable function: the module exports a class",
        ),
        (
            "export default (class {})",
            "render.js:1:17: no usable function: the module exports a class",
        ),
        (
            "class A {}\nmodule.exports = A",
            "render.js:2:18: no usable function: the module exports a class",
        ),
        (
            "module.exports = class A {}",
            "render.js:1:18: no usable function: the module exports a class",
        ),
    ];
    for (source, start) in cases {
        let text = refused(source);
        assert_starts(&text, start);
        assert!(text.ends_with(example), "{text}");
    }
    for usable in [
        "export * from './a'",
        "export { default } from './a'",
        "export * as default from './a'",
        "this['/pando/1.0.0'] = f",
        "export { f as '/pando/1.0.0' }; function f () {}",
        "class A {}; export { A }; export default () => new A()",
        "class A {}; module.exports = () => new A(); module.exports.A = A",
    ] {
        let folder = Folder::with(&[("render.js", usable), ("a.js", "export default 1")]);
        assert!(
            folder.try_bundle("render.js").is_ok(),
            "{usable}: {}",
            folder.try_bundle("render.js").unwrap_err()
        );
    }
}

#[test]
fn files_that_are_not_code() {
    for (name, start) in [
        ("code.wasm", "render.js:1:26: './code.wasm' is WebAssembly, which is not bundled"),
        ("style.css", "render.js:1:26: './style.css' is a stylesheet, which is not bundled"),
        ("a.html", "render.js:1:26: './a.html' is a page, which is not bundled"),
    ] {
        let folder = Folder::with(&[
            ("render.js", &format!("module.exports = require('./{name}')")),
            (name, "\0asm"),
        ]);
        assert_starts(&refused_as(&folder, "render.js"), start);
    }
    for import in
        ["module.exports = require('lib')", "import lib from 'lib'\nexport default () => lib"]
    {
        let lib = [
            ("node_modules/lib/package.json", r#"{"main": "a.css"}"#),
            ("node_modules/lib/a.css", "a {}"),
        ];
        let folder = Folder::with(&[&[("render.js", import)], &lib[..]].concat());
        assert_starts(
            &refused_as(&folder, "render.js"),
            "'node_modules/lib/a.css' is a stylesheet, which is not bundled",
        );
    }
}

#[test]
fn an_alias_of_another_bundler_is_no_package() {
    for alias in ["~/lib", "@/lib"] {
        let text = refused(&format!("module.exports = require('{alias}')"));
        assert_starts(&text, &format!("render.js:1:26: '{alias}' cannot be found\n"));
        assert!(text.ends_with("what this stands for") && !text.contains("npm install"), "{text}");
    }
}

#[test]
fn decorators_that_stay() {
    let class = "const add = () => {}\nclass A { @add m () {} }\nexport default () => typeof A";
    let start = "render.ts:2:11: no browser knows decorators\n";
    let folder = Folder::with(&[("render.ts", class)]);
    assert_starts(&refused_as(&folder, "render.ts"), start);
    assert!(
        refused_as(&folder, "render.ts")
            .ends_with("\"experimentalDecorators\": true in the compilerOptions of tsconfig.json")
    );
    let tsconfig = ("tsconfig.json", r#"{"compilerOptions": {"experimentalDecorators": true}}"#);
    assert!(Folder::with(&[("render.ts", class), tsconfig]).try_bundle("render.ts").is_ok());
}

#[cfg(unix)]
#[test]
fn an_unreadable_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::with(&[("render.js", "module.exports = 1")]);
    fs::set_permissions(folder.path("render.js"), fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(folder.path("render.js")).is_err() {
        assert_eq!(refused_as(&folder, "render.js"), "render.js: no permission to read this file");
    }
}

#[test]
fn configuration_that_cannot_be_read_is_told_as_such() {
    let package = Folder::with(&[
        ("package.json", "{\n  \"name\": ,\n}"),
        ("in/render.js", "module.exports = x => x"),
    ]);
    assert_starts(&refused_as(&package, "in/render.js"), "package.json:2:11: this is not JSON\n");
    let function = ("render.ts", "export default (x: string) => x");
    let tsconfig = Folder::with(&[("tsconfig.json", "{\n  \"extends\": ,\n}"), function]);
    assert_starts(&refused_as(&tsconfig, "render.ts"), "tsconfig.json:3:1: this is not JSON\n");
    let extends = Folder::with(&[
        ("tsconfig.json", r#"{"extends": "@tsconfig/node20/tsconfig.json"}"#),
        function,
    ]);
    let text = "tsconfig.json extends '@tsconfig/node20/tsconfig.json', which does not exist\n  run: npm install @tsconfig/node20";
    assert_eq!(refused_as(&extends, "render.ts"), text);
    let chain = Folder::with(&[
        ("tsconfig.json", r#"{"extends": "./base.json"}"#),
        ("base.json", r#"{"extends": "@tsconfig/node20/tsconfig.json"}"#),
        function,
    ]);
    assert_starts(
        &refused_as(&chain, "render.ts"),
        "tsconfig.json, through another file, extends '@tsconfig/",
    );
    let data =
        Folder::with(&[("render.js", "module.exports = require('./a.json')"), ("a.json", "{")]);
    assert_starts(&refused_as(&data, "render.js"), "a.json:1:1: this is not JSON: EOF");
}

#[test]
fn javascript_needs_no_tsconfig() {
    for tsconfig in [
        r#"{"extends": "@tsconfig/node20/tsconfig.json"}"#,
        "{",
        r#"{"extends": "./tsconfig.json"}"#,
    ] {
        let folder = Folder::with(&[
            ("tsconfig.json", tsconfig),
            ("render.js", "module.exports = x => x * 2"),
        ]);
        assert_eq!(folder.result("3"), serde_json::json!(6), "{tsconfig}");
    }
}

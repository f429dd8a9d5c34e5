//! Stacks of errors name the user's files.

use crate::support::{Folder, result_of, run};

/// The lines of a traced stack. The function of `entry` returns `new Error('here').stack`.
fn stack(folder: &Folder, entry: &str) -> Vec<String> {
    let bundle = folder.try_bundle(entry).unwrap_or_else(|error| panic!("{error}"));
    let stack = result_of(run(&bundle.code, ""));
    let traced = bundle.trace(stack.as_str().unwrap());
    let root = folder.path("");
    traced.lines().map(|line| line.replace(root.to_str().unwrap(), "")).collect()
}

#[track_caller]
fn names(folder: &Folder, entry: &str, expected: &[&str]) {
    let stack = stack(folder, entry);
    assert_eq!(stack[0], "Error: here");
    assert!(stack.len() > expected.len(), "{stack:#?}");
    for (line, expected) in stack[1..].iter().zip(expected) {
        assert!(
            line.ends_with(&format!("({expected})")) || line.ends_with(&format!("at {expected}")),
            "{expected}: {stack:#?}"
        );
    }
    assert!(stack.iter().all(|line| !line.contains("function.js")), "{stack:#?}");
}

const COMMON_JS: &str = "\
// a comment
module.exports['/pando/1.0.0'] = function (x, cb) {
  cb(null, answer())
}

function answer () {
  return new Error('here').stack
}
";

#[test]
fn of_common_js() {
    let strict = format!("'use strict'\n{COMMON_JS}");
    let sloppy = format!("{COMMON_JS}var octal = 010\n");
    let folder =
        Folder::with(&[("f.js", COMMON_JS), ("strict.js", &strict), ("sloppy.js", &sloppy)]);
    names(&folder, "f.js", &["f.js:7:10", "f.js:3:12"]);
    names(&folder, "strict.js", &["strict.js:8:10", "strict.js:4:12"]);
    names(&folder, "sloppy.js", &["sloppy.js:7:10", "sloppy.js:3:12"]);
}

#[test]
fn of_modules_that_are_strict_among_others_that_are_not() {
    let folder = Folder::with(&[
        (
            "f.mjs",
            "import { deep } from './lib/a.mjs'\nimport old from 'old'\n\nexport default (x) => old(() => deep(x))\n",
        ),
        (
            "lib/a.mjs",
            "const 𝒳 = '\u{e9}\u{1f600}'; export const deep = (x) =>\n  (𝒳, new Error('here').stack)\n",
        ),
        (
            "node_modules/old/index.js",
            "exports.unused = 1\nmodule.exports = function (f) {\n    return f()\n}\n",
        ),
    ]);
    names(
        &folder,
        "f.mjs",
        &["lib/a.mjs:2:8", "f.mjs:4:33", "node_modules/old/index.js:3:12", "f.mjs:4:23"],
    );
}

#[test]
fn of_typescript() {
    let source = "\
interface Wide { a: string; b: number }
enum Kind { One = 1, Two }

export default function (x: string): string {
  const kind: Kind = Kind.Two; return inner<Wide>(kind)
}
function inner<T>(kind: Kind): string { return new Error('here').stack as string }
";
    names(&Folder::with(&[("f.ts", source)]), "f.ts", &["f.ts:7:48", "f.ts:5:39"]);
}

#[test]
fn built_ins_are_named() {
    let source = "\
const { EventEmitter } = require('events')
module.exports['/pando/1.0.0'] = (x, cb) => {
  const emitter = new EventEmitter()
  emitter.on('x', () => cb(null, new Error('here').stack))
  emitter.emit('x')
}
";
    let folder = Folder::with(&[("f.js", source)]);
    let stack = stack(&folder, "f.js");
    assert!(stack[1].ends_with("f.js:4:34)") || stack[1].ends_with("f.js:4:34"), "{stack:#?}");
    assert!(stack[2].ends_with("(node:events)"), "{stack:#?}");
    assert!(stack.iter().any(|line| line.ends_with("f.js:5:11)")), "{stack:#?}");
}

#[test]
fn other_texts_stay_as_they_are() {
    let bundle = Folder::with(&[("render.js", COMMON_JS)]).bundle();
    for text in [
        "",
        "a message",
        "see function.js:1:2",
        "two\nlines",
        "    at f (worker.js:1:2)",
        "f@http://host/t/function.js:x",
    ] {
        assert_eq!(bundle.trace(text), text);
    }
}

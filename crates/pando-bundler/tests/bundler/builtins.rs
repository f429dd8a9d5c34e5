//! Node's built-ins in a worker of a page that was loaded over plain HTTP.

use serde_json::json;

use crate::support::Folder;

/// Features of Node that the bundle lacks, and the reason.
const MISSING: &[(&str, &str)] =
    &[("zlib: brotli", "no package in plain JavaScript compresses it")];

#[test]
fn built_ins_work() {
    let folder = Folder::with(&[("render.js", include_str!("builtins_check.js"))]);
    let rows = folder.result("");
    let rows = rows.as_array().unwrap();
    assert!(rows.len() > 55, "{rows:?}");
    for row in rows {
        let missing = MISSING.iter().any(|(name, _)| row[0] == *name);
        assert_eq!(row[1] == "ok", !missing, "{row}");
    }
}

#[test]
fn es_modules_import_built_ins() {
    let source = "import zlib, { gzipSync } from 'zlib'\nimport * as path from 'node:path'\nimport { EventEmitter } from 'events'\n\
        import process from 'process'\nimport { Buffer as Own } from 'buffer'\nimport { setTimeout as sleep } from 'timers/promises'\n\
        export default async x => { await sleep(1); return [zlib.gzipSync === gzipSync, path.join('a', x), typeof EventEmitter, process.browser, Own === Buffer] }";
    let folder = Folder::with(&[("render.js", source)]);
    assert_eq!(folder.result("b"), json!([true, "a/b", "function", true, true]));
    assert_eq!(folder.bundle().warnings, Vec::<String>::new());
}

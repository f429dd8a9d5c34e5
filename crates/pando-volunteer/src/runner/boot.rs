//! The codes with which engines start. The script of the host comes in the first frame, so that no
//! file is needed.

/// Reads bytes of the first frame.
macro_rules! read {
    () => {
        "\
function read (length) {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length;) {
    const more = fs.readSync(0, bytes, at, length - at)
    if (more === 0) process.exit()
    at += more
  }
  return bytes
}
"
    };
}

/// For Node and Bun, as text on the command line.
pub(super) const REQUIRED: &str = concat!(
    "\
const fs = require('fs')
// Should memory run out, it is this process that ends, and not the master.
try { fs.writeFileSync('/proc/self/oom_score_adj', '500') } catch {}
",
    read!(),
    "\
// Node's `-e` makes globals of these; what is no module there is meant to be.
const shown = [...require('module').builtinModules, 'exports', '__filename', '__dirname']
for (const name of shown) if (!['console', 'crypto', 'process'].includes(name)) delete globalThis[name]
new Function('require', read(read(4).readUInt32LE(0)).toString())(require)
"
);

/// For Deno, as a `data:` URL. The code of a main module in a file could import every file of this
/// machine without a permission; text that is compiled later cannot.
const IMPORTED: &str = concat!(
    "\
import { createRequire } from 'node:module'
import fs from 'node:fs'
import process from 'node:process'
import { Buffer } from 'node:buffer'
",
    read!(),
    "\
new Function('require', read(read(4).readUInt32LE(0)).toString())(createRequire('file:///'))
"
);

/// The URL of the code for Deno.
pub(super) fn data_url() -> String {
    let mut url = String::from("data:text/javascript,");
    for byte in IMPORTED.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => url.push(byte.into()),
            other => url.push_str(&format!("%{other:02X}")),
        }
    }
    url
}

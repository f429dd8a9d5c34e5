//! How long bundling takes: `cargo test -p pando-bundler --release -- --ignored --nocapture times`.

use std::time::Instant;

use crate::support::{self, Folder};

#[test]
#[ignore = "measures, proves nothing"]
fn times_of_bundling() {
    let cases = [
        ("small function", "module.exports = x => x"),
        ("small ES module", "export default x => x"),
        ("with zlib and Buffer", "var zlib = require('zlib')\nmodule.exports = x => zlib.gzipSync(Buffer.from(x))"),
        (
            "with crypto",
            "var crypto = require('crypto')\nmodule.exports = x => crypto.createHash('sha256').update(x).digest('hex')",
        ),
    ];
    support::bundle(&Folder::with(&[("render.js", "module.exports = 1")]).path("none.js")).unwrap_err();
    assert!((support::OPTIONS.builtins)("zlib.js").is_some());
    for (name, source) in cases {
        let folder = Folder::with(&[("render.js", source)]);
        let mut times: Vec<_> = (0..21)
            .map(|_| {
                let start = Instant::now();
                folder.bundle();
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        let first = times[0];
        times.sort_by(f64::total_cmp);
        println!("{name}: first {first:.1} ms, median {:.1} ms, {} bytes", times[times.len() / 2], folder.bundle().code.len());
    }
}

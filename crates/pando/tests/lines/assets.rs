//! A folder of files for the function (`--assets`), on this machine's cores and for programs.

use pando_testing::PandoCommand;

/// A run of `f` with a folder of assets, and a file beside the folder.
fn with_assets(f: &str) -> PandoCommand {
    PandoCommand::new(f)
        .with_file("data/lexicon.json", r#"{"one":1}"#)
        .with_file("data/deep/bytes.bin", b"\x00\xff\x07")
        .with_file("secret", "no")
        .args(["--assets", "data"])
}

#[test]
fn a_function_reads_the_bytes_of_assets() {
    let f = "export default async (x, context) => {
      const bytes = await context.asset('deep/bytes.bin')
      const again = await context.asset('deep/bytes.bin')
      const words = JSON.parse(new TextDecoder().decode(await context.asset('lexicon.json')))
      return [bytes instanceof Uint8Array, bytes === again, Array.from(bytes).join(), words.one].join(' ')
    }";
    with_assets(f).local().stdin("a\n").run().gives("true true 0,255,7 1\n");
    let f = "module.exports = (x, cb) => cb.asset(x).then(bytes => cb(null, bytes), cb)";
    with_assets(f).local().stdin("deep/bytes.bin\n").run().gives(b"\x00\xff\x07\n");
}

#[test]
fn an_asset_has_an_address() {
    let f = "export default async (x, { assetUrl }) => (await (await fetch(assetUrl('lexicon.json'))).json()).one";
    with_assets(f).local().stdin("a\n").run().gives("1\n");
    let f = "export default async (x, { assetUrl }) => {
      const { instance } = await WebAssembly.instantiateStreaming(fetch(assetUrl('add.wasm')))
      return instance.exports.add(+x, 5)
    }";
    let add = b"\0asm\x01\0\0\0\x01\x07\x01\x60\x02\x7f\x7f\x01\x7f\x03\x02\x01\0\x07\x07\x01\x03add\0\0\x0a\x09\x01\x07\0\x20\0\x20\x01\x6a\x0b";
    let run = PandoCommand::new(f).with_file("data/add.wasm", add).args(["--assets", "data"]);
    run.local().stdin("2\n").run().gives("7\n");
}

#[test]
fn what_is_no_asset_fails_its_item_with_its_path_and_the_folder() {
    let f = "export default async (x, { asset }) => (await asset(x)).length";
    let run = with_assets(f);
    #[cfg(unix)]
    std::os::unix::fs::symlink("../secret", run.folder().join("data/link")).unwrap();
    let names = "lexicon.json\nnone.txt\n../secret\n/etc/passwd\nlink\ndeep\n";
    let args = ["--local", "--retries", "0", "--on-error", "skip", "-v"];
    run.args(args).stdin(names).run().ends(1, "9\n").said(&[
        "no asset 'none.txt' in the folder data (--assets): there is no such file",
        "no asset '../secret' in the folder data (--assets): give a path below the folder",
        "no asset '/etc/passwd' in the folder data (--assets): give a path below the folder",
        "no asset 'link' in the folder data (--assets): a link leads out of the folder",
        "no asset 'deep' in the folder data (--assets): this is no file",
    ]);
}

#[test]
fn without_a_folder_the_option_is_named() {
    let f = "export default (x, { asset }) => asset(x)";
    let run = PandoCommand::new(f).args(["--local", "--retries", "0", "x"]).run();
    run.ends(1, "").said(&["the run has no assets: give a folder by --assets DIR"]);
    let run = PandoCommand::new(f).args(["--local", "--assets", "none", "x"]).run();
    run.ends(2, "").said(&["--assets none: "]);
    let run = PandoCommand::new(f).args(["--local", "--assets", "f.js", "x"]).run();
    run.ends(2, "").said(&["--assets f.js: this is no folder"]);
}

#[test]
fn a_program_finds_the_folder_by_a_variable() {
    let command = r#"while read x; do cat "$PANDO_ASSETS/$x"; echo; done"#;
    PandoCommand::bare()
        .with_file("data/a", "one")
        .args(["--exec", command, "--assets", "data", "a"])
        .run()
        .gives("one\n");
}

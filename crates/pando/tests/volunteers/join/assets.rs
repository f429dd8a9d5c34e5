//! The assets of a run on native volunteers, held by each sandbox and not held.

use pando_testing::{
    EventsFile, JoinCommand, PandoCommand, RelayProcess, RunningProgram, lines, path_with_engines,
};
use std::{fs, path::Path};
use tempfile::TempDir;

/// Bytes of a part, as in `crates/pando-join/src/assets.rs`.
pub(crate) const PART: usize = 4 << 20;

/// A function that answers the length and a checksum of an asset.
pub(crate) const SUM: &str = "export default async (x, { asset }) => {
  const bytes = await asset('deep/model é.bin')
  let sum = 0
  for (let i = 0; i < bytes.length; i += 1009) sum = (sum * 31 + bytes[i]) % 1000003
  return `${bytes.length} ${sum}`
}";

pub(crate) fn model(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i % 251) as u8).collect()
}

pub(crate) fn sum(bytes: &[u8]) -> String {
    let each = bytes.iter().step_by(1009);
    let sum = each.fold(0u64, |sum, byte| (sum * 31 + u64::from(*byte)) % 1_000_003);
    format!("{} {sum}", bytes.len())
}

/// A run of `f` with a folder of assets and without local cores.
fn with_assets(f: &str) -> PandoCommand {
    PandoCommand::new(f)
        .with_file("data/deep/model é.bin", model(2 * PART + 5))
        .with_file("data/lexicon.json", r#"{"one":1}"#)
        .with_file("data/empty", "")
        .with_file("secret", "no")
        .args(["--cores", "0", "--assets", "data"])
}

/// A place for the private folder of a volunteer.
fn place() -> TempDir {
    tempfile::tempdir().expect("a folder can be made")
}

fn assert_is_empty(place: &Path) {
    let left: Vec<_> = fs::read_dir(place).expect("it is there").flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Joins with an engine, held or not, and a place for its assets.
fn join(url: &str, engine: &str, is_held: bool, place: &TempDir) -> RunningProgram {
    let join = JoinCommand::bare().args(["--cores", "2", "--engine", engine, url]);
    let join = if is_held { join } else { join.args(["--trust"]) };
    join.env("TMPDIR", place.path()).env("PATH", path_with_engines()).start()
}

#[test]
fn cores_of_each_engine_fetch_an_asset_once() {
    for engine in ["node", "deno", "bun", "embedded"] {
        for is_held in [true, false] {
            let (events, place) = (EventsFile::empty(), place());
            let args = ["--batch-size", "1"];
            let run = with_assets(SUM).args(args).events(&events).stdin(lines(1..=8)).start();
            let volunteer = join(&run.url(), engine, is_held, &place);
            run.wait().gives(lines((1..=8).map(|_| sum(&model(2 * PART + 5)))));
            volunteer.wait().status(0);
            let sent: Vec<_> =
                events.of("asset").iter().filter_map(|event| event["from"].as_u64()).collect();
            assert_eq!(sent, [0, PART as u64, 2 * PART as u64], "{engine} {is_held}");
            assert_is_empty(place.path());
        }
    }
}

#[test]
fn an_asset_has_an_address_also_for_a_held_core() {
    let f = "export default async (x, { assetUrl, asset }) => {
      const json = await (await fetch(assetUrl('lexicon.json'))).json()
      try { assetUrl('none.txt') } catch (error) { return [json.one, (await asset('empty')).length, error.message].join(' ') }
    }";
    for engine in ["node", "deno", "bun"] {
        for is_held in [true, false] {
            let place = place();
            let run = with_assets(f).stdin("a\n").start();
            let _volunteer = join(&run.url(), engine, is_held, &place);
            run.wait().gives(
                "1 0 no asset 'none.txt' in the folder data (--assets): there is no such file\n",
            );
        }
    }
}

#[test]
fn what_is_no_asset_fails_its_item_with_its_path() {
    let f = "export default async (x, { asset }) => (await asset(x)).length";
    for engine in ["node", "embedded"] {
        let names = "lexicon.json\nnone.txt\n../secret\n/etc/passwd\ndeep\na\\b\n";
        let args = ["--retries", "0", "--on-error", "skip", "-v"];
        let run = with_assets(f).args(args).stdin(names).start();
        let place = place();
        let _volunteer = join(&run.url(), engine, false, &place);
        run.wait().ends(1, "9\n").said(&[
            "no asset 'none.txt' in the folder data (--assets): there is no such file",
            "no asset '../secret'",
            "no asset '/etc/passwd'",
            "no asset 'deep' in the folder data (--assets): this is no file",
            "give a path below the folder",
        ]);
    }
}

#[test]
fn assets_come_through_a_relay_and_go_with_a_volunteer_that_is_told_to_leave() {
    let (relay, place) = (RelayProcess::start(&[]), place());
    let mut run = relay.used_by(with_assets(SUM)).stdin_open().start();
    let volunteer = join(&run.room(), "node", false, &place);
    run.write("1\n");
    assert_eq!(run.line(), Some(sum(&model(2 * PART + 5))));
    volunteer.signal("TERM");
    volunteer.wait().status(0).said(&["handed back"]);
    assert_is_empty(place.path());
}

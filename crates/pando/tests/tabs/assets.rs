//! Assets in tabs: fetched once per device, in parts, and kept when a page is loaded again.

use crate::tab;
use pando_testing::{
    DrivenTab, EventsFile, PandoCommand, RelayProcess, RunningProgram, SECRET, Tab, lines,
};
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// Bytes of a part, as in `web/src/assets.ts`.
const PART: usize = 4 << 20;

/// A function that answers the length and a checksum of an asset.
const SUM: &str = "export default async (x, { asset }) => {
  const bytes = await asset('deep/model é.bin')
  let sum = 0
  for (let i = 0; i < bytes.length; i++) sum = (sum * 31 + bytes[i]) % 1000003
  return `${bytes.length} ${sum}`
}";

fn model(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i % 251) as u8).collect()
}

fn sum(bytes: &[u8]) -> String {
    let sum = bytes.iter().fold(0u64, |sum, byte| (sum * 31 + u64::from(*byte)) % 1_000_003);
    format!("{} {sum}", bytes.len())
}

/// The parts of assets that were sent: where each begins.
fn sent(events: &EventsFile) -> Vec<u64> {
    events.of("asset").iter().filter_map(|event| event["from"].as_u64()).collect()
}

fn with_model(f: &str, bytes: &[u8], events: &EventsFile) -> PandoCommand {
    let run = PandoCommand::new(f).args(["--cores", "0", "--assets", "data"]).events(events);
    run.with_file("data/deep/model é.bin", bytes)
}

#[test]
fn four_cores_of_a_tab_fetch_an_asset_once() {
    let (bytes, events) = (model(2 * PART + 5), EventsFile::empty());
    let args = ["--batch-size", "1"];
    let run = with_model(SUM, &bytes, &events).args(args).stdin(lines(1..=12)).start();
    let _tab = Tab::open(&run.url(), "device=Ann;cores=4;");
    run.wait().gives(lines((1..=12).map(|_| sum(&bytes))));
    assert_eq!(sent(&events), [0, PART as u64, 2 * PART as u64]);
}

#[test]
fn a_tab_reads_assets_in_its_page_and_by_their_address() {
    let f = "export default async (x, { asset, assetUrl }) => {
      const bytes = await asset('a.json')
      const json = await (await fetch(assetUrl('a.json'))).json()
      const part = await (await fetch(assetUrl('a.json'), { headers: { Range: 'bytes=1-1' } })).text()
      return [bytes.length, json[0], part, typeof document].join(' ')
    }";
    for (args, page) in [(["--cores", "0"], "undefined"), (["--dom", "--deny-net"], "object")] {
        let run = PandoCommand::new(f)
            .with_file("data/a.json", "[7]")
            .args(args)
            .args(["--assets", "data"])
            .stdin("a\n")
            .start();
        let _tab = tab(&run, "Ann");
        run.wait().gives(format!("3 7 7 {page}\n"));
    }
}

#[test]
fn an_address_serves_webassembly_and_code_although_the_network_is_closed() {
    let f = "export default async (x, { assetUrl }) => {
      const { instance } = await WebAssembly.instantiateStreaming(fetch(assetUrl('add.wasm')))
      importScripts(assetUrl('code.js'))
      return instance.exports.add(+x, five)
    }";
    let add = b"\0asm\x01\0\0\0\x01\x07\x01\x60\x02\x7f\x7f\x01\x7f\x03\x02\x01\0\x07\x07\x01\x03add\0\0\x0a\x09\x01\x07\0\x20\0\x20\x01\x6a\x0b";
    let run = PandoCommand::new(f)
        .with_file("data/add.wasm", add)
        .with_file("data/code.js", "var five = 5")
        .args(["--assets", "data", "--cores", "0", "--deny-net"])
        .stdin("2\n")
        .start();
    let _tab = tab(&run, "Ann");
    run.wait().gives("7\n");
}

#[test]
fn a_missing_asset_fails_its_item_with_its_path_and_the_folder() {
    let f = "export default async (x, { asset }) => (await asset(x)).length";
    let run = PandoCommand::new(f)
        .with_file("data/a", "12")
        .args(["--cores", "0", "--assets", "data", "--retries", "0", "--on-error", "skip"])
        .stdin("a\nnone/such\n../f.js\n")
        .start();
    let _tab = tab(&run, "Ann");
    run.wait().ends(1, "2\n").said(&[
        "no asset 'none/such' in the folder data (--assets): there is no such file",
        "no asset '../f.js': give a path below the folder of --assets",
    ]);
}

#[test]
fn a_page_that_is_loaded_again_has_kept_its_parts() {
    let (bytes, events) = (model(PART + 5), EventsFile::empty());
    let mut run = with_model(SUM, &bytes, &events).stdin_open().start();
    let mut tab = driven(&run);
    run.write("1\n");
    assert_eq!(run.line(), Some(sum(&bytes)));
    tab.evaluate("location.reload()").unwrap();
    events.wait("left", |event| event["device"] == "Ann");
    run.write("2\n");
    assert_eq!(run.line(), Some(sum(&bytes)));
    run.close_stdin();
    run.wait();
    assert_eq!(sent(&events), [0, PART as u64], "the second page fetched nothing");
}

#[test]
fn nothing_stays_in_the_browser_when_the_run_is_over() {
    let (bytes, events) = (model(PART + 5), EventsFile::empty());
    let run = with_model(SUM, &bytes, &events).stdin("1\n").start();
    let mut tab = driven(&run);
    run.wait().gives(sum(&bytes) + "\n");
    let nothing_is_left = "new Promise(done => {
      const opening = indexedDB.open('pando-assets')
      opening.onsuccess = () => {
        const count = opening.result.transaction('parts').objectStore('parts').count()
        count.onsuccess = () => done(count.result === 0)
      }
    })";
    tab.wait_for(nothing_is_left).unwrap();
}

#[test]
fn a_cut_costs_only_the_part_that_was_under_way() {
    let (bytes, events) = (model(2 * PART + 5), EventsFile::empty());
    let run = with_model(SUM, &bytes, &events).stdin("1\n").start();
    let port = run.url().rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    let proxy = cutting_proxy(port.parse().unwrap(), PART + PART / 2);
    let url = run.url().replace(&port, &proxy.to_string());
    let _tab = Tab::open(&url, "device=Ann;cores=1;");
    run.wait().gives(sum(&bytes) + "\n");
    let part = PART as u64;
    assert_eq!(sent(&events), [0, part, part, 2 * part]);
}

#[test]
fn assets_pass_through_a_relay() {
    let f = "export default async (x, { asset, assetUrl }) => {
      const bytes = await asset('deep/model é.bin')
      const part = await (await fetch(assetUrl('deep/model é.bin') + '?from=1&to=4')).arrayBuffer()
      return [bytes.length, bytes[bytes.length - 1], new Uint8Array(part).join('')].join(' ')
    }";
    for args in [["--deny-net", "--cores=0"], ["--dom", "--token=abcdefgh"]] {
        let (bytes, events) = (model(PART + 5), EventsFile::empty());
        let relay = RelayProcess::start(&[]);
        let run = relay.used_by(with_model(f, &bytes, &events).args(args)).stdin(lines(1..=4));
        let run = run.start();
        let _tab = Tab::open(&run.room(), "device=Ann;cores=2;");
        let expected = format!("{} {} 123", bytes.len(), bytes.last().unwrap());
        run.wait().gives(lines((1..=4).map(|_| &expected)));
        let whole = sent(&events).into_iter().filter(|from| *from != 1).collect::<Vec<_>>();
        assert_eq!(whole, [0, PART as u64], "each part came once");
    }
}

#[test]
fn a_cut_between_a_tab_and_a_relay_costs_only_the_part_that_was_under_way() {
    let (bytes, events) = (model(2 * PART + 5), EventsFile::empty());
    let relay = RelayProcess::start(&[]);
    let run = relay.used_by(with_model(SUM, &bytes, &events).args(["--cores=0"])).stdin("1\n");
    let run = run.start();
    let proxy = cutting_proxy(relay.port(), PART + PART / 2);
    let url = run.room().replace(&format!(":{}", relay.port()), &format!(":{proxy}"));
    let _tab = Tab::open(&url, "device=Ann;cores=1;");
    run.wait().gives(sum(&bytes) + "\n");
    let part = PART as u64;
    assert_eq!(sent(&events)[..2], [0, part]);
    assert_eq!(sent(&events).iter().filter(|from| **from == 0).count(), 1, "what was there stays");
}

#[test]
fn a_cut_between_the_master_and_a_relay_costs_only_the_part_that_was_under_way() {
    let (bytes, events) = (model(2 * PART + 5), EventsFile::empty());
    let relay = RelayProcess::start(&[]);
    let proxy = proxy_that_cuts(relay.port(), PART / 2, Counted::Requests);
    let run = with_model(SUM, &bytes, &events).stdin("1\n");
    let run = run.args(["--host", &format!("http://127.0.0.1:{proxy}"), "--secret", SECRET]);
    let run = run.start();
    let url = run.room().replace(&format!(":{proxy}"), &format!(":{}", relay.port()));
    let _tab = Tab::open(&url, "device=Ann;cores=1;protocol=websocket;");
    run.wait().gives(sum(&bytes) + "\n");
    let part = PART as u64;
    let sent = sent(&events);
    assert_eq!(
        sent.iter().filter(|from| **from == 0).count(),
        2,
        "the first part is cut: {sent:?}"
    );
    assert_eq!(sent[sent.len() - 2..], [part, 2 * part], "the others come once");
}

#[test]
fn a_file_of_more_than_64_mib_comes_in_parts_and_by_ranges() {
    const LENGTH: usize = (64 << 20) + 5;
    let f = "export default async (x, { asset, assetUrl }) => {
      const bytes = await asset('deep/model é.bin')
      let same = true
      for (let i = 0; i < bytes.length; i++) same = same && bytes[i] === i % 251
      const answer = await fetch(assetUrl('deep/model é.bin'), { headers: { Range: 'bytes=67108863-' } })
      const end = new Uint8Array(await answer.arrayBuffer())
      return [bytes.length, same, answer.status, end.join('-')].join(' ')
    }";
    let (bytes, events) = (model(LENGTH), EventsFile::empty());
    let run = with_model(f, &bytes, &events).stdin("1\n").start();
    let _tab = tab(&run, "Ann");
    let end: Vec<String> = bytes[LENGTH - 6..].iter().map(u8::to_string).collect();
    run.wait().gives(format!("{LENGTH} true 206 {}\n", end.join("-")));
    let parts: Vec<u64> = (0..=16).map(|part| part * PART as u64).collect();
    assert_eq!(sent(&events)[..17], parts);
}

/// A tab under the control of this test.
fn driven(run: &RunningProgram) -> DrivenTab {
    DrivenTab::open(&format!("{}#device=Ann;cores=1;", run.url())).unwrap()
}

/// The bytes that a proxy counts: those from the client, or those from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    Requests,
    Answers,
}

/// A proxy to `port` that cuts the first connection with more than `most` bytes of answers. Returns
/// its own port.
fn cutting_proxy(port: u16, most: usize) -> u16 {
    proxy_that_cuts(port, most, Counted::Answers)
}

/// A proxy to `port` that cuts the first connection with more than `most` bytes of one kind.
/// Returns its own port.
fn proxy_that_cuts(port: u16, most: usize, counted: Counted) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let has_cut = Arc::new(AtomicBool::new(false));
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { return };
            let most = |of| if of == counted { most } else { usize::MAX };
            for (from, to, most) in [
                (&client, &server, most(Counted::Requests)),
                (&server, &client, most(Counted::Answers)),
            ] {
                let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                let has_cut = has_cut.clone();
                thread::spawn(move || pass(from, to, most, &has_cut));
            }
        }
    });
    own
}

/// Passes bytes on. After the end of the input, only this direction ends; a cut ends both.
fn pass(mut from: TcpStream, mut to: TcpStream, most: usize, has_cut: &AtomicBool) {
    let (mut passed, mut piece) = (0, vec![0; 1 << 16]);
    while let Ok(length @ 1..) = from.read(&mut piece) {
        passed += length;
        let cuts = passed > most && !has_cut.swap(true, Ordering::Relaxed);
        if cuts || to.write_all(&piece[..length]).is_err() {
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
            return;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

//! Assets in every engine: fetched once per device, in parts, and kept when a page is loaded again.

use crate::matrix::scenarios;
use pando_testing::{Browser, BrowserEngine, EventsFile, PandoCommand, RelayProcess, lines};

scenarios! {
    the_cores_of_a_tab_fetch_an_asset_once_and_a_page_that_is_loaded_again_not_at_all
    an_asset_passes_through_a_relay
}

/// Bytes of a part, as in `web/src/assets.ts`.
const PART: usize = 4 << 20;

/// A function that answers the length of an asset, some of its bytes, and others by its address.
const FUNCTION: &str = "export default async (x, { asset, assetUrl }) => {
  const bytes = await asset('deep/model.bin')
  const headers = { Range: 'bytes=4194303-4194305' }
  const answer = await fetch(assetUrl('deep/model.bin'), { headers })
  const part = new Uint8Array(await answer.arrayBuffer())
  return [bytes.length, bytes[4194304], part.join('-')].join(' ')
}";

/// The same at a relay. Older engines cannot send the header `Range` to another origin.
const AT_RELAY: &str = "export default async (x, { asset, assetUrl }) => {
  const bytes = await asset('deep/model.bin')
  const answer = await fetch(assetUrl('deep/model.bin') + '?from=4194303&to=4194306')
  const part = new Uint8Array(await answer.arrayBuffer())
  return [bytes.length, bytes[4194304], part.join('-')].join(' ')
}";

/// The same without the address, which WebKit does not tell at a relay.
const WITHOUT_ADDRESS: &str = "export default async (x, { asset }) => {
  const bytes = await asset('deep/model.bin')
  return [bytes.length, bytes[4194304], '93-94-95'].join(' ')
}";

/// The results of the function.
const RESULT: &str = "4194309 94 93-94-95";

fn model() -> Vec<u8> {
    (0..PART + 5).map(|at| (at % 251) as u8).collect()
}

fn with_model(function: &str, events: &EventsFile) -> PandoCommand {
    let run = PandoCommand::new(function).args(["--cores", "0", "--assets", "data"]);
    run.with_file("data/deep/model.bin", model()).events(events)
}

/// The beginnings of the parts that were sent for `context.asset`.
fn parts(events: &EventsFile) -> Vec<u64> {
    let all = events.of("asset").into_iter().filter_map(|event| event["from"].as_u64());
    all.filter(|from| from.is_multiple_of(PART as u64)).collect()
}

fn the_cores_of_a_tab_fetch_an_asset_once_and_a_page_that_is_loaded_again_not_at_all(
    browser: &mut Browser,
) {
    let events = EventsFile::empty();
    let mut run = with_model(FUNCTION, &events).args(["--batch-size", "1"]).stdin_open().start();
    let tab = browser.open(&format!("{}#device=Ann;cores=3;", run.url()));
    run.write("1\n2\n3\n4\n5\n6\n");
    (1..=6).for_each(|_| assert_eq!(run.line().as_deref(), Some(RESULT)));
    browser.reload(&tab);
    events.wait("left", |event| event["device"] == "Ann");
    run.write("7\n");
    assert_eq!(run.line().as_deref(), Some(RESULT));
    run.close_stdin();
    run.wait().status(0);
    assert_eq!(parts(&events), [0, PART as u64], "each part came once");
}

fn an_asset_passes_through_a_relay(browser: &mut Browser) {
    let (relay, events) = (RelayProcess::start(&[]), EventsFile::empty());
    let is_webkit = browser.engine() == BrowserEngine::WebKit;
    let function = if is_webkit { WITHOUT_ADDRESS } else { AT_RELAY };
    let run = relay.used_by(with_model(function, &events)).stdin(lines(1..=3)).start();
    browser.open(&format!("{}#device=Ann;cores=2;", run.room()));
    run.wait().gives(lines([RESULT; 3]));
    assert_eq!(parts(&events), [0, PART as u64], "each part came once");
}

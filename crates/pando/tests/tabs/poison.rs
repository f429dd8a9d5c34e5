//! Harmful items among harmless ones.

use pando_testing::{EventsFile, PandoCommand, Tab, lines, until};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Items that each fail in their own way, on every device.
const POISONS: [&str; 11] = [
    "loop", "never", "exit", "kill", "timer", "again", "reject", "nothing", "newline", "stack",
    "nonsense",
];

/// The messages of items that throw outside their calls.
const UNCAUGHT: [(&str, &str); 3] =
    [("timer", "in a timer"), ("again", "again and again"), ("reject", "unheard")];

/// In Node, `process` is the real process: a function that searches for the real one finds it.
const SOURCE: &str = r#"
const node = globalThis.process && globalThis.process.kill ? globalThis.process : null
let port
if (!node) {
  const { postMessage } = MessagePort.prototype
  MessagePort.prototype.postMessage = function (...args) { port = this; return postMessage.apply(this, args) }
}
const poisons = {
  loop () { for (;;); },
  never () {},
  exit () { (node || process).exit(3) },
  kill () { if (node) node.kill(node.pid, 'SIGKILL'); else close() },
  timer () { setTimeout(() => { throw new Error('in a timer') }, 1) },
  again () { setInterval(() => { throw new Error('again and again') }, 1) },
  reject () { Promise.reject(new Error('unheard')) },
  nothing (cb) { cb() },
  newline (cb) { cb(null, undefined === JSON_LINES ? 'two\nlines' : undefined) },
  stack () { (function f () { return f() + 1 })() },
  nonsense () {
    if (!node) return port.postMessage(new Uint8Array([9, 9, 9]).buffer)
    node.getBuiltinModule('fs').writeSync(0, Buffer.from([3, 0, 0, 0, 9, 9, 9]))
  }
}
module.exports['/pando/1.0.0'] = (x, cb) => {
  if (poisons[x]) return poisons[x](cb)
  setTimeout(cb, 3, null, x)
}
"#;

/// Whether the event is of the first item `name` or a later item.
fn after(event: &Value, items: &[String], name: &str) -> bool {
    let first = items.iter().position(|item| item == name).map_or(usize::MAX, |at| at + 1);
    event["index"].as_u64().is_some_and(|index| index as usize >= first)
}

/// Runs harmful items on two tabs and two cores of this machine with `--on-error` `mode`.
/// `written` formats an item. For a harmful item, `instead` makes the output from the number and
/// the last failed attempt.
fn survives(
    mode: &str,
    args: &[&str],
    written: fn(&str) -> String,
    instead: fn(u64, &str, &Value) -> String,
) {
    let events = EventsFile::empty();
    let json_lines = if args.contains(&"--json") { "true" } else { "undefined" };
    let source = format!("const JSON_LINES = {json_lines}\n{SOURCE}");
    let mut run = PandoCommand::new(&source)
        .args(["--cores", "2", "--timeout", "1s", "--on-error", mode])
        .args(args)
        .events(&events)
        .stdin_open()
        .start();
    let url = run.url();
    let _tabs = ["Ann", "Bob"].map(|name| Tab::open(&url, &format!("device={name};cores=1;")));
    ["Ann joined", "Bob joined"].iter().for_each(|text| drop(run.says(text)));

    let mut items: Vec<String> = Vec::new();
    let devices = ["Ann", "Bob", "this machine"];
    let have_computed = |items: &[String], since: &str| {
        let results = events.of("result");
        devices.into_iter().all(|name| {
            results.iter().any(|event| event["device"] == name && after(event, items, since))
        })
    };
    // The failure of a device that has computed nothing yet would count for no attempt.
    until("all devices have computed something", || {
        items.push("first".to_owned());
        run.write(lines([written("first")]));
        have_computed(&items, "first").then_some(())
    });
    for (n, poison) in POISONS.iter().enumerate() {
        items.extend((0..5).map(|k| format!("{}", 5 * n + k)));
        items.push((*poison).to_owned());
    }
    items.push("the end of that".to_owned());
    let fresh = items.iter().skip_while(|item| *item == "first");
    run.write(lines(fresh.map(|item| written(item))));
    let last = written(items.last().expect("one was pushed"));
    while run.line().expect("there is more") != last {}
    // All devices work as before.
    until("all devices compute again", || {
        items.push("more".to_owned());
        run.write(lines([written("more")]));
        have_computed(&items, "more").then_some(())
    });
    assert_eq!(run.children().len(), 2, "children were replaced");
    let run = run.wait();

    let failed = events.of("failed");
    let is_poison = |item: &str| POISONS.contains(&item);
    let expected = items.iter().zip(1..).map(|(item, number)| {
        if !is_poison(item) {
            return written(item) + "\n";
        }
        let attempts: Vec<&Value> =
            failed.iter().filter(|event| event["index"] == number).collect();
        let devices: BTreeSet<&str> =
            attempts.iter().filter_map(|event| event["device"].as_str()).collect();
        assert_eq!(
            (attempts.len(), devices.len()),
            (3, 3),
            "{item}: one attempt per device: {attempts:#?}\n{}",
            run.stderr
        );
        if let Some((_, message)) = UNCAUGHT.iter().find(|(name, _)| name == item) {
            assert!(
                attempts.iter().all(|attempt| attempt["message"] == *message),
                "{item}: {attempts:#?}"
            );
        }
        instead(number, item, attempts[2])
    });
    run.ends(1, expected.collect::<String>());
    let left_out = if mode == "skip" { " and were left out" } else { "" };
    run.said(&[&format!("{} items failed{left_out}\n", POISONS.len())]).did_not_say(&[
        "gone",
        "silent",
        "sent away",
    ]);
    let innocent = failed
        .iter()
        .filter(|event| !is_poison(&items[event["index"].as_u64().unwrap_or(1) as usize - 1]));
    assert_eq!(innocent.count(), 0, "{failed:#?}");
}

#[test]
fn left_out_they_harm_nobody_else() {
    survives("skip", &[], str::to_owned, |_, _, _| String::new());
}

#[test]
fn with_several_calls_open_they_harm_nobody_else() {
    survives("skip", &["--concurrency", "4"], str::to_owned, |_, _, _| String::new());
}

#[test]
fn reported_they_harm_nobody_else() {
    let instead = |number: u64, item: &str, failed: &Value| {
        let (message, input) = (&failed["message"], json!(item));
        format!("{{\"error\":{{\"index\":{number},\"message\":{message},\"input\":{input}}}}}\n")
    };
    survives("report", &["--json"], |item| json!(item).to_string(), instead);
}

/// A function that allocates all available memory. In a tab this ends the whole tab.
const GREEDY: &str = "(x, cb) => {
  if (x === 'greedy') for (const all = []; ;) all.push(new Array(1000).fill(all.length))
  setTimeout(cb, 3, null, x)
}";

#[test]
fn an_item_that_exhausts_the_memory_ends_its_child_and_its_tab_and_nothing_else() {
    let events = EventsFile::empty();
    let input: Vec<String> =
        (1..=40).map(|n| if n == 20 { "greedy".into() } else { n.to_string() }).collect();
    let mut run = PandoCommand::f(GREEDY)
        .args(["--cores", "1", "--on-error", "skip"])
        .env("NODE_OPTIONS", "--max-old-space-size=64")
        .events(&events)
        .stdin_open()
        .start();
    let _tab =
        Tab::open_with(&["--js-flags=--max-old-space-size=64"], &run.url(), "device=Ann;cores=1;");
    run.says("Ann joined");
    run.write(lines(&input));
    let run = run.wait();
    run.ends(1, lines(input.iter().filter(|item| *item != "greedy")));
    run.said(&[
        "item 20 failed on this machine: it ended the process that computed it",
        "1 item failed and was left out",
    ]);
    // An attempt does not count if it also ended the tab.
    assert_eq!(events.items("failed"), [20, 20, 20]);
}

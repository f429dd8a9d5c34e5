//! Connections that violate the protocol: each one is closed, and no other.

use crate::tab;
use pando_testing::{EventsFile, PandoCommand, lines};

/// A function for the page that opens a connection of its own, misbehaves as its value says, and
/// returns how the connection ended.
const STRANGER: &str = r"
const wire = (text) => Uint8Array.from([3, ...new TextEncoder().encode(text)])
const hello = (token) => wire(JSON.stringify(
  { type: 'hello', version: 1, token, device: 'x' + Math.random(), name: 'Stranger', cores: 1, holds: [], kind: 'browser', path: 'direct' }))
const token = () => location.pathname.split('/')[1]
const half = () => { const piece = new Uint8Array(16384); piece[0] = 0; return piece }
const misdeeds = {
  text: (channel) => channel.send('text'),
  flags: (channel) => channel.send(Uint8Array.of(0xff, 1, 2)),
  empty: (channel) => channel.send(new ArrayBuffer(0)),
  utf8: (channel) => channel.send(Uint8Array.of(3, 0xff, 0xfe)),
  mixed: (channel) => { channel.send(half()); channel.send(wire('{}')) },
  endless: (channel) => { for (let i = 0; i < 80; i++) channel.send(half()) },
  nonsense: (channel) => channel.send(wire('nonsense')),
  token: (channel) => channel.send(hello('guessed')),
  frame: (channel) => { channel.send(hello(token())); channel.send(Uint8Array.of(1, 77, 1)) },
  flood: (channel) => { for (let i = 0; i < 300; i++) channel.send(hello(token())) },
  second: (channel, connection) => connection.createDataChannel('pando'),
  label: () => {}, unordered: () => {}, unreliable: () => {}
}
const config = { unordered: { ordered: false }, unreliable: { maxRetransmits: 1 } }

async function misbehave (kind) {
  const connection = new RTCPeerConnection()
  const channel = connection.createDataChannel(kind === 'label' ? 'other' : 'pando', config[kind])
  const signal = new WebSocket(location.href.replace(/^http/, 'ws').replace(/#.*/, '') + 'signal')
  const closed = new Promise((resolve) => { channel.onclose = () => resolve('closed') })
  channel.onopen = () => misdeeds[kind](channel, connection)
  connection.onicecandidate = ({ candidate }) => {
    if (candidate && signal.readyState === 1) signal.send(JSON.stringify({ type: 'candidate', candidate: candidate.candidate }))
  }
  signal.onmessage = async ({ data }) => {
    const message = JSON.parse(data)
    if (message.type === 'servers') {
      await connection.setLocalDescription(await connection.createOffer())
      signal.send(JSON.stringify({ type: 'offer', sdp: connection.localDescription.sdp }))
    }
    if (message.type === 'answer') await connection.setRemoteDescription(message)
  }
  const ended = await closed
  connection.close()
  return ended
}

module.exports['/pando/1.0.0'] = (x, cb) => {
  const [kind, count] = x.split(' ')
  const all = Array.from({ length: Number(count || 1) }, () => misbehave(kind))
  Promise.all(all).then((ends) => cb(null, kind + ' ' + [...new Set(ends)]), cb)
}
";

#[test]
fn each_misdeed_closes_its_own_connection_and_no_other() {
    let misdeeds = [
        "text",
        "flags",
        "empty",
        "utf8",
        "mixed",
        "endless",
        "nonsense",
        "token",
        "frame",
        "flood",
        "second",
        "label",
        "unordered",
        "unreliable",
    ];
    let events = EventsFile::empty();
    let run = PandoCommand::new(STRANGER)
        .args(["--dom", "--timeout", "30s"])
        .events(&events)
        .stdin(lines(misdeeds))
        .start();
    let _tab = tab(&run, "Ann");
    run.wait().gives(lines(misdeeds.map(|misdeed| format!("{misdeed} closed"))));
    let ends: Vec<_> =
        events.of("left").into_iter().filter(|event| event["device"] == "Ann").collect();
    assert!(ends.iter().all(|end| end["why"] == "done"), "{ends:#?}");
}

#[test]
fn a_hundred_strangers_at_once_are_closed_and_the_run_goes_on() {
    let run = PandoCommand::new(STRANGER)
        .args(["--dom", "--timeout", "60s"])
        .stdin("nonsense 100\nflags 100\n")
        .start();
    let _tab = tab(&run, "Ann");
    run.wait().gives("nonsense closed\nflags closed\n");
}

//! All kinds of networks between master, relay and volunteer.

use pando_testing::{
    EventsFile, Group, Internet, JoinCommand, PandoCommand, Router, lines, numbers,
};

/// Maps 500 values between master and volunteer, and returns the route.
fn path(master: Router, volunteer: Router, args: &[&str], protocol: &str) -> Option<String> {
    let internet = Internet::of_routers(master, volunteer)?;
    let relay = internet.relay(&["--turn-private"]);
    let events = EventsFile::empty();
    let run = relay
        .used_by(internet.master(PandoCommand::f("(x, cb) => cb(null, x * 2)")))
        .args(["--cores", "0"])
        .args(args)
        .events(&events)
        .stdin(numbers(500))
        .start();
    let _tab = internet.tab(&run.room(), &format!("device=Far;cores=1;{protocol}"));
    run.wait().gives(lines((1..=500).map(|n| n * 2)));
    events.wait("joined", |_| true)["path"].as_str().map(str::to_owned)
}

fn takes(master: Router, volunteer: Router, expected: &str) {
    // With `protocol=webrtc` the tab tries no other route when TURN is slow on a busy machine.
    let protocol = if expected == "turn" { "protocol=webrtc;" } else { "" };
    if let Some(path) = path(master, volunteer, &[], protocol) {
        assert_eq!(path, expected);
    }
}

#[test]
fn cone_to_cone_is_direct() {
    // With STUN alone, however long the connection takes on a busy machine.
    let path =
        path(Router::Cone, Router::Cone, &["--ice-servers", Internet::STUN], "protocol=webrtc;");
    assert_eq!(path.unwrap_or("direct".into()), "direct");
}

#[test]
fn cone_to_symmetric_needs_turn() {
    takes(Router::Cone, Router::Symmetric, "turn");
}

#[test]
fn symmetric_to_cone_needs_turn() {
    takes(Router::Symmetric, Router::Cone, "turn");
}

#[test]
fn symmetric_to_symmetric_needs_turn() {
    takes(Router::Symmetric, Router::Symmetric, "turn");
}

/// Maps 500 values between master and a native volunteer, and checks the route.
fn native_takes(master: Router, volunteer: Router, expected: &str) {
    let Some(internet) = Internet::of_routers(master, volunteer) else { return };
    let relay = internet.relay(&["--turn-private"]);
    let events = EventsFile::empty();
    let mut run = relay
        .used_by(internet.master(PandoCommand::f("(x, cb) => cb(null, x * 2)")))
        .args(["--cores", "0"])
        .events(&events)
        .stdin_open()
        .start();
    let volunteer = JoinCommand::to(&run.room()).named("Far").inside(&internet.inside("bro"));
    let volunteer = volunteer.start();
    // When a way is slow on a busy machine, the volunteer moves there from a worse one.
    events.wait("joined", |event| event["path"] == expected);
    run.write(numbers(500));
    run.wait().gives(lines((1..=500).map(|n| n * 2)));
    volunteer.wait().status(0);
}

#[test]
fn a_native_volunteer_connects_directly_where_a_tab_does() {
    native_takes(Router::Cone, Router::Cone, "direct");
}

#[test]
fn a_native_volunteer_behind_a_symmetric_router_needs_turn() {
    native_takes(Router::Cone, Router::Symmetric, "turn");
}

#[test]
fn a_native_volunteer_of_a_master_behind_a_symmetric_router_needs_turn() {
    native_takes(Router::Symmetric, Router::Cone, "turn");
}

#[test]
fn without_udp_at_a_native_volunteer_s_the_relay_passes_bytes() {
    native_takes(Router::Cone, Router::WithoutUdp, "relay");
}

#[test]
fn without_udp_at_the_volunteer_s_the_relay_passes_bytes() {
    takes(Router::Cone, Router::WithoutUdp, "relay");
}

#[test]
fn without_udp_at_the_master_s_the_relay_passes_bytes() {
    takes(Router::WithoutUdp, Router::Cone, "relay");
}

/// Passes UDP on between the two sides, with a delay of 50 ms in each direction and 1 % packet
/// loss. As a STUN server the program tells the master its own address, so that packets for the
/// master arrive here.
const FORWARDER: &str = r"
const dgram = require('dgram')
const [stun, front] = [dgram.createSocket('udp4'), dgram.createSocket('udp4')]
let master = null, seed = 1
const lost = () => (seed = (seed * 48271) % 2147483647) % 100 === 0
const pass = send => lost() || setTimeout(send, 50)
stun.on('message', (request, from) => {
  // The browser asks too, in vain.
  if (from.address !== '10.1.0.2') return
  master = from
  const answer = Buffer.alloc(32)
  answer.writeUInt16BE(0x0101, 0); answer.writeUInt16BE(12, 2); request.copy(answer, 4, 4, 20)
  answer.writeUInt16BE(0x0020, 20); answer.writeUInt16BE(8, 22); answer.writeUInt16BE(1, 24); answer.writeUInt16BE(7001 ^ 0x2112, 26)
  ;[10, 2, 0, 1].forEach((byte, i) => { answer[28 + i] = byte ^ request[4 + i] })
  stun.send(answer, from.port, from.address)
})
const backs = new Map()
front.on('message', (packet, from) => {
  if (!master) return
  const key = from.address + ':' + from.port
  let back = backs.get(key)
  if (!back) {
    back = dgram.createSocket('udp4')
    back.on('message', answer => pass(() => front.send(answer, from.port, from.address)))
    backs.set(key, back)
  }
  pass(() => back.send(packet, master.port, master.address))
})
stun.bind(7000, '10.1.0.1'); front.bind(7001, '10.2.0.1')
";

#[test]
fn a_long_way_that_loses_packets_loses_no_values() {
    let Some(internet) = Internet::of_two_cables() else { return };
    let mut forwarder = internet.command("pub", "node");
    let _forwarder = Group::start(forwarder.args(["-e", FORWARDER])).expect("node starts");
    let relay = internet.relay(&["--no-udp", "--stun", "10.2.0.1:9"]);
    let (events, line) = (EventsFile::empty(), "y".repeat(200_000));
    let input = format!("{}{line}\n{line}\n", numbers(2000));
    let run = relay
        .used_by(internet.master(PandoCommand::f("(x, cb) => cb(null, x)")))
        .args(["--cores", "0", "--ice-servers", "stun:10.1.0.1:7000"])
        .events(&events)
        .stdin(input.clone())
        .start();
    let url = run.room().replace("10.1.0.1", "10.2.0.1");
    let _tab = internet.tab(&url, "device=Far;cores=1;protocol=webrtc;");
    run.wait().gives(&input);
    assert_eq!(events.wait("joined", |_| true)["path"], "direct");
}

//! Networks between master, relay and volunteer, made of namespaces: only as root, and where `ip` and `nft` are there.

use super::{
    common::{Events, Group, Pando, Tab, lines, numbers},
    relay::{Relay, SECRET},
    room,
};
use std::{
    process::{Command, Stdio, id},
    sync::atomic::{AtomicU32, Ordering},
};

/// What a router does for the computers behind it.
#[derive(Clone, Copy)]
enum Router {
    /// Keeps one address and port for each of their sockets.
    Cone,
    /// Has another one for each place that they talk to.
    Symmetric,
    /// As `Cone`, and lets no UDP through.
    WithoutUdp,
}

/// The namespaces of one test; gone when dropped.
struct Internet {
    prefix: String,
}

impl Internet {
    /// A relay's network in the middle, at 203.0.113.1; the master at 10.1.0.2 and the volunteer at 10.2.0.2, each behind its router.
    /// None where this cannot be had.
    fn of_routers(master: Router, volunteer: Router) -> Option<Self> {
        let internet = Self::new(&["pub", "mnat", "bnat", "mas", "bro"])?;
        internet
            .run("ip -n Ppub link add br0 type bridge; ip -n Ppub addr add 203.0.113.1/24 dev br0; ip -n Ppub link set br0 up");
        internet.home("mnat", "203.0.113.10", "10.1.0", "mas", master);
        internet.home("bnat", "203.0.113.20", "10.2.0", "bro", volunteer);
        Some(internet)
    }

    /// The relay's computer in the middle, at 10.1.0.1 and 10.2.0.1, which passes no packets on; the master at 10.1.0.2 and the volunteer at 10.2.0.2.
    fn of_two_cables() -> Option<Self> {
        let internet = Self::new(&["pub", "mas", "bro"])?;
        for (name, net) in [("mas", "10.1.0"), ("bro", "10.2.0")] {
            internet.run(&format!(
                "ip link add to{name} netns Ppub type veth peer name eth0 netns P{name}
                 ip -n Ppub addr add {net}.1/24 dev to{name}; ip -n Ppub link set to{name} up
                 ip -n P{name} addr add {net}.2/24 dev eth0; ip -n P{name} link set eth0 up; ip -n P{name} route add default via {net}.1"
            ));
        }
        Some(internet)
    }

    fn new(names: &[&str]) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("pando{}x{}", id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let internet = Self { prefix };
        let tried = internet.try_run(&format!(
            "nft --version >/dev/null && {}",
            names
                .iter()
                .map(|name| format!("ip netns add P{name} && ip -n P{name} link set lo up"))
                .collect::<Vec<_>>()
                .join(" && ")
        ));
        if !tried {
            eprintln!("skipped: network namespaces need root, iproute2 and nftables");
            return None;
        }
        Some(internet)
    }

    /// A computer behind a router that has `outer` as its address on the internet.
    fn home(&self, router: &str, outer: &str, net: &str, name: &str, kind: Router) {
        let masquerade = if matches!(kind, Router::Symmetric) { "masquerade random,fully-random" } else { "masquerade" };
        let udp = if matches!(kind, Router::WithoutUdp) { "meta l4proto udp drop;" } else { "" };
        self.run(&format!(
            "ip link add ve{router} netns Ppub type veth peer name ext netns P{router}
             ip -n Ppub link set ve{router} master br0 up; ip -n P{router} addr add {outer}/24 dev ext; ip -n P{router} link set ext up
             ip link add lan netns P{router} type veth peer name eth0 netns P{name}
             ip -n P{router} addr add {net}.1/24 dev lan; ip -n P{router} link set lan up
             ip -n P{name} addr add {net}.2/24 dev eth0; ip -n P{name} link set eth0 up; ip -n P{name} route add default via {net}.1
             ip netns exec P{router} sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
             ip netns exec P{router} nft -f - <<N
table ip nat {{
  chain post {{ type nat hook postrouting priority 100; oifname ext {masquerade}; }}
}}
table ip filter {{
  chain pass {{ type filter hook forward priority 0; policy drop; {udp} ct state established,related accept; iifname lan accept; }}
  chain own {{ type filter hook input priority 0; policy accept; iifname ext ct state new drop; }}
}}
N"
        ));
    }

    /// Runs a script in which P stands for the names' prefix.
    fn try_run(&self, script: &str) -> bool {
        let script = script.replace(" P", &format!(" {}", self.prefix));
        let script = script.replace("\n             ", "\n");
        let run =
            Command::new("sh").args(["-ec", &script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        run.is_ok_and(|status| status.success())
    }

    fn run(&self, script: &str) {
        assert!(self.try_run(script), "this failed: {script}");
    }

    /// The words that start a program in a namespace.
    fn inside(&self, name: &str) -> [String; 4] {
        ["ip".into(), "netns".into(), "exec".into(), format!("{}{name}", self.prefix)]
    }

    fn relay(&self, args: &[&str], url: &str) -> Relay {
        let inside = self.inside("pub");
        let launcher: Vec<&str> = inside.iter().map(String::as_str).collect();
        Relay::with(args, &launcher, url)
    }
}

impl Drop for Internet {
    fn drop(&mut self) {
        for name in ["pub", "mnat", "bnat", "mas", "bro"] {
            self.try_run(&format!("ip netns del P{name}"));
        }
    }
}

/// Maps 500 values between these two, and gives the path that was taken.
fn path(master: Router, volunteer: Router, args: &[&str], protocol: &str) -> Option<String> {
    let internet = Internet::of_routers(master, volunteer)?;
    let url = "http://203.0.113.1:8080";
    let relay = internet.relay(&["--port", "8080", "--public-address", "203.0.113.1", "--turn-private"], url);
    let events = Events::new();
    let run = Pando::f("(x, cb) => cb(null, x * 2)")
        .inside(&internet.inside("mas"))
        .args(["--host", relay.url(), "--secret", SECRET, "--cores", "0"])
        .args(args)
        .events(&events)
        .stdin(numbers(500))
        .start();
    let _tab = Tab::open_inside(&internet.inside("bro"), &room(&run), &format!("device=Far;cores=1;{protocol}"));
    run.wait().gives(lines((1..=500).map(|n| n * 2)));
    events.wait("joined", |_| true)["path"].as_str().map(str::to_owned)
}

fn takes(master: Router, volunteer: Router, expected: &str) {
    if let Some(path) = path(master, volunteer, &[], "") {
        assert_eq!(path, expected);
    }
}

#[test]
fn cone_to_cone_is_direct() {
    // With STUN alone, and however long it takes on a busy machine.
    let path = path(Router::Cone, Router::Cone, &["--ice-servers", "stun:203.0.113.1:3478"], "protocol=webrtc;");
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

#[test]
fn without_udp_at_the_volunteer_s_the_relay_passes_bytes() {
    takes(Router::Cone, Router::WithoutUdp, "relay");
}

#[test]
fn without_udp_at_the_master_s_the_relay_passes_bytes() {
    takes(Router::WithoutUdp, Router::Cone, "relay");
}

/// Passes UDP on between the two sides, 50 ms late each way and with 1 % of the packets lost. It tells the master, by STUN, that
/// its address is the one here.
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
    let inside = internet.inside("pub");
    let mut forwarder = Command::new(&inside[0]);
    let _forwarder = Group::start(forwarder.args(&inside[1..]).args(["node", "-e", FORWARDER]));
    let relay = internet.relay(&["--port", "8080", "--no-udp", "--stun", "10.2.0.1:9"], "http://10.1.0.1:8080");
    let (events, line) = (Events::new(), "y".repeat(200_000));
    let input = format!("{}{line}\n{line}\n", numbers(2000));
    let run = Pando::f("(x, cb) => cb(null, x)")
        .inside(&internet.inside("mas"))
        .args(["--host", relay.url(), "--secret", SECRET, "--cores", "0", "--ice-servers", "stun:10.1.0.1:7000"])
        .events(&events)
        .stdin(input.clone())
        .start();
    let url = room(&run).replace("10.1.0.1", "10.2.0.1");
    let _tab = Tab::open_inside(&internet.inside("bro"), &url, "device=Far;cores=1;protocol=webrtc;");
    run.wait().gives(&input);
    assert_eq!(events.wait("joined", |_| true)["path"], "direct");
}

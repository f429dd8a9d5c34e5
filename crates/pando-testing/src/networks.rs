//! Virtual networks for a test, made of network namespaces. They need root, `ip` and `nft`.

use super::{pando::PandoCommand, relay::RelayProcess, tab::Tab};
use std::{
    ffi::OsStr,
    process::{Command, Stdio, id},
    sync::atomic::{AtomicU32, Ordering},
};

/// The behaviour of a router for the computers behind it.
#[derive(Debug, Clone, Copy)]
pub enum Router {
    /// The router keeps one external address and port for each socket.
    Cone,
    /// The router uses another external port for each destination.
    Symmetric,
    /// As `Cone`, and lets no UDP through until it is [mended](Internet::mend): that is cut as if
    /// it came over an interface `udp`.
    WithoutUdp,
}

/// The direction in which packets of an interface are lost.
#[derive(Debug, Clone, Copy)]
pub enum Loss {
    /// Packets in both directions.
    Both,
    /// Packets from the device.
    FromIt,
    /// Packets to the device.
    ToIt,
}

/// The namespaces of one test. Dropping this removes them.
#[derive(Debug)]
pub struct Internet {
    prefix: String,
    names: Vec<String>,
    /// The address of the relay's computer.
    middle: &'static str,
    /// The relay's options for this place.
    relay_options: &'static [&'static str],
}

impl Internet {
    /// The STUN server of the relay between two routers.
    pub const STUN: &str = "stun:203.0.113.1:3478";

    /// The relay's network is in the middle, at 203.0.113.1. The master at 10.1.0.2 and the
    /// volunteer at 10.2.0.2 are behind one router each. `None` if the system does not allow this.
    pub fn of_routers(master: Router, volunteer: Router) -> Option<Self> {
        let mut internet = Self::new("nft", &["pub", "mnat", "bnat", "mas", "bro"])?;
        internet.middle = "203.0.113.1";
        internet.relay_options = &["--public-address", "203.0.113.1"];
        internet
            .run("ip -n Ppub link add br0 type bridge; ip -n Ppub addr add 203.0.113.1/24 dev br0; ip -n Ppub link set br0 up");
        internet.home("mnat", "203.0.113.10", "10.1.0", "mas", master);
        internet.home("bnat", "203.0.113.20", "10.2.0", "bro", volunteer);
        Some(internet)
    }

    /// The relay's computer is in the middle, at 10.1.0.1 and 10.2.0.1, and forwards no packets.
    /// The master is at 10.1.0.2, the volunteer at 10.2.0.2.
    pub fn of_two_cables() -> Option<Self> {
        let internet = Self::new("ip", &["pub", "mas", "bro"])?;
        internet.cable("mas", "10.1.0");
        internet.cable("bro", "10.2.0");
        Some(internet)
    }

    /// A router is in the middle. The master is at 10.1.0.2, the first of `devices` at 10.2.0.2,
    /// the second at 10.3.0.2, …
    pub fn of_cables(devices: &[&str]) -> Option<Self> {
        let all: Vec<&str> = ["mas"].iter().chain(devices).copied().collect();
        let internet = Self::new("nft", &[&["pub"], &*all].concat())?;
        all.iter().zip(1..).for_each(|(name, net)| internet.cable(name, &format!("10.{net}.0")));
        internet.run("ip netns exec Ppub sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'");
        Some(internet)
    }

    /// Connects nothing yet. `tool` is a program that is needed besides the shell.
    fn new(tool: &str, names: &[&str]) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("pando{}x{}", id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let internet = Self {
            prefix,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            middle: "10.1.0.1",
            relay_options: &[],
        };
        let tried = internet.try_run(&format!(
            "command -v {tool} >/dev/null && {}",
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

    /// Connects a computer to the one in the middle, whose interface is called `to` and the
    /// computer's name.
    fn cable(&self, name: &str, net: &str) {
        self.run(&format!(
            "ip link add to{name} netns Ppub type veth peer name eth0 netns P{name}
             ip -n Ppub addr add {net}.1/24 dev to{name}; ip -n Ppub link set to{name} up
             ip -n P{name} addr add {net}.2/24 dev eth0; ip -n P{name} link set eth0 up; ip -n P{name} route add default via {net}.1"
        ));
    }

    /// Connects a computer behind a router with the external address `outer`.
    fn home(&self, router: &str, outer: &str, net: &str, name: &str, kind: Router) {
        let masquerade = if matches!(kind, Router::Symmetric) {
            "masquerade random,fully-random"
        } else {
            "masquerade"
        };
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
  chain pass {{ type filter hook forward priority 0; policy drop; ct state established,related accept; iifname lan accept; }}
  chain own {{ type filter hook input priority 0; policy accept; iifname ext ct state new drop; }}
}}
N"
        ));
        if matches!(kind, Router::WithoutUdp) {
            self.cut_udp(router);
        }
    }

    /// From now on `router` lets no UDP through.
    pub fn cut_udp(&self, router: &str) {
        self.lose(router, "udp", "iifname lan", "meta l4proto udp drop;");
    }

    /// Makes `router` silently drop packets over its `interface`, while sockets stay open.
    pub fn cut(&self, router: &str, interface: &str, loss: Loss) {
        let (from, to) = (format!("iifname {interface}"), format!("oifname {interface}"));
        let lost = match loss {
            Loss::Both => format!("{from} counter drop; {to} counter drop;"),
            Loss::FromIt => format!("{from} counter drop;"),
            Loss::ToIt => format!("{to} counter drop;"),
        };
        self.lose(router, interface, &from, &lost);
    }

    fn lose(&self, router: &str, what: &str, from: &str, lost: &str) {
        self.run(&format!(
            "ip netns exec P{router} nft -f - <<N
table ip cut{what} {{
  chain attempts {{ type filter hook forward priority -20; {from} tcp flags & (syn|ack) == syn counter; }}
  chain lost {{ type filter hook forward priority -10; {lost} }}
}}
N"
        ));
    }

    /// The number of attempts to connect from behind `interface` since its cut.
    pub fn attempts(&self, router: &str, interface: &str) -> u64 {
        let listed = self
            .command(router, "nft")
            .args(["list", "chain", "ip", &format!("cut{interface}"), "attempts"])
            .output()
            .expect("`ip` is there");
        let text = String::from_utf8_lossy(&listed.stdout).into_owned();
        let count =
            text.split("packets ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
        count.unwrap_or_else(|| panic!("no count: {text}"))
    }

    /// Ends a cut.
    pub fn mend(&self, router: &str, interface: &str) {
        self.run(&format!("ip netns exec P{router} nft delete table ip cut{interface}"));
    }

    /// Runs a script in which P stands for the prefix of the names. Returns whether the script
    /// succeeded.
    fn try_run(&self, script: &str) -> bool {
        let script = script.replace(" P", &format!(" {}", self.prefix));
        let script = script.replace("\n             ", "\n");
        let run = Command::new("sh")
            .args(["-ec", &script])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        run.is_ok_and(|status| status.success())
    }

    fn run(&self, script: &str) {
        assert!(self.try_run(script), "this failed: {script}");
    }

    /// The launcher for programs in a namespace.
    pub fn inside(&self, name: &str) -> [String; 4] {
        ["ip".into(), "netns".into(), "exec".into(), format!("{}{name}", self.prefix)]
    }

    /// The command for `program` in a namespace.
    pub fn command(&self, name: &str, program: impl AsRef<OsStr>) -> Command {
        let [launcher, words @ ..] = self.inside(name);
        let mut command = Command::new(launcher);
        command.args(words).arg(program);
        command
    }

    /// Starts a relay in the middle, with more arguments.
    pub fn relay(&self, args: &[&str]) -> RelayProcess {
        let url = format!("http://{}:8080", self.middle);
        let args = [&["--port", "8080"], self.relay_options, args].concat();
        RelayProcess::with(&args, &self.inside("pub"), url)
    }

    /// Runs `pando` at the master's computer.
    pub fn master(&self, pando: PandoCommand) -> PandoCommand {
        pando.inside(&self.inside("mas"))
    }

    /// Opens a tab at the volunteer's computer.
    pub fn tab(&self, url: &str, fragment: &str) -> Tab {
        Tab::open_inside(&self.inside("bro"), url, fragment)
    }
}

impl Drop for Internet {
    fn drop(&mut self) {
        for name in &self.names {
            self.try_run(&format!("ip netns del P{name}"));
        }
    }
}

//! A machine that moves to another network, simulated with a network namespace. The test needs
//! root and `ip`.

use crate::ECHO;
use pando_testing::{PandoCommand, RunningProgram};
use std::process::{Command, Stdio, id};

/// The network of a machine, with one cable. Dropping this removes the network.
struct MovingNetwork(String);

impl MovingNetwork {
    fn new() -> Option<Self> {
        let network = Self(format!("pando{}moves", id()));
        let made = network.ip("netns add P")
            && network.ip("-n P link set lo up")
            && network.ip("-n P link add eth0 type veth peer name far");
        if !made || !network.ip("-n P link set eth0 up") || !network.ip("-n P link set far up") {
            eprintln!("skipped: network namespaces need root and iproute2");
            return None;
        }
        Some(network)
    }

    /// Runs `ip` with these words, in which P stands for the namespace.
    fn ip(&self, words: &str) -> bool {
        let words = words.split(' ').map(|word| if word == "P" { &*self.0 } else { word });
        Command::new("ip")
            .args(words)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    fn has(&self, address: &str) {
        assert!(self.ip(&format!("-n P addr add {address}/24 dev eth0")), "{address}");
    }

    fn has_not(&self, address: &str) {
        assert!(self.ip(&format!("-n P addr del {address}/24 dev eth0")), "{address}");
    }

    fn inside(&self) -> Vec<String> {
        ["ip", "netns", "exec", &self.0].map(str::to_owned).to_vec()
    }

    /// The HTTP status of a request from this machine.
    fn status(&self, url: &str) -> String {
        let script = "fetch(process.argv[1]).then(r => console.log(r.status), e => console.log(e.cause ?? e))";
        let words = self.inside();
        let asked = Command::new(&words[0])
            .args(&words[1..])
            .args(["node", "-e", script, url])
            .output()
            .expect("node runs");
        String::from_utf8_lossy(&asked.stdout).trim().to_owned()
    }
}

impl Drop for MovingNetwork {
    fn drop(&mut self) {
        self.ip("netns del P");
    }
}

fn url(run: &RunningProgram, address: &str) -> String {
    run.url_at(&format!("http://{address}:"))
}

fn served(run: &RunningProgram) -> usize {
    run.stderr().matches("Serving volunteer code at ").count()
}

#[test]
fn a_machine_that_moves_says_its_new_url_once_and_is_reached_there() {
    let Some(network) = MovingNetwork::new() else { return };
    network.has("192.168.7.2");
    let start = |args: &[&str]| {
        PandoCommand::f(ECHO)
            .args(["--cores", "0"])
            .args(args)
            .inside(&network.inside())
            .stdin_open()
            .start()
    };
    let run = start(&["--qr", "always"]);
    let (home, _) = (url(&run, "192.168.7.2"), url(&run, "127.0.0.1"));
    assert_eq!(network.status(&home), "200");
    let bound = start(&["--bind", "127.0.0.1"]);
    url(&bound, "127.0.0.1");

    network.has_not("192.168.7.2");
    network.has("10.1.2.3");
    let office = url(&run, "10.1.2.3");
    assert_eq!(network.status(&office), "200");
    assert_eq!(office.replace("10.1.2.3", "192.168.7.2"), home, "the same port and token");
    assert_eq!(served(&run), 3);

    // A short absence causes no message, but another address does. The message about the latter
    // shows that the run has checked the addresses again.
    network.has_not("10.1.2.3");
    network.has("10.1.2.3");
    network.has("192.168.7.3");
    url(&run, "192.168.7.3");
    let codes = run.stderr().matches("▀▀▀▀▀▀▀").count();
    assert_eq!(served(&run), 4, "{}", run.stderr());
    assert!(codes > 2, "a code for each best address: {}", run.stderr());
    assert_eq!(served(&bound), 1, "bound to one address, that is the only one");
    run.wait().gives("");
}

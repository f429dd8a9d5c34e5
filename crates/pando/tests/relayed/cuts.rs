//! Links that are cut: packets are lost silently, and sockets stay open. Both sides notice the cut
//! by missing heartbeats, other devices compute the values, and the device reconnects without
//! help.

use pando_testing::{
    EventsFile, Finished, Internet, Loss, PandoCommand, Router, RunningProgram, Tab, until,
};
use serde_json::Value;
use std::{
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The time between heartbeats.
const HEARTBEAT: &str = "1s";
/// Three heartbeats, and extra time for a busy machine. Without heartbeats a dead peer connection
/// would be noticed after half a minute, and a dead WebSocket after many.
const NOTICED: f64 = 12.0;
/// The number of values that are read and not yet output.
const AHEAD: u64 = 200;

/// Seconds since 1970, as in events.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64()
}

pub(super) fn seconds(event: &Value) -> f64 {
    event["time"].as_f64().expect("events have times")
}

/// A run with new values for as long as the test needs them. Every line of output is checked.
pub(super) struct Endless {
    pub(super) run: RunningProgram,
    pub(super) events: EventsFile,
    written: u64,
    read: u64,
}

impl Endless {
    pub(super) fn start(pando: PandoCommand) -> Self {
        let events = EventsFile::empty();
        let run = pando.args(["--heartbeat", HEARTBEAT]).events(&events).stdin_open().start();
        Self { run, events, written: 0, read: 0 }
    }

    /// Feeds the run until `look` returns a value.
    #[track_caller]
    pub(super) fn until<T>(
        &mut self,
        what: &str,
        mut look: impl FnMut(&EventsFile) -> Option<T>,
    ) -> T {
        until(what, || {
            while self.written < self.read + AHEAD {
                self.written += 1;
                self.run.write_line(&self.written.to_string());
            }
            self.read += 1;
            assert_eq!(self.run.line(), Some(self.read.to_string()));
            look(&self.events)
        })
    }

    /// Waits for an event of `device` later than `since`.
    #[track_caller]
    pub(super) fn event(&mut self, kind: &str, device: &str, since: f64) -> Value {
        self.until(&format!("`{kind}` of {device}"), |events| {
            events
                .of(kind)
                .into_iter()
                .find(|event| event["device"] == device && seconds(event) > since)
        })
    }

    pub(super) fn end(mut self) -> Finished {
        self.run.close_stdin();
        for number in self.read + 1..=self.written {
            assert_eq!(self.run.line(), Some(number.to_string()));
        }
        let end = self.run.wait();
        end.status(0);
        end
    }
}

/// The time of the first attempt to connect through the interface since its cut. Checks a few
/// times per second.
fn first_attempt(internet: &Internet, router: &str, interface: &str) -> Option<f64> {
    thread::sleep(Duration::from_millis(200));
    (internet.attempts(router, interface) > 0).then(now)
}

/// Cuts the links of `devices` (name, router, interface, way), checks that both sides notice,
/// mends the links, and checks that the devices compute again.
fn cut_and_mend(internet: &Internet, mut job: Endless, devices: &[(&str, &str, &str, Loss)]) {
    for (name, ..) in devices {
        job.event("result", name, 0.0);
    }
    let cut = now();
    devices.iter().for_each(|(_, router, interface, way)| internet.cut(router, interface, *way));
    thread::scope(|scope| {
        // These threads run beside the following checks, which take time.
        let tried = devices.iter().map(|(name, router, interface, _)| {
            let watch = scope.spawn(|| {
                until("its page tries again", || first_attempt(internet, router, interface))
            });
            (*name, watch)
        });
        let tried: Vec<_> = tried.collect();
        for (name, .., way) in devices {
            let left = job.event("left", name, cut);
            // A device that can still send may report the loss before the master notices its
            // silence.
            assert!(
                left["why"] == "silent" || left["why"] == "lost" && matches!(way, Loss::ToIt),
                "{name}: {left}"
            );
            assert!(
                seconds(&left) < cut + NOTICED,
                "{name}: only after {} s",
                seconds(&left) - cut
            );
        }
        for (name, watch) in tried {
            let tried = watch.join().expect("it tries again");
            assert!(tried < cut + NOTICED, "{name} noticed only after {} s", tried - cut);
        }
    });
    // Meanwhile this machine computes all values.
    let since = now();
    job.event("result", "this machine", since);
    devices.iter().for_each(|(_, router, interface, _)| internet.mend(router, interface));
    for (name, ..) in devices {
        let joined = job.event("joined", name, since);
        job.event("result", name, seconds(&joined));
    }
    job.end();
}

fn on_this_network(protocol: &str) {
    let devices =
        [("Cut", "cut", Loss::Both), ("Mute", "mute", Loss::FromIt), ("Deaf", "deaf", Loss::ToIt)];
    let Some(internet) = Internet::of_cables(&devices.map(|(_, place, _)| place)) else { return };
    let pando = internet
        .master(PandoCommand::f("(x, cb) => setTimeout(cb, 20, null, x)"))
        .args(["--cores", "1"]);
    let job = Endless::start(pando);
    let url = here(&job.run);
    let _tabs = devices.map(|(name, place, _)| {
        Tab::open_inside(
            &internet.inside(place),
            &url,
            &format!("device={name};cores=1;{protocol}"),
        )
    });
    let interfaces = devices.map(|(_, place, _)| format!("to{place}"));
    let ends: Vec<_> = devices
        .iter()
        .zip(&interfaces)
        .map(|((name, _, way), interface)| (*name, "pub", &**interface, *way))
        .collect();
    cut_and_mend(&internet, job, &ends);
}

/// The master's URL on the network of cables.
fn here(run: &RunningProgram) -> String {
    run.url_at("http://10.1.0.2:")
}

#[test]
fn a_websocket_that_is_cut_in_either_direction_or_both() {
    on_this_network("");
}

#[test]
fn a_peer_connection_that_is_cut_in_either_direction_or_both() {
    on_this_network("protocol=webrtc;");
}

#[test]
fn a_peer_connection_that_a_relay_introduced() {
    let Some(internet) = Internet::of_routers(Router::Cone, Router::Cone) else { return };
    let relay = internet.relay(&[]);
    let pando = relay
        .used_by(internet.master(PandoCommand::f("(x, cb) => setTimeout(cb, 20, null, x)")))
        .args(["--cores", "1", "--ice-servers", Internet::STUN]);
    let job = Endless::start(pando);
    let _tab = internet.tab(&job.run.room(), "device=Far;cores=1;protocol=webrtc;");
    cut_and_mend(&internet, job, &[("Far", "bnat", "lan", Loss::Both)]);
}

#[test]
fn a_device_that_was_away_takes_up_what_it_still_holds() {
    let Some(internet) = Internet::of_cables(&["bro"]) else { return };
    let events = EventsFile::empty();
    // The calls take longer than both sides need to notice the cut: an answer on a dead link would
    // be lost, and computed again.
    let mut run = internet
        .master(PandoCommand::f("(x, cb) => setTimeout(cb, x === 'first' ? 0 : 9000, null, x)"))
        .args(["--cores", "0", "--heartbeat", HEARTBEAT, "--concurrency", "2"])
        .events(&events)
        .stdin_open()
        .start();
    let _tab = internet.tab(&here(&run), "device=Away;cores=1;");
    run.write_line("first");
    assert_eq!(run.line().as_deref(), Some("first"));
    run.write("a\nb\n");
    events.wait("lent", |event| event["index"] == 3);
    internet.cut("pub", "tobro", Loss::Both);
    assert_eq!(events.wait("left", |_| true)["held"], 2);
    until("its page tries again", || (internet.attempts("pub", "tobro") > 0).then_some(()));
    internet.mend("pub", "tobro");
    run.wait().gives("first\na\nb\n");
    assert_eq!(events.of("joined").len(), 2);
    assert_eq!(events.items("lent"), [1, 2, 3], "nothing is lent again");
}

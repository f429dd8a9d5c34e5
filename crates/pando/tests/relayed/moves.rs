//! A direct way that comes late: the device moves to it, with what it has in hand.

use super::cuts::{Endless, seconds};
use pando_testing::{
    Internet, JoinCommand, PandoCommand, RelayProcess, Router, RunningProgram, Tab,
};
use serde_json::Value;

/// The only device of a job.
#[expect(dead_code, reason = "the device lives as long as its scene")]
enum Device {
    Tab(Tab),
    Native(RunningProgram),
}

/// A job whose only device is behind a router that lets no UDP through.
struct Scene {
    job: Endless,
    internet: Internet,
    _relay: RelayProcess,
    _device: Device,
}

impl Scene {
    /// Until a tab has joined, and computes.
    fn with_tab() -> Option<Self> {
        Self::start(|internet, url| Device::Tab(internet.tab(url, "device=Far;cores=1;")))
    }

    /// Until a native volunteer has joined, and computes.
    fn with_native() -> Option<Self> {
        Self::start(|internet, url| {
            let volunteer = JoinCommand::to(url).named("Far").inside(&internet.inside("bro"));
            Device::Native(volunteer.start())
        })
    }

    fn start(join: impl FnOnce(&Internet, &str) -> Device) -> Option<Self> {
        let internet = Internet::of_routers(Router::Cone, Router::WithoutUdp)?;
        let relay = internet.relay(&[]);
        let pando = relay
            .used_by(internet.master(PandoCommand::f("(x, cb) => setTimeout(cb, 300, null, x)")))
            .args(["--cores", "0", "--concurrency", "8", "--batch-size", "16"])
            .args(["--ice-servers", Internet::STUN]);
        let mut job = Endless::start(pando);
        let device = join(&internet, &job.run.room());
        job.event("result", "Far", 0.0);
        Some(Self { job, internet, _relay: relay, _device: device })
    }

    /// Goes on until the device has joined `count` times, the last time by `path`.
    fn joins(&mut self, count: usize, path: &str) -> Value {
        let what = format!("it joins by this way: {path}");
        let last = self.job.until(&what, |events| events.of("joined").into_iter().nth(count - 1));
        assert_eq!((&*self.paths()[count - 1], &last["device"]), (path, &"Far".into()));
        last
    }

    /// The ways by which the device has joined.
    fn paths(&self) -> Vec<String> {
        let joined = self.job.events.of("joined");
        joined.iter().map(|event| event["path"].as_str().expect("text").to_owned()).collect()
    }
}

/// A direct way opens late: the device moves to it.
fn moves_with_all_in_hand(mut scene: Scene) {
    scene.joins(1, "relay");
    scene.internet.mend("bnat", "udp");
    // What it had in hand is not lent again: its results come over the new connection.
    let moved = seconds(&scene.joins(2, "direct"));
    scene.job.until("results of what it had in hand", |events| {
        let lent = events.of("lent");
        let was_in_hand = |result: &Value| {
            let mut loans = lent.iter().filter(|loan| loan["index"] == result["index"]);
            loans.next().is_some_and(|loan| seconds(loan) < moved) && loans.next().is_none()
        };
        events
            .of("result")
            .iter()
            .any(|result| seconds(result) > moved && was_in_hand(result))
            .then_some(())
    });
    assert_eq!(scene.paths(), ["relay", "direct"]);
    let left = scene.job.events.of("left");
    assert!(left.len() == 1 && left[0]["why"] == "replaced", "{left:#?}");
    let end = scene.job.end();
    end.said(&["Far joined with 1 core, through the relay", "Far goes on, by a direct connection"]);
    end.did_not_say(&["is gone", "other device"]);
}

#[test]
fn a_direct_way_that_comes_late_is_taken_with_all_that_is_in_hand() {
    if let Some(scene) = Scene::with_tab() {
        moves_with_all_in_hand(scene);
    }
}

#[test]
fn a_native_volunteer_takes_a_direct_way_that_comes_late_with_all_that_is_in_hand() {
    if let Some(scene) = Scene::with_native() {
        moves_with_all_in_hand(scene);
    }
}

/// A direct way opens, closes and opens again.
fn moves_back_and_forth(mut scene: Scene) {
    scene.internet.mend("bnat", "udp");
    scene.joins(2, "direct");
    scene.internet.cut_udp("bnat");
    scene.joins(3, "relay");
    scene.internet.mend("bnat", "udp");
    scene.joins(4, "direct");
    scene.job.end();
}

#[test]
fn a_direct_way_that_closes_again_is_left_for_the_relay_and_taken_anew() {
    if let Some(scene) = Scene::with_tab() {
        moves_back_and_forth(scene);
    }
}

#[test]
fn a_native_volunteer_leaves_a_direct_way_that_closes_and_takes_it_anew() {
    if let Some(scene) = Scene::with_native() {
        moves_back_and_forth(scene);
    }
}

#[test]
fn where_no_direct_way_ever_opens_the_run_goes_on_beside_the_tries() {
    let Some(mut scene) = Scene::with_tab() else { return };
    // Each try opens a socket to signal by, and the tab has no other reason to connect. The second
    // comes when the first was given up.
    for _ in 0..2 {
        let before = scene.internet.attempts("bnat", "udp");
        scene.job.until("another try", |_| {
            (scene.internet.attempts("bnat", "udp") > before).then_some(())
        });
    }
    assert_eq!((scene.paths(), scene.job.events.of("left").len()), (vec!["relay".to_owned()], 0));
    scene.job.end();
}

//! A device behind a slow connection: a forwarder that passes 2 Mbit/s in each direction.

use crate::tabs_only;
use pando_testing::Tab;
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

const BYTES_PER_SECOND: f64 = 250_000.0;

/// Forwards connections to `port`. Returns the port of the forwarder.
fn slow_forwarder(port: u16) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let ours = listener.local_addr().expect("bound").port();
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { return };
            let (near_2, far_2) =
                (near.try_clone().expect("a handle"), far.try_clone().expect("a handle"));
            thread::spawn(move || pass(near, far));
            thread::spawn(move || pass(far_2, near_2));
        }
    });
    ours
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let (start, mut passed) = (Instant::now(), 0.0);
    let mut idle = Duration::ZERO;
    let mut block = [0; 4096];
    loop {
        let before = Instant::now();
        let Ok(read @ 1..) = from.read(&mut block) else { break };
        idle += before.elapsed();
        passed += read as f64;
        let due = start + idle + Duration::from_secs_f64(passed / BYTES_PER_SECOND);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&block[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

#[test]
fn five_megabytes_arrive_over_a_slow_link_and_the_device_is_not_taken_for_dead() {
    // The line needs 20 seconds in each direction. A device counts as gone after three silent
    // seconds.
    let line = "0123456789".repeat(500_000) + "\n";
    let run =
        tabs_only("(x, cb) => cb(null, x)").args(["--heartbeat", "1s"]).stdin(line.clone()).start();
    let url = run.url();
    let port = url
        .split(':')
        .nth(2)
        .and_then(|rest| rest.split('/').next())
        .and_then(|port| port.parse().ok())
        .expect("a port");
    let slow = url.replace(&format!(":{port}/"), &format!(":{}/", slow_forwarder(port)));
    let _tab = Tab::open(&slow, "device=Far;cores=1;");
    run.wait().gives(line).did_not_say(&["silent", "gone"]);
}

//! The end of the relay process.

use crate::support::{RelayProcess, ScriptedMaster};
use pando_testing::kill;

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_ends_in_good_order() {
    for signal in ["TERM", "INT"] {
        let (relay, _) = RelayProcess::with_udp(&[]);
        let mut master = ScriptedMaster::open(&relay, "token").await;
        let (mut volunteer, _) = master.volunteer().await;
        let (mut device, mut seat) = master.link().await;
        kill(signal, relay.run.pid().into());
        for socket in [&mut master.control, &mut volunteer, &mut device, &mut seat] {
            assert_eq!(socket.closed().await, Some(1001), "{signal}");
        }
        relay.logs("ending");
        relay.run.wait().status(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn healthz_tells_how_many_there_are() {
    let relay = RelayProcess::start(&[]);
    let health = relay.health();
    assert_eq!(
        (&health["status"], &health["rooms"], &health["volunteers"]),
        (&"ok".into(), &0.into(), &0.into())
    );
    let mut master = ScriptedMaster::open(&relay, "token").await;
    let _volunteer = master.volunteer().await;
    let _link = master.link().await;
    let health = relay.health();
    assert_eq!(
        (&health["rooms"], &health["volunteers"], &health["links"]),
        (&1.into(), &2.into(), &1.into())
    );
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
}

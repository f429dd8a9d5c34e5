//! STUN and TURN over UDP.

use crate::support::{
    KEY, RelayProcess, ScriptedMaster, opening,
    turn::{TurnCredential, address, allocate, credential},
};
use pando_testing::{DEADLINE, until};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, UNIX_EPOCH},
};
use tokio::{net::UdpSocket, time::timeout};

#[tokio::test(flavor = "multi_thread")]
async fn stun_tells_one_s_address_without_credentials() {
    let (_relay, port) = RelayProcess::with_udp(&[]);
    assert_eq!(address(port).await.ip(), Ipv4Addr::LOCALHOST);
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_pass_through_an_allocation_both_ways() {
    let (relay, port) = RelayProcess::with_udp(&["--turn-range", "49160-49299"]);
    let master = ScriptedMaster::open(&relay, "token").await;
    assert_eq!(master.opened["stun"], serde_json::json!([format!("127.0.0.1:{port}")]));
    let (_volunteer, servers) = master.volunteer().await;
    assert_eq!(
        servers[1]["urls"],
        serde_json::json!([format!("turn:127.0.0.1:{port}?transport=udp")])
    );
    let mut allocation =
        allocate(port, &credential(&servers)).await.expect("the credentials are right");
    let relayed = allocation.relayed;
    assert!((49_160..=49_299).contains(&relayed.port()), "{relayed}");
    assert_eq!(relay.health()["allocations"], 1);
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let there = peer.local_addr().unwrap();
    allocation.permit(there).await.unwrap();
    let mut buffer = [0; 2000];
    for n in 0..6_u8 {
        if n == 3 {
            allocation.bind(there).await.unwrap();
        }
        let (up, down) = (vec![n; 1000], vec![n; 1200]);
        let (length, from) = timeout(DEADLINE, async {
            loop {
                allocation.send(&up, there).await;
                // Packets may get lost.
                if let Ok(received) =
                    timeout(Duration::from_millis(500), peer.recv_from(&mut buffer)).await
                {
                    return received.unwrap();
                }
            }
        })
        .await
        .unwrap();
        assert_eq!((&buffer[..length], from), (&up[..], relayed));
        peer.send_to(&down, relayed).await.unwrap();
        assert_eq!(allocation.receive().await, (down, there));
    }
    allocation.close().await;
    until("the allocation is gone", || (relay.health()["allocations"] == 0).then_some(()));
    assert_eq!(relay.log().iter().filter(|line| line["event"] == "turn-packet-failed").count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_differ_per_room_and_wrong_ones_are_refused() {
    let (relay, port) = RelayProcess::with_udp(&[]);
    let (one, other) = (
        ScriptedMaster::open(&relay, "k7d2m9qx4t").await,
        ScriptedMaster::open(&relay, "q2w3e4r5t6").await,
    );
    let (first, second) =
        (credential(&one.volunteer().await.1), credential(&other.volunteer().await.1));
    assert!(first.username != second.username && first.password != second.password);
    assert!(!first.username.contains("k7d2m9qx4t"), "the user name does not tell the token");
    let wrong = [
        TurnCredential { password: second.password.clone(), ..first.clone() },
        TurnCredential { username: format!("9{}", first.username), ..first.clone() },
        TurnCredential { username: "9999999999:nowhere".into(), ..first.clone() },
        TurnCredential { username: "user".into(), password: "password".into() },
    ];
    for wrong in wrong {
        assert!(allocate(port, &wrong).await.is_none(), "{wrong:?}");
    }
    assert!(allocate(port, &first).await.is_some());
    one.end().await;
    assert!(allocate(port, &first).await.is_none(), "with the room they end");
    assert!(allocate(port, &second).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_expire_and_every_volunteer_gets_new_ones() {
    let (relay, port) = RelayProcess::with_udp(&["--turn-lifetime", "4s"]);
    let master = ScriptedMaster::open(&relay, "token").await;
    let old = credential(&master.volunteer().await.1);
    expired(&old);
    assert!(allocate(port, &old).await.is_none());
    // A tab that comes back signals again, on a new socket.
    let new = credential(&master.volunteer().await.1);
    assert_ne!(old.username, new.username);
    assert!(allocate(port, &new).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allocation_outlasts_its_credentials() {
    let (relay, port) = RelayProcess::with_udp(&["--turn-lifetime", "4s"]);
    let master = ScriptedMaster::open(&relay, "token").await;
    let credential = credential(&master.volunteer().await.1);
    let mut allocation = allocate(port, &credential).await.expect("the credentials are new");
    expired(&credential);
    // A permission for an address of which nothing was asked before: the relay checks the
    // credentials.
    let peer = "127.0.0.2:5000".parse().unwrap();
    allocation.permit(peer).await.expect("the permission is given");
    assert_eq!(relay.health()["allocations"], 1);
    // It ends by a refresh to no time at all.
    allocation.close().await;
    until("the allocation is gone", || (relay.health()["allocations"] == 0).then_some(()));
}

/// Waits for the time that the user name tells.
fn expired(credential: &TurnCredential) {
    let expiry: u64 = credential.username.split_once(':').unwrap().0.parse().unwrap();
    until("the credentials run out", || {
        (UNIX_EPOCH.elapsed().unwrap().as_secs() >= expiry).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_has_only_so_many_allocations() {
    let (relay, port) = RelayProcess::with_udp(&["--max-allocations", "2"]);
    let (one, other) = (
        ScriptedMaster::open(&relay, "room-1").await,
        ScriptedMaster::open(&relay, "room-2").await,
    );
    let (first, second) =
        (credential(&one.volunteer().await.1), credential(&other.volunteer().await.1));
    let _held = [
        allocate(port, &first).await.expect("there is room"),
        allocate(port, &first).await.expect("there is room"),
    ];
    assert!(allocate(port, &first).await.is_none());
    assert!(allocate(port, &second).await.is_some(), "another room has its own");
    one.end().await;
    until("its allocations end with the room", || {
        (relay.health()["allocations"] == 1).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn turn_reaches_neither_loopback_nor_private_networks_from_a_public_relay() {
    let (relay, port) =
        RelayProcess::with_udp(&["--bind", "0.0.0.0", "--public-address", "8.8.8.8"]);
    let master = ScriptedMaster::open(&relay, "token").await;
    assert_eq!(master.opened["stun"], serde_json::json!([format!("8.8.8.8:{port}")]));
    let mut allocation = allocate(port, &credential(&master.volunteer().await.1)).await.unwrap();
    assert_eq!(allocation.relayed.ip(), Ipv4Addr::new(8, 8, 8, 8));
    let inside = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    // The last address is the relay's own.
    let others = ["10.0.0.1:5000", "169.254.169.254:80", "8.8.8.8:5000"]
        .map(|address| address.parse().unwrap());
    for address in [inside.local_addr().unwrap()].into_iter().chain(others) {
        assert_eq!(allocation.permit(address).await, Err(403), "{address}");
        assert_eq!(allocation.bind(address).await, Err(403), "{address}");
        allocation.send(b"in", address).await;
    }
    let public: SocketAddr = "1.1.1.1:5000".parse().unwrap();
    allocation.permit(public).await.expect("a stranger may be asked");
    assert_eq!(
        inside.try_recv_from(&mut [0; 100]).unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock
    );
}

/// For each address: whether TURN at a relay with these arguments passes a packet on.
async fn passed(args: &[&str], addresses: &[&str]) -> Vec<bool> {
    let (relay, port) = RelayProcess::with_udp(
        &[&["--bind", "0.0.0.0", "--public-address", "10.77.0.5"], args].concat(),
    );
    assert!(relay.logs("private-address")["how"].as_str().unwrap().contains("--turn-private"));
    let master = ScriptedMaster::open(&relay, "token").await;
    let mut allocation = allocate(port, &credential(&master.volunteer().await.1)).await.unwrap();
    let mut passed = Vec::new();
    for address in addresses {
        let permitted = allocation.permit(address.parse().unwrap()).await;
        assert!(matches!(permitted, Ok(()) | Err(403)), "{address}: {permitted:?}");
        passed.push(permitted.is_ok());
    }
    passed
}

#[tokio::test(flavor = "multi_thread")]
async fn turn_at_a_private_address_reaches_private_networks_only_if_that_is_wanted() {
    let private = [
        "10.77.0.1:5000",
        "172.16.0.1:5000",
        "192.168.1.1:5000",
        "100.64.0.1:5000",
        "198.18.0.1:5000",
    ];
    assert_eq!(passed(&[], &private).await, [false; 5]);
    assert_eq!(passed(&["--turn-private"], &private).await, [true; 5]);
    // The relay's own address, the cloud's metadata service and loopback are never reachable;
    // public addresses always are.
    let others = [
        "10.77.0.5:5000",
        "169.254.169.254:80",
        "127.0.0.1:5000",
        "224.0.0.1:5000",
        "0.0.0.0:5000",
        "1.1.1.1:5000",
    ];
    for args in [&[][..], &["--turn-private"]] {
        assert_eq!(
            passed(args, &others).await,
            [false, false, false, false, false, true],
            "{args:?}"
        );
    }
    assert_eq!(
        passed(&["--url", "http://1.1.1.1"], &["1.1.1.1:5000", "1.0.0.1:5000"]).await,
        [false, true],
        "its own by its name"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn udp_may_be_public_while_tcp_is_behind_a_proxy() {
    let (relay, port) = RelayProcess::with_udp(&[
        "--behind-proxy",
        "--turn-bind",
        "0.0.0.0",
        "--url",
        "https://relay.example.org",
    ]);
    let master = ScriptedMaster::open(&relay, "token").await;
    assert_eq!(master.opened["stun"], serde_json::json!([format!("relay.example.org:{port}")]));
    let mut allocation = allocate(port, &credential(&master.volunteer().await.1)).await.unwrap();
    let inside = "127.0.0.1:5000".parse().unwrap();
    assert_eq!(allocation.permit(inside).await, Err(403));
    let (relay, _) = RelayProcess::with_udp(&["--behind-proxy"]);
    relay.logs("udp-on-loopback");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_opened_again_keeps_its_allocations() {
    let (relay, port) = RelayProcess::with_udp(&[]);
    let master = ScriptedMaster::open(&relay, "token").await;
    let before = credential(&master.volunteer().await.1);
    let allocation = allocate(port, &before).await.unwrap();
    master.control.vanish();
    relay.logs("master-lost");
    let again = ScriptedMaster::try_open(&relay, opening("token").key(KEY)).await.unwrap();
    let after = credential(&again.volunteer().await.1);
    let room =
        |credential: TurnCredential| credential.username.split_once(':').unwrap().1.to_owned();
    assert_eq!(room(after), room(before));
    assert_eq!(relay.health()["allocations"], 1);
    drop(allocation);
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_over_udp_harms_nobody() {
    let (relay, port) = RelayProcess::with_udp(&[]);
    let master = ScriptedMaster::open(&relay, "token").await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(("127.0.0.1", port)).await.unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let cookie = 0x2112_a442_u32.to_be_bytes();
    for n in 0..3000_u32 {
        let mut bytes: Vec<u8> = (0..random.usize(..200)).map(|_| random.u8(..)).collect();
        if n % 2 == 0 && bytes.len() >= 20 {
            let kind = random.choice([1_u16, 3, 4, 8, 9, 0x16, 0x4000]).unwrap();
            bytes[..2].copy_from_slice(&kind.to_be_bytes());
            let length = if random.bool() { bytes.len() as u16 - 20 } else { random.u16(..) };
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
            bytes[4..8].copy_from_slice(&cookie);
        }
        let _ = socket.send(&bytes).await;
    }
    let _allocation =
        allocate(port, &credential(&master.volunteer().await.1)).await.expect("it still answers");
    assert_eq!(relay.health()["allocations"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allocation_talks_to_so_many_addresses() {
    let (relay, port) = RelayProcess::with_udp(&[]);
    let master = ScriptedMaster::open(&relay, "token").await;
    let mut allocation = allocate(port, &credential(&master.volunteer().await.1)).await.unwrap();
    let peer = |n: u8| SocketAddr::from(([127, 0, 0, n], 5000));
    for n in 1..=32 {
        allocation.permit(peer(n)).await.expect("it may be talked to");
    }
    assert_eq!(allocation.permit(peer(33)).await, Err(508));
    assert_eq!(allocation.bind(peer(33)).await, Err(508));
    allocation.bind(peer(32)).await.expect("it is one of them");
}

//! STUN and TURN over UDP.

use crate::{
    common::{DEADLINE, until},
    support::{KEY, Master, Relay, opening},
};
use serde_json::Value;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::UdpSocket, time::timeout};
use turn::client::{Client, ClientConfig};
use webrtc_util::Conn;

/// A volunteer's credentials for TURN.
#[derive(Debug, Clone)]
struct Credential {
    username: String,
    password: String,
}

fn credential(servers: &Value) -> Credential {
    let turn = servers
        .as_array()
        .unwrap()
        .iter()
        .find(|server| server["username"].is_string())
        .expect("a TURN server");
    let field = |name: &str| turn[name].as_str().unwrap().to_owned();
    Credential { username: field("username"), password: field("credential") }
}

async fn client(port: u16, credential: &Credential) -> Client {
    let conn = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = format!("127.0.0.1:{port}");
    let client = Client::new(ClientConfig {
        stun_serv_addr: server.clone(),
        turn_serv_addr: server,
        username: credential.username.clone(),
        password: credential.password.clone(),
        realm: String::new(),
        software: String::new(),
        rto_in_ms: 0,
        conn: Arc::new(conn),
        vnet: None,
    });
    let client = client.await.unwrap();
    client.listen().await.unwrap();
    client
}

async fn allocates(client: &Client) -> Option<impl Conn + use<>> {
    timeout(DEADLINE, client.allocate()).await.expect("it answers").ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn stun_tells_one_s_address_without_credentials() {
    let (_relay, port) = Relay::with_udp(&[]);
    let client =
        client(port, &Credential { username: String::new(), password: String::new() }).await;
    let address = timeout(DEADLINE, client.send_binding_request()).await.unwrap().unwrap();
    assert_eq!(address.ip(), std::net::Ipv4Addr::LOCALHOST);
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_pass_through_an_allocation_both_ways() {
    let (relay, port) = Relay::with_udp(&["--turn-range", "49160-49299"]);
    let master = Master::open(&relay, "token").await;
    assert_eq!(master.opened["stun"], serde_json::json!([format!("127.0.0.1:{port}")]));
    let (_volunteer, servers) = master.volunteer().await;
    assert_eq!(
        servers[1]["urls"],
        serde_json::json!([format!("turn:127.0.0.1:{port}?transport=udp")])
    );
    let client = client(port, &credential(&servers)).await;
    let allocation = allocates(&client).await.expect("the credentials are right");
    let relayed = allocation.local_addr().unwrap();
    assert!((49_160..=49_299).contains(&relayed.port()), "{relayed}");
    assert_eq!(relay.health()["allocations"], 1);
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut buffer = [0; 2000];
    for n in 0..5_u8 {
        let (up, down) = (vec![n; 1000], vec![n; 1200]);
        let (length, from) = timeout(DEADLINE, async {
            loop {
                allocation.send_to(&up, peer.local_addr().unwrap()).await.unwrap();
                // Packets may be lost. The first ones also come before the permission.
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
        let (length, from) =
            timeout(DEADLINE, allocation.recv_from(&mut buffer)).await.unwrap().unwrap();
        assert_eq!((&buffer[..length], from), (&down[..], peer.local_addr().unwrap()));
    }
    allocation.close().await.unwrap();
    until("the allocation is gone", || (relay.health()["allocations"] == 0).then_some(()));
    assert_eq!(relay.log().iter().filter(|line| line["event"] == "turn-packet-failed").count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_differ_per_room_and_wrong_ones_are_refused() {
    let (relay, port) = Relay::with_udp(&[]);
    let (one, other) =
        (Master::open(&relay, "k7d2m9qx4t").await, Master::open(&relay, "q2w3e4r5t6").await);
    let (first, second) =
        (credential(&one.opened["iceServers"]), credential(&other.opened["iceServers"]));
    assert!(first.username != second.username && first.password != second.password);
    assert!(!first.username.contains("k7d2m9qx4t"), "the user name does not tell the token");
    let wrong = [
        Credential { password: second.password.clone(), ..first.clone() },
        Credential { username: format!("9{}", first.username), ..first.clone() },
        Credential { username: "9999999999:nowhere".into(), ..first.clone() },
        Credential { username: "user".into(), password: "password".into() },
    ];
    for wrong in wrong {
        assert!(allocates(&client(port, &wrong).await).await.is_none(), "{wrong:?}");
    }
    assert!(allocates(&client(port, &first).await).await.is_some());
    one.end().await;
    assert!(allocates(&client(port, &first).await).await.is_none(), "with the room they end");
    assert!(allocates(&client(port, &second).await).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_expire_and_the_master_hears_of_new_ones_before() {
    let (relay, port) = Relay::with_udp(&["--turn-lifetime", "2s"]);
    let mut master = Master::open(&relay, "token").await;
    let old = credential(&master.opened["iceServers"]);
    // The second message comes after the first credentials have expired.
    master.hears("servers").await;
    master.hears("servers").await;
    let newest = credential(&master.hears("servers").await["iceServers"]);
    assert_ne!(old.username, newest.username);
    assert!(allocates(&client(port, &old).await).await.is_none());
    assert!(allocates(&client(port, &newest).await).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_has_only_so_many_allocations() {
    let (relay, port) = Relay::with_udp(&["--max-allocations", "2"]);
    let (one, other) = (Master::open(&relay, "room-1").await, Master::open(&relay, "room-2").await);
    let (first, second) =
        (credential(&one.opened["iceServers"]), credential(&other.opened["iceServers"]));
    let clients = [client(port, &first).await, client(port, &first).await];
    let mut held = Vec::new();
    for client in &clients {
        held.push(allocates(client).await.expect("there is room"));
    }
    assert!(allocates(&client(port, &first).await).await.is_none());
    assert!(allocates(&client(port, &second).await).await.is_some(), "another room has its own");
    one.end().await;
    until("its allocations end with the room", || {
        (relay.health()["allocations"] == 1).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn turn_reaches_neither_loopback_nor_private_networks_from_a_public_relay() {
    let (relay, port) = Relay::with_udp(&["--bind", "0.0.0.0", "--public-address", "8.8.8.8"]);
    let master = Master::open(&relay, "token").await;
    assert_eq!(master.opened["stun"], serde_json::json!([format!("8.8.8.8:{port}")]));
    let client = client(port, &credential(&master.opened["iceServers"])).await;
    let allocation = allocates(&client).await.unwrap();
    assert_eq!(allocation.local_addr().unwrap().ip(), std::net::Ipv4Addr::new(8, 8, 8, 8));
    let inside = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    // The last address is the relay's own.
    let others = ["10.0.0.1:5000", "169.254.169.254:80", "8.8.8.8:5000"]
        .map(|address| address.parse().unwrap());
    for address in [inside.local_addr().unwrap()].into_iter().chain(others) {
        let error =
            timeout(DEADLINE, allocation.send_to(b"in", address)).await.unwrap().unwrap_err();
        assert!(error.to_string().contains("403"), "{address}: {error}");
    }
    let public: SocketAddr = "1.1.1.1:5000".parse().unwrap();
    timeout(DEADLINE, allocation.send_to(b"out", public))
        .await
        .unwrap()
        .expect("a stranger may be asked");
    assert_eq!(
        inside.try_recv_from(&mut [0; 100]).unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock
    );
}

/// For each address: whether TURN at a relay with these arguments passes a packet on.
async fn passed(args: &[&str], addresses: &[&str]) -> Vec<bool> {
    let (relay, port) =
        Relay::with_udp(&[&["--bind", "0.0.0.0", "--public-address", "10.77.0.5"], args].concat());
    assert!(relay.logs("private-address")["how"].as_str().unwrap().contains("--turn-private"));
    let master = Master::open(&relay, "token").await;
    let client = client(port, &credential(&master.opened["iceServers"])).await;
    let allocation = allocates(&client).await.unwrap();
    let mut passed = Vec::new();
    for address in addresses {
        let sent =
            timeout(DEADLINE, allocation.send_to(b"in", address.parse().unwrap())).await.unwrap();
        assert!(
            sent.as_ref().err().is_none_or(|error| error.to_string().contains("403")),
            "{address}: {sent:?}"
        );
        passed.push(sent.is_ok());
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
    let (relay, port) = Relay::with_udp(&[
        "--behind-proxy",
        "--turn-bind",
        "0.0.0.0",
        "--url",
        "https://relay.example.org",
    ]);
    let master = Master::open(&relay, "token").await;
    assert_eq!(master.opened["stun"], serde_json::json!([format!("relay.example.org:{port}")]));
    let client = client(port, &credential(&master.opened["iceServers"])).await;
    let allocation = allocates(&client).await.unwrap();
    let inside = "127.0.0.1:5000".parse().unwrap();
    assert!(timeout(DEADLINE, allocation.send_to(b"in", inside)).await.unwrap().is_err());
    let (relay, _) = Relay::with_udp(&["--behind-proxy"]);
    relay.logs("udp-on-loopback");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_opened_again_keeps_its_allocations() {
    let (relay, port) = Relay::with_udp(&[]);
    let master = Master::open(&relay, "token").await;
    let client = client(port, &credential(&master.opened["iceServers"])).await;
    let allocation = allocates(&client).await.unwrap();
    master.control.vanish();
    relay.logs("master-lost");
    let again = Master::try_open(&relay, opening("token").key(KEY)).await.unwrap();
    let room = |credential: Credential| credential.username.split_once(':').unwrap().1.to_owned();
    assert_eq!(
        room(credential(&again.opened["iceServers"])),
        room(credential(&master.opened["iceServers"]))
    );
    assert_eq!(relay.health()["allocations"], 1);
    drop(allocation);
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_over_udp_harms_nobody() {
    let (relay, port) = Relay::with_udp(&[]);
    let master = Master::open(&relay, "token").await;
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
    let client = client(port, &credential(&master.opened["iceServers"])).await;
    until("the rate of requests allows some again", || Some(()));
    let mut allocated = None;
    while allocated.is_none() {
        allocated = allocates(&client).await;
    }
    assert_eq!(relay.health()["allocations"], 1);
}

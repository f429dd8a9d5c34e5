//! Rooms on a virtual clock.

mod schedules;

use super::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

const SECOND: Duration = Duration::from_secs(1);
const KEY: &str = "abcdefghijklmnopqrstuvwxyz234567";
const OTHER: &str = "another-key-another-key-another1";

/// Handles whose number can be counted.
#[derive(Debug)]
struct Counted;

impl Handles for Counted {
    type RoomHandle = Rc<()>;
    type ControlHandle = Rc<()>;
    type PeerHandle = Rc<()>;
    type LinkHandle = Rc<()>;
}

fn rooms() -> Rooms<Counted> {
    Rooms::new(Limits {
        max_rooms: 3,
        max_volunteers: 4,
        max_function: 100,
        max_memory: 250,
        keep: 60 * SECOND,
        ..Limits::default()
    })
}

fn opening(token: &str, key: &str, size: u64) -> RoomRequest {
    RoomRequest { token: token.into(), key: key.into(), size }
}

fn content(size: u64) -> Content {
    Content {
        function: vec![0; size as usize].into(),
        page: PageOptions { function: "h".into(), ..PageOptions::default() },
        host: "relay".into(),
        ice_servers: Vec::new(),
    }
}

/// Opens `token` with 10 bytes; returns the lease.
fn open(rooms: &mut Rooms<Counted>, token: &str, now: Instant) -> u64 {
    let lease =
        rooms.open(&opening(token, KEY, 10), format!("id-of-{token}"), Rc::default(), now).unwrap();
    assert!(rooms.opened(token, lease, content(10), Rc::default()));
    lease
}

#[test]
fn a_room_is_there_once_its_function_has_come() {
    let (mut rooms, now) = (rooms(), Instant::now());
    let lease = rooms.open(&opening("token", KEY, 10), "id".into(), Rc::default(), now).unwrap();
    assert!(rooms.content("token").is_none());
    assert_eq!(rooms.enter("token", Rc::default()), Err(NoEntry::Unknown));
    assert!(rooms.opened("token", lease, content(10), Rc::default()));
    assert_eq!(rooms.content("token").unwrap().function.len(), 10);
    assert!(rooms.enter("token", Rc::default()).is_ok());
    assert!(rooms.by_id("id").is_some() && rooms.by_id("token").is_none());
}

#[test]
fn tokens_and_keys_that_cannot_be_are_refused() {
    let (mut rooms, now) = (rooms(), Instant::now());
    for token in
        ["rooms", "healthz", "abc", "", "a/bcd", "a.bcd", "tok en", "tökén", &"x".repeat(65)]
    {
        let refused = rooms.open(&opening(token, KEY, 1), "id".into(), Rc::default(), now);
        assert_eq!(refused, Err(RoomRefusal::Token), "{token:?}");
    }
    for key in ["", "short", &"x".repeat(129), "with spaces with spaces"] {
        let refused = rooms.open(&opening("token", key, 1), "id".into(), Rc::default(), now);
        assert_eq!(refused, Err(RoomRefusal::Key), "{key:?}");
    }
    assert_eq!(rooms.counts(), RoomCounts::default());
}

#[test]
fn a_token_is_taken_for_whoever_has_another_key() {
    let (mut rooms, mut now) = (rooms(), Instant::now());
    let lease = open(&mut rooms, "token", now);
    let other = |rooms: &mut Rooms<Counted>, now| {
        rooms.open(&opening("token", OTHER, 1), "b".into(), Rc::default(), now)
    };
    assert_eq!(other(&mut rooms, now), Err(RoomRefusal::Taken));
    rooms.lost("token", lease, now);
    now += 59 * SECOND;
    assert!(rooms.expire(now).is_empty());
    assert_eq!(other(&mut rooms, now), Err(RoomRefusal::Taken));
    now += SECOND;
    assert_eq!(
        rooms.expire(now),
        [EndedRoom {
            id: "id-of-token".into(),
            handle: Rc::default(),
            lasted: 60 * SECOND,
            visits: 0
        }]
    );
    assert!(other(&mut rooms, now).is_ok());
}

#[test]
fn the_same_key_opens_a_lost_room_again_and_links_and_id_stay() {
    let (mut rooms, now) = (rooms(), Instant::now());
    let lease = open(&mut rooms, "token", now);
    rooms.wait("token", "link".into(), Rc::default()).unwrap();
    rooms.claim("token", KEY, "link").unwrap();
    rooms.lost("token", lease, now);
    assert_eq!(rooms.enter("token", Rc::default()), Err(NoEntry::NoMaster));
    assert!(rooms.content("token").is_some(), "the page stays meanwhile");
    let again = rooms
        .open(&opening("token", KEY, 20), "other-id".into(), Rc::default(), now + 30 * SECOND)
        .unwrap();
    assert!(rooms.content("token").is_some(), "the old function stays until the new one is there");
    assert!(rooms.opened("token", again, content(20), Rc::default()));
    assert_eq!(rooms.id("token"), Some("id-of-token"));
    assert_eq!(rooms.counts(), RoomCounts { rooms: 1, peers: 0, links: 1 });
    assert!(rooms.expire(now + 1000 * SECOND).is_empty());
}

#[test]
fn a_socket_that_was_replaced_no_longer_counts() {
    let (mut rooms, now) = (rooms(), Instant::now());
    let old = open(&mut rooms, "token", now);
    let (old_control, peer) = (Rc::new(()), Rc::new(()));
    assert!(rooms.opened("token", old, content(10), old_control.clone()));
    rooms.enter("token", peer.clone()).unwrap();
    let new = rooms.open(&opening("token", KEY, 10), "x".into(), Rc::default(), now).unwrap();
    assert_eq!(
        (Rc::strong_count(&old_control), Rc::strong_count(&peer)),
        (1, 1),
        "both hear that it is over"
    );
    assert!(!rooms.opened("token", old, content(1), Rc::default()));
    assert!(rooms.opened("token", new, content(10), Rc::default()));
    let peer = rooms.enter("token", Rc::default()).unwrap();
    rooms.lost("token", old, now);
    rooms.dismiss("token", old, peer);
    assert!(rooms.peer("token", old, peer).is_none());
    assert_eq!(rooms.end("token", old, now), None);
    assert!(rooms.peer("token", new, peer).is_some());
}

#[test]
fn an_upload_that_fails_leaves_no_room_and_no_bytes() {
    let (mut rooms, now) = (rooms(), Instant::now());
    for token in ["one-", "two-"] {
        let lease =
            rooms.open(&opening(token, KEY, 100), token.into(), Rc::default(), now).unwrap();
        assert!(rooms.opened(token, lease, content(100), Rc::default()));
    }
    let lease = rooms.open(&opening("three", KEY, 50), "3".into(), Rc::default(), now).unwrap();
    rooms.lost("three", lease, now);
    assert_eq!(rooms.counts().rooms, 2);
    assert!(rooms.open(&opening("three", KEY, 50), "3".into(), Rc::default(), now).is_ok());
}

#[test]
fn rooms_functions_and_their_bytes_are_bounded() {
    let (mut rooms, now) = (rooms(), Instant::now());
    let mut ask = |token: &str, size| {
        rooms.open(&opening(token, KEY, size), token.into(), Rc::default(), now)
    };
    assert_eq!(ask("one-", 101), Err(RoomRefusal::TooLarge { size: 101, most: 100 }));
    assert!(ask("one-", 100).is_ok());
    assert!(ask("two-", 100).is_ok());
    assert_eq!(ask("three", 51), Err(RoomRefusal::NoMemory));
    assert!(ask("three", 50).is_ok());
    assert_eq!(ask("four", 0), Err(RoomRefusal::TooManyRooms));
    assert!(ask("two-", 100).is_ok(), "an own upload that starts again replaces the first");
}

#[test]
fn a_room_holds_only_so_many_volunteers() {
    let (mut rooms, now) = (rooms(), Instant::now());
    open(&mut rooms, "token", now);
    let first = rooms.enter("token", Rc::default()).unwrap();
    rooms.enter("token", Rc::default()).unwrap();
    rooms.wait("token", "a".into(), Rc::default()).unwrap();
    rooms.wait("token", "b".into(), Rc::default()).unwrap();
    rooms.claim("token", KEY, "a").unwrap();
    assert_eq!(rooms.enter("token", Rc::default()), Err(NoEntry::Full));
    assert!(rooms.leave("token", first).is_some());
    assert!(rooms.leave("token", first).is_none(), "the master is told once");
    assert!(rooms.enter("token", Rc::default()).is_ok());
    assert_eq!(rooms.has_place("token"), Err(NoEntry::Full));
    rooms.unlink("token", "a");
    assert_eq!(rooms.has_place("token"), Ok(()));
}

#[test]
fn a_link_is_for_the_room_s_master_once() {
    let (mut rooms, now) = (rooms(), Instant::now());
    open(&mut rooms, "token", now);
    rooms.wait("token", "link".into(), Rc::default()).unwrap();
    assert_eq!(rooms.claim("token", OTHER, "link"), Err(Unclaimed::WrongKey));
    assert_eq!(rooms.claim("token", KEY, "other"), Err(Unclaimed::Unknown));
    assert_eq!(rooms.claim("nowhere", KEY, "link"), Err(Unclaimed::Unknown));
    assert!(rooms.claim("token", KEY, "link").is_ok());
    assert_eq!(rooms.claim("token", KEY, "link"), Err(Unclaimed::Unknown));
}

#[test]
fn the_end_of_a_run_drops_all_that_hangs_on_its_room() {
    let (mut rooms, now) = (rooms(), Instant::now());
    let handles: [Rc<()>; 4] = Default::default();
    let [room, control, peer, link] = handles.clone();
    let lease = rooms.open(&opening("token", KEY, 1), "id".into(), room, now).unwrap();
    rooms.opened("token", lease, content(1), control);
    rooms.enter("token", peer).unwrap();
    rooms.wait("token", "link".into(), link).unwrap();
    let ended = rooms.end("token", lease, now + SECOND);
    assert_eq!(
        ended,
        Some(EndedRoom { id: "id".into(), handle: Rc::default(), lasted: SECOND, visits: 2 })
    );
    drop(ended);
    assert!(handles.iter().all(|handle| Rc::strong_count(handle) == 1));
    assert!(rooms.content("token").is_none() && rooms.by_id("id").is_none());
}

#[test]
fn a_room_whose_links_stand_is_not_expired() {
    let (mut rooms, now) = (rooms(), Instant::now());
    let lease = open(&mut rooms, "token", now);
    rooms.wait("token", "link".into(), Rc::default()).unwrap();
    rooms.claim("token", KEY, "link").unwrap();
    rooms.lost("token", lease, now);
    assert!(rooms.expire(now + 500 * SECOND).is_empty());
    rooms.unlink("token", "link");
    assert_eq!(rooms.expire(now + 500 * SECOND).len(), 1);
}

//! Rooms on a virtual clock, and random schedules compared with a naive model.

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

/// The naive model of a room.
#[derive(Debug, Default)]
struct Model {
    key: usize,
    lease: u64,
    uploading: u64,
    bytes: Option<u64>,
    open: bool,
    lost: Option<Instant>,
    peers: BTreeSet<u64>,
    waiting: BTreeSet<String>,
    joined: BTreeSet<String>,
}

#[test]
fn random_schedules_agree_with_a_plain_model() {
    for seed in 0..300 {
        // The printed seed repeats a failure.
        if let Err(panic) = std::panic::catch_unwind(|| random_schedule(seed)) {
            eprintln!("seed {seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

fn random_schedule(seed: u64) {
    const TOKENS: [&str; 4] = ["tok1", "tok2", "tok3", "tok4"];
    const KEYS: [&str; 2] = [KEY, OTHER];
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut rooms, mut now) = (rooms(), Instant::now());
    let mut model: BTreeMap<&str, Model> = BTreeMap::new();
    let witness = Rc::new(());
    for step in 0..400 {
        let token = random.choice(TOKENS).unwrap();
        let (key, size) = (random.usize(..2), random.u64(..120));
        let total: u64 = model.values().map(|room| room.uploading + room.bytes.unwrap_or(0)).sum();
        let count = model.len();
        let room = model.get_mut(token);
        // Sometimes the lease of an older master.
        let lease = room.as_ref().map_or(0, |room| room.lease)
            - u64::from(room.is_some() && random.u8(..5) == 0);
        let ours = room.as_ref().is_some_and(|room| room.lease == lease);
        match random.u8(..11) {
            0 | 1 => {
                let expected = match &room {
                    _ if size > 100 => Some(RoomRefusal::TooLarge { size, most: 100 }),
                    Some(room) if room.key != key => Some(RoomRefusal::Taken),
                    None if count >= 3 => Some(RoomRefusal::TooManyRooms),
                    room if total
                        - room
                            .as_ref()
                            .map_or(0, |room| room.uploading + room.bytes.unwrap_or(0))
                        + size
                        > 250 =>
                    {
                        Some(RoomRefusal::NoMemory)
                    }
                    _ => None,
                };
                let id = format!("{token}-{step}");
                let result = rooms.open(&opening(token, KEYS[key], size), id, witness.clone(), now);
                assert_eq!(result.err(), expected);
                if let Ok(lease) = result {
                    let room =
                        model.entry(token).or_insert_with(|| Model { key, ..Model::default() });
                    (room.lease, room.uploading, room.open, room.lost) = (lease, size, false, None);
                    room.peers.clear();
                    room.waiting.clear();
                }
            }
            2 | 3 => {
                let size = room.as_ref().map_or(1, |room| room.uploading);
                assert_eq!(rooms.opened(token, lease, content(size), witness.clone()), ours);
                if let Some(room) = room.filter(|_| ours) {
                    (room.bytes, room.uploading, room.open, room.lost) =
                        (Some(size), 0, true, None);
                }
            }
            4 => {
                rooms.lost(token, lease, now);
                if let Some(room) = room.filter(|_| ours) {
                    (room.open, room.lost, room.uploading) = (false, Some(now), 0);
                    room.peers.clear();
                    room.waiting.clear();
                    if room.bytes.is_none() {
                        model.remove(token);
                    }
                }
            }
            5 if random.u8(..4) == 0 => {
                assert_eq!(rooms.end(token, lease, now).is_some(), ours);
                if ours {
                    model.remove(token);
                }
            }
            6 | 7 => {
                let link = format!("link-{step}");
                let (signals, result) = match random.bool() {
                    true => (true, rooms.enter(token, witness.clone())),
                    false => (false, rooms.wait(token, link.clone(), witness.clone()).map(|_| 0)),
                };
                let expected = match &room {
                    None => Some(NoEntry::Unknown),
                    Some(room) if room.bytes.is_none() => Some(NoEntry::Unknown),
                    Some(room) if !room.open => Some(NoEntry::NoMaster),
                    Some(room)
                        if room.peers.len() + room.waiting.len() + room.joined.len() >= 4 =>
                    {
                        Some(NoEntry::Full)
                    }
                    Some(_) => None,
                };
                assert_eq!(result.err(), expected);
                match (room, result) {
                    (Some(room), Ok(peer)) if signals => drop(room.peers.insert(peer)),
                    (Some(room), Ok(_)) => drop(room.waiting.insert(link)),
                    _ => {}
                }
            }
            8 => {
                let peer = room.as_ref().and_then(|room| room.peers.first().copied()).unwrap_or(0);
                match random.bool() {
                    true => {
                        assert_eq!(
                            rooms.leave(token, peer).is_some(),
                            room.as_ref().is_some_and(|room| !room.peers.is_empty())
                        )
                    }
                    false if ours => rooms.dismiss(token, lease, peer),
                    false => continue,
                }
                if let Some(room) = room {
                    room.peers.remove(&peer);
                }
            }
            9 => {
                let link = room
                    .as_ref()
                    .and_then(|room| room.waiting.first().cloned())
                    .unwrap_or_default();
                let expected = match &room {
                    None => Some(Unclaimed::Unknown),
                    Some(room) if room.key != key => Some(Unclaimed::WrongKey),
                    Some(room) if room.waiting.is_empty() => Some(Unclaimed::Unknown),
                    Some(_) => None,
                };
                assert_eq!(rooms.claim(token, KEYS[key], &link).err(), expected);
                if let (Some(room), None) = (room, expected) {
                    room.waiting.remove(&link);
                    room.joined.insert(link);
                }
            }
            10 => {
                let all = room.as_ref().map(|room| {
                    room.joined.iter().chain(&room.waiting).cloned().collect::<Vec<_>>()
                });
                if let (Some(link), Some(room)) = (all.and_then(|all| random.choice(all)), room) {
                    rooms.unlink(token, &link);
                    room.waiting.remove(&link);
                    room.joined.remove(&link);
                }
            }
            _ => {
                now += random.u32(..40) * SECOND;
                let gone = |room: &Model| {
                    room.lost.is_some_and(|since| now - since >= 60 * SECOND)
                        && room.joined.is_empty()
                };
                let expected = model.values().filter(|room| gone(room)).count();
                assert_eq!(rooms.expire(now).len(), expected);
                model.retain(|_, room| !gone(room));
            }
        }
        agrees(&rooms, &model, &witness);
    }
}

fn agrees(rooms: &Rooms<Counted>, model: &BTreeMap<&str, Model>, witness: &Rc<()>) {
    let sum = |of: fn(&Model) -> usize| model.values().map(of).sum::<usize>();
    let (peers, waiting, joined) = (
        sum(|room| room.peers.len()),
        sum(|room| room.waiting.len()),
        sum(|room| room.joined.len()),
    );
    assert_eq!(rooms.counts(), RoomCounts { rooms: model.len(), peers, links: waiting + joined });
    assert_eq!(rooms.tokens.len(), model.len());
    assert_eq!(
        rooms.bytes(),
        model.values().map(|room| room.uploading + room.bytes.unwrap_or(0)).sum::<u64>()
    );
    let settled: u64 = model.values().map(|room| room.uploading.max(room.bytes.unwrap_or(0))).sum();
    assert!(settled <= 2 * 250, "{settled}");
    // No handle is dropped too early or kept too long.
    let handles = model.len() + sum(|room| usize::from(room.open)) + peers + waiting;
    assert_eq!(Rc::strong_count(witness), 1 + handles);
    for (token, room) in model {
        assert!(room.peers.iter().all(|peer| rooms.master_of(token, *peer).is_some()
            && rooms.peer(token, room.lease, *peer).is_some()));
        assert_eq!(rooms.content(token).map(|content| content.function.len() as u64), room.bytes);
    }
}

//! Random schedules compared with a naive model.

use super::*;

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

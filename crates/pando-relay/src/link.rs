//! A link: the bytes of a volunteer that has no other way to its master pass through here.
//!
//! The volunteer opens `/TOKEN/socket`, the master is told and comes to `/rooms/TOKEN/links/ID`, and their frames are passed on
//! one to one ([`frames`]), each direction in its own small buffer: from who is not read, nothing is read.

mod frames;
mod pump;

use super::{
    Relay,
    control::json,
    ending, letters,
    shell::{Raw, Shell},
    traffic::Traffic,
};
use frames::Malformed;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use pando_protocol::relay::FromRelay;
use pump::{End, Pump, farewell};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::split,
    sync::{mpsc, oneshot, watch},
    time::{sleep, timeout},
};

/// Length of a link's id: with it and the room's key comes the master.
const ID: usize = 24;
/// Time for the master to come.
const MASTER: Duration = Duration::from_secs(10);
/// Time for the other direction to finish, and for a link to end after its room has.
const GRACE: Duration = Duration::from_secs(10);
/// Closing codes: one side has gone; come back later.
const GONE: u16 = 1001;
const LATER: u16 = 1013;

/// A place for a link in its room, given back when this is dropped.
struct Link {
    relay: Arc<Relay>,
    token: String,
    id: String,
}

/// What a waiting link knows of its room.
struct Waiting {
    control: mpsc::Sender<String>,
    traffic: Arc<Traffic>,
    gone: watch::Receiver<()>,
}

/// Waits for the master of the room at `token`, and joins it with the volunteer, whose connection is being upgraded.
pub(crate) async fn volunteer(relay: Arc<Relay>, token: String, upgrade: OnUpgrade) {
    let Ok(upgraded) = upgrade.await else { return };
    let volunteer = TokioIo::new(upgraded);
    let link = Link { relay, token, id: letters::random(ID) };
    let (come, coming) = oneshot::channel();
    let Some(Waiting { control, traffic, gone }) = link.wait(come) else { return turn_away(volunteer).await };
    let text = json(&FromRelay::Link { id: link.id.clone().try_into().expect("a name of letters") });
    let master = timeout(MASTER, async {
        control.send(text).await.ok()?;
        drop(control);
        coming.await.ok()
    });
    match master.await {
        Ok(Some(master)) => {
            let (up, down) = link.join(volunteer, master, &traffic, gone).await;
            drop(link);
            tokio::join!(up.linger(), down.linger());
        }
        _ => {
            // First of all nobody may come for it any more.
            drop(link);
            turn_away(volunteer).await;
        }
    }
}

/// The master, whose connection is being upgraded, has come for the link of `volunteer`.
pub(crate) async fn master(volunteer: oneshot::Sender<Raw>, upgrade: OnUpgrade) {
    if let Ok(upgraded) = upgrade.await {
        let _ = volunteer.send(TokioIo::new(upgraded));
    }
}

async fn turn_away(volunteer: Raw) {
    let (_, mut writer) = split(volunteer);
    farewell(&mut writer, Some(LATER)).await;
}

impl Link {
    fn wait(&self, come: oneshot::Sender<Raw>) -> Option<Waiting> {
        let mut rooms = self.relay.rooms();
        let control = rooms.wait(&self.token, self.id.clone(), come).ok()?.clone();
        let Shell { traffic, gone } = rooms.handle(&self.token)?;
        Some(Waiting { control, traffic: traffic.clone(), gone: gone.subscribe() })
    }

    /// Passes frames on until one side closes or goes, the room has been gone for a while, or the relay ends. Both are closed then.
    async fn join(&self, volunteer: Raw, master: Raw, traffic: &Traffic, gone: watch::Receiver<()>) -> (Pump, Pump) {
        let (from_volunteer, to_volunteer) = split(volunteer);
        let (from_master, to_master) = split(master);
        let mut up = Pump::new(from_volunteer, to_master);
        let mut down = Pump::new(from_master, to_volunteer);
        let (end_of_up, end_of_down) = {
            let (mut upward, mut downward) = (pin!(up.run(traffic)), pin!(down.run(traffic)));
            tokio::select! {
                end = &mut upward => {
                    let answer = if end.is_half() { timeout(GRACE, downward).await.ok() } else { None };
                    (Some(end), answer)
                }
                end = &mut downward => {
                    let answer = if end.is_half() { timeout(GRACE, upward).await.ok() } else { None };
                    (answer, Some(end))
                }
                () = self.over(gone) => (None, None),
            }
        };
        tokio::join!(up.close(code(end_of_down)), down.close(code(end_of_up)));
        (up, down)
    }

    async fn over(&self, mut gone: watch::Receiver<()>) {
        let mut relay_ends = self.relay.ending.clone();
        let room_gone = async {
            while gone.changed().await.is_ok() {}
            sleep(GRACE).await;
        };
        tokio::select! {
            () = room_gone => {}
            () = ending(&mut relay_ends) => {}
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.relay.rooms().unlink(&self.token, &self.id);
    }
}

/// Passes `data` through one direction in pieces of so many bytes; none when it breaks the protocol.
pub(crate) fn pass(data: &[u8], piece: usize) -> Option<Vec<u8>> {
    frames::pass(&mut frames::Frames::default(), data, || piece).ok()
}

/// The closing code for who sent what ended so.
fn code(end: Option<End>) -> u16 {
    match end {
        Some(End::Malformed(Malformed::Protocol)) => Malformed::Protocol as u16,
        Some(End::Malformed(Malformed::TooLong)) => Malformed::TooLong as u16,
        _ => GONE,
    }
}

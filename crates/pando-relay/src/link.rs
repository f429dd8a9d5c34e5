//! A link: passes the bytes between a volunteer and its master, if they have no other route.
//!
//! The volunteer opens `/TOKEN/socket`; the master is told and opens `/rooms/TOKEN/links/ID`.
//! Their frames are passed on one to one ([`frames`]). Each direction has its own small buffer,
//! and reads only while its output is taken.

mod asset;
mod frames;
mod pump;

use super::{
    Relay,
    control::json,
    ending,
    handles::{Raw, Shell},
    letters,
    traffic::Traffic,
};
pub(crate) use asset::asset;

use frames::BrokenFrame;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use pando_protocol::relay::FromRelay;
use pump::{Pump, PumpEnd, farewell};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::split,
    sync::{mpsc, oneshot, watch},
    time::{sleep, timeout},
};

/// Length of a link's id. The master claims a link with this id and the room's key.
const ID: usize = 24;
/// How long a link waits for the master.
const MASTER: Duration = Duration::from_secs(10);
/// How long the other direction may take to finish, and how long a link outlives its room.
const GRACE: Duration = Duration::from_secs(10);
/// Closing codes: one side has gone; try again later.
const GONE: u16 = 1001;
const LATER: u16 = 1013;

/// A place for a link in its room. Dropping this value frees the place.
struct LinkPlace {
    relay: Arc<Relay>,
    token: String,
    id: String,
}

/// The parts of a room that a waiting link uses.
struct WaitingLink {
    control: mpsc::Sender<String>,
    traffic: Arc<Traffic>,
    gone: watch::Receiver<()>,
}

/// Waits for the master of the room at `token`, and joins it with the volunteer, whose connection
/// is being upgraded.
pub(crate) async fn volunteer(relay: Arc<Relay>, token: String, upgrade: OnUpgrade) {
    let Ok(upgraded) = upgrade.await else { return };
    let volunteer = TokioIo::new(upgraded);
    let link = LinkPlace { relay, token, id: letters::random(ID) };
    let (come, coming) = oneshot::channel();
    let Some(WaitingLink { control, traffic, gone }) = link.wait(come) else {
        return turn_away(volunteer).await;
    };
    let text =
        json(&FromRelay::Link { id: link.id.clone().try_into().expect("a name of letters") });
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
            // First the link must leave the room, so that the master can no longer claim it.
            drop(link);
            turn_away(volunteer).await;
        }
    }
}

/// Hands the connection of the master, which is being upgraded, to the link of `volunteer`.
pub(crate) async fn master(volunteer: oneshot::Sender<Raw>, upgrade: OnUpgrade) {
    if let Ok(upgraded) = upgrade.await {
        let _ = volunteer.send(TokioIo::new(upgraded));
    }
}

async fn turn_away(volunteer: Raw) {
    let (_, mut writer) = split(volunteer);
    farewell(&mut writer, Some(LATER)).await;
}

impl LinkPlace {
    fn wait(&self, come: oneshot::Sender<Raw>) -> Option<WaitingLink> {
        let mut rooms = self.relay.rooms();
        let control = rooms.wait(&self.token, self.id.clone(), come).ok()?.clone();
        let Shell { traffic, gone } = rooms.handle(&self.token)?;
        Some(WaitingLink { control, traffic: traffic.clone(), gone: gone.subscribe() })
    }

    /// Passes frames on until one side closes or goes, the room has been gone for a while, or the
    /// relay ends. Then closes both sides.
    async fn join(
        &self,
        volunteer: Raw,
        master: Raw,
        traffic: &Traffic,
        gone: watch::Receiver<()>,
    ) -> (Pump, Pump) {
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

impl Drop for LinkPlace {
    fn drop(&mut self) {
        self.relay.rooms().unlink(&self.token, &self.id);
    }
}

/// Passes `data` through one direction in pieces of `piece` bytes; `None` if `data` breaks the
/// protocol.
pub(crate) fn pass(data: &[u8], piece: usize) -> Option<Vec<u8>> {
    frames::pass(&mut frames::Frames::default(), data, || piece).ok()
}

/// The closing code for the sender of a direction with this end.
fn code(end: Option<PumpEnd>) -> u16 {
    match end {
        Some(PumpEnd::BrokenFrame(BrokenFrame::Protocol)) => BrokenFrame::Protocol as u16,
        Some(PumpEnd::BrokenFrame(BrokenFrame::TooLong)) => BrokenFrame::TooLong as u16,
        _ => GONE,
    }
}

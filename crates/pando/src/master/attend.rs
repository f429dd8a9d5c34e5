//! Attends to one volunteer from its hello to its goodbye: the task between a channel and the
//! lender.

mod attendant;
mod goodbye;
mod hear;

pub(crate) use attendant::Attendant;
pub(super) use hear::well_framed;

use super::Master;
use crate::{
    channel::Channel,
    protocol::{self, Frame, Hello, Path, ToMaster, ToVolunteer},
};
use serde::Deserialize;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long a volunteer may take to say hello.
const INTRODUCTION: Duration = Duration::from_secs(10);
/// The longest hello, in bytes: a hello may name every loan of its device.
const LONGEST_HELLO: usize = 1 << 20;

/// The message to a tab when the function is a program.
const ELSEWHERE: &str = "This job runs a program on its owner's machine, and on no other: it cannot use this device. Thank you all the same!";

/// The conditions under which a volunteer is admitted.
#[derive(Debug, Clone, Default)]
pub struct Door {
    /// The token which a hello must name; with an empty token, everyone is admitted.
    pub token: String,
    /// The route of the channel. For a peer connection, the hello tells [`Path::Direct`] from
    /// [`Path::Turn`].
    pub path: Path,
    /// The page of the volunteer.
    pub page: Page,
}

/// What the HTTP request has told about the page of a volunteer, before any hello.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The page was loaded over plain http from another machine, so that browsers withhold some
    /// features.
    pub insecure: bool,
    /// The browser, for example `Chrome 71`.
    pub browser: Option<String>,
}

/// Why a volunteer's channel ends.
#[derive(Debug)]
pub(crate) enum End {
    /// The run is over.
    Done,
    /// The volunteer said goodbye, with a reason: `left` or `hidden`.
    Left(String),
    /// The channel was closed without a goodbye.
    Lost,
    /// The device was silent for three heartbeats.
    Silent,
    /// The device answers pings, but neither computes nor returns its values.
    Stuck,
    /// The same device came back on another channel.
    Replaced,
    /// The device broke the protocol; the text says how.
    Protocol(String),
    /// The device cannot load the function; the text says why.
    Broken(String),
}

impl End {
    fn unheard() -> Self {
        Self::Protocol("it talks and does not listen".into())
    }
}

/// Serves one volunteer until its channel or the run ends; then its values are lent again.
pub async fn attend(master: Arc<Master>, door: Door, mut channel: Channel) {
    let hello = match tokio::time::timeout(INTRODUCTION, channel.incoming.recv()).await {
        Ok(Some(frame)) => introduce(frame, &door),
        Ok(None) | Err(_) => return,
    };
    let hello = match hello {
        Ok(_) if master.job.local_only && door.path != Path::Local => {
            Err(("refused", ELSEWHERE.to_owned()))
        }
        other => other,
    };
    match hello {
        Ok(hello) => {
            let path = match (door.path, hello.path) {
                (Path::Direct, Some(Path::Turn)) => Path::Turn,
                (path, _) => path,
            };
            let mut attendant = Attendant::seat(master, hello, path, door.page, Instant::now());
            let end = drive(&mut attendant, &mut channel).await;
            attendant.leave(&end, Instant::now());
            say_the_rest(attendant, &channel).await;
        }
        Err((reason, text)) => {
            master.console.say(format!("refused a volunteer: {text}"));
            let _ = channel
                .outgoing
                .send(Frame::json(&ToVolunteer::Bye { reason: reason.into(), text }))
                .await;
        }
    }
}

/// The fields which a hello has in every version of the protocol.
#[derive(Deserialize)]
struct Spoken {
    #[serde(rename = "type")]
    kind: String,
    version: u32,
}

pub(crate) fn introduce(frame: Frame, door: &Door) -> Result<Hello, (&'static str, String)> {
    let refused = |text: &str| ("protocol", text.to_owned());
    let Frame::Text(text) = frame else { return Err(refused("its first frame was not a hello")) };
    if text.len() > LONGEST_HELLO {
        return Err(refused("its hello is too long"));
    }
    // A hello of another version may have other fields.
    let spoken = serde_json::from_str(&text).ok().filter(|spoken: &Spoken| spoken.kind == "hello");
    if let Some(theirs) =
        spoken.map(|spoken| spoken.version).filter(|version| *version != protocol::VERSION)
    {
        let ours = protocol::VERSION;
        return Err((
            "version",
            format!(
                "the volunteer speaks version {theirs} of the protocol and this master version {ours}: reload the page"
            ),
        ));
    }
    let Ok(ToMaster::Hello(hello)) = serde_json::from_str(&text) else {
        return Err(refused("its first frame was not a hello"));
    };
    if !same_secret(&hello.token, &door.token) {
        return Err(("refused", "this link is not valid (any more): ask for a new one".into()));
    }
    if hello.device.len() > protocol::LONGEST_DEVICE {
        return Err(refused("its id is too long"));
    }
    Ok(hello)
}

/// Compares two secrets in constant time.
pub(crate) fn same_secret(given: &str, expected: &str) -> bool {
    use subtle::ConstantTimeEq;
    given.as_bytes().ct_eq(expected.as_bytes()).into()
}

/// Drives `attendant` by the events of its channel and its timer, until the session ends.
async fn drive(attendant: &mut Attendant, channel: &mut Channel) -> End {
    let timer = tokio::time::sleep(Duration::ZERO);
    tokio::pin!(timer);
    let wake = attendant.wake.clone();
    loop {
        let (may_send, reads) = (attendant.may_send(), attendant.reads(Instant::now()));
        let step = tokio::select! {
            biased;
            frame = channel.incoming.recv(), if reads => match frame {
                None => Err(End::Lost),
                Some(frame) => attendant.receive(frame, Instant::now()),
            },
            permit = channel.outgoing.reserve(), if may_send => match permit {
                Err(_) => Err(End::Lost),
                Ok(permit) => attendant.next_frame(Instant::now()).map(|frame| {
                    if let Some(frame) = frame {
                        permit.send(frame);
                    }
                }),
            },
            () = wake.notified() => attendant.woken(),
            () = channel.outgoing.closed(), if !reads => Err(End::Lost),
            () = &mut timer => attendant.due(Instant::now()).map(|when| timer.as_mut().reset(when.into())),
        };
        if let Err(end) = step {
            return end;
        }
    }
}

/// Sends the messages still queued when a session ends, but waits at most a second for each.
async fn say_the_rest(mut attendant: Attendant, channel: &Channel) {
    let patience = Duration::from_secs(1);
    while let Some(frame) = attendant.seat.next_message() {
        if !matches!(tokio::time::timeout(patience, channel.outgoing.send(frame)).await, Ok(Ok(())))
        {
            break;
        }
    }
}

//! Attends to one volunteer, from its hello to its end: the task between a channel and the lender.

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

/// Time that a volunteer has to introduce itself.
const INTRODUCTION: Duration = Duration::from_secs(10);
/// Longest hello, in bytes: it may name all values that it holds.
const LONGEST_HELLO: usize = 1 << 20;

/// What a tab is told of a job that is a program.
const ELSEWHERE: &str =
    "This job runs a program on its owner's machine, and on no other: it cannot use this device. Thank you all the same!";

/// Who is let in.
#[derive(Debug, Clone, Default)]
pub struct Door {
    /// What hello must name; empty: anyone.
    pub token: String,
    /// The transport of its channel. For a peer connection the volunteer says whether it is [`Path::Direct`] or [`Path::Turn`].
    pub path: Path,
    /// The page that opens it.
    pub page: Page,
}

/// What is known of a volunteer's page before it says anything.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// It was loaded over plain http, and from another machine: browsers keep some things from it.
    pub insecure: bool,
    /// Its browser, such as `Chrome 71`.
    pub browser: Option<String>,
}

/// Why a volunteer's channel ends.
#[derive(Debug)]
pub(crate) enum End {
    /// The run is over.
    Done,
    /// It left, on purpose: `left` or `hidden`.
    Left(String),
    /// The channel closed under it.
    Lost,
    /// Silent for three heartbeats.
    Silent,
    /// It answers pings, and neither computes nor returns what it was lent.
    Stuck,
    /// The same device came back on another channel.
    Replaced,
    /// It broke the protocol.
    Protocol(String),
    /// The function cannot be loaded there.
    Broken(String),
}

impl End {
    fn unheard() -> Self {
        Self::Protocol("it talks and does not listen".into())
    }
}

/// Serves one volunteer until its channel or the job ends; what it then holds is lent again.
pub async fn attend(master: Arc<Master>, door: Door, mut channel: Channel) {
    let hello = match tokio::time::timeout(INTRODUCTION, channel.incoming.recv()).await {
        Ok(Some(frame)) => introduce(frame, &door),
        Ok(None) | Err(_) => return,
    };
    let hello = match hello {
        Ok(_) if master.job.local_only && door.path != Path::Local => Err(("refused", ELSEWHERE.to_owned())),
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
            let _ = channel.outgoing.send(Frame::json(&ToVolunteer::Bye { reason: reason.into(), text })).await;
        }
    }
}

/// What a hello of any version says.
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
    // Another version's hello may have other fields.
    let spoken = serde_json::from_str(&text).ok().filter(|spoken: &Spoken| spoken.kind == "hello");
    if let Some(theirs) = spoken.map(|spoken| spoken.version).filter(|version| *version != protocol::VERSION) {
        let ours = protocol::VERSION;
        return Err((
            "version",
            format!("the volunteer speaks version {theirs} of the protocol and this master version {ours}: reload the page"),
        ));
    }
    let Ok(ToMaster::Hello(hello)) = serde_json::from_str(&text) else { return Err(refused("its first frame was not a hello")) };
    if !same_secret(&hello.token, &door.token) {
        return Err(("refused", "this link is not valid (any more): ask for a new one".into()));
    }
    if hello.device.len() > protocol::LONGEST_DEVICE {
        return Err(refused("its id is too long"));
    }
    Ok(hello)
}

/// Compares in constant time.
pub(crate) fn same_secret(given: &str, expected: &str) -> bool {
    use subtle::ConstantTimeEq;
    given.as_bytes().ct_eq(expected.as_bytes()).into()
}

/// Lets `attendant` do what there is to do, until the end.
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

/// Says what is still to be said to who is to leave, with little patience.
async fn say_the_rest(mut attendant: Attendant, channel: &Channel) {
    let patience = Duration::from_secs(1);
    while let Some(frame) = attendant.seat.next_message() {
        if !matches!(tokio::time::timeout(patience, channel.outgoing.send(frame)).await, Ok(Ok(()))) {
            break;
        }
    }
}

//! Attends to one volunteer from its hello to its goodbye: the task between a channel and its
//! session. The task has no logic of its own.

use super::{Departure, Session, goodbye::REMOVED};
use crate::{
    channel::Channel,
    master::{registry::Page, run::Master},
    protocol::{self, Frame, Hello, Path, ToMaster, ToVolunteer},
};
use serde::Deserialize;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::debug;

/// How long a volunteer may take to say hello.
const INTRODUCTION: Duration = Duration::from_secs(10);
/// The longest hello, in bytes: a hello may name every loan of its device.
const LONGEST_HELLO: usize = 1 << 20;

/// The message to a tab when the function is a program.
const ELSEWHERE: &str =
    "This job runs a program, which this device cannot run. Thank you all the same!";

/// The conditions under which a volunteer is admitted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Door {
    /// The token which a hello must name; with an empty token, everyone is admitted.
    pub(crate) token: String,
    /// The route of the channel. For a peer connection, the hello tells [`Path::Direct`] from
    /// [`Path::Turn`].
    pub(crate) path: Path,
    /// The page of the volunteer.
    pub(crate) page: Page,
}

/// Serves one volunteer until its channel or the run ends; then its values are lent again.
pub(crate) async fn attend(master: Arc<Master>, door: Door, mut channel: Channel) {
    let hello = match tokio::time::timeout(INTRODUCTION, channel.incoming.recv()).await {
        Ok(Some(frame)) => introduce(frame, &door),
        Ok(None) | Err(_) => return,
    };
    let hello = match hello {
        Ok(hello)
            if master.job.local_only
                && door.path != Path::Local
                && !(master.job.program.is_some() && hello.kind == "native") =>
        {
            Err(("refused", ELSEWHERE.to_owned()))
        }
        Ok(hello) if door.path != Path::Local && master.is_removed(&hello.device) => {
            Err(("stopped", REMOVED.to_owned()))
        }
        other => other,
    };
    match hello {
        Ok(hello) => {
            let path = match (door.path, hello.path) {
                (Path::Direct, Some(Path::Turn)) => Path::Turn,
                (path, _) => path,
            };
            if master.is_outrun(&hello.device, path, Instant::now()) {
                debug!(device = hello.name, "a hello through the relay comes late");
                return;
            }
            let mut session = Session::open(master, hello, path, door.page, Instant::now());
            let device = session.name.clone();
            debug!(device, ?path, "a volunteer has joined");
            let departure = drive(&mut session, &mut channel).await;
            debug!(device, ?departure, "a volunteer is leaving");
            session.leave(&departure, Instant::now());
            send_the_rest(session, &channel).await;
        }
        Err((reason, text)) => {
            master.console.say(format!("refused a volunteer: {text}"));
            let _ = channel
                .outgoing
                .send(Frame::json(&ToVolunteer::Bye { reason: reason.into(), text, items: None }))
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

/// Drives `session` by the events of its channel and its timer, until the session ends.
async fn drive(session: &mut Session, channel: &mut Channel) -> Departure {
    let timer = tokio::time::sleep(Duration::ZERO);
    tokio::pin!(timer);
    let wake = session.wake().clone();
    loop {
        let (may_send, reads) = (session.may_send(), session.read_on(Instant::now()));
        let step = tokio::select! {
            biased;
            frame = channel.incoming.recv(), if reads => match frame {
                None => Err(Departure::Lost),
                Some(frame) => session.receive(frame, Instant::now()),
            },
            permit = channel.outgoing.reserve(), if may_send => match permit {
                Err(_) => Err(Departure::Lost),
                Ok(permit) => session.next_frame(Instant::now()).map(|frame| {
                    if let Some(frame) = frame {
                        permit.send(frame);
                    }
                }),
            },
            () = wake.notified() => session.woken(Instant::now()),
            () = channel.outgoing.closed(), if !reads => Err(Departure::Lost),
            () = &mut timer => session.do_due(Instant::now()).map(|when| timer.as_mut().reset(when.into())),
        };
        if let Err(departure) = step {
            return departure;
        }
    }
}

/// Sends the messages still queued when a session ends, but waits at most a second for each.
async fn send_the_rest(mut session: Session, channel: &Channel) {
    let longest = Duration::from_secs(1);
    while let Some(frame) = session.next_message() {
        if !matches!(tokio::time::timeout(longest, channel.outgoing.send(frame)).await, Ok(Ok(())))
        {
            break;
        }
    }
}

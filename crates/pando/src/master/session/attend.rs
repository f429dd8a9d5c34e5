//! Attends to one volunteer from its hello to its goodbye: the task between a channel and its
//! session. The task has no logic of its own.

use super::{Departure, Session, goodbye::REMOVED};
use crate::{
    channel::ChannelEnd,
    master::{registry::Page, run::Master},
    protocol::{self, Frame, Hello, Path, ToMaster, ToVolunteer},
};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use std::{
    future::poll_fn,
    iter,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};
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
///
/// The steps before and after the session have their memory only while they go on, because there
/// may be thousands of idle volunteers.
pub(crate) async fn attend(master: Arc<Master>, door: Door, channel: &mut impl ChannelEnd) {
    let Some(mut session) = Box::pin(admit(master, door, channel)).await else { return };
    let departure = drive(&mut session, channel).await;
    debug!(device = session.name, ?departure, "a volunteer is leaving");
    session.leave(&departure, Instant::now());
    Box::pin(close(channel, iter::from_fn(|| session.next_message()))).await;
}

/// Opens a session for the volunteer at `channel`; a volunteer that is refused is told why.
async fn admit(master: Arc<Master>, door: Door, channel: &mut impl ChannelEnd) -> Option<Session> {
    let hello = match timeout(INTRODUCTION, channel.next()).await {
        Ok(Some(frame)) => introduce(frame, &door),
        Ok(None) | Err(_) => return None,
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
                return None;
            }
            let session = Session::open(master, hello, path, door.page, Instant::now());
            debug!(device = session.name, ?path, "a volunteer has joined");
            Some(session)
        }
        Err((reason, text)) => {
            master.console.say(format!("refused a volunteer: {text}"));
            let bye = ToVolunteer::Bye { reason: reason.into(), text, items: None };
            close(channel, [Frame::json(&bye)]).await;
            None
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

/// What happens on a channel.
enum ChannelEvent {
    /// A frame has come.
    Received(Frame),
    /// The channel takes a frame.
    HasRoom,
    /// The channel has ended.
    Ended,
}

/// Waits for the next event on `channel`: for a frame if the session `reads`, for room if it
/// `sends`. If it sends nothing, what the channel still holds goes out.
fn poll_event(
    channel: &mut impl ChannelEnd,
    (reads, sends): (bool, bool),
    context: &mut Context<'_>,
) -> Poll<ChannelEvent> {
    if reads && let Poll::Ready(frame) = channel.poll_next_unpin(context) {
        return Poll::Ready(frame.map_or(ChannelEvent::Ended, ChannelEvent::Received));
    }
    let polled = match sends {
        true => channel.poll_ready_unpin(context),
        false => channel.poll_flush_unpin(context),
    };
    match polled {
        Poll::Ready(Err(_)) => Poll::Ready(ChannelEvent::Ended),
        Poll::Ready(Ok(())) if sends => Poll::Ready(ChannelEvent::HasRoom),
        Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
    }
}

/// Drives `session` by the events of its channel and its timer, until the session ends.
async fn drive(session: &mut Session, channel: &mut impl ChannelEnd) -> Departure {
    let timer = sleep(Duration::ZERO);
    tokio::pin!(timer);
    let wake = session.wake().clone();
    loop {
        let wants = (session.read_on(Instant::now()), session.may_send());
        let step = tokio::select! {
            biased;
            event = poll_fn(|context| poll_event(channel, wants, context)) => match event {
                ChannelEvent::Received(frame) => session.receive(frame, Instant::now()),
                ChannelEvent::HasRoom => send_next(session, channel),
                ChannelEvent::Ended => Err(Departure::Lost),
            },
            () = wake.notified() => session.woken(Instant::now()),
            () = &mut timer => session.do_due(Instant::now()).map(|when| timer.as_mut().reset(when.into())),
        };
        if let Err(departure) = step {
            return departure;
        }
    }
}

/// Sends the next frame, if there is one, on a channel that has room.
fn send_next(session: &mut Session, channel: &mut impl ChannelEnd) -> Result<(), Departure> {
    match session.next_frame(Instant::now())? {
        Some(frame) => channel.start_send_unpin(frame).map_err(|_| Departure::Lost),
        None => Ok(()),
    }
}

/// Sends the last messages and closes the channel, but waits at most a second for each. What still
/// comes is of no use.
async fn close<E: ChannelEnd>(channel: &mut E, last: impl IntoIterator<Item = Frame>) {
    for frame in last {
        if !is_done(channel, E::poll_ready_unpin).await || channel.start_send_unpin(frame).is_err()
        {
            return;
        }
    }
    is_done(channel, E::poll_close_unpin).await;
}

/// Polls for a step of the end, for at most a second. Returns whether the step succeeded.
async fn is_done<E: ChannelEnd>(
    channel: &mut E,
    step: impl Fn(&mut E, &mut Context<'_>) -> Poll<Result<(), E::Error>>,
) -> bool {
    let done = poll_fn(|context| {
        while let Poll::Ready(received) = channel.poll_next_unpin(context) {
            if received.is_none() {
                return Poll::Ready(false);
            }
        }
        step(channel, context).map(|result| result.is_ok())
    });
    timeout(Duration::from_secs(1), done).await == Ok(true)
}

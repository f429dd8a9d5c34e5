//! One link through a relay: a volunteer that echoes each value, and the master's end, which
//! counts the echoes.

use anyhow::{Context, bail};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{interval, sleep_until},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, client::IntoClientRequest, protocol::WebSocketConfig},
};

/// The number of values in flight for one volunteer at full speed.
const IN_FLIGHT: usize = 4;
/// The time between heartbeats, as in Pando.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// One in so many round trips is recorded.
const SAMPLED: u64 = 16;

/// A WebSocket over TCP.
pub(super) type Socket = WebSocketStream<TcpStream>;

/// The load that the masters produce.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    /// Only heartbeats.
    Quiet,
    /// One value of this size at a time, one per `pace`.
    Paced { size: usize, pace: Duration },
    /// Values of this size, [`IN_FLIGHT`] at a time.
    Full { size: usize },
}

impl Phase {
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Quiet => 0,
            Self::Paced { size, .. } | Self::Full { size } => *size,
        }
    }

    fn in_flight(&self) -> usize {
        match self {
            Self::Quiet => 0,
            Self::Paced { .. } => 1,
            Self::Full { .. } => IN_FLIGHT,
        }
    }
}

/// The echoes of all volunteers.
#[derive(Debug, Default)]
pub(super) struct EchoCounts {
    echoes: AtomicU64,
    round_trips: Mutex<Vec<u32>>,
}

impl EchoCounts {
    /// The number of echoes since the last call, and a sample of the round trip times in
    /// microseconds. Resets both.
    pub(super) fn take(&self) -> (u64, Vec<u32>) {
        let trips = std::mem::take(&mut *self.round_trips.lock().expect("nobody panics with it"));
        (self.echoes.swap(0, Relaxed), trips)
    }

    fn add(&self, sent: Instant) {
        if self.echoes.fetch_add(1, Relaxed).is_multiple_of(SAMPLED) {
            let micros = u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX);
            self.round_trips.lock().expect("nobody panics with it").push(micros);
        }
    }
}

/// Opens the WebSocket at `path` of the relay at `url`.
pub(super) async fn open(url: &str, path: &str, bearer: Option<&str>) -> anyhow::Result<Socket> {
    let host = url.strip_prefix("http://").context("the relay's URL is plain HTTP")?;
    let mut request = format!("ws://{host}{path}").into_client_request()?;
    if let Some(bearer) = bearer {
        request.headers_mut().insert("authorization", format!("Bearer {bearer}").parse()?);
    }
    let stream = TcpStream::connect(host).await.context("the relay cannot be reached")?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(8 * 1024).write_buffer_size(8 * 1024);
    match client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _)) => Ok(socket),
        Err(error) => bail!("{path}: {error}"),
    }
}

/// Runs a volunteer that echoes each value until its link is closed.
pub(super) async fn echo(mut socket: Socket, mut phase: watch::Receiver<Phase>) {
    let mut beats = interval(HEARTBEAT);
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(message @ Message::Binary(_))) => if socket.send(message).await.is_err() { return },
                Some(Ok(_)) => {}
                _ => return,
            },
            _ = beats.tick() => if socket.send(beat()).await.is_err() { return },
            changed = phase.changed() => if changed.is_err() { return },
        }
    }
}

/// Runs the master's end of a link.
pub(super) async fn drive(
    mut socket: Socket,
    mut phase: watch::Receiver<Phase>,
    counts: &EchoCounts,
) -> anyhow::Result<()> {
    let mut beats = interval(HEARTBEAT);
    let mut present = phase.borrow_and_update().clone();
    let mut under_way: VecDeque<(Instant, usize)> = VecDeque::new();
    let mut value = Bytes::new();
    let mut due = Instant::now();
    loop {
        let may_send = under_way.len() < present.in_flight();
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Binary(bytes))) => {
                    let (sent, size) = under_way.pop_front().context("a value came back that was not sent")?;
                    anyhow::ensure!(bytes.len() == size, "{} bytes came back instead of {size}", bytes.len());
                    counts.add(sent);
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => bail!("a link broke: {error}"),
                None => return Ok(()),
            },
            () = sleep_until(due.into()), if may_send => {
                if value.len() != present.size() {
                    value = vec![7; present.size()].into();
                }
                let now = Instant::now();
                under_way.push_back((now, value.len()));
                socket.send(Message::Binary(value.clone())).await?;
                if let Phase::Paced { pace, .. } = present {
                    due = (due + pace).max(now);
                }
            },
            _ = beats.tick() => socket.send(beat()).await?,
            changed = phase.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                present = phase.borrow_and_update().clone();
                due = Instant::now();
                if let Phase::Paced { pace, .. } = present {
                    // The volunteers must not all start at the same moment.
                    due += pace.mul_f64(fastrand::f64());
                }
            }
        }
    }
}

fn beat() -> Message {
    Message::Text(r#"{"type":"ping","t":1234567890123}"#.into())
}

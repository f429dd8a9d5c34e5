//! The connection to the master: opened, and opened again after each loss. While a better route
//! may exist than the present one, the link tries the better routes from time to time, and moves to
//! one that is open.

use crate::{
    address::Address,
    dial::{Loss, Transport, dial},
    socket::{Socket, SocketEvent},
};
use pando_client::{WebServer, backoff, random};
use pando_protocol::volunteer::Frame;
use std::{
    future::{Future, pending},
    pin::Pin,
    time::{Duration, Instant},
};
use tokio::time::{sleep_until, timeout};

/// The time after which the relay is tried as well, while a direct connection is tried.
const RELAY_AFTER: Duration = Duration::from_millis(700);
/// How long an attempt over a better route may take.
const BETTER: Duration = Duration::from_secs(10);
/// The time until the first attempt over a better route, and between later ones.
const BETTER_AFTER: Duration = Duration::from_secs(10);
const BETTER_LONGEST: Duration = Duration::from_secs(600);

/// An event of the link.
#[derive(Debug)]
pub(crate) enum LinkEvent {
    /// A connection is open, the first time, after a loss, or in place of a worse one.
    /// [`Link::next`] gives its frames.
    Opened,
    /// A frame of the master.
    Frame(Frame),
    /// The connection has room for a frame: [`Link::send`].
    HasRoom,
    /// All frames have gone to the system.
    Flushed,
    /// The connection is lost, or cannot be opened.
    Lost(Loss),
}

type Dialling = Pin<Box<dyn Future<Output = Result<Socket, Loss>> + Send>>;

enum DialState {
    Waiting(Instant),
    /// An attempt over the transport of this number. With a time, the relay is tried as well then.
    Dialling(usize, Dialling, Option<Instant>),
    /// A connection over the transport of this number.
    Open(usize, Box<Socket>),
}

/// An attempt over a better transport than the present one.
enum Better {
    /// There is none to look for, or not before the welcome.
    None,
    /// The next attempt begins at this time.
    At(Instant),
    Dialling(usize, Dialling),
    /// The better connection is open, and the present one has frames to send first.
    Open(usize, Box<Socket>),
}

/// See the module.
pub(crate) struct Link {
    server: WebServer,
    address: Address,
    /// Best first.
    transports: Vec<Transport>,
    state: DialState,
    better: Better,
    /// The attempts over better transports that failed.
    better_tries: u32,
    /// The connection before the present one, until the welcome.
    previous: Option<Box<Socket>>,
    /// Whether frames were given to the connection since it was flushed.
    unflushed: bool,
    /// The attempts to connect that failed since the last welcome.
    failures: u32,
    /// Since when there has been no welcome.
    away_since: Instant,
}

impl Link {
    /// A link that connects at once. `is_relay`: whether a relay serves the address.
    pub(crate) fn new(server: WebServer, address: Address, is_relay: bool) -> Self {
        let now = Instant::now();
        Self {
            server,
            address,
            transports: Transport::all(is_relay),
            state: DialState::Waiting(now),
            better: Better::None,
            better_tries: 0,
            previous: None,
            unflushed: false,
            failures: 0,
            away_since: now,
        }
    }

    /// Since when the master has not been there.
    pub(crate) fn away_since(&self) -> Instant {
        self.away_since
    }

    /// Whether the present connection took the place of another one that was open.
    pub(crate) fn has_moved(&self) -> bool {
        self.previous.is_some()
    }

    /// The transport of the present connection.
    pub(crate) fn transport(&self) -> Option<Transport> {
        match &self.state {
            DialState::Open(number, _) => Some(self.transports[*number]),
            _ => None,
        }
    }

    /// The master has said welcome.
    pub(crate) fn welcomed(&mut self) {
        self.failures = 0;
        self.previous = None;
        // An attempt that has begun before goes on.
        if matches!(self.better, Better::None) {
            self.look_for_better();
        }
    }

    /// Plans the next attempt over a better transport, if there is one.
    fn look_for_better(&mut self) {
        self.better = match self.state {
            DialState::Open(1.., _) => {
                let longest =
                    BETTER_LONGEST.min(BETTER_AFTER * 2_u32.pow(self.better_tries.min(16)));
                Better::At(Instant::now() + longest.mul_f64(0.5 + random() / 2.0))
            }
            _ => Better::None,
        };
    }

    /// Gives the connection up. Another one is opened after a while.
    pub(crate) fn drop_socket(&mut self) {
        if matches!(self.state, DialState::Open(..)) && self.failures == 0 {
            self.away_since = Instant::now();
        }
        let wait = backoff(self.failures, self.away_since.elapsed(), random());
        self.failures += 1;
        self.unflushed = false;
        (self.better, self.better_tries, self.previous) = (Better::None, 0, None);
        self.state = DialState::Waiting(Instant::now() + wait);
    }

    /// The next event. `has_frame`: whether there is a frame to send. This function may be
    /// cancelled.
    pub(crate) async fn next(&mut self, has_frame: bool) -> LinkEvent {
        loop {
            if let Better::Open(..) = self.better
                && !self.unflushed
            {
                self.move_on();
                return LinkEvent::Opened;
            }
            // Before the link moves, the present connection only sends what it has.
            let has_frame = has_frame && !matches!(self.better, Better::Open(..));
            match &mut self.state {
                DialState::Waiting(until) => {
                    sleep_until((*until).into()).await;
                    self.dial_first();
                }
                DialState::Dialling(number, dialling, relay_at) => {
                    let number = *number;
                    let dialled = tokio::select! {
                        dialled = dialling => dialled,
                        () = at(*relay_at) => {
                            self.try_relay_as_well();
                            continue;
                        }
                        found = improve(&mut self.better) => {
                            if let Some(Ok(socket)) = found {
                                // The direct connection is there before the one through the relay.
                                self.better = Better::None;
                                self.state = DialState::Open(0, Box::new(socket));
                                return LinkEvent::Opened;
                            }
                            self.better = Better::None;
                            continue;
                        }
                    };
                    match dialled {
                        Ok(socket) => {
                            self.state = DialState::Open(number, Box::new(socket));
                            return LinkEvent::Opened;
                        }
                        Err(_) if number + 1 < self.transports.len() => self.dial_last(),
                        Err(loss) => match std::mem::replace(&mut self.better, Better::None) {
                            Better::Dialling(number, dialling) => {
                                self.state = DialState::Dialling(number, dialling, None);
                            }
                            _ => {
                                self.drop_socket();
                                return LinkEvent::Lost(loss);
                            }
                        },
                    }
                }
                DialState::Open(_, socket) => {
                    let event = tokio::select! {
                        event = socket.next(has_frame, self.unflushed) => event,
                        found = improve(&mut self.better) => {
                            self.found(found);
                            continue;
                        }
                    };
                    self.unflushed &= !matches!(event, SocketEvent::Flushed);
                    return match event {
                        SocketEvent::Frame(frame) => LinkEvent::Frame(frame),
                        SocketEvent::HasRoom => LinkEvent::HasRoom,
                        SocketEvent::Flushed => LinkEvent::Flushed,
                        SocketEvent::Closed(why) => {
                            self.drop_socket();
                            LinkEvent::Lost(Loss::Broken(why))
                        }
                    };
                }
            }
        }
    }

    /// Begins an attempt over the best transport.
    fn dial_first(&mut self) {
        if self.transports.len() == 1 {
            return self.dial_last();
        }
        let relay_at = Some(Instant::now() + RELAY_AFTER);
        self.state = DialState::Dialling(0, self.dialling_better(0), relay_at);
        // If this attempt fails, the next one over a better transport takes another.
        self.better_tries = 1;
    }

    /// Begins an attempt over the last transport, which works where any does.
    fn dial_last(&mut self) {
        let last = self.transports.len() - 1;
        let dialling = dial(self.transports[last], self.server.clone(), self.address.clone());
        self.state = DialState::Dialling(last, Box::pin(dialling), None);
    }

    /// Begins an attempt over the last transport beside the present one.
    fn try_relay_as_well(&mut self) {
        let waiting = DialState::Waiting(Instant::now());
        if let DialState::Dialling(number, dialling, _) =
            std::mem::replace(&mut self.state, waiting)
        {
            self.better = Better::Dialling(number, dialling);
        }
        self.dial_last();
    }

    fn dialling_better(&self, number: usize) -> Dialling {
        let dialling = dial(self.transports[number], self.server.clone(), self.address.clone());
        Box::pin(async move {
            let slow = |_| Err(Loss::Broken("it takes too long".into()));
            timeout(BETTER, dialling).await.unwrap_or_else(slow)
        })
    }

    /// Takes a step on the way to a better connection: `None` begins an attempt, and the other
    /// values are the end of an attempt.
    fn found(&mut self, found: Option<Result<Socket, Loss>>) {
        match (found, &self.better, &self.state) {
            (None, _, DialState::Open(present, _)) => {
                let number = self.better_tries as usize % *present;
                self.better_tries += 1;
                self.better = Better::Dialling(number, self.dialling_better(number));
            }
            (Some(Ok(socket)), Better::Dialling(number, _), _) => {
                self.better = Better::Open(*number, Box::new(socket));
            }
            _ => self.look_for_better(),
        }
    }

    /// Makes the better connection the present one.
    fn move_on(&mut self) {
        if let Better::Open(number, socket) = std::mem::replace(&mut self.better, Better::None)
            && let DialState::Open(_, previous) =
                std::mem::replace(&mut self.state, DialState::Open(number, socket))
        {
            (self.previous, self.away_since) = (Some(previous), Instant::now());
        }
    }

    /// Keeps the present connection, because this volunteer leaves.
    pub(crate) fn stay(&mut self) {
        self.better = Better::None;
    }

    /// Gives `frame` to the connection, after [`LinkEvent::HasRoom`].
    pub(crate) fn send(&mut self, frame: Frame) {
        if let DialState::Open(_, socket) = &mut self.state {
            socket.send(frame);
            self.unflushed = true;
        }
    }

    /// Closes the connection, after its frames are flushed.
    pub(crate) async fn close(&mut self) {
        let waiting = DialState::Waiting(Instant::now());
        if let DialState::Open(_, socket) = std::mem::replace(&mut self.state, waiting) {
            socket.close().await;
        }
    }
}

/// Waits until a time, if there is one.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time.into()).await,
        None => pending().await,
    }
}

/// The next step on the way to a better connection: `None` when the time for an attempt has come.
async fn improve(better: &mut Better) -> Option<Result<Socket, Loss>> {
    match better {
        Better::At(time) => {
            sleep_until((*time).into()).await;
            None
        }
        Better::Dialling(_, dialling) => Some(dialling.await),
        Better::None | Better::Open(..) => pending().await,
    }
}

//! One volunteer: joins, answers values, and reconnects when its link is cut.

use super::{
    Counts, Options,
    link::{Address, Link},
    work::Work,
};
use anyhow::anyhow;
use bytes::Bytes;
use futures_util::StreamExt;
use pando_protocol::volunteer::{
    Answer, Assembler, Beat, Binary, Frame, Hello, Malformed, PART, ToMaster, ToVolunteer, VERSION,
    encode_results,
};
use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};
use tokio_tungstenite::tungstenite::Message;

/// The pause before a volunteer reconnects.
const PAUSE: Duration = Duration::from_millis(200);
/// The number of attempts to reach the master, one per pause.
const ATTEMPTS: u32 = 25;

/// The reason for the end of a link.
enum End {
    /// The run is done or stopped.
    Done,
    /// The volunteer crashed by chance.
    Crashed,
    /// The master or the network is gone.
    Lost,
    /// The master sent the volunteer away: reason and text.
    SentAway(String),
}

/// Runs one volunteer until the run is over.
pub(super) async fn live(
    number: u64,
    options: Arc<Options>,
    address: Arc<Address>,
    counts: Arc<Counts>,
) -> anyhow::Result<()> {
    let (mut attempts, mut lives) = (0, 0);
    loop {
        match Link::open(&address, options.delay).await {
            // The volunteer had joined before, so the run is over.
            Err(_) if lives > 0 => return Ok(()),
            Err(error) if attempts == ATTEMPTS => return Err(error),
            Err(_) => attempts += 1,
            Ok(link) => {
                lives += 1;
                match Volunteer::new(number, &options, &counts, link).run(&address).await {
                    End::Done => return Ok(()),
                    End::SentAway(why) => {
                        return Err(anyhow!("volunteer {number} was sent away: {why}"));
                    }
                    End::Crashed => counts.crashes.fetch_add(1, Relaxed),
                    End::Lost => counts.lost.fetch_add(1, Relaxed),
                };
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

struct Volunteer<'a> {
    number: u64,
    options: &'a Options,
    counts: &'a Counts,
    link: Link,
    work: Work,
    assembler: Assembler,
    chance: fastrand::Rng,
    /// The received messages, each with the time at which the latency ends.
    arriving: VecDeque<(Instant, Message)>,
    heartbeat: Duration,
    last_sent: Instant,
    last_received: Instant,
}

impl<'a> Volunteer<'a> {
    fn new(number: u64, options: &'a Options, counts: &'a Counts, link: Link) -> Self {
        let mut chance = fastrand::Rng::new();
        let work = Work::new(options.cores, options.compute, options.failure_rate, chance.fork());
        let now = Instant::now();
        Self {
            number,
            options,
            counts,
            link,
            work,
            assembler: Assembler::default(),
            chance,
            arriving: VecDeque::new(),
            heartbeat: Duration::from_secs(5),
            last_sent: now,
            last_received: now,
        }
    }

    async fn run(mut self, address: &Address) -> End {
        let hello = self.hello(address);
        self.say(&ToMaster::Hello(hello), Instant::now());
        loop {
            let wake = self.next();
            tokio::select! {
                message = self.link.incoming.next() => match message {
                    Some(Ok(message)) => self.arriving.push_back((Instant::now() + self.options.delay, message)),
                    Some(Err(_)) | None if self.arriving.is_empty() => return End::Lost,
                    Some(Err(_)) | None => tokio::time::sleep(self.options.delay).await,
                },
                () = tokio::time::sleep_until(wake.into()) => {}
            }
            let now = Instant::now();
            while let Some((_, message)) = self.arriving.pop_front_if(|(due, _)| *due <= now) {
                if let Err(end) = self.receive(message, now) {
                    return end;
                }
            }
            if let Err(end) = self.pass_time(now) {
                return end;
            }
        }
    }

    fn hello(&mut self, address: &Address) -> Hello {
        Hello {
            version: VERSION,
            token: address.token.clone(),
            device: format!("{:016x}", self.chance.u64(..)),
            name: format!("Swarm {}", self.number),
            cores: self.options.cores,
            job: None,
            holds: Vec::new(),
            kind: "native".into(),
            path: None,
            reloaded: false,
        }
    }

    /// The next time at which the volunteer has to act, even if no message comes.
    fn next(&self) -> Instant {
        let beat = (self.last_sent + self.heartbeat).min(self.last_received + self.heartbeat * 3);
        let arrival = self.arriving.front().map(|(due, _)| *due);
        self.work.next().into_iter().chain(arrival).fold(beat, Instant::min)
    }

    fn pass_time(&mut self, now: Instant) -> Result<(), End> {
        let answers = self.work.advance(now);
        self.answer(&answers, now);
        let items = self.work.long_calls(now);
        if !items.is_empty() {
            self.say(&ToMaster::Started { items, loading: None }, now);
        }
        if now >= self.last_received + self.heartbeat * 3 {
            return Err(End::Lost);
        }
        if now >= self.last_sent + self.heartbeat {
            self.say(&ToMaster::Ping(Beat { t: 0.into() }), now);
        }
        Ok(())
    }

    fn receive(&mut self, message: Message, now: Instant) -> Result<(), End> {
        self.last_received = now;
        match message {
            Message::Binary(frame) => self.binary(frame, now),
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(message) => self.message(message, now),
                Err(error) => Err(End::SentAway(format!("the master said {text}: {error}"))),
            },
            Message::Close(_) => Err(End::Lost),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(()),
        }
    }

    fn message(&mut self, message: ToVolunteer, now: Instant) -> Result<(), End> {
        match message {
            ToVolunteer::Welcome(welcome) => {
                self.heartbeat = Duration::from_millis(welcome.options.heartbeat.max(1));
                self.counts.joins.fetch_add(1, Relaxed);
                self.counts.all_joined.notify_one();
            }
            ToVolunteer::Recall { ids } => {
                let ids = self.work.recall(&ids);
                self.say(&ToMaster::Returned { ids, careful: false }, now);
            }
            ToVolunteer::Ping(beat) => self.say(&ToMaster::Pong(beat), now),
            ToVolunteer::Pong(_) => {}
            ToVolunteer::Bye { reason, .. } if reason == "done" || reason == "stopped" => {
                return Err(End::Done);
            }
            ToVolunteer::Bye { reason, text } => {
                return Err(End::SentAway(format!("{reason}: {text}")));
            }
        }
        Ok(())
    }

    fn binary(&mut self, frame: Bytes, now: Instant) -> Result<(), End> {
        let malformed = |error: Malformed| End::SentAway(format!("the master sent a {error}"));
        let mut binary = Binary::decode(frame).map_err(malformed)?;
        if let Binary::Part { total, bytes } = binary {
            let Some(whole) = self.assembler.part(total, &bytes).map_err(malformed)? else {
                return Ok(());
            };
            binary = Binary::decode(whole).map_err(malformed)?;
        }
        let Binary::Values(values) = binary else {
            return Err(End::SentAway("the master sent no values".into()));
        };
        self.counts.frames.fetch_add(1, Relaxed);
        let stays = (1.0 - self.options.leave_rate).powf(values.len() as f64);
        if stays < 1.0 && self.chance.f64() >= stays {
            return Err(End::Crashed);
        }
        let answers = self.work.extend(values, now);
        self.answer(&answers, now);
        Ok(())
    }

    /// Sends answers, as many per frame as fit without parts.
    fn answer(&mut self, mut answers: &[Answer], now: Instant) {
        self.counts.values.fetch_add(answers.len() as u64, Relaxed);
        while !answers.is_empty() {
            let (piece, rest) = answers.split_at(fitting(answers));
            self.counts.errors.fetch_add(
                piece.iter().filter(|answer| answer.result.is_err()).count() as u64,
                Relaxed,
            );
            self.send(Frame::Binary(encode_results(piece)), now);
            answers = rest;
        }
    }

    fn say(&mut self, message: &ToMaster, now: Instant) {
        self.send(Frame::json(message), now);
    }

    fn send(&mut self, frame: Frame, now: Instant) {
        self.last_sent = now;
        self.link.send(frame, now);
    }
}

/// The number of `answers` that fit in a frame: at least one.
fn fitting(answers: &[Answer]) -> usize {
    let mut length = 0;
    let fits = |answer: &&Answer| {
        length += 24
            + answer
                .result
                .as_ref()
                .map_or_else(|failure| failure.message.len() + 64, |(_, bytes)| bytes.len());
        length <= PART
    };
    answers.iter().take_while(fits).count().max(1)
}

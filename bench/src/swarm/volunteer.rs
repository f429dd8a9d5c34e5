//! One volunteer: joins, answers values, and reconnects when its link is cut.

use super::{
    Counts, Options,
    cores::{Cores, Function},
    link::{Address, Link},
};
use anyhow::anyhow;
use bytes::Bytes;
use futures_util::StreamExt;
use pando_protocol::volunteer::{Failure, Form, Frame, Value};
use pando_volunteer::{Goodbye, Host, Introduction};
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

/// One life of a volunteer: a real host, with simulated cores.
struct Volunteer<'a> {
    options: &'a Options,
    counts: &'a Counts,
    link: Link,
    host: Host,
    cores: Cores,
    echo: Echo,
    /// The received messages, each with the time at which the latency ends.
    arriving: VecDeque<(Instant, Message)>,
}

/// Each call takes the same time, and answers its value with itself.
struct Echo {
    compute: Duration,
    failure_rate: f64,
    chance: fastrand::Rng,
}

impl Function for Echo {
    fn time(&mut self) -> Duration {
        self.compute
    }

    fn answer(&mut self, value: Value) -> Result<(Form, Bytes), Failure> {
        if self.failure_rate > 0.0 && self.chance.f64() < self.failure_rate {
            let message = "it fails by chance";
            return Err(Failure::new(message, "error"));
        }
        Ok((value.form, value.bytes))
    }
}

impl<'a> Volunteer<'a> {
    fn new(number: u64, options: &'a Options, counts: &'a Counts, link: Link) -> Self {
        let mut chance = fastrand::Rng::new();
        let host = Host::new(Introduction {
            device: format!("{:016x}", chance.u64(..)),
            name: format!("Swarm {number}"),
            kind: "native".into(),
            cores: options.cores,
        });
        let Options { compute, failure_rate, .. } = *options;
        let echo = Echo { compute, failure_rate, chance };
        let (cores, arriving) = (Cores::default(), VecDeque::new());
        Self { options, counts, link, host, cores, echo, arriving }
    }

    async fn run(mut self, address: &Address) -> End {
        let now = Instant::now();
        self.host.connected(&address.token, now);
        self.send(now);
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

    /// The next time at which the volunteer has to act, even if no message comes.
    fn next(&self) -> Instant {
        let arrival = self.arriving.front().map(|(due, _)| *due);
        let times = [self.host.due(), self.host.silent_at(), self.cores.next(), arrival];
        times.into_iter().flatten().min().unwrap_or_else(Instant::now)
    }

    fn pass_time(&mut self, now: Instant) -> Result<(), End> {
        if self.host.silent_at().is_some_and(|at| at <= now) {
            return Err(End::Lost);
        }
        if self.host.due().is_some_and(|at| at <= now) {
            self.host.pass_time(now);
        }
        self.compute(now)?;
        self.send(now);
        Ok(())
    }

    fn receive(&mut self, message: Message, now: Instant) -> Result<(), End> {
        let frame = match message {
            Message::Binary(frame) => {
                self.counts.frames.fetch_add(1, Relaxed);
                Frame::Binary(frame)
            }
            Message::Text(text) => Frame::Text(text.as_str().into()),
            Message::Close(_) => return Err(End::Lost),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Ok(()),
        };
        let was_welcome = self.host.is_welcome();
        self.host
            .receive(frame, now)
            .map_err(|error| End::SentAway(format!("the master sent a {error}")))?;
        if self.host.is_welcome() && !was_welcome {
            self.counts.joins.fetch_add(1, Relaxed);
            self.counts.all_joined.notify_one();
        }
        match self.host.goodbye() {
            None => Ok(()),
            Some(bye) if bye.reason == "done" || bye.reason == "stopped" => Err(End::Done),
            Some(Goodbye { reason, text }) => Err(End::SentAway(format!("{reason}: {text}"))),
        }
    }

    /// Lets the cores compute. With some chance, the volunteer crashes at a value.
    fn compute(&mut self, now: Instant) -> Result<(), End> {
        loop {
            let given = self.cores.obey(&mut self.host, now);
            let stays = (1.0 - self.options.leave_rate).powf(given as f64);
            if stays < 1.0 && self.echo.chance.f64() >= stays {
                return Err(End::Crashed);
            }
            let done = self.cores.advance(now, &mut self.echo);
            if done.is_empty() {
                return Ok(());
            }
            for (id, answers) in done {
                let errors = answers.iter().filter(|answer| answer.result.is_err()).count();
                self.counts.errors.fetch_add(errors as u64, Relaxed);
                self.counts.values.fetch_add(answers.len() as u64, Relaxed);
                self.host.answered(id, &answers, now);
            }
        }
    }

    fn send(&mut self, now: Instant) {
        while let Some(frame) = self.host.next_frame(now) {
            self.link.send(frame, now);
        }
    }
}

//! One volunteer: a host with its cores and its link to the master. The task has little logic of
//! its own.

use crate::{
    address::Address,
    assets::AssetsOnDisk,
    dial::{Loss, Transport},
    engine::{Gateway, NoEngine, Prepared, PreparedWork, prepare},
    link::{Link, LinkEvent},
    news::{JoinNews, JoinProgress},
    options::JoinOptions,
    requests::LeaveRequests,
    share::Closing,
    work::{Preparing, Said, Work, finished, heard},
};
use pando_client::WebServer;
use pando_process::{duration::spoken, number::count, signals::TOGETHER};
use pando_protocol::core::CoreMessage;
use pando_volunteer::{CoreEvent, Cores, Goodbye, Host, Introduction, Runner};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::{sleep_until, timeout};
use tracing::debug;

/// The time between two looks at the work.
const TICK: Duration = Duration::from_millis(500);
/// How long the return of all values may take: some round trips far away, or the turn of a busy
/// machine. Schedulers that take a machine away wait longer.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How long a server may answer that it knows no run at the address, before the run counts as over.
/// A relay that has just started does not know its rooms for a moment.
const MISSING: Duration = Duration::from_secs(10);

/// How the work for a run has ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The master has said goodbye.
    Goodbye(Goodbye),
    /// The owner of this machine wants it to leave. `returned`: whether the master was told.
    Left { returned: bool },
    /// There was nothing to compute for too long.
    Idle,
    /// The run does not answer any more, in words.
    Gone(String),
    /// This machine cannot compute for the run, in words.
    Unfit(String),
}

/// See the module.
pub(crate) struct Volunteer {
    options: JoinOptions,
    server: WebServer,
    /// The engine of this machine, and its sandbox; `None` for a machine that runs a program.
    runner: Option<Arc<Runner>>,
    /// Present if the job is shared with further devices.
    gateway: Option<Gateway>,
    news: JoinNews,
    host: Host,
    link: Link,
    /// The job of `work` or `preparing`.
    job: Option<String>,
    preparing: Option<Preparing>,
    work: Option<Work>,
    /// The assets of the job.
    assets: Option<AssetsOnDisk>,
    title: String,
    /// Whether the master was there at the last look.
    connected: bool,
    /// Whether the master was ever there.
    known: bool,
    missing_since: Option<Instant>,
    idle_since: Instant,
    /// The number of computed values at the last look.
    seen: u64,
    next_look: Instant,
    /// Why a core could not load the function.
    broken: Option<String>,
}

impl Volunteer {
    /// A volunteer with the id `device` for the run at `server`.
    pub(crate) fn new(
        options: &JoinOptions,
        server: WebServer,
        device: &str,
        news: JoinNews,
        runner: Option<Arc<Runner>>,
        gateway: Option<Gateway>,
        is_relay: bool,
    ) -> Self {
        let now = Instant::now();
        let introduction = |cores| Introduction {
            device: device.to_owned(),
            name: options.name(),
            kind: "native".into(),
            cores,
        };
        Self {
            host: match gateway {
                Some(_) => Host::gateway(introduction(0)),
                None => Host::new(introduction(options.cores())),
            },
            link: Link::new(server.clone(), options.url.clone(), is_relay),
            options: options.clone(),
            server,
            runner,
            gateway,
            news,
            job: None,
            preparing: None,
            work: None,
            assets: None,
            title: String::new(),
            connected: false,
            known: false,
            missing_since: None,
            idle_since: now,
            seen: 0,
            next_look: now + TICK,
            broken: None,
        }
    }

    /// The number of values that this machine has computed.
    pub(crate) fn computed(&self) -> u64 {
        self.host.computed()
    }

    /// Why a core could not load the function, if one could not.
    pub(crate) fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    fn address(&self) -> &Address {
        &self.options.url
    }

    /// Computes until the end.
    pub(crate) async fn work(&mut self, requests: &mut LeaveRequests) -> End {
        loop {
            if let Some(work) = &mut self.work {
                work.obey(&mut self.host);
            }
            if let Some(goodbye) = self.host.goodbye() {
                return End::Goodbye(goodbye.clone());
            }
            let due = [self.host.due(), self.host.silent_at()].into_iter().flatten();
            let due = due.chain([self.next_look]).min().unwrap_or(self.next_look);
            let has_frame = self.host.has_frame();
            // What has come is read before silence is noticed.
            let end = tokio::select! {
                biased;
                () = requests.next() => Some(self.leave(requests).await),
                event = self.link.next(has_frame) => self.take(event),
                said = heard(&mut self.work) => match said {
                    Some(said) => {
                        self.hear(said);
                        None
                    }
                    None => Some(self.leave(requests).await),
                },
                prepared = finished(&mut self.preparing) => self.prepared(prepared),
                () = sleep_until(due.into()) => self.pass_time(Instant::now()),
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// Takes an event of the link.
    fn take(&mut self, event: LinkEvent) -> Option<End> {
        let now = Instant::now();
        match event {
            LinkEvent::Opened => {
                self.missing_since = None;
                self.connected = false;
                let token = self.address().token().to_owned();
                let path = match self.link.transport() {
                    Some(Transport::Peer(route)) => route.path(),
                    _ => None,
                };
                self.host.connected_by(&token, path, now);
            }
            LinkEvent::Frame(frame) => {
                if let Err(error) = self.host.receive(frame, now) {
                    self.lose(&error.to_string());
                }
                if self.host.is_welcome() && !self.connected {
                    self.welcomed();
                }
            }
            LinkEvent::HasRoom => {
                if let Some(frame) = self.host.next_frame(now) {
                    self.link.send(frame);
                }
            }
            LinkEvent::Flushed => {}
            LinkEvent::Lost(Loss::Broken(why)) => {
                self.missing_since = None;
                self.lost(&why);
            }
            LinkEvent::Lost(Loss::NoRun) => {
                self.lost("there is no run at the address");
                let since = *self.missing_since.get_or_insert(now);
                if now.saturating_duration_since(since) >= MISSING || !self.known {
                    return Some(End::Gone(format!(
                        "there is no run at {} any more: it is over",
                        self.address()
                    )));
                }
            }
        }
        None
    }

    /// The master is there, for the first time or again.
    fn welcomed(&mut self) {
        self.connected = true;
        let has_moved = self.link.has_moved();
        self.link.welcomed();
        let Some(welcome) = self.host.welcome() else { return };
        if self.job.as_ref() == Some(&welcome.job) {
            self.news.say(&match self.link.transport() {
                Some(Transport::Peer(route)) if has_moved => format!("goes on {}", route.words()),
                _ => "connected again".into(),
            });
            if let Some(Work::Shared(shared)) = &self.work {
                self.host.pass_up(shared.in_progress(), Instant::now());
            }
            return;
        }
        if self.known {
            self.news.say("another run has begun");
        }
        self.known = true;
        self.job = Some(welcome.job.clone());
        (self.work, self.assets) = (None, None);
        let (server, options) = (self.server.clone(), self.options.clone());
        let (runner, gateway) = (self.runner.clone(), self.gateway.clone());
        self.preparing = Some(Box::pin(prepare(server, options, welcome.clone(), runner, gateway)));
    }

    fn prepared(&mut self, prepared: Result<Prepared, NoEngine>) -> Option<End> {
        self.preparing = None;
        match prepared {
            Ok(Prepared { work, assets, name, title }) => {
                let what = if title.is_empty() { String::new() } else { format!(" for {title}") };
                let (address, machine) = (self.address(), self.options.name());
                let cores = self.options.cores();
                self.news.say(&match work {
                    PreparedWork::Engine(_) => format!(
                        "joined {address} as {machine}: {} compute{}{what} with {name}",
                        count(cores.into(), "core"),
                        if cores == 1 { "s" } else { "" },
                    ),
                    PreparedWork::Shared(_) => {
                        format!("joined {address} as {machine}, to share the job{what}: {name}")
                    }
                });
                self.title = title;
                self.assets = assets;
                self.work = Some(match work {
                    PreparedWork::Shared(shared) => Work::Shared(shared),
                    PreparedWork::Engine(engine) => {
                        let (cores, said) = Cores::new(engine, None);
                        Work::Cores(cores, said)
                    }
                });
                None
            }
            Err(NoEngine::Lost(why)) => {
                // The next welcome begins the job anew.
                self.job = None;
                self.lose(&why);
                None
            }
            Err(NoEngine::Unfit(why)) => Some(End::Unfit(why)),
        }
    }

    fn hear(&mut self, said: Said) {
        let (id, event) = match said {
            Said::Shared(said) => return self.host.pass_up(said, Instant::now()),
            Said::Core(id, event) => (id, event),
        };
        if let CoreEvent::Message(CoreMessage::Broken { message, .. }) = &event {
            self.broken = Some(message.clone());
        }
        self.host.hear(id, event, Instant::now());
    }

    /// Gives the present socket up.
    fn lose(&mut self, why: &str) {
        self.link.drop_socket();
        self.lost(why);
    }

    /// The link is lost. The cores compute on.
    fn lost(&mut self, why: &str) {
        debug!(why, "the link is lost");
        self.host.lost();
        if std::mem::take(&mut self.connected) {
            self.news.say(&format!("the connection is lost ({why}): connecting again"));
        }
    }

    fn pass_time(&mut self, now: Instant) -> Option<End> {
        if self.host.silent_at().is_some_and(|silent| now >= silent) {
            self.lose("the run's machine is silent");
        }
        self.host.pass_time(now);
        if now < self.next_look {
            return None;
        }
        self.next_look = now + TICK;
        let held = self.host.held().count();
        let computed = self.host.computed();
        if held > 0 || computed != self.seen {
            (self.idle_since, self.seen) = (now, computed);
        }
        self.news.show(&self.title, JoinProgress { computed, held, connected: self.connected });
        if self.options.until_idle.is_some_and(|longest| now >= self.idle_since + longest) {
            return Some(End::Idle);
        }
        let away = now.saturating_duration_since(self.link.away_since());
        if !self.connected && away >= self.options.patience {
            return Some(End::Gone(format!(
                "the run at {} has not answered for {}",
                self.address(),
                spoken(self.options.patience)
            )));
        }
        None
    }

    /// Hands everything back, and says goodbye. A further request ends this at once.
    async fn leave(&mut self, requests: &mut LeaveRequests) -> End {
        let again = async {
            // Signals soon after the first belong to it.
            let _ = timeout(TOGETHER, async {
                loop {
                    requests.next().await;
                }
            })
            .await;
            requests.next().await;
        };
        let returned = tokio::select! {
            returned = Self::say_goodbye(&mut self.host, &mut self.link, self.connected) => returned,
            _ = again => false,
        };
        End::Left { returned }
    }

    /// Hands everything back, and says goodbye. Returns whether the master was told.
    pub(crate) async fn depart(&mut self) -> bool {
        Self::say_goodbye(&mut self.host, &mut self.link, self.connected).await
    }

    /// Closes the job to further devices.
    pub(crate) async fn close(&mut self, closing: Closing) {
        if let Some(Work::Shared(shared)) = self.work.take() {
            shared.close(closing).await;
        }
    }

    async fn say_goodbye(host: &mut Host, link: &mut Link, connected: bool) -> bool {
        if !connected {
            return false;
        }
        link.stay();
        host.leave("left");
        let mut is_flushed = false;
        let telling = async {
            while host.has_frame() || !is_flushed {
                match link.next(host.has_frame()).await {
                    LinkEvent::HasRoom => {
                        if let Some(frame) = host.next_frame(Instant::now()) {
                            link.send(frame);
                        }
                    }
                    LinkEvent::Flushed => is_flushed = !host.has_frame(),
                    LinkEvent::Opened | LinkEvent::Frame(_) => {}
                    // A master closes the connection when it has heard the goodbye, maybe before
                    // this side notices that everything is sent.
                    LinkEvent::Lost(_) => {
                        is_flushed = !host.has_frame();
                        return;
                    }
                }
            }
            link.close().await;
        };
        let _ = timeout(LAST_WORDS, telling).await;
        is_flushed
    }
}

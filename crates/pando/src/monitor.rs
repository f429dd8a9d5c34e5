//! The monitoring page of a run: its data, and what the owner of the run asks for there.
//!
//! [`Monitor`] looks at the run once a second. Each look adds a sample to the [`History`]; only
//! while somebody reads the events, it also makes a snapshot, one text for all readers. A reader
//! that is slow misses looks, and costs nothing. `docs/monitoring.md` says what each figure means.

mod actions;
mod content;
mod files;
mod history;
mod idle_time;
mod metrics;
mod readers;
mod routes;
mod streams;

pub(crate) use content::Ingredients;

use crate::{
    config::Mosaic,
    master::{GalleryVisit, Master, RunSnapshot, WallTime},
};
use bytes::Bytes;
use history::History;
use idle_time::IdleTime;
use readers::Readers;
use serde::Serialize;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use streams::{StreamUpdate, event};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval, sleep},
};

/// The time between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// How long those who read the events may take to take the last one.
const LAST_EVENT: Duration = Duration::from_millis(500);

/// What a run is about, for people.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct RunTitle {
    /// What is computed.
    pub(crate) title: String,
    /// Who asks for it; may be empty.
    pub(crate) from: String,
    /// The command line; empty for a run of a Rust program.
    pub(crate) command: String,
    /// The picture whose tiles are the results. The page shows it from the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mosaic: Option<Mosaic>,
}

/// See the module.
pub(crate) struct Monitor {
    master: Arc<Master>,
    /// The first segment of the page's path.
    token: String,
    title: RunTitle,
    /// Where volunteers join, the best address first.
    urls: Mutex<Vec<String>>,
    history: Mutex<History>,
    idle: Mutex<IdleTime>,
    /// The newest events.
    updates: watch::Sender<StreamUpdate>,
    readers: Readers,
    /// Whether the run has come to its end, so that nothing is added to the history.
    has_ended: AtomicBool,
    /// The last snapshot of the run, once the run has ended.
    last: OnceLock<LastSnapshot>,
    /// Keeps the tiles of a picture for readers who come later.
    _visit: Option<GalleryVisit>,
}

/// The last snapshot of a run, and how the run ended, in words.
#[derive(Debug)]
struct LastSnapshot {
    run: RunSnapshot,
    words: String,
}

/// The content of `status.json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusDocument<'a> {
    version: &'static str,
    #[serde(flatten)]
    title: &'a RunTitle,
    volunteer_urls: Vec<String>,
    exit_words: &'a str,
    #[serde(flatten)]
    run: &'a RunSnapshot,
}

impl Monitor {
    /// The monitor of the run of `master`, whose page is below `token`.
    pub(crate) fn new(master: Arc<Master>, token: String, title: RunTitle) -> Arc<Self> {
        let visit = || GalleryVisit::new(master.gallery.clone());
        Arc::new(Self {
            _visit: title.mosaic.is_some().then(visit),
            master,
            token,
            title,
            urls: Mutex::default(),
            history: Mutex::default(),
            idle: Mutex::default(),
            updates: watch::Sender::new(StreamUpdate::default()),
            readers: Readers::default(),
            has_ended: AtomicBool::new(false),
            last: OnceLock::new(),
        })
    }

    /// The first segment of the page's path.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Adds an address where volunteers join, in front of the others or after them.
    pub(crate) fn add_url(&self, url: &str, first: bool) {
        let mut urls = self.urls.lock().expect("nobody panics with it");
        urls.retain(|other| other != url);
        let at = if first { 0 } else { urls.len() };
        urls.insert(at, url.into());
    }

    /// Looks at the run once a second. Never ends.
    pub(crate) async fn watch(self: Arc<Self>) {
        let mut tick = interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            self.look(WallTime::present());
        }
    }

    fn look(&self, time: WallTime) {
        if self.has_ended.load(Ordering::Relaxed) {
            return;
        }
        let sample = self.master.sample(time.now);
        self.idle().add(&sample);
        let sample = self.history().add(sample, time.unix);
        if self.updates.receiver_count() == 0 {
            return;
        }
        let mut text = event("status", &self.status(&self.master.snapshot(&time), ""));
        text.extend(sample.iter().map(|sample| event("sample", sample)));
        self.updates.send_replace(StreamUpdate { text: text.into(), is_last: false });
    }

    /// Looks at the run for the last time, while all devices are connected. The history has only
    /// whole seconds.
    pub(crate) fn last_look(&self, time: &WallTime) {
        self.has_ended.store(true, Ordering::Relaxed);
        self.idle().add(&self.master.sample(time.now));
    }

    /// Ends the page with its `last` snapshot; `words` say how the run has ended. Waits a moment
    /// for those who read.
    pub(crate) async fn close(&self, last: RunSnapshot, words: String) {
        let last = self.last.get_or_init(|| LastSnapshot { run: last, words });
        let text = event("status", &self.status(&last.run, &last.words));
        self.master.gallery.close();
        self.updates.send_replace(StreamUpdate { text: text.into(), is_last: true });
        let patience = Instant::now() + LAST_EVENT;
        while self.readers.is_anybody_reading(Instant::now()) && Instant::now() < patience {
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Calls `act` with the present snapshot, and with the words about the end.
    fn with_snapshot<R>(&self, act: impl FnOnce(&RunSnapshot, &str) -> R) -> R {
        match self.last.get() {
            Some(last) => act(&last.run, &last.words),
            None => act(&self.master.snapshot(&WallTime::present()), ""),
        }
    }

    fn status_json(&self) -> Bytes {
        let json = self.with_snapshot(|run, words| json(&self.status(run, words)));
        json.into()
    }

    fn metrics(&self) -> String {
        self.with_snapshot(|run, _| metrics::text(run))
    }

    /// The content of `status.json`.
    fn status<'a>(&'a self, run: &'a RunSnapshot, exit_words: &'a str) -> impl Serialize + 'a {
        StatusDocument {
            version: env!("CARGO_PKG_VERSION"),
            title: &self.title,
            volunteer_urls: self.urls.lock().expect("nobody panics with it").clone(),
            exit_words,
            run,
        }
    }

    fn idle(&self) -> MutexGuard<'_, IdleTime> {
        self.idle.lock().expect("nobody panics with it")
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().expect("nobody panics with it")
    }
}

fn json(content: &impl Serialize) -> String {
    serde_json::to_string(content).expect("it is plain data")
}

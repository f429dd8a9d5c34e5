//! Lends this machine to a run, and with `--wait` to the next runs at the same address.

use crate::{
    engine::{self, Gateway},
    news::JoinNews,
    options::JoinOptions,
    peer,
    requests::LeaveRequests,
    settings::{self, Unknown},
    share::{Closing, Share},
    volunteer::{End, Volunteer},
};
use pando_client::{WebServer, backoff};
use pando_process::{console::printable, duration::spoken, number::count, threads, trace};
use pando_protocol::page::PageSettings;
use pando_volunteer::Goodbye;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

/// The time after a run until the next run is looked for.
const BETWEEN_RUNS: Duration = Duration::from_secs(1);
/// How long the processes of the cores may take to end.
const LAST_MOMENTS: Duration = Duration::from_millis(100);

/// Joins a run with `options`; returns the exit status.
pub fn run(options: JoinOptions) -> i32 {
    execute(options, None)
}

/// As [`run`], and shares the job of the run by `share`.
pub fn share(options: JoinOptions, share: Arc<dyn Share>) -> i32 {
    execute(options, Some(share))
}

fn execute(options: JoinOptions, share: Option<Arc<dyn Share>>) -> i32 {
    if options.nice {
        lower_priority();
    }
    let Some(runtime) = threads::runtime(None) else { return 1 };
    let news = JoinNews::new(options.quiet);
    let status = runtime.block_on(join(&options, &news, share)).unwrap_or_else(|why| {
        news.warn(&format!("error: {why}"));
        2
    });
    news.finish();
    runtime.shutdown_timeout(LAST_MOMENTS);
    status
}

/// Gives this process and its children the lowest priority. Must be called before further threads
/// start, because each thread has its own priority.
fn lower_priority() {
    // A process may always lower its priority.
    #[cfg(unix)]
    let _ = rustix::process::setpriority_process(None, 19);
}

/// Returns the exit status.
///
/// # Errors
/// When this machine cannot help, in words.
async fn join(
    options: &JoinOptions,
    news: &JoinNews,
    share: Option<Arc<dyn Share>>,
) -> Result<i32, String> {
    trace::start(news.console())?;
    options.check(share.is_some())?;
    let runner = engine::find(options).await?.map(Arc::new);
    let server = WebServer::new(options.url.url().clone())?;
    let device = random_id()?;
    let console = news.console();
    let gateway =
        share.map(|share| Gateway { id: device.clone(), share, console: console.clone() });
    let mut requests = LeaveRequests::listen(options.until_eof, news.clone());
    let mut visits = 0;
    loop {
        let found = tokio::select! {
            found = find(options, &server, news, gateway.as_ref()) => found?,
            () = requests.next() => return Ok(0),
        };
        let Some(settings) = found else { return Ok(0) };
        if let (true, Some(limit)) = (settings.relay, peer::LIMIT) {
            news.say(limit);
        }
        let (runner, gateway) = (runner.clone(), gateway.clone());
        let mut volunteer = Volunteer::new(
            options,
            server.clone(),
            &device,
            news.clone(),
            runner,
            gateway,
            settings.relay,
        );
        let end = volunteer.work(&mut requests).await;
        let computed = volunteer.computed();
        news.hide();
        volunteer.close(closing(options, &end)).await;
        if let Some(status) = settle(options, news, &mut volunteer, end).await? {
            return Ok(status);
        }
        visits = if computed == 0 { visits + 1 } else { 0 };
        news.say(&format!("waiting for the next run at {}", options.url));
        let pause = BETWEEN_RUNS.max(backoff(visits, Duration::from_secs(3600), 0.5));
        // A request here is noticed as well.
        if timeout(pause, requests.next()).await.is_ok() {
            return Ok(0);
        }
    }
}

/// What devices behind a gateway are told when the work for a run has `end`ed.
fn closing(options: &JoinOptions, end: &End) -> Closing {
    match end {
        End::Left { .. } | End::Idle => Closing::Stopped,
        End::Goodbye(_) if options.wait => Closing::Silently,
        End::Goodbye(Goodbye { reason, .. }) => match &**reason {
            "done" => Closing::Done,
            "stopped" => Closing::Stopped,
            _ => Closing::Silently,
        },
        End::Gone(_) | End::Unfit(_) => Closing::Silently,
    }
}

/// Tells how the work for a run has `end`ed. Returns the exit status, or nothing if this machine
/// waits for the next run.
async fn settle(
    options: &JoinOptions,
    news: &JoinNews,
    volunteer: &mut Volunteer,
    end: End,
) -> Result<Option<i32>, String> {
    let computed = format!("this machine computed {}", count(volunteer.computed(), "value"));
    match end {
        End::Goodbye(Goodbye { reason, text }) => {
            let is_end = matches!(&*reason, "done" | "stopped");
            match (&*reason, volunteer.broken()) {
                ("refused", _) if !options.wait => {
                    return Err(format!(
                        "the run at {} refuses this machine: {}",
                        options.url,
                        printable(&text)
                    ));
                }
                ("version", _) => {
                    let words = format!(
                        "the run at {} has another version of Pando ({}): install the same version on both machines",
                        options.url,
                        printable(&text)
                    );
                    if !options.wait {
                        return Err(words);
                    }
                    news.warn(&words);
                }
                (_, Some(broken)) => news.warn(&format!("{text} ({broken})")),
                _ if is_end => news.say(&format!("{text} {}", sentence(&computed))),
                _ => news.warn(&text),
            }
            let status = if is_end { 0 } else { 1 };
            Ok(if options.wait { None } else { Some(status) })
        }
        End::Left { returned } => {
            let how = if returned {
                "everything else is handed back"
            } else {
                "the run lends everything else to other devices"
            };
            news.say(&format!("leaving: {computed}, {how}"));
            Ok(Some(0))
        }
        End::Idle => {
            volunteer.depart().await;
            let longest = options.until_idle.unwrap_or_default();
            news.say(&format!("leaving: nothing to compute for {}, {computed}", spoken(longest)));
            Ok(Some(0))
        }
        End::Gone(why) => {
            news.warn(&format!("{why}; {computed}"));
            Ok(if options.wait { None } else { Some(1) })
        }
        End::Unfit(why) => {
            volunteer.depart().await;
            if !options.wait {
                return Err(why);
            }
            news.warn(&why);
            Ok(None)
        }
    }
}

/// Waits until there is a run at the address. Without `--wait`, it must be there now. Returns
/// nothing if `--until-idle` has passed.
///
/// # Errors
/// When there is none, or the run cannot be helped; in words.
async fn find(
    options: &JoinOptions,
    server: &WebServer,
    news: &JoinNews,
    gateway: Option<&Gateway>,
) -> Result<Option<PageSettings>, String> {
    let gateway = gateway.map(|gateway| &*gateway.id);
    let start = Instant::now();
    let (mut failures, mut told) = (0, String::new());
    loop {
        let settings = settings::request(server, &options.url).await;
        let checked =
            settings.and_then(|settings| match settings::check(&settings, &options.url, gateway) {
                Ok(()) => Ok(settings),
                Err(why) => Err(Unknown::Unfit(why)),
            });
        let why = match checked {
            Ok(settings) => return Ok(Some(settings)),
            Err(Unknown::NoRun(why) | Unknown::Unfit(why)) if !options.wait => return Err(why),
            Err(Unknown::NoRun(why) | Unknown::Unfit(why)) => why,
        };
        if told != why {
            news.say(&format!("{why} (waiting for a run)"));
            told = why;
        }
        if options.until_idle.is_some_and(|longest| start.elapsed() >= longest) {
            news.say("leaving: no run came");
            return Ok(None);
        }
        sleep(backoff(failures, start.elapsed(), 0.5)).await;
        failures += 1;
    }
}

/// A random id for this volunteer.
fn random_id() -> Result<String, String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| format!("this system gives no random numbers ({error})"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// `words` as a sentence.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).chain(['.']).collect()
}

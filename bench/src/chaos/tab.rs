//! A tab of a real Chromium, behind a link that can be cut.

use super::{
    context::Context,
    plan::{TabPlan, TabStep},
};
use crate::browser::Browser;
use rustix::process::{Pid, Signal, kill_process_group};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::sleep,
};

/// The tab and its plan.
pub(crate) struct Tab {
    chromium: PathBuf,
    context: Arc<Context>,
    plan: TabPlan,
}

/// The state of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    Silent,
    Cut,
}

impl Tab {
    pub(crate) fn new(chromium: PathBuf, context: Arc<Context>, plan: TabPlan) -> Self {
        Self { chromium, context, plan }
    }

    /// Opens the tab, carries out its steps, and keeps it open until this future is dropped.
    pub(crate) async fn live(self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let place = listener.local_addr().expect("it is bound");
        let (token, protocol) = (self.context.address(false).token, self.plan.protocol);
        let url = format!("http://{place}/{token}/#device=Tab;cores=2;protocol={protocol};");
        let (way, state) = watch::channel(Way::Open);
        let mut passing = JoinSet::new();
        passing.spawn(pass(listener, self.context.clone(), state));
        let mut process = self.open(&url);
        for (at, step) in &self.plan.steps {
            tokio::time::sleep_until((self.context.start() + *at).into()).await;
            self.context.tell(&format!("the tab: {step:?}"));
            match *step {
                TabStep::Freeze(time) => {
                    process.signal(Signal::STOP);
                    sleep(time).await;
                    process.signal(Signal::CONT);
                }
                TabStep::Kill(time) => {
                    drop(process);
                    sleep(time).await;
                    process = self.open(&url);
                }
                TabStep::Cut(time) => self.be(&way, Way::Cut, time).await,
                TabStep::Silence(time) => self.be(&way, Way::Silent, time).await,
            }
        }
        // The tab stays, even if the master ends.
        passing.join_next().await;
    }

    fn open(&self, url: &str) -> Process {
        Process(Browser::open(&self.chromium, url).expect("a browser can be started"))
    }

    async fn be(&self, way: &watch::Sender<Way>, state: Way, time: Duration) {
        way.send_replace(state);
        sleep(time).await;
        way.send_replace(Way::Open);
    }
}

/// A browser that is killed when dropped, without time for a goodbye.
struct Process(Browser);

impl Process {
    fn signal(&self, signal: Signal) {
        if let Some(group) = Pid::from_raw(self.0.id() as i32) {
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// Passes connections on to the master.
async fn pass(listener: TcpListener, context: Arc<Context>, mut state: watch::Receiver<Way>) {
    let mut connections = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        if *state.borrow_and_update() == Way::Cut {
            continue;
        }
        let (host, state) = (context.address(false).host, state.clone());
        connections.spawn(async move {
            let Ok(far) = TcpStream::connect(host).await else { return };
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            tokio::select! {
                () = bytes(near_in, far_out, state.clone()) => {}
                () = bytes(far_in, near_out, state) => {}
            }
        });
    }
}

/// Copies one direction of a connection until the connection ends or is cut.
async fn bytes(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut state: watch::Receiver<Way>,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let way = *state.borrow_and_update();
        tokio::select! {
            changed = state.changed() => if changed.is_err() { return },
            () = std::future::ready(()), if way == Way::Cut => return,
            read = from.read(&mut buffer), if way == Way::Open => match read {
                Ok(length @ 1..) => if to.write_all(&buffer[..length]).await.is_err() { return },
                _ => return,
            },
        }
    }
}

//! A tab of a real Chromium, behind a link that can be cut.

use super::{
    context::Context,
    plan::{TabPlan, TabStep},
};
use pando_testing::{Chromium, Tab};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::sleep,
};

/// The tab and its plan.
pub(crate) struct ChaosTab {
    chromium: Chromium,
    context: Arc<Context>,
    plan: TabPlan,
}

/// The state of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passage {
    Open,
    Silent,
    Cut,
}

impl ChaosTab {
    pub(crate) fn new(chromium: Chromium, context: Arc<Context>, plan: TabPlan) -> Self {
        Self { chromium, context, plan }
    }

    /// Opens the tab, carries out its steps, and keeps it open until this future is dropped.
    pub(crate) async fn live(self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let place = listener.local_addr().expect("it is bound");
        let (token, protocol) = (self.context.address(false).token, self.plan.protocol);
        let url = format!("http://{place}/{token}/#device=Tab;cores=2;protocol={protocol};");
        let (way, state) = watch::channel(Passage::Open);
        let mut passing = JoinSet::new();
        passing.spawn(pass(listener, self.context.clone(), state));
        let mut tab = self.open(&url);
        for (at, step) in &self.plan.steps {
            tokio::time::sleep_until((self.context.start() + *at).into()).await;
            self.context.tell(&format!("the tab: {step:?}"));
            match *step {
                TabStep::Freeze(time) => {
                    tab.signal("STOP");
                    sleep(time).await;
                    tab.signal("CONT");
                }
                TabStep::Kill(time) => {
                    drop(tab);
                    sleep(time).await;
                    tab = self.open(&url);
                }
                TabStep::Cut(time) => self.be(&way, Passage::Cut, time).await,
                TabStep::Silence(time) => self.be(&way, Passage::Silent, time).await,
            }
        }
        // The tab stays, even if the master ends.
        passing.join_next().await;
    }

    fn open(&self, url: &str) -> Tab {
        self.chromium.open(url).expect("a browser can be started")
    }

    async fn be(&self, way: &watch::Sender<Passage>, state: Passage, time: Duration) {
        way.send_replace(state);
        sleep(time).await;
        way.send_replace(Passage::Open);
    }
}

/// Passes connections on to the master.
async fn pass(listener: TcpListener, context: Arc<Context>, mut state: watch::Receiver<Passage>) {
    let mut connections = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        if *state.borrow_and_update() == Passage::Cut {
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
    mut state: watch::Receiver<Passage>,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let way = *state.borrow_and_update();
        tokio::select! {
            changed = state.changed() => if changed.is_err() { return },
            () = std::future::ready(()), if way == Passage::Cut => return,
            read = from.read(&mut buffer), if way == Passage::Open => match read {
                Ok(length @ 1..) => if to.write_all(&buffer[..length]).await.is_err() { return },
                _ => return,
            },
        }
    }
}

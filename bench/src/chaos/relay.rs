//! A relay that is killed from time to time.

use super::context::Context;
use pando_testing::make_neutral;
use std::{
    fs::File,
    io,
    path::Path,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::{sleep, sleep_until},
};

/// The secret that masters send to the relay.
const SECRET: &str = "chaos-and-order";
/// The limit of connections per address. All connections come from one address.
const MANY: &str = "100000";
/// The time for the relay to listen after its start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running relay.
pub(crate) struct MortalRelay {
    context: Arc<Context>,
    child: Child,
}

impl MortalRelay {
    /// Starts the relay, and writes its standard error to a file in `folder`.
    pub(crate) async fn start(context: Arc<Context>, folder: &Path) -> io::Result<Self> {
        let said = File::create(folder.join("relay"))?;
        let child = launch(&context, Stdio::from(said)).await?;
        Ok(Self { context, child })
    }

    /// The options of a master that uses this relay.
    pub(crate) fn options(context: &Context) -> [String; 4] {
        [
            "--host".into(),
            format!("http://127.0.0.1:{}", context.far_port),
            "--secret".into(),
            SECRET.into(),
        ]
    }

    /// Kills and restarts the relay as planned, until this future is dropped.
    pub(crate) async fn live(mut self) {
        self.context.is_known().await;
        for (at, away) in self.context.plan.relay.iter().flatten() {
            sleep_until((self.context.start() + *at).into()).await;
            self.context.tell(&format!("the relay is killed, for {away:?}"));
            let _ = self.child.kill().await;
            sleep(*away).await;
            match launch(&self.context, Stdio::null()).await {
                Ok(child) => self.child = child,
                Err(error) => {
                    self.context.complain(format!("the relay cannot be started again: {error}"))
                }
            }
        }
        let _ = self.child.wait().await;
    }
}

/// Starts the relay process, and waits until it listens.
async fn launch(context: &Context, said: Stdio) -> io::Result<Child> {
    let port = context.far_port.to_string();
    let mut command = Command::new(&context.pando);
    make_neutral(command.as_std_mut());
    command.args([
        "relay",
        "--bind",
        "127.0.0.1",
        "--port",
        &port,
        "--no-udp",
        "--stun",
        "127.0.0.1:9",
        "--secret",
        SECRET,
    ]);
    command.args(["--max-connections-per-address", MANY]).process_group(0);
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(said)
        .kill_on_drop(true)
        .spawn()?;
    let until = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", context.far_port)).await.is_err() {
        if Instant::now() > until {
            return Err(io::ErrorKind::TimedOut.into());
        }
        sleep(Duration::from_millis(5)).await;
    }
    Ok(child)
}

//! Links through a prototype that copies bytes between sockets, and does nothing else.

use super::link::{EchoCounts, Phase, Socket, drive, echo};
use crate::program;
use anyhow::Context;
use pando_testing::RunningProgram;
use std::{path::Path, sync::Arc};
use tokio::{net::TcpStream, sync::watch};
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};

/// Starts the prototype, and returns it with its address.
pub(super) fn start(binary: &Path) -> anyhow::Result<(RunningProgram, String)> {
    let mut program = program::launch(binary, &["copies"])?;
    let line = program.hears("copies at ")?;
    Ok((program, line.rsplit(' ').next().unwrap_or_default().to_owned()))
}

/// Connects a volunteer and its master.
pub(super) async fn link(
    address: &str,
    phase: &watch::Receiver<Phase>,
    counts: &Arc<EchoCounts>,
) -> anyhow::Result<()> {
    let volunteer = connect(address, Role::Client).await?;
    let master = connect(address, Role::Server).await?;
    tokio::spawn(echo(volunteer, phase.clone()));
    let (phase, counts) = (phase.clone(), counts.clone());
    tokio::spawn(async move {
        if let Err(error) = drive(master, phase, &counts).await {
            eprintln!("{error:#}");
        }
    });
    Ok(())
}

/// Opens a WebSocket without a handshake.
async fn connect(address: &str, role: Role) -> anyhow::Result<Socket> {
    let stream = TcpStream::connect(address).await.context("the prototype cannot be reached")?;
    stream.set_nodelay(true)?;
    Ok(WebSocketStream::from_raw_socket(stream, role, None).await)
}

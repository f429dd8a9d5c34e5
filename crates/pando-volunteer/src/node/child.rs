//! A child process of `node`, and the socket between the child and its host.

use super::probe;
use crate::{
    engine::{Core, CoreEvent, CoreEvents, CoreId},
    group,
    stray::{LAST_WORDS, stray},
};
use bytes::{Bytes, BytesMut};
use pando_protocol::core::CoreMessage;
use std::{
    os::{fd::OwnedFd, unix::net::UnixStream as StdUnixStream},
    process::Stdio,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    process::Child,
    sync::{mpsc, oneshot},
};

/// The code with which a child starts. The host comes in the first frame, so that no file is
/// needed.
const BOOT: &str = "\
const fs = require('fs')
// Should memory run out, it is this process that ends, and not the master.
try { fs.writeFileSync('/proc/self/oom_score_adj', '500') } catch {}
function read (length) {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length;) {
    const more = fs.readSync(0, bytes, at, length - at)
    if (more === 0) process.exit()
    at += more
  }
  return bytes
}
// `-e` makes globals of these; what is no module there is meant to be.
const shown = [...require('module').builtinModules, 'exports', '__filename', '__dirname']
for (const name of shown) if (!['console', 'crypto', 'process'].includes(name)) delete globalThis[name]
new Function('require', read(read(4).readUInt32LE(0)).toString())(require)
";

/// Starts a child, whose first frames are `first`.
pub(super) fn start(
    first: [Arc<Vec<u8>>; 2],
    id: CoreId,
    events: CoreEvents,
) -> std::io::Result<Core> {
    let (ours, theirs) = StdUnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let mut child = probe::command()
        // This option overrides NODE_OPTIONS.
        .args(["--input-type=commonjs", "-e", BOOT])
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // The child must not depend on the current folder, nor keep it in use.
        .current_dir("/")
        .kill_on_drop(true)
        .spawn()?;
    let (values, frames) = mpsc::unbounded_channel();
    let (alive, dropped) = oneshot::channel();
    let prints = tokio::spawn(stray(child.stdout.take().expect("piped"), id, events.clone()));
    let complains = tokio::spawn(stray(child.stderr.take().expect("piped"), id, events.clone()));
    let (read, write) = UnixStream::from_std(ours)?.into_split();
    tokio::spawn(async move {
        let writing = tokio::spawn(write_frames(write, first, frames));
        let mut is_ready = false;
        let mut why = tokio::select! {
            () = read_frames(read, id, &events, &mut is_ready) => ended(&mut child).await,
            _ = dropped => { kill(&mut child).await; "killed".into() }
        };
        writing.abort();
        // A process that outlives the child may keep the child's output open.
        let _ = tokio::time::timeout(LAST_WORDS, prints).await;
        if let (Ok(Ok(words)), false) =
            (tokio::time::timeout(LAST_WORDS, complains).await, is_ready)
        {
            // No value ended the child; its output may explain the end.
            why = format!("{why}{}\n{words}", probe::circumstances()).trim_end().to_owned();
        }
        let _ = events.send((id, CoreEvent::Ended(why))).await;
    });
    Ok(Core { values, _alive: alive })
}

async fn ended(child: &mut Child) -> String {
    // The child closed its socket, so it should end by itself; otherwise the child is killed.
    let patience = Duration::from_millis(500);
    match tokio::time::timeout(patience, child.wait()).await {
        Ok(Ok(status)) => status.to_string(),
        _ => {
            kill(child).await;
            "it closed its connection".into()
        }
    }
}

/// Kills `child` and all its descendants, because `node` may be a script with further processes.
async fn kill(child: &mut Child) {
    group::kill_all(child);
    let _ = child.kill().await;
}

async fn write_frames(
    mut socket: impl tokio::io::AsyncWrite + Unpin,
    first: [Arc<Vec<u8>>; 2],
    mut frames: mpsc::UnboundedReceiver<Bytes>,
) {
    for frame in first {
        if write_frame(&mut socket, &frame).await.is_err() {
            return;
        }
    }
    while let Some(frame) = frames.recv().await {
        if write_frame(&mut socket, &frame).await.is_err() {
            return;
        }
    }
    // The host dropped the core; the socket stays open until the child has ended.
    std::future::pending::<()>().await;
}

async fn write_frame(
    socket: &mut (impl tokio::io::AsyncWrite + Unpin),
    frame: &[u8],
) -> std::io::Result<()> {
    socket.write_all(&(frame.len() as u32).to_le_bytes()).await?;
    socket.write_all(frame).await
}

/// Passes on the messages of the child until their end; sets `is_ready` once the child is ready.
async fn read_frames(
    socket: impl AsyncRead + Unpin,
    id: CoreId,
    events: &CoreEvents,
    is_ready: &mut bool,
) {
    let mut socket = BufReader::with_capacity(64 * 1024, socket);
    let mut header = [0; 4];
    while socket.read_exact(&mut header).await.is_ok() {
        let length = u32::from_le_bytes(header) as usize;
        let mut frame = BytesMut::with_capacity(length.min(1 << 20));
        let mut rest = (&mut socket).take(length as u64);
        while frame.len() < length {
            match rest.read_buf(&mut frame).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        let said = match frame.first() {
            Some(0) => match serde_json::from_slice::<CoreMessage>(&frame[1..]) {
                Ok(message) => CoreEvent::Message(message),
                Err(_) => return,
            },
            _ => CoreEvent::Results(frame.freeze()),
        };
        *is_ready |= matches!(said, CoreEvent::Message(CoreMessage::Ready));
        if events.send((id, said)).await.is_err() {
            return;
        }
    }
}

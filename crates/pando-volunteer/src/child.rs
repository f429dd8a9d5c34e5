//! A child process that is a core, and the socket between the child and its host.
//!
//! Host and child talk over file descriptor 0 of the child, a duplex Unix socket. Each frame is
//! preceded by its length (32 bits, little endian). A frame with a first byte of 0 holds JSON; all
//! others are binary frames. Standard output and error of the child only carry what the function
//! prints. The child has its own process group, and ends with this process, however that ends.

use crate::{
    engine::{Core, CoreEvent, CoreEvents, CoreId},
    group,
    runner::{Launch, json_frame, limit_memory},
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

/// Most assets that a child may ask for.
const MOST_ASSETS: u32 = 10_000;

/// Starts a child, whose first frames are `first`. The second frame has the function; before it is
/// sent, the child's memory is limited.
pub(crate) fn start(
    launch: &Arc<Launch>,
    first: [Arc<Vec<u8>>; 2],
    id: CoreId,
    events: CoreEvents,
) -> std::io::Result<Core> {
    let (ours, theirs) = StdUnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let mut child = launch
        .command()
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
    let (started, has_started) = oneshot::channel();
    let mut care = Care {
        launch: launch.clone(),
        process: child.id(),
        started: Some(started),
        frames: values.clone(),
        asked: 0,
    };
    tokio::spawn(async move {
        let writing = tokio::spawn(write_frames(write, first, has_started, frames));
        let mut is_ready = false;
        let mut why = tokio::select! {
            end = read_frames(read, id, &events, &mut care, &mut is_ready) => match end {
                Ok(()) => ended(&mut child).await,
                Err(why) => { kill(&mut child).await; why }
            },
            _ = dropped => { kill(&mut child).await; "killed".into() }
        };
        writing.abort();
        // A process that outlives the child may keep the child's output open.
        let _ = tokio::time::timeout(LAST_WORDS, prints).await;
        if let (Ok(Ok(words)), false) =
            (tokio::time::timeout(LAST_WORDS, complains).await, is_ready)
        {
            // No value ended the child; its output may explain the end.
            why = format!("{why}{}\n{words}", care.launch.circumstances).trim_end().to_owned();
        }
        let _ = events.send((id, CoreEvent::Ended(why))).await;
    });
    Ok(Core { values, _alive: alive })
}

/// What a child needs apart from values: at the beginning, the function waits until the child's
/// memory is limited; later, the child asks for assets.
struct Care {
    launch: Arc<Launch>,
    process: Option<u32>,
    started: Option<oneshot::Sender<()>>,
    /// Frames for the child.
    frames: mpsc::UnboundedSender<Bytes>,
    /// The number of assets that the child has asked for.
    asked: u32,
}

impl Care {
    /// The child's host runs, and no code of the function yet.
    fn booted(&mut self) -> Result<(), String> {
        if let (Some(memory), Some(process)) = (self.launch.memory, self.process) {
            limit_memory(process, memory)
                .map_err(|error| format!("its memory cannot be limited: {error}"))?;
        }
        if let Some(started) = self.started.take() {
            let _ = started.send(());
        }
        Ok(())
    }

    /// The function needs an asset.
    fn bring(&mut self, id: String, name: String) -> Result<(), String> {
        self.asked += 1;
        if self.asked > MOST_ASSETS {
            return Err(format!("it asked for more than {MOST_ASSETS} assets"));
        }
        let Some(assets) = self.launch.assets.clone() else { return Ok(()) };
        let frames = self.frames.clone();
        tokio::spawn(async move {
            if let Some(answer) = assets.answer(id, name).await {
                let _ = frames.send(json_frame(&answer).into());
            }
        });
        Ok(())
    }
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
    [host, init]: [Arc<Vec<u8>>; 2],
    has_started: oneshot::Receiver<()>,
    mut frames: mpsc::UnboundedReceiver<Bytes>,
) {
    let begun = write_frame(&mut socket, &host).await.is_ok()
        && has_started.await.is_ok()
        && write_frame(&mut socket, &init).await.is_ok();
    if !begun {
        return;
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
///
/// # Errors
/// When the child cannot be used, in words.
async fn read_frames(
    socket: impl AsyncRead + Unpin,
    id: CoreId,
    events: &CoreEvents,
    care: &mut Care,
    is_ready: &mut bool,
) -> Result<(), String> {
    let mut socket = BufReader::with_capacity(64 * 1024, socket);
    let mut header = [0; 4];
    while socket.read_exact(&mut header).await.is_ok() {
        let length = u32::from_le_bytes(header) as usize;
        let mut frame = BytesMut::with_capacity(length.min(1 << 20));
        let mut rest = (&mut socket).take(length as u64);
        while frame.len() < length {
            match rest.read_buf(&mut frame).await {
                Ok(0) | Err(_) => return Ok(()),
                Ok(_) => {}
            }
        }
        let said = match frame.first() {
            Some(0) => match serde_json::from_slice::<CoreMessage>(&frame[1..]) {
                Ok(CoreMessage::Booted) => {
                    care.booted()?;
                    CoreEvent::Message(CoreMessage::Booted)
                }
                Ok(CoreMessage::Asset { id, name }) => {
                    care.bring(id, name)?;
                    continue;
                }
                Ok(message) => CoreEvent::Message(message),
                Err(_) => return Ok(()),
            },
            _ => CoreEvent::Results(frame.freeze()),
        };
        *is_ready |= matches!(said, CoreEvent::Message(CoreMessage::Ready));
        if events.send((id, said)).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

//! The interface between `pando join` and the program that shares a job with further devices
//! (`--share`). The volunteer of a gateway has no cores of its own: what it gets, it passes on.

use crate::assets::RemoteAssets;
use pando_process::console::Console;
use pando_protocol::{page::PageSettings, volunteer::Welcome};
use pando_volunteer::{Engine, Host, PassedUp};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// The job of a run, to be shared.
pub struct SharedJob {
    /// The id of this gateway.
    pub device: String,
    /// How the run describes the job.
    pub welcome: Welcome,
    /// The settings of the run for pages.
    pub settings: PageSettings,
    /// The function's bundle; empty if a program computes.
    pub code: String,
    /// The cores of this machine, if they compute.
    pub own: Option<OwnCores>,
    /// The assets of the run, if it has some.
    pub assets: Option<RemoteAssets>,
    /// Where messages for people go.
    pub console: Console,
}

/// Cores of the gateway's own machine.
pub struct OwnCores {
    /// What computes on them.
    pub engine: Arc<dyn Engine>,
    /// Their number.
    pub cores: u32,
}

/// A future of this crate's interfaces.
pub type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Shares jobs with further devices, one job at a time.
pub trait Share: Send + Sync {
    /// Opens `job` to further devices. The job that was shared before is closed.
    fn open(&self, job: SharedJob) -> Pending<Result<Box<dyn Shared>, String>>;
}

/// A job that is shared with further devices.
pub trait Shared: Send {
    /// Carries out what `host` wants of its gateway.
    fn obey(&mut self, host: &mut Host);

    /// Waits for what the devices say next to the master of the host; `None` when the owner of this
    /// machine ends the sharing.
    fn poll_said(&mut self, context: &mut Context<'_>) -> Poll<Option<PassedUp>>;

    /// What the devices have said before of work in progress, for a link that is new.
    fn in_progress(&self) -> PassedUp;

    /// Closes the job to the devices, which are told as `closing` says.
    fn close(self: Box<Self>, closing: Closing) -> Pending<()>;
}

/// What the devices behind a gateway are told when their job closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// The job is done.
    Done,
    /// The job was stopped.
    Stopped,
    /// Nothing: they wait for the next job.
    Silently,
}

//! Those who compute the values of a job: the cores of this machine, or further devices.

use crate::{
    engine::{NoEngine, Prepared},
    share::{Pending, Shared},
};
use pando_volunteer::{CoreEvent, CoreId, Cores, Engine, Host, PassedUp};
use std::{
    future::{pending, poll_fn},
    sync::Arc,
};
use tokio::sync::mpsc;

/// The work for a job that is being prepared.
pub(crate) type Preparing = Pending<Result<Prepared, NoEngine>>;

/// What computes the values.
pub(crate) enum Work {
    /// The cores of this machine, and their messages.
    Cores(Cores<Arc<dyn Engine>>, mpsc::Receiver<(CoreId, CoreEvent)>),
    /// Further devices.
    Shared(Box<dyn Shared>),
}

/// What is said by those who compute.
pub(crate) enum Said {
    Core(CoreId, CoreEvent),
    Shared(PassedUp),
}

impl Work {
    /// Carries out all orders of the host.
    pub(crate) fn obey(&mut self, host: &mut Host) {
        match self {
            Self::Cores(cores, _) => cores.obey(host),
            Self::Shared(shared) => shared.obey(host),
        }
    }
}

/// What those who compute say next; `None` when the owner of this machine wants it to leave.
pub(crate) async fn heard(work: &mut Option<Work>) -> Option<Said> {
    match work {
        Some(Work::Cores(_, said)) => match said.recv().await {
            Some((id, event)) => Some(Said::Core(id, event)),
            None => pending().await,
        },
        Some(Work::Shared(shared)) => {
            poll_fn(|context| shared.poll_said(context)).await.map(Said::Shared)
        }
        None => pending().await,
    }
}

/// The result of `preparing`.
pub(crate) async fn finished(preparing: &mut Option<Preparing>) -> Result<Prepared, NoEngine> {
    match preparing {
        Some(preparing) => preparing.await,
        None => pending().await,
    }
}

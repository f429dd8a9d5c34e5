//! A gateway (`pando join --share`): towards the run it is one volunteer, and towards the devices
//! of its own network it is a run with the same job.
//!
//! [`pando_join`] drives the volunteer. It has no cores: the values go to the [`Master`] of an open
//! run, which lends them under their own indexes, and all that comes back goes up at once. So the
//! devices of a gateway are lent to, watched, blamed and tried again like those of any run, and a
//! gateway may be a device of another gateway.
//!
//! [`Master`]: crate::master::Master

mod options;

use crate::{
    cli::Cli,
    config::RunConfig,
    journal::JobFacts,
    master::Ending,
    protocol::ToMaster,
    run::{OpenRun, raise_file_limit},
    volunteer::{Host, PassedOn, PassedUp},
};
use futures_util::FutureExt;
use options::GatewayOptions;
use pando_join::{Closing, Pending, Share, Shared, SharedJob};
use std::{
    ffi::OsString,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Instant,
};

/// Runs `pando join` with these words, of which the first is the program's name; returns the exit
/// status.
pub fn join(words: impl IntoIterator<Item = OsString>) -> i32 {
    let (join, server) = GatewayOptions::read(words);
    if !join.share {
        return pando_join::run(join);
    }
    raise_file_limit();
    pando_join::share(join, Arc::new(Gateway::new(server)))
}

/// Opens jobs to the devices of this machine's network, all below one address.
struct Gateway {
    /// The options for the server.
    options: Cli,
    /// The marks of the last job, which are those of the next one.
    last: Arc<Mutex<JobFacts>>,
}

impl Gateway {
    fn new(options: Cli) -> Self {
        Self { options, last: Arc::default() }
    }
}

impl Share for Gateway {
    fn open(&self, job: SharedJob) -> Pending<Result<Box<dyn Shared>, String>> {
        let (options, last) = (self.options.clone(), self.last.clone());
        let marks = last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        async move {
            let config = RunConfig::for_gateway(options, &job, marks)?;
            let open = OpenRun::start(&config, job.console).boxed().await;
            let open = open.map_err(|refused| refused.0)?;
            *last.lock().unwrap_or_else(PoisonError::into_inner) = open.facts.clone();
            Ok(Box::new(SharedRun(open)) as Box<dyn Shared>)
        }
        .boxed()
    }
}

/// A job that is open to devices.
struct SharedRun(OpenRun);

impl Shared for SharedRun {
    fn obey(&mut self, host: &mut Host) {
        let master = &self.0.master;
        while let Some(order) = host.next_passed_on() {
            match order {
                PassedOn::Values(values) => master.give(values),
                PassedOn::Recall(loans) => master.recall(&loans),
                PassedOn::Forget(loans) => master.drop_given(&loans),
            }
        }
    }

    fn poll_said(&mut self, context: &mut Context<'_>) -> Poll<Option<PassedUp>> {
        self.0.master.poll_upstream(context)
    }

    fn in_progress(&self) -> PassedUp {
        let items = self.0.master.long_calls(Instant::now());
        let messages = match items.is_empty() {
            true => Vec::new(),
            false => vec![ToMaster::Started { items, loading: None }],
        };
        PassedUp { messages, ..PassedUp::default() }
    }

    fn close(self: Box<Self>, closing: Closing) -> Pending<()> {
        async move {
            let Self(open) = *self;
            match closing {
                Closing::Done => open.master.end_upstream(),
                Closing::Stopped => open.master.interrupt(),
                Closing::Silently => {}
            }
            let last = open.last_look();
            open.finish(Ending::Complete, last.run).await;
        }
        .boxed()
    }
}

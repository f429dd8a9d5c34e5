//! The configuration of a gateway: a run with the job of another run.

use super::{FunctionSource, InputSource, OnError, RunConfig, SharedFunction};
use crate::{cli::Cli, journal::JobFacts};
use pando_join::SharedJob;
use pando_protocol::page::PageOptions;

impl RunConfig {
    /// The configuration for sharing `job`. `cli` has the options for the server. `last`: the
    /// marks of the job that was shared before.
    ///
    /// # Errors
    /// When the options make no sense, in words for people.
    pub(crate) fn for_gateway(
        mut cli: Cli,
        job: &SharedJob,
        last: JobFacts,
    ) -> Result<Self, String> {
        if job.welcome.program.is_some() && (cli.network.host.is_some() || cli.devices.open) {
            return Err("--host and --open are for tabs, and the run computes by programs (--exec) of machines: leave them out".into());
        }
        cli.rows.unordered = true;
        // The run decides about further attempts.
        cli.failures.retries = 0;
        cli.failures.on_error = Some(OnError::Skip);
        cli.messages.quiet = true;
        cli.devices.cores = Some(job.own.as_ref().map_or(0, |own| own.cores as usize));
        let mut config = Self::new(cli, InputSource::Stream, false)?;
        let welcome = &job.welcome;
        config.function = FunctionSource::Shared(SharedFunction {
            code: job.code.clone(),
            hash: welcome.function.clone(),
            program: welcome.program.clone(),
            engine: job.own.as_ref().map(|own| own.engine.clone()),
            assets: job.assets.clone(),
        });
        config.job = welcome.options.clone();
        config.page = PageOptions { relay_url: String::new(), ..job.settings.options.clone() };
        config.page.gateways.push(job.device.clone());
        if let Some(server) = &mut config.server {
            server.takes_volunteers = welcome.program.is_none();
        }
        config.last = last;
        Ok(config)
    }

    /// Whether the job is that of another run.
    pub(crate) fn is_gateway(&self) -> bool {
        matches!(self.function, FunctionSource::Shared(_))
    }
}

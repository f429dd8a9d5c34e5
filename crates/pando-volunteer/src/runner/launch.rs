//! How a core's process is started.

use crate::{assets::CoreAssets, group};
use pando_process::secrets;
use std::ffi::OsString;
use tokio::process::Command;

/// How a core's process is started.
#[derive(Debug, Clone, Default)]
pub(crate) struct Launch {
    /// The program and its arguments.
    pub(crate) words: Vec<OsString>,
    /// Variables of the environment.
    pub(crate) env: Vec<(OsString, OsString)>,
    /// Whether the environment has these variables only.
    pub(crate) clears_env: bool,
    /// The memory for the function, if it is limited, in bytes.
    pub(crate) memory: Option<u64>,
    /// Circumstances, apart from the function, that may keep a core from starting.
    pub(crate) circumstances: String,
    /// The assets of the run, if it has some.
    pub(crate) assets: Option<CoreAssets>,
}

impl Launch {
    /// The command for the process, which leads its own process group.
    pub(crate) fn command(&self) -> Command {
        let (program, args) = self.words.split_first().expect("a launch names a program");
        let mut command = secrets::command(program);
        if self.clears_env {
            command.env_clear();
        }
        command.args(args).envs(self.env.iter().map(|(name, value)| (name, value)));
        group::leader(command.into())
    }
}

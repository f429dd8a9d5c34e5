//! How the function is called.

use crate::duration::duration;
use clap::{Args, builder::BoolishValueParser as YesOrNo};
use std::{env, path::PathBuf, time::Duration};

/// See the module.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Function")]
pub(crate) struct Calls {
    /// Apply this function instead of one in a file: an expression such as 'x => x * 2', or the text
    /// of a module with exports. Packages come from this folder
    #[arg(short, long, env = "PANDO_EVAL", value_name = "CODE")]
    pub(crate) eval: Option<String>,

    /// Give this variable of the environment to the function, as process.env.NAME and
    /// context.env.NAME, or a variable with this value (repeatable). All volunteers can read it
    #[arg(long, env = "PANDO_ENV", hide_env_values = true, value_name = "NAME[=VALUE]", value_parser = variable)]
    pub(crate) env: Vec<Variable>,

    /// Apply this program instead of a function, on this machine's cores (no other device can join).
    /// With {} the shell runs the command once per value, as in 'expr {} \* 2': {} is the value, as
    /// one argument, and the output is the result. Without {} the program reads values as lines and
    /// answers each with a line
    #[arg(long, env = "PANDO_EXEC", value_name = "COMMAND")]
    pub(crate) exec: Option<String>,

    /// Folder of files for the function: models, lexicons, WebAssembly. Each device fetches a file
    /// once, when the function first asks for it (context.asset, context.assetUrl). A program of
    /// --exec finds the folder's path in PANDO_ASSETS
    #[arg(long, env = "PANDO_ASSETS", value_name = "DIR")]
    pub(crate) assets: Option<PathBuf>,

    /// Run the function in the page (canvas, buttons, a person's judgement): implies --cores 0
    #[arg(long, env = "PANDO_DOM", value_parser = YesOrNo::new())]
    pub(crate) dom: bool,

    /// Calls of an asynchronous function open at a time on each core
    #[arg(long, env = "PANDO_CONCURRENCY", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) concurrency: u32,

    /// Longest time for one call of the function, such as 500ms, 2s or 1h30m [default: none]
    #[arg(long, env = "PANDO_TIMEOUT", value_name = "DUR", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
}

/// A variable of the environment for the function: its name and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable(pub(crate) String, pub(crate) String);

fn variable(text: &str) -> Result<Variable, String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, value.to_owned()),
        None => (text, value_of(text)?),
    };
    if name.is_empty() || name.contains(char::is_control) {
        return Err("give the name of a variable, or NAME=VALUE".into());
    }
    Ok(Variable(name.into(), value))
}

/// The value of the variable `name` in the environment.
fn value_of(name: &str) -> Result<String, String> {
    match env::var(name) {
        Ok(value) => Ok(value),
        Err(_) if name.is_empty() => Ok(String::new()),
        Err(env::VarError::NotPresent) => Err(format!(
            "{name} is not set in the environment of pando: set it, or give its value by --env {name}=VALUE"
        )),
        Err(env::VarError::NotUnicode(_)) => Err(format!("the value of {name} is not UTF-8 text")),
    }
}

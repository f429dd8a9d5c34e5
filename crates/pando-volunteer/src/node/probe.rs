//! Checks that `node` exists and starts, and makes the command for children.

use super::{NodeError, OLDEST};
use crate::{group, runner::Launch, stray::LAST_WORDS};
use pando_process::secrets;
use std::{
    env,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    task::JoinHandle,
    time::timeout,
};

/// How long `node --version` may take. `node` may belong to a version manager, which first looks
/// for a version.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most bytes of output that are kept, of standard output and error each.
const MOST_WORDS: u64 = 2000;

/// The command for `node`, under whatever name PATH has it. It has no debugger option, because
/// each child would wait for the debugger.
pub(crate) fn command() -> Command {
    let mut command = secrets::command("node");
    let (kept, left_out) = node_options();
    if !left_out.is_empty() {
        command.env("NODE_OPTIONS", kept);
    }
    group::leader(command.into())
}

/// How children of `node` start, with this code.
pub(crate) fn launch(code: &str) -> Launch {
    let (kept, left_out) = node_options();
    let env = (!left_out.is_empty()).then(|| ("NODE_OPTIONS".into(), kept.into()));
    Launch {
        // The first option overrides NODE_OPTIONS.
        words: ["node", "--input-type=commonjs", "-e", code].map(Into::into).into(),
        env: env.into_iter().collect(),
        circumstances: circumstances(),
        ..Launch::default()
    }
}

/// The version of `node`.
///
/// # Errors
/// As for [`version`], and when Node is too old.
pub(crate) async fn supported() -> Result<String, NodeError> {
    let version = version().await?;
    let major: u32 = version.split('.').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    if major < OLDEST { Err(NodeError::Old(version)) } else { Ok(version) }
}

/// A note for people about options that children start without.
pub(crate) fn note() -> Option<String> {
    let (_, left_out) = node_options();
    let note = || {
        format!(
            "NODE_OPTIONS: {} is left out for this machine's cores: no debugger can attach to them",
            left_out.join(" ")
        )
    };
    (!left_out.is_empty()).then(note)
}

/// Circumstances, apart from the function, that may keep a child from starting.
fn circumstances() -> String {
    let (options, _) = node_options();
    if options.is_empty() { options } else { format!(", with NODE_OPTIONS={options}") }
}

/// The version of `node`.
///
/// # Errors
/// When `node` is missing or does not report a version; the error has the output of `node`.
async fn version() -> Result<String, NodeError> {
    let path = on_path("node").ok_or(NodeError::Missing)?;
    let fails = |why: String, words: &str| {
        let words = if words.is_empty() { String::new() } else { format!(":\n{words}\n") };
        NodeError::Fails(format!("{} --version {why}{}{words}", path.display(), circumstances()))
    };
    let mut child = command();
    child
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child =
        child.spawn().map_err(|error| fails(format!("cannot be started ({error})"), ""))?;
    let said = tokio::spawn(words(child.stdout.take().expect("piped")));
    let complained = tokio::spawn(words(child.stderr.take().expect("piped")));
    let ended = timeout(PATIENCE, child.wait()).await;
    group::kill_all(&child);
    let (said, complained) = (heard(said).await, heard(complained).await);
    let both = format!("{said}\n{complained}");
    match ended {
        Ok(Ok(status)) if status.success() => {
            // A version manager may have printed something before.
            let version = said.lines().rev().find_map(|line| {
                line.trim().strip_prefix('v').filter(|version| is_version(version))
            });
            version.map(str::to_owned).ok_or_else(|| fails("says no version".into(), both.trim()))
        }
        Ok(Ok(status)) => Err(fails(format!("failed ({status})"), both.trim())),
        Ok(Err(error)) => Err(fails(format!("cannot be waited for ({error})"), both.trim())),
        Err(_) => Err(fails(format!("has not ended within {} s", PATIENCE.as_secs()), both.trim())),
    }
}

fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.contains('.')
}

async fn words(output: impl AsyncRead + Unpin) -> String {
    let mut words = Vec::new();
    let mut output = output.take(MOST_WORDS);
    let _ = output.read_to_end(&mut words).await;
    // Reads the rest, so that the process does not block on its output.
    let _ = tokio::io::copy(output.get_mut(), &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&words).trim().to_owned()
}

/// The output, or nothing if another process keeps it open.
async fn heard(words: JoinHandle<String>) -> String {
    timeout(LAST_WORDS, words).await.ok().and_then(Result::ok).unwrap_or_default()
}

/// The first program of this name on PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| is_executable(path))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

/// The words of NODE_OPTIONS for children, and the words left out.
fn node_options() -> (String, Vec<String>) {
    without_debugger(&env::var("NODE_OPTIONS").unwrap_or_default())
}

fn without_debugger(options: &str) -> (String, Vec<String>) {
    let (left_out, kept): (Vec<_>, Vec<_>) =
        split(options).into_iter().partition(|word| waits_for_debugger(word));
    (kept.join(" "), left_out)
}

/// Splits `options` into words as Node does: blanks within double quotes belong to a word. Quotes
/// stay.
fn split(options: &str) -> Vec<String> {
    let (mut words, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for c in options.chars() {
        match c {
            ' ' if !quoted => words.push(String::new()),
            c => {
                quoted ^= c == '"' && !escaped;
                escaped = quoted && c == '\\' && !escaped;
                if let Some(word) = words.last_mut() {
                    word.push(c);
                }
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn waits_for_debugger(word: &str) -> bool {
    let name = word.replace('"', "").replace('_', "-");
    let name = name.split('=').next().unwrap_or_default();
    ["--inspect", "--inspect-brk", "--inspect-wait"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_start_without_a_debugger_and_with_everything_else() {
        let without = |options| {
            let (kept, left_out) = without_debugger(options);
            (kept, left_out.join(" "))
        };
        assert_eq!(without(""), (String::new(), String::new()));
        assert_eq!(without("--inspect-brk"), (String::new(), "--inspect-brk".into()));
        assert_eq!(
            without(
                r#"--max-old-space-size=8192  --inspect=0.0.0.0:9229 --require "/a b/c \"d.js" "--inspect_brk""#
            ),
            (
                r#"--max-old-space-size=8192 --require "/a b/c \"d.js""#.into(),
                r#"--inspect=0.0.0.0:9229 "--inspect_brk""#.into()
            )
        );
        assert_eq!(without("--inspect-port=1 --inspect-publish-uid=http").1, "");
    }
}

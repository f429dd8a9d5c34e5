//! The monitoring page of a run: what it says of the run, and where it is served.

use super::{OpenRun, listen::default_ports};
use crate::{
    config::{FunctionSource, InputSource, RunConfig},
    console::printable,
    master::{Ending, LastFigures, Left, WallTime},
    monitor::{Monitor, RunTitle},
    number,
    protocol::JobProgram,
    server::{self, Site},
};
use pando_process::addresses::addresses;
use pando_web::listen;
use serde::Serialize;
use std::{
    env,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};
use tokio::{net::TcpListener, sync::oneshot};

/// Options whose values are secret.
const SECRETS: [&str; 3] = ["--secret", "--token", "--ice-servers"];
/// The option whose value is `NAME=VALUE`, of which the second part may be secret.
const VARIABLE: &str = "--env";

/// Watching a run.
impl OpenRun {
    /// Starts to watch the run if it has a monitoring page or a report. Returns the page, which is
    /// below `token`, if the run has one.
    pub(super) fn watch_by_page(
        &mut self,
        config: &RunConfig,
        token: String,
    ) -> Option<Arc<Monitor>> {
        if !config.has_page() && config.report.report_file.is_none() {
            return None;
        }
        let monitor = Monitor::new(self.master.clone(), token, title(config));
        self.beside(monitor.clone().watch());
        self.monitor = Some(monitor.clone());
        config.has_page().then_some(monitor)
    }

    /// The figures of the run at its end, while all devices are connected.
    pub(crate) fn last_look(&self) -> LastFigures {
        let time = WallTime::present();
        self.monitor.iter().for_each(|monitor| monitor.last_look(&time));
        self.master.last_figures(&time)
    }

    /// The data of a report with these `words` about the end, and this content of the summary's
    /// file.
    pub(super) fn report(
        &self,
        last: &LastFigures,
        words: &str,
        summary: &impl Serialize,
    ) -> Option<String> {
        let monitor = self.monitor.as_ref()?;
        Some(monitor.report(&self.ingredients, last, words, summary))
    }
}

/// What the run of `config` is about.
pub(super) fn title(config: &RunConfig) -> RunTitle {
    // The page of volunteers says the same. A program's command is only for its owner.
    let title = match &config.function {
        FunctionSource::Command { text, .. } if config.page.title.is_empty() => text,
        _ => &config.page.title,
    };
    let command = match config.input {
        InputSource::Stream => String::new(),
        _ => shown(env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned())),
    };
    RunTitle {
        title: printable(title),
        from: printable(&config.page.from),
        command: printable(&command),
        mosaic: config.mosaic.clone(),
    }
}

/// The command line with these words, for people. Secrets are left out, because others may see the
/// page.
fn shown(words: impl Iterator<Item = String>) -> String {
    /// The most characters.
    const MOST: usize = 1000;
    let mut command = "pando".to_owned();
    let (mut is_secret, mut is_variable) = (false, false);
    for word in words {
        let word = match word.split_once('=') {
            _ if is_secret => "…".into(),
            Some((name, _)) if is_variable => format!("{name}=…"),
            Some((option, variable)) if option == VARIABLE && variable.contains('=') => {
                format!("{option}={}=…", variable.split('=').next().unwrap_or_default())
            }
            Some((name, _)) if SECRETS.contains(&name) => format!("{name}=…"),
            _ => word,
        };
        (is_secret, is_variable) = (SECRETS.contains(&&*word), word == VARIABLE);
        let is_plain = |c: char| c.is_alphanumeric() || "-_./:=,+@%…".contains(c);
        match !word.is_empty() && word.chars().all(is_plain) {
            true => command += &format!(" {word}"),
            false => command += &format!(" '{}'", word.replace('\'', r"'\''")),
        }
    }
    command.chars().take(MOST).collect()
}

/// Says where the monitoring page of `site` is, on a server bound to `bind`.
pub(super) fn announce(site: &Site, listener: &TcpListener, bind: IpAddr) {
    let url = url(site, listener, bind, site.monitor.token());
    site.console.say(format!("Serving monitoring page at {url}"));
}

/// Says how other machines help with a `program`, or that they cannot.
pub(super) fn announce_program(
    program: Option<&JobProgram>,
    site: &Site,
    listener: &TcpListener,
    bind: IpAddr,
) {
    let token = site.volunteers.as_ref().map(|volunteers| &*volunteers.token).unwrap_or_default();
    let url = url(site, listener, bind, token);
    site.console.say(match program {
        Some(_) => format!(
            "Other machines can run a command per value: pando join --exec 'COMMAND {{}}' {url}"
        ),
        None => "--exec runs on this machine's cores only: others can help with a command that has {} for the value, without \
                 --files and --assets"
            .into(),
    });
}

/// The address below `token` on the server of `site`, which is bound to `bind`.
fn url(site: &Site, listener: &TcpListener, bind: IpAddr, token: &str) -> String {
    let port = listener.local_addr().map(|address| address.port()).unwrap_or_default();
    let address = SocketAddr::new(addresses(bind)[0], port);
    let scheme = if site.certificate.is_some() { "https" } else { "http" };
    let folder = if token.is_empty() { String::new() } else { format!("{token}/") };
    format!("{scheme}://{address}/{folder}")
}

/// Serves the monitoring page of a run without volunteers, for browsers of this machine only, until
/// `closed`. A page that cannot be served is no error of the run.
pub(super) fn serve_alone(site: Site, closed: oneshot::Receiver<()>) {
    let bind: IpAddr = Ipv4Addr::LOCALHOST.into();
    // After the usual ports, any port will do.
    let mut ports = default_ports().chain([0]);
    let listener = ports.find_map(|port| listen(SocketAddr::new(bind, port)).ok());
    let Some(listener) = listener else {
        site.console.say("there is no monitoring page, because this machine gives no port for it");
        return;
    };
    announce(&site, &listener, bind);
    tokio::spawn(server::serve(listener, site, closed));
}

/// How a run has ended, in a sentence.
pub(super) fn words(ending: &Ending) -> String {
    let first_line = |text: &str| printable(text.lines().next().unwrap_or_default());
    match ending {
        Ending::Complete => "All items are done.".into(),
        Ending::ReaderLeft => "The reader of the output has left.".into(),
        Ending::SomeFailed(failed) => {
            format!("All other items are done; {} failed.", number::count(*failed, "item"))
        }
        Ending::Interrupted => {
            "Stopped on request: the items that were read are done, the rest of the input was not read.".into()
        }
        Ending::CutShort(Left { items, .. }) => {
            format!("Stopped: {} not finished.", match items {
                1 => "1 item was".to_owned(),
                items => format!("{items} items were"),
            })
        }
        Ending::InputFailed(error) => format!("The input failed: {}", first_line(&error.text)),
        Ending::ItemFailed(_, text) => format!("An item failed: {}", first_line(text)),
        Ending::CannotRun(why) => format!("The function cannot run: {}", first_line(why)),
        Ending::InDoubt(why) => format!("Some results may be wrong: {}", first_line(why)),
        Ending::OutputFailed(why) => format!("The output cannot be written: {}", first_line(why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_shown_without_its_secrets() {
        let shown = |words: &[&str]| shown(words.iter().map(|word| (*word).to_owned()));
        assert_eq!(
            shown(&["render.js", "--secret", "hush", "--token=abcd", "a b", "it's", "--stdin"]),
            r"pando render.js --secret … --token=… 'a b' 'it'\''s' --stdin"
        );
        assert_eq!(
            shown(&["f.js", "--env", "KEY=hush", "--env=KEY=hu=sh", "--env", "KEY", "a=b"]),
            "pando f.js --env KEY=… --env=KEY=… --env KEY a=b"
        );
    }
}

//! The settings of a run, as its server tells them.

use crate::address::Address;
use pando_client::{ConnectError, GetError, WebServer};
use pando_process::console::printable;
use pando_protocol::page::{PageSettings, SETTINGS};
use std::time::Duration;
use tokio::time::timeout;

/// How long an answer to a short request may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// Longest settings, in bytes.
const LONGEST: usize = 1 << 20;
/// Longest page, in bytes.
const LONGEST_PAGE: usize = 4 << 20;

/// Why the settings of a run are not known.
#[derive(Debug)]
pub(crate) enum Unknown {
    /// There is no run at the address, at least not now; in words.
    NoRun(String),
    /// The run cannot be helped; in words.
    Unfit(String),
}

/// Requests the settings of the run at `address`.
///
/// # Errors
/// When there are none, in words.
pub(crate) async fn request(
    server: &WebServer,
    address: &Address,
) -> Result<PageSettings, Unknown> {
    let answer = match timeout(PATIENCE, server.get(SETTINGS, LONGEST)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(GetError::Connect(error))) => {
            return Err(Unknown::NoRun(unconnected(&error, address)));
        }
        Ok(Err(GetError::Broken(why))) => {
            return Err(Unknown::NoRun(format!("{address} is not the address of a run ({why})")));
        }
        Err(_) => return Err(Unknown::NoRun(format!("{address} does not answer"))),
    };
    match answer.status {
        200 => serde_json::from_slice(&answer.content)
            .map_err(|_| Unknown::Unfit(format!("{address} is not the address of a run"))),
        404 if has_page(server).await => Err(Unknown::Unfit(format!(
            "the run at {address} has an older version of Pando, which only browsers can join: open the address in a browser, or \
             have the run's Pando updated"
        ))),
        404 => Err(Unknown::NoRun(format!(
            "there is no run at {address}: the run is over, or the address is not complete; ask for a new one"
        ))),
        503 => Err(Unknown::NoRun(format!(
            "the run at {address} cannot take this machine now: {}",
            words(&answer.content)
        ))),
        status => Err(Unknown::Unfit(format!(
            "{address} refuses this machine ({status}): {}",
            words(&answer.content)
        ))),
    }
}

/// Whether the server has a volunteer page at the address.
async fn has_page(server: &WebServer) -> bool {
    match timeout(PATIENCE, server.get("", LONGEST_PAGE)).await {
        Ok(Ok(answer)) => {
            answer.is_ok() && String::from_utf8_lossy(&answer.content).contains("page.js")
        }
        _ => false,
    }
}

/// What keeps this machine from connecting to `address`, in words.
pub(crate) fn unconnected(error: &ConnectError, address: &Address) -> String {
    match error {
        ConnectError::Proxy(text) => text.clone(),
        ConnectError::Refused if address.is_loopback() => format!(
            "nothing answers at {address} (connection refused): is the run over? This address leads to this machine itself; if the \
             run is on another machine, give another one of the addresses that the run prints"
        ),
        ConnectError::Refused => format!(
            "nothing answers at {address} (connection refused): is the run over, and is the port right?"
        ),
        ConnectError::Unreachable(error) => format!(
            "{address} cannot be reached ({error}): see the name of the host, and whether this machine is on line"
        ),
        ConnectError::Certificate(error) => format!(
            "{address} has a certificate that this machine does not trust ({error}): set SSL_CERT_FILE to the certificate, or \
             to that of its authority"
        ),
        ConnectError::NoTls(error) => {
            format!("{address} does not speak TLS ({error}): is the address http instead of https?")
        }
    }
}

/// The text of an answer, for people.
fn words(content: &[u8]) -> String {
    let text = String::from_utf8_lossy(content);
    match text.trim() {
        "" => "it gives no reason".into(),
        text => printable(text.lines().next().unwrap_or_default()),
    }
}

/// Checks that a native volunteer can compute for a run with these `settings`, or that the gateway
/// with this id can share its job.
///
/// # Errors
/// When it cannot, in words.
pub(crate) fn check(
    settings: &PageSettings,
    address: &Address,
    gateway: Option<&str>,
) -> Result<(), String> {
    if let Some(id) = gateway {
        return check_for_gateway(settings, address, id);
    }
    if settings.options.dom {
        return Err(format!(
            "the function of this run needs a page (--dom): open {address} in a browser instead"
        ));
    }
    Ok(())
}

fn check_for_gateway(settings: &PageSettings, address: &Address, id: &str) -> Result<(), String> {
    if settings.options.gateways.iter().any(|gateway| gateway == id) {
        return Err(format!(
            "{address} leads back to this machine, whose job it shares: give the address that the run itself prints"
        ));
    }
    Ok(())
}

//! The engine for the job of a master.

use crate::{
    address::Address,
    settings::{self, Unknown},
};
use pando_client::WebServer;
use pando_protocol::volunteer::Welcome;
use pando_volunteer::{Engine, Node, NodeError};
use pando_web::embedded;
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// How long the function may take to come.
const LOADING: Duration = Duration::from_secs(600);
/// Longest function, in bytes.
const LONGEST: usize = 1 << 30;

/// An engine that can run the job's function.
pub(crate) struct Prepared {
    pub(crate) engine: Arc<dyn Engine>,
    /// The engine with its version, for people.
    pub(crate) name: String,
    /// The purpose of the run, for people.
    pub(crate) title: String,
}

/// Why there is no engine for a job.
#[derive(Debug)]
pub(crate) enum NoEngine {
    /// The job is gone, or the function did not come: the link is opened again.
    Lost(String),
    /// This machine cannot run the function, in words.
    Unfit(String),
}

/// Requests the function of the job that `welcome` describes, and finds an engine for it.
///
/// # Errors
/// When there is none.
pub(crate) async fn prepare(
    server: WebServer,
    address: Address,
    welcome: Welcome,
) -> Result<Prepared, NoEngine> {
    let settings = settings::request(&server, &address).await.map_err(|unknown| match unknown {
        Unknown::NoRun(why) => NoEngine::Lost(why),
        Unknown::Unfit(why) => NoEngine::Unfit(why),
    })?;
    if settings.options.function != welcome.function {
        return Err(NoEngine::Lost("there is another run at the address now".into()));
    }
    settings::check(&settings, &address).map_err(NoEngine::Unfit)?;
    let lost = |why: String| NoEngine::Lost(format!("the function did not come: {why}"));
    let function = match timeout(LOADING, server.get("function.js", LONGEST)).await {
        Ok(Ok(answer)) if answer.is_ok() => answer.content,
        Ok(Ok(answer)) => return Err(lost(format!("the answer was {}", answer.status))),
        Ok(Err(error)) => return Err(lost(error.to_string())),
        Err(_) => return Err(lost("it took too long".into())),
    };
    let code =
        String::from_utf8(function.into()).map_err(|_| lost("its text is not UTF-8".into()))?;
    let host = embedded::web("node.js").unwrap_or_default();
    let node = Node::find(host, &code, &welcome.options, None).await;
    let node = node.map_err(|error| NoEngine::Unfit(without_node(&error)))?;
    Ok(Prepared {
        name: format!("Node.js {}", node.version()),
        engine: Arc::new(node),
        title: settings.options.title,
    })
}

/// Why this machine cannot compute, with a remedy.
fn without_node(error: &NodeError) -> String {
    let remedy = match error {
        NodeError::Fails(_) => "mend that",
        NodeError::Missing | NodeError::Old(_) => "install Node.js 20 or later",
        NodeError::System => "join from another system",
    };
    format!("{}: {remedy}, or open the address in a browser", error.to_string().trim_end())
}

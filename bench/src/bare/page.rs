//! A page whose worker calls a function in a bare loop.

use crate::page::{LOOPBACK, PageServer};
use anyhow::Context;
use axum::extract::ws::Message;
use std::time::Duration;

/// A page with the loop.
#[derive(Debug)]
pub struct Loop(PageServer);

impl Loop {
    /// Starts the server on a free port of the loopback device. The page has so many `workers`,
    /// which share the calls of `f` in the text `function` with the numbers from 1 to `calls`, as
    /// text. Each worker makes a twentieth of its calls before, to warm up.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn serve(function: &str, calls: u64, workers: u64) -> anyhow::Result<Self> {
        let work = format!(
            "{function}
            for (let i = 1; i <= {}; i++) f(String(i))
            onmessage = ({{ data: first }}) => {{
              for (let i = first; i <= {calls}; i += {workers}) f(String(i))
              postMessage('done')
            }}
            postMessage('ready')",
            calls / workers / 20
        );
        let page = format!(
            "<!doctype html><title>Loop</title><script>
            const socket = new WebSocket('ws://' + location.host + '/socket')
            socket.onmessage = ({{ data }}) => (location.href = data)
            socket.onopen = async () => {{
              const url = URL.createObjectURL(new Blob([{}]))
              const workers = Array.from({{ length: {workers} }}, () => new Worker(url))
              const all = () => Promise.all(workers.map((worker) => new Promise((heard) => (worker.onmessage = heard))))
              await all()
              const start = performance.now()
              workers.forEach((worker, number) => worker.postMessage(number + 1))
              await all()
              socket.send(String(performance.now() - start))
            }}
            </script>",
            serde_json::Value::from(work)
        );
        Ok(Self(PageServer::start(page, LOOPBACK).await?))
    }

    /// The address of the page.
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// Waits for the time of all calls, then directs the page to `next`.
    ///
    /// # Errors
    /// When the page does not come, or tells no time.
    pub async fn time(&mut self, next: &str) -> anyhow::Result<Duration> {
        let mut socket = self.0.next().await?;
        let message = socket.recv().await.context("the page went")??;
        let millis: f64 = message.to_text()?.parse().context("the page tells no time")?;
        socket.send(Message::Text(next.into())).await?;
        Ok(Duration::from_secs_f64(millis / 1e3))
    }
}

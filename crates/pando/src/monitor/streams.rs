//! Server-sent events: the state of the run, and its results.

use super::{Monitor, json};
use crate::master::{GalleryNews, GalleryVisit};
use axum::{
    body::Body,
    http::header,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::watch, time::timeout};

/// The time after which a silent stream gives a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
const COMMENT: &str = ": the run goes on\n\n";

/// The newest events of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct StreamUpdate {
    pub(super) text: Bytes,
    /// Whether the stream ends after these events.
    pub(super) is_last: bool,
}

/// An event, as text of a stream.
pub(super) fn event(name: &str, data: &impl Serialize) -> String {
    format!("event: {name}\ndata: {}\n\n", json(data))
}

/// The stream of states: the history, the present state, and from then on the news.
pub(super) fn states(monitor: &Arc<Monitor>) -> Response {
    let updates = monitor.updates.subscribe();
    let history = event("history", &monitor.history().document());
    let state = monitor.with_snapshot(|run, words| event("status", &monitor.status(run, words)));
    let first =
        StreamUpdate { text: (history + &state).into(), is_last: monitor.last.get().is_some() };
    let reader = monitor.readers.add(Instant::now());
    let start = Some((Some(first), updates, reader));
    response(Body::from_stream(stream::unfold(start, |state| async {
        let (first, mut updates, reader) = state?;
        let update = match first {
            Some(first) => first,
            None => {
                reader.waits();
                next(&mut updates).await?
            }
        };
        reader.takes(Instant::now());
        let rest = (!update.is_last).then_some((None, updates, reader));
        Some((Ok::<_, Infallible>(update.text), rest))
    })))
}

/// Waits for the next update. A reader that is slow misses those between.
async fn next(updates: &mut watch::Receiver<StreamUpdate>) -> Option<StreamUpdate> {
    match timeout(SIGN_OF_LIFE, updates.changed()).await {
        Ok(changed) => changed.ok().map(|()| updates.borrow_and_update().clone()),
        Err(_) => Some(StreamUpdate { text: COMMENT.into(), is_last: false }),
    }
}

/// The stream of results.
pub(super) fn results(monitor: &Arc<Monitor>) -> Response {
    let visit = GalleryVisit::new(monitor.master.gallery.clone());
    // The head of a response goes out with its first bytes.
    let start = (Some(COMMENT), visit);
    response(Body::from_stream(stream::unfold(start, |(first, mut visit)| async move {
        let text = match first {
            Some(first) => first.to_owned(),
            None => match timeout(SIGN_OF_LIFE, visit.next()).await {
                Ok(GalleryNews::End) => return None,
                Ok(GalleryNews::Results(missed, results)) => texts(missed, &results),
                Err(_) => COMMENT.to_owned(),
            },
        };
        Some((Ok::<_, Infallible>(text), (None, visit)))
    })))
}

/// The events for results, of which the reader has `missed` some.
fn texts(missed: u64, results: &[Arc<str>]) -> String {
    let mut text = if missed > 0 { event("lost", &missed) } else { String::new() };
    for result in results {
        text.push_str(&format!("event: result\ndata: {result}\n\n"));
    }
    text
}

fn response(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")], body).into_response()
}

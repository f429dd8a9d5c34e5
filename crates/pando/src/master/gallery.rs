//! Results for people who look at them while they come. Nothing is kept while nobody looks.

use crate::protocol::Form;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    mem,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
};
use stream_lender::Index;
use tokio::sync::Notify;

/// The most bytes that are kept for visitors.
const MOST_BYTES: usize = 16 << 20;
/// The longest picture, in bytes of its address.
const LONGEST_IMAGE: usize = 1 << 20;
/// The most characters of a text.
const LONGEST_TEXT: usize = 200;
/// How a result begins if it is the address of a picture.
const IMAGE_ADDRESS: &[u8] = b"data:image/";

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Gallery {
    visitors: AtomicUsize,
    shown: Mutex<Shown>,
    /// Wakes the visitors.
    news: Notify,
}

/// The results that are kept.
#[derive(Debug, Default)]
struct Shown {
    results: VecDeque<Arc<str>>,
    /// The number of results that were shown before the first one that is kept.
    gone: u64,
    bytes: usize,
    is_closed: bool,
}

/// A result that was accepted.
#[derive(Debug)]
pub(crate) struct ShownResult {
    pub(crate) index: Index,
    /// The number of the device.
    pub(crate) device: u64,
    pub(crate) form: Form,
    pub(crate) bytes: Bytes,
}

/// Somebody who looks at the results.
#[derive(Debug)]
pub(crate) struct GalleryVisit {
    gallery: Arc<Gallery>,
    /// The number of results that were shown before the next one.
    next: u64,
}

/// What a visitor sees next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum GalleryNews {
    /// Results, each as JSON, after this number of results that the visitor has missed.
    Results(u64, Vec<Arc<str>>),
    /// No further result follows.
    End,
}

impl Gallery {
    /// Whether anybody looks at the results.
    pub(crate) fn has_visitors(&self) -> bool {
        self.visitors.load(Ordering::Relaxed) > 0
    }

    /// Shows results to the visitors.
    pub(crate) fn show(&self, results: Vec<ShownResult>) {
        if results.is_empty() {
            return;
        }
        let results: Vec<Arc<str>> =
            results.iter().map(|result| result.json().to_string().into()).collect();
        self.lock().add(results);
        self.news.notify_waiters();
    }

    /// Tells the visitors that no further result follows.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.news.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().expect("nobody panics with it")
    }
}

impl Shown {
    fn add(&mut self, results: Vec<Arc<str>>) {
        for result in results {
            self.bytes += result.len();
            self.results.push_back(result);
            while self.bytes > MOST_BYTES
                && let Some(oldest) = self.results.pop_front()
            {
                self.bytes -= oldest.len();
                self.gone += 1;
            }
        }
    }

    fn clear(&mut self) {
        self.gone += mem::take(&mut self.results).len() as u64;
        self.bytes = 0;
    }
}

impl GalleryVisit {
    /// Begins a visit. The visitor sees also the results that are kept for others.
    pub(crate) fn new(gallery: Arc<Gallery>) -> Self {
        gallery.visitors.fetch_add(1, Ordering::Relaxed);
        let next = gallery.lock().gone;
        Self { gallery, next }
    }

    /// Waits for results that the visitor has not seen.
    pub(crate) async fn next(&mut self) -> GalleryNews {
        loop {
            // Whoever shows a result after this line wakes this task.
            let news = self.gallery.news.notified();
            if let Some(seen) = self.look() {
                if let GalleryNews::Results(missed, results) = &seen {
                    self.next += missed + results.len() as u64;
                }
                return seen;
            }
            news.await;
        }
    }

    fn look(&self) -> Option<GalleryNews> {
        /// The most bytes that a visitor gets at once.
        const AT_ONCE: usize = 256 << 10;
        let shown = self.gallery.lock();
        let missed = shown.gone.saturating_sub(self.next);
        let first = (self.next + missed - shown.gone) as usize;
        let mut length = 0;
        let results = shown.results.range(first.min(shown.results.len())..);
        let results: Vec<Arc<str>> = results
            .take_while(|result| {
                length < AT_ONCE && {
                    length += result.len();
                    true
                }
            })
            .cloned()
            .collect();
        match results.is_empty() {
            false => Some(GalleryNews::Results(missed, results)),
            true => shown.is_closed.then_some(GalleryNews::End),
        }
    }
}

impl Drop for GalleryVisit {
    fn drop(&mut self) {
        if self.gallery.visitors.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.gallery.lock().clear();
        }
    }
}

impl ShownResult {
    fn json(&self) -> Value {
        let (kind, value) = self.content();
        json!({
            "item": self.index + 1,
            "device": self.device.to_string(),
            "kind": kind,
            "value": value,
        })
    }

    fn content(&self) -> (&'static str, Value) {
        if let Some(address) = self.image() {
            return ("image", address.into());
        }
        let text = String::from_utf8_lossy(&self.bytes[..self.bytes.len().min(4 * LONGEST_TEXT)]);
        match text.trim().parse::<f64>() {
            Ok(number) if self.form != Form::Bytes && number.is_finite() => {
                ("number", number.into())
            }
            _ => ("text", text.chars().take(LONGEST_TEXT).collect::<String>().into()),
        }
    }

    /// The address of the picture, if the result is one.
    fn image(&self) -> Option<String> {
        if self.bytes.len() > LONGEST_IMAGE {
            return None;
        }
        if self.form == Form::Bytes {
            let kind = image_kind(&self.bytes)?;
            let address = format!("data:image/{kind};base64,{}", STANDARD.encode(&self.bytes));
            return Some(address).filter(|address| address.len() <= LONGEST_IMAGE);
        }
        let text = self.bytes.strip_prefix(b"\"").unwrap_or(&self.bytes);
        if !text.starts_with(IMAGE_ADDRESS) {
            return image_kind(&self.bytes)
                .filter(|kind| *kind == "svg+xml")
                .map(|kind| format!("data:image/{kind};base64,{}", STANDARD.encode(&self.bytes)));
        }
        match self.form {
            Form::Json => serde_json::from_slice(&self.bytes).ok(),
            _ => String::from_utf8(self.bytes.to_vec()).ok(),
        }
    }
}

/// The kind of a picture, by its first bytes.
fn image_kind(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("png"),
        [0xff, 0xd8, 0xff, ..] => Some("jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp"),
        _ if bytes.starts_with(b"<svg") => Some("svg+xml"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

//! Standard error: one plain line per message, and on a terminal a live status line below the
//! messages.
//!
//! Messages never block the run. A thread of its own writes them from a bounded queue; messages
//! that find no room in the queue (because standard error is not read) are dropped and counted.

use crate::threads;
use std::{
    io::{IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError, SyncSender, TrySendError},
    },
    time::Duration,
};
use terminal_size::{Width, terminal_size_of};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Most messages that wait to be written.
const QUEUE: usize = 4096;
/// Approximate limit on the bytes of one message of a device.
const LONGEST: usize = 10_000;
/// Columns of a terminal that does not report its width.
const COLUMNS: usize = 80;

enum ConsoleMessage {
    Lines(String),
    Status(Vec<String>),
    Finish(mpsc::Sender<()>),
}

/// The queue of messages for people; cheap to clone.
#[derive(Clone)]
pub struct Console {
    queue: SyncSender<ConsoleMessage>,
    dropped: Arc<AtomicU64>,
}

impl Console {
    /// Starts the thread that writes to standard error.
    pub fn start() -> Self {
        Self::with(std::io::stderr(), columns)
    }

    /// Starts a thread that writes to `sink` in place of standard error.
    pub fn to(sink: impl Write + Send + 'static) -> Self {
        Self::with(sink, || None)
    }

    fn with(sink: impl Write + Send + 'static, columns: fn() -> Option<usize>) -> Self {
        let (queue, messages) = mpsc::sync_channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let lost = dropped.clone();
        // If the thread cannot be started, messages are dropped, and no caller waits.
        let _ = threads::spawn("console", move || write(&messages, &lost, sink, columns));
        Self { queue, dropped }
    }

    /// A console that drops all messages.
    pub fn silent() -> Self {
        let (queue, _) = mpsc::sync_channel(0);
        Self { queue, dropped: Arc::default() }
    }

    /// Whether standard error is a terminal.
    pub fn is_terminal() -> bool {
        std::io::stderr().is_terminal()
    }

    /// Whether each line of `text` fits into the terminal. Without a terminal, any text fits.
    pub fn fits(text: &str) -> bool {
        columns().is_none_or(|columns| text.lines().all(|line| line.width() <= columns))
    }

    /// Prints `text`, one or more lines without the line break at the end. Terminal control
    /// characters are made visible, and line breaks stay. For text from strangers, see
    /// [`printable`].
    pub fn say(&self, text: impl Into<String>) {
        self.send(ConsoleMessage::Lines(legible(text.into())));
    }

    /// Replaces the status line. `forms` become shorter; the first one that fits into the terminal
    /// is shown. If `forms` is empty, there is no status line.
    pub fn status(&self, forms: Vec<String>) {
        self.send(ConsoleMessage::Status(forms));
    }

    fn send(&self, message: ConsoleMessage) {
        if let Err(TrySendError::Full(ConsoleMessage::Lines(_))) = self.queue.try_send(message) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all messages so far are written, at most for `patience`.
    pub fn finish(&self, patience: Duration) {
        let (done, wait) = mpsc::channel();
        let mut message = ConsoleMessage::Finish(done);
        for _ in 0..20 {
            match self.queue.try_send(message) {
                Ok(()) => {
                    let _ = wait.recv_timeout(patience);
                    return;
                }
                Err(TrySendError::Full(back)) => message = back,
                Err(TrySendError::Disconnected(_)) => return,
            }
            std::thread::sleep(patience / 20);
        }
    }
}

/// The width of the terminal at standard error, if there is one.
fn columns() -> Option<usize> {
    let told = || {
        terminal_size_of(std::io::stderr()).map_or(COLUMNS, |(Width(columns), _)| columns.into())
    };
    Console::is_terminal().then(told)
}

fn write(
    messages: &mpsc::Receiver<ConsoleMessage>,
    lost: &AtomicU64,
    mut sink: impl Write,
    columns: fn() -> Option<usize>,
) {
    let mut status = Vec::new();
    loop {
        let message = match messages.recv_timeout(Duration::from_secs(60)) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let mut out = String::new();
        if !status.is_empty() {
            out.push_str("\r\x1b[K");
        }
        match message {
            ConsoleMessage::Lines(text) => {
                out.push_str(&text);
                out.push('\n');
            }
            ConsoleMessage::Status(forms) => status = forms,
            ConsoleMessage::Finish(done) => {
                let _ = sink.write_all(out.as_bytes());
                let _ = done.send(());
                return;
            }
        }
        let count = lost.swap(0, Ordering::Relaxed);
        if count > 0 {
            out.push_str(&format!(
                "({count} messages were dropped: standard error was not read)\n"
            ));
        }
        if !status.is_empty() {
            // A status line that wraps could not be erased. So wrapping is disabled, in case the
            // terminal becomes narrower at this moment.
            out.push_str(&format!("\x1b[?7l{}\x1b[?7h", fitting(&status, columns())));
        }
        if sink.write_all(out.as_bytes()).and_then(|()| sink.flush()).is_err() {
            // Standard error has no reader. Messages are still taken, so that `finish` gets an
            // answer.
            status.clear();
        }
    }
}

/// The first of `forms` that leaves the last column free. If none does, the last form is cut.
fn fitting(forms: &[String], columns: Option<usize>) -> String {
    let room = columns.map_or(usize::MAX, |columns| columns.saturating_sub(1));
    if let Some(form) = forms.iter().find(|form| form.width() <= room) {
        return form.clone();
    }
    let (mut cut, mut width) = (String::new(), 1);
    for c in forms.last().map_or("", String::as_str).chars() {
        width += c.width().unwrap_or(0);
        if width > room {
            break;
        }
        cut.push(c);
    }
    cut + "…"
}

fn legible(text: String) -> String {
    let is_fine = |c: char| matches!(c, '\n' | '\t') || !is_unseen(c);
    if text.chars().all(is_fine) {
        return text;
    }
    text.chars().fold(String::with_capacity(text.len() + 16), |mut out, c| {
        if is_fine(c) {
            out.push(c)
        } else {
            out.extend(c.escape_unicode())
        }
        out
    })
}

/// Makes `text` one message that a device cannot disguise. Characters that control a terminal or
/// change the writing direction are made visible, lines after the first are indented, and very
/// long text is cut.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(LONGEST));
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        if out.len() >= LONGEST {
            out.push_str(&format!("… ({} more bytes)", text.len() - at));
            break;
        }
        match c {
            '\n' => {
                out.push('\n');
                if rest.peek().is_some_and(|(_, next)| !matches!(next, ' ' | '\n')) {
                    out.push_str("  ");
                }
            }
            '\t' => out.push(c),
            c if is_unseen(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Whether a character is invisible: controls a terminal, changes the writing direction, ends
/// lines in an unusual way, hides letters, or has no visible form. Characters that join and shape
/// the letters of some scripts or emojis are not included.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    #[test]
    fn of_a_status_line_that_is_shown_which_fits() {
        let forms = ["12 done, 3 devices", "12 done", "12"].map(str::to_owned);
        let fitting = |columns| super::fitting(&forms, columns);
        assert_eq!(fitting(None), "12 done, 3 devices");
        assert_eq!(fitting(Some(19)), "12 done, 3 devices");
        assert_eq!((fitting(Some(18)).as_str(), fitting(Some(8)).as_str()), ("12 done", "12 done"));
        assert_eq!(
            (fitting(Some(7)).as_str(), fitting(Some(3)).as_str(), fitting(Some(2)).as_str()),
            ("12", "12", "…")
        );
        let wide = ["日本語".to_owned()];
        let fitting = |columns| super::fitting(&wide, Some(columns));
        assert_eq!(
            (fitting(7).as_str(), fitting(6).as_str(), fitting(4).as_str()),
            ("日本語", "日本…", "日…")
        );
    }

    #[test]
    fn control_characters_are_made_visible() {
        assert_eq!(super::printable("a\x1b[2Jb\tc\n"), "a\\u{1b}[2Jb\tc\n");
        assert_eq!(super::printable("\u{9b}31m\r\u{8}"), "\\u{9b}31m\\u{d}\\u{8}");
    }

    #[test]
    fn letters_that_turn_or_hide_others_are_made_visible() {
        assert_eq!(
            super::printable("a\u{202e}b\u{2066}c\u{2028}d\u{200f}"),
            "a\\u{202e}b\\u{2066}c\\u{2028}d\\u{200f}"
        );
        assert_eq!(
            super::printable("error\u{200b}\u{ad}\u{2800}"),
            "error\\u{200b}\\u{ad}\\u{2800}"
        );
        assert_eq!(super::printable("π 日本 👩‍🚀 עברית"), "π 日本 👩‍🚀 עברית");
    }

    #[test]
    fn a_message_cannot_add_a_line_that_looks_like_another() {
        assert_eq!(
            super::printable("a\nServing at evil\n  at f\n\n"),
            "a\n  Serving at evil\n  at f\n\n"
        );
    }

    #[test]
    fn a_very_long_message_is_cut() {
        let cut = super::printable(&"é".repeat(1_000_000));
        assert!(
            cut.len() < super::LONGEST + 50 && cut.ends_with("… (1990000 more bytes)"),
            "{} {}",
            cut.len(),
            &cut[9990..]
        );
    }
}

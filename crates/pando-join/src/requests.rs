//! What asks this machine to leave.

use crate::news::JoinNews;
use pando_process::signals::Signals;
use std::{future::pending, io, thread};
use tokio::sync::oneshot;

/// Signals, and with `--until-eof` the end of standard input.
pub(crate) struct LeaveRequests {
    signals: Signals,
    /// Hears the end of standard input, once.
    end_of_input: Option<oneshot::Receiver<()>>,
    news: JoinNews,
}

impl LeaveRequests {
    /// Listens from now on. Must be called within a tokio runtime.
    pub(crate) fn listen(until_eof: bool, news: JoinNews) -> Self {
        let end_of_input = until_eof.then(|| {
            let (ended, hears) = oneshot::channel();
            thread::spawn(move || {
                // An error ends the input as well.
                let _ = io::copy(&mut io::stdin(), &mut io::sink());
                let _ = ended.send(());
            });
            hears
        });
        Self { signals: Signals::listen(), end_of_input, news }
    }

    /// Waits for the next request. The wait may be cancelled.
    pub(crate) async fn next(&mut self) {
        let ended = async {
            match &mut self.end_of_input {
                Some(end) => drop(end.await),
                None => pending().await,
            }
        };
        tokio::select! {
            _ = self.signals.next() => return,
            () = ended => {}
        }
        self.end_of_input = None;
        self.news.say("standard input has ended (--until-eof)");
    }
}

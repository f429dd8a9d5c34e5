//! The end of a session: the goodbye to the device, the line for people, and the return of values
//! to the lender.

use super::{Departure, Session};
use crate::{console::printable, master::exchange::Leaving, protocol::ToVolunteer};
use serde_json::json;
use std::time::Instant;

/// The message to a device that the owner of the run sends away.
pub(super) const REMOVED: &str =
    "The owner of this job does not need this device any more. Thank you for your help!";

impl Session {
    /// Ends the session: says goodbye to the device, tells people why, and has its values lent
    /// again.
    pub(crate) fn leave(&mut self, departure: &Departure, now: Instant) {
        let job = &self.master.job;
        let how = match departure {
            Departure::Lost | Departure::Silent => Leaving::Vanished,
            Departure::Stuck => Leaving::Unresponsive,
            _ => Leaving::Otherwise,
        };
        let (held, lines, goodbye, items) = self.master.with(|state| {
            let (lines, copies) = state.exchange(self.sub, job, now).leave(how);
            if let (Departure::Broken(why), true) = (departure, job.local_only && self.local) {
                state.cannot_run(why.clone());
            }
            let goodbye = state.goodbye();
            let items = state.items().certain_total(job.size);
            (state.exchange(self.sub, job, now).close(copies), lines, goodbye, items)
        });
        let items = items.filter(|_| matches!(departure, Departure::Done));
        self.say_goodbye(departure, held, goodbye, items);
        lines.into_iter().for_each(|line| self.master.console.say(printable(&line)));
    }

    /// `items`: the number of items of a run that is done.
    fn say_goodbye(
        &mut self,
        departure: &Departure,
        held: usize,
        goodbye: Option<(&str, &str)>,
        items: Option<u64>,
    ) {
        let name = &self.name;
        let again = match held {
            0 => String::new(),
            1 => "; its value goes to another device".into(),
            n => format!("; its {n} values go to other devices"),
        };
        let (reason, text, line) = match departure {
            Departure::Done => {
                // Without a goodbye, the device joins again by itself if the run goes on later.
                let (reason, text) = goodbye.unwrap_or_default();
                (reason, text.to_owned(), None)
            }
            Departure::Left(why) if why == "hidden" => {
                ("", String::new(), Some(format!("{name} went to sleep{again}")))
            }
            Departure::Left(_) => ("", String::new(), Some(format!("{name} left{again}"))),
            Departure::Lost => ("", String::new(), Some(format!("{name} is gone{again}"))),
            Departure::Silent => {
                let line = format!(
                    "{name} has been silent for {:?} and is taken for gone{again}",
                    self.master.job.silence_limit()
                );
                // No goodbye: when the device wakes up, it finds the channel closed and joins
                // again.
                ("", String::new(), Some(line))
            }
            Departure::Stuck => {
                let line = format!(
                    "{name} neither computes nor returns its values: its link is closed{again}"
                );
                // No goodbye: the device joins again and names its loans, in case they are still
                // of use.
                ("", String::new(), Some(line))
            }
            Departure::Replaced => {
                ("replaced", "This device joined again on another connection.".into(), None)
            }
            Departure::Removed => {
                let line = format!("{name} was sent away by the owner of the job{again}");
                ("stopped", REMOVED.into(), Some(line))
            }
            Departure::Protocol(why) => {
                let line = format!("{name} was sent away: {why}{again}");
                ("protocol", format!("This device was sent away: {why}."), Some(line))
            }
            Departure::Broken(why) => {
                let line = (!(self.master.job.local_only && self.local))
                    .then(|| format!("{name} cannot run the function: {why}"));
                ("protocol", "The function cannot run on this device.".into(), line)
            }
        };
        if !reason.is_empty() {
            self.send.say(&ToVolunteer::Bye { reason: reason.into(), text, items });
        }
        if let Some(line) = line {
            self.master.console.say(printable(&line));
        }
        self.master.events.write(
            "left",
            json!({"device": name, "why": format!("{departure:?}").to_lowercase(), "held": held}),
        );
    }
}

//! Handles the frames from a volunteer.

use super::{Departure, Session};
use crate::{
    console::printable,
    master::{exchange::Told, job::check_framing, policy::MissingFeature, said::PrintedLine},
    number,
    protocol::{Answer, Beat, Binary, Frame, LogEntry, ToMaster, ToVolunteer, behind},
    remedy::{broken, with_remedy},
};
use serde_json::json;
use std::time::Instant;
use stream_lender::Loan;
use tracing::trace;

/// The prefix of a log entry about an error that came after its call had ended.
const LATE: &str = "late error: ";

/// The longest text message, in bytes.
const LONGEST_MESSAGE: usize = 1 << 20;

impl Session {
    /// Handles one frame. An error ends the session.
    pub(crate) fn receive(&mut self, frame: Frame, now: Instant) -> Result<(), Departure> {
        self.send.received(now);
        self.traffic.note_received(frame.len());
        match frame {
            Frame::Binary(bytes) => match self.send.binary(bytes) {
                Ok(Some(Binary::Results(answers))) => self.answers(answers, now),
                Ok(Some(_)) => Err(Departure::Protocol("it sent values".into())),
                Ok(None) => {
                    self.check_parts(true, now);
                    Ok(())
                }
                Err(malformed) => Err(Departure::Protocol(malformed.to_string())),
            },
            Frame::Text(text) if text.len() > LONGEST_MESSAGE => {
                Err(Departure::Protocol("a message too long".into()))
            }
            Frame::Text(text) => match serde_json::from_str(&text) {
                Ok(message) => self.message(message, now),
                Err(error) => Err(Departure::Protocol(format!(
                    "a message that cannot be understood: {error}"
                ))),
            },
        }
    }

    fn message(&mut self, message: ToMaster, now: Instant) -> Result<(), Departure> {
        match message {
            ToMaster::Ping(_) if self.send.is_unheard() => return Err(Departure::unheard()),
            ToMaster::Ping(beat) => self.send.say(&ToVolunteer::Pong(beat)),
            ToMaster::Pong(beat) => self.pong(&beat, now),
            ToMaster::Hello(_) => return Err(Departure::Protocol("a second hello".into())),
            ToMaster::Update { name, cores } => self.update(name, cores, now),
            ToMaster::Started { items, loading } => {
                self.exchange(now, |exchange| exchange.started(&items, loading));
                self.pass_up(|| ToMaster::Started { items, loading });
            }
            ToMaster::Returned { ids, careful } => self.returned(&ids, careful, now),
            ToMaster::Log { entries } => {
                self.log(&entries, now);
                let from = |entry| Self::from_device(entry, &self.name);
                let entries = || entries.into_iter().map(from).collect();
                self.pass_up(|| ToMaster::Log { entries: entries() });
            }
            ToMaster::Report { id, report } => {
                self.report(id, &report, now);
                self.pass_up(|| ToMaster::Report { id, report });
            }
            ToMaster::Broken { message, stack } => {
                let job = &self.master.job;
                let missing = MissingFeature::of(&message, stack.as_deref(), &job.function.code);
                let hint = self.exchange(now, |exchange| exchange.hint(missing.as_ref()));
                let why = broken(&message, stack.as_deref(), &job.function);
                let (first, rest) = why.split_once('\n').unwrap_or((&why, ""));
                return Err(Departure::Broken(
                    format!("{first}{hint}\n{rest}").trim_end().to_owned(),
                ));
            }
            ToMaster::Bye { reason } => return Err(Departure::Left(reason)),
        }
        Ok(())
    }

    /// Tells the run of which a gateway shares the job what the device says.
    fn pass_up(&self, message: impl FnOnce() -> ToMaster) {
        if self.master.job.gateway {
            self.master.tell_upstream(message());
        }
    }

    /// What the function printed on `device`.
    fn from_device(entry: LogEntry, device: &str) -> LogEntry {
        let device = behind(entry.device.as_deref(), device).into_owned();
        LogEntry { device: Some(device), ..entry }
    }

    fn update(&mut self, name: Option<String>, cores: Option<u32>, now: Instant) {
        let cores = cores.map(|cores| cores.min(4096));
        let (names, may_ask, room) = self.exchange(now, |exchange| exchange.update(name, cores));
        self.asking |= cores.is_some_and(|cores| cores > 0);
        self.asking &= may_ask;
        self.room = room;
        if let Some((before, name)) = names {
            self.master.console.say(format!("{before} is now called {name}"));
            self.name = name;
        }
    }

    fn pong(&mut self, beat: &Beat, now: Instant) {
        if let Some((round_trip, arrived)) = self.send.pong(beat, now) {
            self.exchange(now, |exchange| exchange.pong(round_trip, arrived));
        }
    }

    /// Updates the bookkeeping of an incomplete frame, and discards its parts if no result is
    /// expected; `arrived`: another part has just arrived.
    pub(super) fn check_parts(&mut self, arrived: bool, now: Instant) {
        let parts = self.send.parts();
        if parts == 0 && !arrived {
            return;
        }
        let kept = self.exchange(now, |exchange| {
            if arrived {
                exchange.worked();
            }
            exchange.take_parts(parts)
        });
        if !kept {
            self.send.drop_parts();
        }
    }

    fn returned(&mut self, loans: &[Loan], careful: bool, now: Instant) {
        (self.asking, self.room) =
            self.exchange(now, |exchange| exchange.take_returned(loans, careful));
        if self.master.job.explains {
            let line =
                format!("{} gives back {}", self.name, number::count(loans.len() as u64, "value"));
            self.master.console.say(printable(&line));
        }
    }

    fn answers(&mut self, mut answers: Vec<Answer>, now: Instant) -> Result<(), Departure> {
        let parts = self.send.parts();
        // Checking large results takes time, so this happens outside the lock.
        let job = &self.master.job;
        for Answer { loan, result, .. } in &mut answers {
            if let Ok(good) = result
                && !job.gateway
                && let Err(failure) = check_framing(loan.index, good, job)
            {
                *result = Err(failure.into());
            }
            if let Err(failure) = result {
                failure.message = with_remedy(&failure.message, &job.function);
            }
        }
        trace!(device = self.name, answers = answers.len(), "answers have arrived");
        let shows = self.master.gallery.has_visitors();
        let mut told = Told::new(self.master.events.wanted(), shows);
        let (asks, room) =
            self.exchange(now, |exchange| exchange.accept(answers, parts, &mut told));
        self.asking |= asks;
        self.room = room;
        for (kind, fields) in told.happened {
            self.master.events.write(kind, fields);
        }
        self.master.gallery.show(told.results);
        for line in told.lines {
            self.master.console.say(printable(&line));
        }
        Ok(())
    }

    fn report(&self, id: Option<u64>, report: &serde_json::Value, now: Instant) {
        let name = self.exchange(now, |exchange| exchange.report(report));
        self.master.events.write(
            "report",
            json!({"device": name, "index": id.map(|id| id.saturating_add(1)), "report": report}),
        );
    }

    fn log(&self, entries: &[LogEntry], now: Instant) {
        let mut printed = Vec::new();
        for entry in entries {
            let function = &self.master.job.function;
            let text = match entry.text.strip_prefix(LATE) {
                Some(error) => format!(
                    "{LATE}{}",
                    broken(error.lines().next().unwrap_or_default(), Some(error), function)
                ),
                None => function.trace(&entry.text),
            };
            let device = &*behind(entry.device.as_deref(), &self.name);
            let number = entry.id.map(|id| id.saturating_add(1));
            let fields = json!({"device": device, "index": number, "level": entry.level, "text": text, "count": entry.count});
            self.master.events.write("log", fields);
            printed.push(PrintedLine {
                at: now,
                device: device.to_owned(),
                item: number,
                level: entry.level.clone(),
                text: text.clone(),
                count: entry.count.unwrap_or(1),
            });
            if self.master.job.quiet {
                continue;
            }
            let item = number.map(|number| format!(", item {number}")).unwrap_or_default();
            let times =
                entry.count.filter(|n| *n > 1).map(|n| format!(" ({n} times)")).unwrap_or_default();
            for line in text.lines() {
                self.master.console.say(printable(&format!("{device}{item}: {line}{times}")));
            }
        }
        self.master.lock().note_printed(printed);
    }
}

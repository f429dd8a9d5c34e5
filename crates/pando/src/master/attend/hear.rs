//! Handles the frames from a volunteer.

use super::{Attendant, End, attendant::unused_name};
use crate::{
    console::printable,
    master::{Core, Job, MissingFeature, send_state::SendState},
    protocol::{Answer, Beat, Binary, Failure, Form, Frame, LogEntry, ToMaster, ToVolunteer},
    remedy::{broken, with_remedy},
};
use bytes::Bytes;
use serde_json::json;
use std::time::{Duration, Instant};
use stream_lender::{Index, Loan, SubStreamId};

/// The prefix of a log entry about an error that came after its call had ended.
const LATE: &str = "late error: ";

/// The longest text message, in bytes.
const LONGEST_MESSAGE: usize = 1 << 20;

impl Attendant {
    /// Handles one frame. An error ends the session.
    pub(crate) fn receive(&mut self, frame: Frame, now: Instant) -> Result<(), End> {
        self.seat.received(now);
        match frame {
            Frame::Binary(bytes) => match self.seat.binary(bytes) {
                Ok(Some(Binary::Results(answers))) => self.answers(answers, now),
                Ok(Some(_)) => Err(End::Protocol("it sent values".into())),
                Ok(None) => {
                    self.look_at_parts(Some(now));
                    Ok(())
                }
                Err(malformed) => Err(End::Protocol(malformed.to_string())),
            },
            Frame::Text(text) if text.len() > LONGEST_MESSAGE => {
                Err(End::Protocol("a message too long".into()))
            }
            Frame::Text(text) => match serde_json::from_str(&text) {
                Ok(message) => self.message(message, now),
                Err(error) => {
                    Err(End::Protocol(format!("a message that cannot be understood: {error}")))
                }
            },
        }
    }

    fn message(&mut self, message: ToMaster, now: Instant) -> Result<(), End> {
        match message {
            ToMaster::Ping(_) if self.seat.is_unheard() => return Err(End::unheard()),
            ToMaster::Ping(beat) => self.seat.say(&ToVolunteer::Pong(beat)),
            ToMaster::Pong(beat) => self.pong(&beat, now),
            ToMaster::Hello(_) => return Err(End::Protocol("a second hello".into())),
            ToMaster::Update { name, cores } => self.update(name, cores),
            ToMaster::Started { items, loading } => {
                self.master.started(self.sub, &items, loading, now)
            }
            ToMaster::Returned { ids, careful } => self.returned(&ids, careful, now),
            ToMaster::Log { entries } => self.log(&entries),
            ToMaster::Report { id, report } => self.master.reported(self.sub, id, &report),
            ToMaster::Broken { message, stack } => {
                let job = &self.master.job;
                let lack = MissingFeature::of(&message, stack.as_deref(), &job.function.code);
                let hint = self.master.lock().hint(self.sub, lack.as_ref(), job);
                let why = broken(&message, stack.as_deref(), &job.function);
                let (first, rest) = why.split_once('\n').unwrap_or((&why, ""));
                return Err(End::Broken(format!("{first}{hint}\n{rest}").trim_end().to_owned()));
            }
            ToMaster::Bye { reason } => return Err(End::Left(reason)),
        }
        Ok(())
    }

    fn update(&mut self, name: Option<String>, cores: Option<u32>) {
        let cores = cores.map(|cores| cores.min(4096));
        if let Some(cores) = cores {
            self.seat.set_cores(cores);
            self.asking |= cores > 0;
        }
        self.master.with(|core| {
            if cores == Some(0) {
                core.lender.pause(self.sub);
            }
            self.asking &= core.seats.get(&self.sub).is_none_or(|seat| !seat.waits_after_recall);
            let others =
                core.seats.iter().filter(|(sub, _)| **sub != self.sub).map(|(_, seat)| &*seat.name);
            let name = name.map(|name| unused_name(others, &name));
            if let Some(entry) = core.seats.get_mut(&self.sub) {
                entry.cores = cores.unwrap_or(entry.cores);
                if let Some(name) = name {
                    self.master.console.say(format!("{} is now called {name}", entry.name));
                    entry.name.clone_from(&name);
                    self.name = name;
                }
            }
        });
    }

    fn pong(&mut self, beat: &Beat, now: Instant) {
        if let Some(count) = self.seat.pong(beat, now) {
            self.master.with(|core| {
                core.seats.get_mut(&self.sub).map(|entry| entry.progress.arrived(count, now))
            });
        }
    }

    /// Updates the bookkeeping of an incomplete frame, and discards its parts if no result is
    /// expected. `now` is given when another part has just arrived.
    pub(super) fn look_at_parts(&mut self, now: Option<Instant>) {
        let (sub, parts) = (self.sub, self.seat.parts());
        if parts == 0 && now.is_none() {
            return;
        }
        let kept = self.master.with(|core| {
            if let Some(now) = now {
                core.makes_progress(sub, now);
            }
            core.keeps_parts(sub, parts)
        });
        if !kept {
            self.seat.drop_parts();
        }
    }

    fn returned(&mut self, loans: &[Loan], careful: bool, now: Instant) {
        let (master, sub, seat) = (&self.master, self.sub, &mut self.seat);
        let silence_limit = master.job.silence_limit();
        let waits_after_recall = master.with(|core| {
            let unasked = core.gives_back_unasked(sub, loans);
            for &loan in loans {
                let held = core.lender.holds(sub, loan);
                if !held && let Some(bytes) = core.stray(sub, loan) {
                    core.leaves(sub, loan, bytes, seat);
                }
                if held && let Some(mut value) = core.lender.value(loan.index).cloned() {
                    core.leaves(sub, loan, value.bytes.len() as u64, seat);
                    if careful {
                        value.careful = true;
                        core.lender.replace_value(loan.index, value);
                    }
                    let _ = core.lender.hand_back(sub, loan);
                }
                let all = held && core.lender.held(sub) == 0;
                if let Some(entry) = core.seats.get_mut(&sub) {
                    match entry.running.remove(&loan) {
                        Some(_) if held => entry.progress.worked(now),
                        _ => entry.progress.gave_back(loan, all, now),
                    }
                    // A device may return its values each time before it counts as stalled.
                    if all && entry.progress.gives_all_back(silence_limit) {
                        entry.progress.make_suspect(silence_limit, now);
                        entry.waits_after_recall = true;
                        core.lender.pause(sub);
                    }
                }
            }
            if unasked {
                core.gave_back(sub, now);
            }
            core.seats.get(&sub).is_some_and(|seat| seat.waits_after_recall)
        });
        self.asking = !waits_after_recall;
    }

    fn answers(&mut self, answers: Vec<Answer>, now: Instant) -> Result<(), End> {
        let count = answers.len();
        let parts = self.seat.parts();
        // Checking large results takes time, so this happens outside the lock.
        let job = &self.master.job;
        let framed = |answer: Answer| Answer {
            result: answer.result.and_then(|result| well_framed(result, job)).map_err(|failure| {
                Failure { message: with_remedy(&failure.message, &job.function), ..failure }
            }),
            ..answer
        };
        let answers: Vec<Answer> = answers.into_iter().map(framed).collect();
        let (master, sub, seat, name) = (&self.master, self.sub, &mut self.seat, &*self.name);
        let mut told = Told {
            name,
            now,
            events: master.events.wanted(),
            happened: Vec::new(),
            lines: Vec::new(),
        };
        let yielded = master.with(|core| {
            core.has_parts(sub, parts);
            let (mut done, mut micros, mut worked) = (0, 0, false);
            let unasked = core.seats.get(&sub).is_some_and(|entry| !entry.copies.is_empty());
            for answer in answers {
                let loan = answer.loan;
                let holds = core.lender.holds(sub, loan);
                if !holds && let Some(bytes) = core.stray(sub, loan) {
                    worked = true;
                    core.leaves(sub, loan, bytes, seat);
                    if answer.result.is_err() || !core.overtakes(sub, loan) {
                        continue;
                    }
                    seat.lent(bytes);
                } else if !holds {
                    // The answer is late, doubled, forged or of an earlier loan: it changes
                    // nothing.
                    continue;
                }
                let bytes =
                    core.lender.value(loan.index).map_or(0, |value| value.bytes.len() as u64);
                match unasked {
                    true => core.leaves(sub, loan, bytes, seat),
                    false => seat.settled(bytes),
                }
                micros = u64::saturating_add(micros, answer.micros);
                done += u64::from(core.settle(sub, answer, &master.job, &mut told));
                worked = true;
            }
            core.statistics.done(done, micros);
            if done > 0 && !master.job.confirms {
                told.lines.extend(core.succeeded(sub));
            }
            if let Some(entry) = core.seats.get_mut(&sub) {
                entry.done += done;
                if done > 0 && !core.stuck.is_empty() {
                    core.stuck.remove(&entry.device);
                }
                if worked {
                    entry.progress.worked(now);
                }
                if let Some(each) = micros.checked_div(done) {
                    let each = Duration::from_micros(each);
                    entry.each = Some(entry.each.map_or(each, |before| (before + each) / 2));
                }
                entry.running.retain(|loan, _| {
                    core.lender.holds(sub, *loan) || entry.copies_in_flight.contains_key(loan)
                });
            }
            core.seats
                .get_mut(&sub)
                .is_some_and(|entry| worked && std::mem::take(&mut entry.waits_after_recall))
        });
        seat.answered(count, now);
        self.asking |= self.alone.is_some() || yielded;
        for (kind, fields) in told.happened {
            self.master.events.write(kind, fields);
        }
        for line in told.lines {
            self.master.console.say(printable(&line));
        }
        Ok(())
    }

    fn log(&self, entries: &[LogEntry]) {
        for entry in entries {
            let function = &self.master.job.function;
            let text = match entry.text.strip_prefix(LATE) {
                Some(error) => format!(
                    "{LATE}{}",
                    broken(error.lines().next().unwrap_or_default(), Some(error), function)
                ),
                None => function.trace(&entry.text),
            };
            let number = entry.id.map(|id| id.saturating_add(1));
            let fields = json!({"device": self.name, "index": number, "level": entry.level, "text": text, "count": entry.count});
            self.master.events.write("log", fields);
            if self.master.job.quiet {
                continue;
            }
            let item = number.map(|number| format!(", item {number}")).unwrap_or_default();
            let times =
                entry.count.filter(|n| *n > 1).map(|n| format!(" ({n} times)")).unwrap_or_default();
            for line in text.lines() {
                self.master.console.say(printable(&format!("{}{item}: {line}{times}", self.name)));
            }
        }
    }
}

/// Events and lines of one frame of answers, written after the lock is released.
struct Told<'a> {
    name: &'a str,
    now: Instant,
    events: bool,
    happened: Vec<(&'static str, serde_json::Value)>,
    lines: Vec<String>,
}

impl Core {
    /// Settles one answer of `sub`, which holds the loan. Returns whether the answer is an
    /// accepted result.
    fn settle(&mut self, sub: SubStreamId, answer: Answer, job: &Job, told: &mut Told) -> bool {
        let Answer { loan, micros, result } = answer;
        let id = loan.index;
        match result {
            Ok((_, result)) => {
                let kept = if self.waits_long(id, &result) {
                    Bytes::copy_from_slice(&result)
                } else {
                    result
                };
                let accepted = if job.confirms {
                    self.hold_until_confirmed(sub, loan, told.name, kept)
                } else {
                    self.computed(sub, id, told.now);
                    self.finish(sub, loan, kept)
                };
                if told.events {
                    told.happened.push((
                        "result",
                        json!({"index": id + 1, "device": told.name, "ms": micros as f64 / 1000.0}),
                    ));
                }
                accepted
            }
            Err(failure) => {
                told.lines
                    .extend(self.attempt_failed(sub, loan, &failure, told.name, job, told.now));
                if told.events {
                    let fields = json!({"index": id + 1, "device": told.name, "kind": failure.kind, "message": failure.message});
                    told.happened.push(("failed", fields));
                }
                false
            }
        }
    }

    /// Notes progress of `sub`: a part of a result arrived, or the channel is not read at present.
    pub(super) fn makes_progress(&mut self, sub: SubStreamId, now: Instant) {
        if let Some(seat) = self.seats.get_mut(&sub) {
            seat.progress.worked(now);
        }
    }

    /// Notes that `sub` no longer has the value of `loan`, of `bytes`. A value that still waits to
    /// be sent is not sent.
    fn leaves(&mut self, sub: SubStreamId, loan: Loan, bytes: u64, seat: &mut SendState) {
        if !self.unsends(sub, loan) {
            seat.settled(bytes);
        }
    }

    /// Whether to copy a result: a small result far from its turn would keep its whole frame in
    /// memory.
    fn waits_long(&self, id: Index, result: &Bytes) -> bool {
        result.len() < 1024 && id.saturating_sub(self.lender.output()) > 4096
    }
}

/// Checks that a result contains no separator, and is JSON if the output is JSON. Otherwise the
/// result becomes a failure of the function.
pub(in crate::master) fn well_framed(
    (form, result): (Form, Bytes),
    job: &Job,
) -> Result<(Form, Bytes), Failure> {
    let separator = job.framing.separator;
    let to_file = job.files.as_ref().is_some_and(|files| files.output_dir.is_some());
    if to_file {
        return Ok((form, result));
    }
    if memchr::memchr(separator, &result).is_none() {
        return match job.framing.form != Form::Json || is_json(&result) {
            true => Ok((form, result)),
            false => Err(Failure {
                message: "its result is not JSON: answer a value rather than bytes".into(),
                stack: None,
                kind: "json".into(),
            }),
        };
    }
    let message = if separator == b'\n' {
        "its result contains a newline, which would be taken for two results: answer text without one (JSON.stringify, base64), or separate results with NUL by -0"
    } else {
        "its result contains a NUL, which would be taken for two results: answer text without one (JSON.stringify, base64)"
    };
    Err(Failure { message: message.into(), stack: None, kind: "framing".into() })
}

fn is_json(text: &[u8]) -> bool {
    std::str::from_utf8(text)
        .is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
}

//! Simulated cores, which carry out the orders of a real host. Pure: time is an argument.

use bytes::Bytes;
use pando_protocol::volunteer::{Answer, Failure, Form, Loan, Value};
use pando_volunteer::{CoreId, CoreOrder, Host};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// What the cores compute.
pub(crate) trait Function {
    /// The duration of the next call.
    fn time(&mut self) -> Duration;

    /// The answer of a call.
    fn answer(&mut self, value: Value) -> Result<(Form, Bytes), Failure>;

    /// The place of the value to compute next, of `count` values.
    fn choose(&mut self, _count: usize) -> usize {
        0
    }
}

/// The cores of one volunteer; each computes one value at a time.
#[derive(Debug, Default)]
pub(crate) struct Cores(Vec<Core>);

#[derive(Debug)]
struct Core {
    id: CoreId,
    queue: VecDeque<(Loan, Value)>,
    call: Option<Call>,
    /// The end of the last call, if there was no time since then.
    free: Option<Instant>,
}

#[derive(Debug)]
struct Call {
    loan: Loan,
    value: Value,
    time: Duration,
    until: Instant,
}

impl Cores {
    /// Carries out the orders of `host`. Returns the number of values given to cores.
    pub(crate) fn obey(&mut self, host: &mut Host, now: Instant) -> usize {
        let mut given = 0;
        while let Some(order) = host.next_order() {
            match order {
                CoreOrder::Start(id) => {
                    self.0.push(Core { id, queue: VecDeque::new(), call: None, free: None });
                    host.ready(id, now);
                }
                CoreOrder::Compute(id, values) => {
                    given += values.len();
                    if let Some(core) = self.0.iter_mut().find(|core| core.id == id) {
                        core.give(values);
                    }
                }
                CoreOrder::End(id) => self.0.retain(|core| core.id != id),
            }
        }
        given
    }

    /// Moves the clock to `now`. Returns the answers of the calls that have ended.
    pub(crate) fn advance(
        &mut self,
        now: Instant,
        function: &mut impl Function,
    ) -> Vec<(CoreId, Vec<Answer>)> {
        let all = self.0.iter_mut().map(|core| (core.id, core.advance(now, function)));
        all.filter(|(_, answers)| !answers.is_empty()).collect()
    }

    /// The next time at which a call ends.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.iter().filter_map(|core| core.call.as_ref()).map(|call| call.until).min()
    }

    /// Delays the end of every call by `time`, because the volunteer was suspended.
    pub(crate) fn stood_still(&mut self, time: Duration) {
        self.0.iter_mut().filter_map(|core| core.call.as_mut()).for_each(|call| call.until += time);
    }
}

impl Core {
    fn give(&mut self, values: Vec<(Loan, Value)>) {
        if self.queue.is_empty() {
            self.queue = values.into();
        } else {
            self.queue.extend(values);
        }
    }

    fn advance(&mut self, now: Instant, function: &mut impl Function) -> Vec<Answer> {
        let mut answers = Vec::new();
        while let Some(call) = self.call.take().or_else(|| self.begin(now, function)) {
            let Call { loan, value, time, until } = call;
            if until > now {
                self.call = Some(Call { loan, value, time, until });
                break;
            }
            self.free = Some(until);
            let result = function.answer(value).map_err(Box::new);
            answers.push(Answer { loan, micros: time.as_micros() as u64, result });
        }
        // Values that come in answer to these answers are begun without a pause.
        self.free.take_if(|_| answers.is_empty());
        answers
    }

    fn begin(&mut self, now: Instant, function: &mut impl Function) -> Option<Call> {
        let at = if self.queue.len() > 1 { function.choose(self.queue.len()) } else { 0 };
        let next = if at == 0 { self.queue.pop_front() } else { self.queue.remove(at) };
        let (loan, value) = next?;
        let time = function.time();
        let until = self.free.take().unwrap_or(now) + time;
        Some(Call { loan, value, time, until })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pando_protocol::volunteer::{
        Frame, JobOptions, ToVolunteer, VERSION, Welcome, encode_values,
    };
    use pando_volunteer::Introduction;

    const MS: Duration = Duration::from_millis(1);

    struct Slow(Duration);

    impl Function for Slow {
        fn time(&mut self) -> Duration {
            self.0
        }

        fn answer(&mut self, value: Value) -> Result<(Form, Bytes), Failure> {
            Ok((value.form, value.bytes))
        }
    }

    /// A volunteer with two cores, which has received these values.
    fn volunteer(values: std::ops::Range<u64>, now: Instant) -> (Host, Cores) {
        let mut host = Host::new(Introduction {
            device: "d".into(),
            name: "n".into(),
            kind: "native".into(),
            cores: 2,
        });
        host.connected("", now);
        let options = JobOptions { concurrency: 1, heartbeat: 5000, ..JobOptions::default() };
        let (job, function) = ("job".into(), String::new());
        let welcome = Welcome {
            version: VERSION,
            job,
            function,
            options,
            keep: Vec::new(),
            items: None,
            program: None,
        };
        host.receive(Frame::json(&ToVolunteer::Welcome(welcome)), now).unwrap();
        let value = Value::new("x".into(), Form::Text);
        let frame = encode_values(values.map(|id| (Loan::first(id), &value)), 100);
        host.receive(Frame::Binary(frame), now).unwrap();
        let mut cores = Cores::default();
        cores.obey(&mut host, now);
        (host, cores)
    }

    /// The indices of the values that are answered by `now`, in order.
    fn answered(host: &mut Host, cores: &mut Cores, now: Instant) -> Vec<u64> {
        let mut indices = Vec::new();
        loop {
            cores.obey(host, now);
            let done = cores.advance(now, &mut Slow(10 * MS));
            if done.is_empty() {
                indices.sort_unstable();
                return indices;
            }
            for (id, answers) in done {
                indices.extend(answers.iter().map(|answer| answer.loan.index));
                host.answered(id, &answers, now);
            }
        }
    }

    #[test]
    fn cores_work_side_by_side_and_without_pause() {
        let start = Instant::now();
        let (mut host, mut cores) = volunteer(0..5, start);
        assert!(answered(&mut host, &mut cores, start).is_empty());
        assert_eq!(cores.next(), Some(start + 10 * MS));
        assert_eq!(answered(&mut host, &mut cores, start + 10 * MS), [0, 1]);
        assert_eq!(answered(&mut host, &mut cores, start + 35 * MS), [2, 3, 4]);
        assert_eq!(cores.next(), None);
    }

    #[test]
    fn calls_stand_still_with_the_volunteer() {
        let start = Instant::now();
        let (mut host, mut cores) = volunteer(0..3, start);
        assert!(answered(&mut host, &mut cores, start).is_empty());
        cores.stood_still(5 * MS);
        assert_eq!(cores.next(), Some(start + 15 * MS));
        assert!(answered(&mut host, &mut cores, start + 14 * MS).is_empty());
        assert_eq!(answered(&mut host, &mut cores, start + 15 * MS), [0, 1]);
    }
}

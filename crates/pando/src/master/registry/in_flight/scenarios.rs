//! The limit among simulated devices: near and far, fast and slow, steady and not.

use super::{CallTimes, InFlight};
use crate::config::BatchSize;
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    time::{Duration, Instant},
};

/// A device and its link.
#[derive(Debug, Clone, Copy)]
struct LimitScenario {
    cores: u32,
    round_trip: Duration,
    /// The most by which a message comes later than the others.
    jitter: Duration,
    /// The mean time of a call.
    call: Duration,
    spread: Spread,
}

/// How the times of calls differ.
#[derive(Debug, Clone, Copy)]
enum Spread {
    Constant,
    Exponential,
    /// One call in a hundred takes fifty times as long as the others.
    Bimodal,
}

/// What happens, each with the number of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum LimitEvent {
    Arrives(usize),
    Done(Duration),
    /// With the time of the calls.
    Answered(usize, Duration),
    Pong(Duration),
}

/// What a simulation measured.
#[derive(Debug)]
struct Measured {
    /// The share of the time in which the cores were busy, after the first seconds.
    utilisation: f64,
    /// When the cores had been busy for nine tenths of a round trip and a hundred milliseconds.
    warm: Duration,
    /// The longest time that a value waited on the device, after the first seconds.
    queued: Duration,
}

impl LimitScenario {
    fn call(&self, chance: &mut fastrand::Rng) -> Duration {
        match self.spread {
            Spread::Constant => self.call,
            Spread::Exponential => self.call.mul_f64(-(1.0 - chance.f64()).ln()),
            Spread::Bimodal if chance.u32(..100) == 0 => self.call.mul_f64(50.0 / 1.49),
            Spread::Bimodal => self.call.div_f64(1.49),
        }
    }

    fn way(&self, chance: &mut fastrand::Rng) -> Duration {
        self.round_trip / 2 + self.jitter.mul_f64(chance.f64())
    }

    /// Simulates a device for `time`, of which the first `warm_up` is not measured.
    fn simulate(&self, time: Duration, warm_up: Duration, seed: u64) -> Measured {
        let mut chance = fastrand::Rng::with_seed(seed);
        let start = Instant::now();
        let mut in_flight = InFlight::new(BatchSize::Auto, self.cores, start);
        let mut events = BinaryHeap::new();
        let mut order = 0;
        let mut plan = |events: &mut BinaryHeap<_>, at: Duration, event| {
            order += 1;
            events.push(Reverse((at, order, event)));
        };
        // The welcome is followed by a ping.
        let round_trip = self.way(&mut chance) + self.way(&mut chance);
        plan(&mut events, round_trip, LimitEvent::Pong(round_trip));
        plan(&mut events, Duration::ZERO, LimitEvent::Answered(0, Duration::ZERO));
        let (mut queue, mut free) = (std::collections::VecDeque::new(), self.cores);
        let (mut busy, mut queued) = (Duration::ZERO, Duration::ZERO);
        let (mut there, mut back) = (Duration::ZERO, Duration::ZERO);
        // Calls as (start, end), to find when the device is warm.
        let mut calls = Vec::new();
        while let Some(Reverse((now, _, event))) = events.pop() {
            if now >= time {
                break;
            }
            match event {
                LimitEvent::Pong(round_trip) => in_flight.round_trip(round_trip),
                LimitEvent::Answered(count, time) => {
                    in_flight.remove(count, 0);
                    let mut results = CallTimes::default();
                    (0..count).for_each(|_| results.add(time.as_micros() as u64));
                    in_flight.answered(count, &results, start + now);
                    let room = in_flight.room();
                    if room > 0 {
                        in_flight.add(room, 0);
                        // Frames stay in order.
                        there = there.max(now + self.way(&mut chance));
                        plan(&mut events, there, LimitEvent::Arrives(room));
                    }
                    continue;
                }
                LimitEvent::Arrives(count) => queue.extend(std::iter::repeat_n(now, count)),
                LimitEvent::Done(time) => {
                    free += 1;
                    back = back.max(now + self.way(&mut chance));
                    plan(&mut events, back, LimitEvent::Answered(1, time));
                }
            }
            while free > 0
                && let Some(arrived) = queue.pop_front()
            {
                free -= 1;
                let call = self.call(&mut chance);
                let end = now + call;
                calls.push((now, end));
                plan(&mut events, end, LimitEvent::Done(call));
                if now >= warm_up {
                    queued = queued.max(now - arrived);
                }
                busy += end.min(time).saturating_sub(now.max(warm_up));
            }
        }
        let whole = (time - warm_up).as_secs_f64() * f64::from(self.cores);
        Measured { utilisation: busy.as_secs_f64() / whole, warm: self.warm(&calls, time), queued }
    }

    /// When the cores have first been busy for nine tenths of a round trip and 100 ms.
    fn warm(&self, calls: &[(Duration, Duration)], time: Duration) -> Duration {
        let span = self.round_trip + Duration::from_millis(100);
        let step = Duration::from_millis(10);
        let mut from = Duration::ZERO;
        while from + span < time {
            let until = from + span;
            let busy: f64 = calls
                .iter()
                .filter(|(begin, end)| *begin < until && *end > from)
                .map(|(begin, end)| ((*end).min(until) - (*begin).max(from)).as_secs_f64())
                .sum();
            if busy >= 0.9 * span.as_secs_f64() * f64::from(self.cores) {
                return from;
            }
            from += step;
        }
        time
    }
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The time that is simulated, and its start that is not measured.
const TIMES: (Duration, Duration) = (ms(7_000), ms(3_000));

/// The scenarios with this round trip.
fn scenarios(round_trip: Duration) -> impl Iterator<Item = LimitScenario> {
    let calls =
        [(1, Duration::from_micros(20)), (1, ms(1)), (4, ms(10)), (4, ms(100)), (64, ms(20))];
    calls.into_iter().flat_map(move |(cores, call)| {
        [Spread::Constant, Spread::Exponential, Spread::Bimodal].into_iter().flat_map(
            move |spread| {
                [Duration::ZERO, round_trip / 10].map(|jitter| LimitScenario {
                    cores,
                    round_trip,
                    jitter,
                    call,
                    spread,
                })
            },
        )
    })
}

#[test]
fn a_distant_device_is_as_busy_as_a_near_one() {
    for scenario in [0, 20, 100, 200].into_iter().flat_map(|millis| scenarios(ms(millis))) {
        let measured = scenario.simulate(TIMES.0, TIMES.1, 1);
        assert!(measured.utilisation > 0.97, "{scenario:?}: {measured:?}");
    }
}

#[test]
fn a_distant_device_is_soon_warm() {
    for scenario in [0, 20, 100].into_iter().flat_map(|millis| scenarios(ms(millis))) {
        let measured = scenario.simulate(TIMES.0, TIMES.1, 2);
        assert!(measured.warm < ms(1_000), "{scenario:?}: {measured:?}");
    }
}

#[test]
fn values_wait_on_the_device_for_a_round_trip_and_a_tenth_of_a_second() {
    let steady = |scenario: &LimitScenario| {
        matches!(scenario.spread, Spread::Constant) && scenario.jitter.is_zero()
    };
    let all = [0, 20, 100, 200].into_iter().flat_map(|millis| scenarios(ms(millis)));
    for scenario in all.filter(steady) {
        let most = scenario.round_trip + ms(100) + scenario.call;
        let measured = scenario.simulate(TIMES.0, TIMES.1, 3);
        assert!(measured.queued <= most, "{scenario:?}: {measured:?}");
    }
}

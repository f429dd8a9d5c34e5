//! Decisions about several devices, on a state without sessions.

use super::*;
use crate::{
    config::{BatchSize, OnError},
    master::{
        exchange::Told,
        items::{Framing, Read},
        job::InputSize,
        registry::{DeviceKey, Page},
        shape::Shape,
    },
    protocol::{Answer, Failure, Form, JobOptions, Path, Value},
};
use std::{sync::Arc, time::Duration};
use stream_lender::Order;
use tokio::sync::Notify;

const HEARTBEAT: Duration = Duration::from_secs(5);

fn job() -> Job {
    Job {
        id: "first".into(),
        function: Arc::default(),
        options: JobOptions {
            concurrency: 1,
            timeout: None,
            dom: false,
            json: false,
            heartbeat: HEARTBEAT.as_millis() as u64,
        },
        framing: Framing { separator: b'\n', form: Form::Text },
        batch_size: BatchSize::Fixed(1),
        retries: 100,
        speculate: false,
        sync: false,
        gateway: false,
        confirms: false,
        trust: None,
        files: None,
        shape: Shape::default(),
        shows_first: false,
        on_error: OnError::Stop,
        max_failures: None,
        failed: None,
        numbers: None,
        local_only: false,
        program: None,
        answers_lines: false,
        window: 100,
        order: Order::OfInput,
        size: InputSize::Unknown,
        quiet: false,
        explains: false,
    }
}

/// A state, with what it is asked at the time `now`.
struct World {
    state: RunState,
    job: Job,
    now: Instant,
}

impl World {
    fn new() -> Self {
        let job = job();
        Self { state: RunState::new(&job), job, now: Instant::now() }
    }

    fn read(&mut self, count: usize) {
        let value = || (Read::Value(Value::new("x".into(), Form::Text)), None);
        self.state.items_mut().add((0..count).map(|_| value()), 0);
    }

    fn joins(&mut self, name: &str, cores: u32, holds: &[Loan]) -> Joined {
        self.joins_over(Path::WebSocket, name, cores, holds)
    }

    fn joins_over(&mut self, path: Path, name: &str, cores: u32, holds: &[Loan]) -> Joined {
        let newcomer = Newcomer {
            name: name.into(),
            key: DeviceKey { device: name.into(), local: false },
            page: Page::default(),
            path,
            cores,
            is_browser: false,
            reloaded: false,
            wake: Arc::new(Notify::new()),
            traffic: Arc::default(),
        };
        self.state.join(newcomer, holds.iter().copied(), self.now)
    }

    fn ask(&mut self, sub: SubStreamId) -> Vec<Loan> {
        let mut lent = Vec::new();
        self.state.exchange(sub, &self.job, self.now).ask(&mut lent);
        lent.iter().map(|lent| lent.loan).collect()
    }

    fn fail(&mut self, sub: SubStreamId, loan: Loan) {
        let failure = Failure::new("no", "throw").into();
        let answer = Answer { loan, micros: 1, result: Err(failure) };
        let mut told = Told::new(false, false);
        self.state.exchange(sub, &self.job, self.now).accept(vec![answer], 0, &mut told);
    }

    /// The sessions that are to ask, the longest waiting first.
    fn waking(&mut self) -> Option<SubStreamId> {
        self.state.items_mut().lender_mut().next_wake()
    }
}

/// Devices that fail at once may hold all values at each moment when a doubtful device asks.
#[test]
fn a_doubtful_device_whose_rest_is_over_gets_the_next_value_that_comes_back() {
    let mut world = World::new();
    let doubtful = world.joins("doubtful", 3, &[]).sub;
    world.read(3);
    for loan in world.ask(doubtful) {
        world.fail(doubtful, loan);
    }
    let other = world.joins("other", 4, &[]).sub;
    world.read(1);
    let held = world.ask(other);
    assert_eq!(held.len(), 4, "the other device holds all values");
    assert_eq!(world.ask(doubtful), []);
    assert!(world.state.registry().get(doubtful).unwrap().stands_back());

    world.now += 10 * HEARTBEAT;
    world.state.look_for_stragglers(&world.job, world.now);
    assert_eq!(world.ask(doubtful), [], "still nothing is there");
    world.fail(other, held[3]);
    assert_eq!(world.waking(), Some(doubtful));
    assert_eq!(world.ask(doubtful).len(), 1);
}

#[test]
fn a_device_that_comes_back_twice_keeps_what_it_holds() {
    let mut world = World::new();
    world.joins("phone", 1, &[]);
    // The first session has not ended yet.
    let second = world.joins("phone", 1, &[]);
    world.read(1);
    let held = world.ask(second.sub);
    assert_eq!(held.len(), 1);
    let third = world.joins("phone", 1, &held);
    assert_eq!(third.keep, held);
    assert_eq!(world.state.items().lender().held(third.sub), 1);
}

#[test]
fn a_late_hello_through_the_relay_takes_the_place_of_no_better_channel() {
    let mut world = World::new();
    let key = DeviceKey { device: "a".into(), local: false };
    let is_outrun = |world: &World, path, seconds| {
        let device = world.state.registry().connected(&key);
        let now = world.now + Duration::from_secs(seconds);
        device.is_some_and(|device| device.has_outrun(path, now))
    };
    assert!(!is_outrun(&world, Path::Relay, 0), "nobody is there");
    world.joins_over(Path::Relay, "a", 1, &[]);
    assert!(!is_outrun(&world, Path::Relay, 0) && !is_outrun(&world, Path::Direct, 0));
    world.joins_over(Path::Direct, "a", 1, &[]);
    assert!(is_outrun(&world, Path::Relay, 1) && !is_outrun(&world, Path::Direct, 1));
    assert!(!is_outrun(&world, Path::Relay, 2), "the device has come back");
}

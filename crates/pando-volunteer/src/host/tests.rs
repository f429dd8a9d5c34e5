//! What a host decides, on a virtual clock.

mod gateway;
mod world;

use super::*;
use crate::engine::CoreEvent;
use pando_protocol::volunteer::{Answer, Failure, JobOptions, PART};
use world::*;

#[test]
fn values_go_to_ready_cores_and_answers_to_the_master() {
    let mut world = World::working(2, options());
    world.lend(0..3);
    assert_eq!(world.given(), [(id(0, 0), loans([0])), (id(1, 0), loans([1]))]);
    assert_eq!(world.held(), loans(0..3));
    world.answer(1, 0, 1..2);
    assert_eq!(world.given(), [(id(1, 0), loans([2]))]);
    world.host.answered(id(0, 0), &[result(0, "y")], world.now);
    assert_eq!(world.said(), [answered([1]), answered([0])]);
    assert_eq!(world.held(), loans([2]));
}

#[test]
fn after_a_lost_link_answers_wait_for_the_next_welcome() {
    let mut world = World::working(1, options());
    world.lend(0..3);
    world.given();
    world.host.lost();
    world.answer(0, 0, 0..1);
    assert_eq!(world.given(), [(id(0, 0), loans([1, 2]))]);
    assert_eq!(world.next(), None);
    world.connect(&loans([1, 2, 0]));
    assert_eq!(world.next(), None, "the master has not let the volunteer in");
    world.welcome("job", &options(), &loans(0..3));
    assert_eq!(world.said(), [answered([0])]);
    world.answer(0, 0, 1..2);
    assert_eq!(world.said(), [answered([1])]);
}

#[test]
fn loans_that_the_master_does_not_let_keep_are_dropped() {
    let mut world = World::working(2, options());
    world.lend(0..3);
    world.given();
    world.host.lost();
    world.host.answered(id(0, 0), &[result(0, "y")], world.now);
    assert_eq!(world.given(), [(id(0, 0), loans([2]))]);
    world.connect(&loans([2, 1, 0]));
    world.welcome("job", &options(), &loans([2]));
    assert_eq!((world.said(), world.held()), (vec![], loans([2])));
    // Core 1 computes for nobody. Other values wait for the core, so it ends.
    world.pass(600 * MS);
    assert_eq!(world.said(), [running(2, 500)]);
    assert_eq!(world.orders(), [CoreOrder::End(id(1, 0)), CoreOrder::Start(id(1, 1))]);
    world.answer(1, 0, 1..2);
    assert_eq!(world.said(), [], "an ended core has no effect");
}

#[test]
fn an_answer_that_nobody_needs_is_not_sent() {
    let mut world = World::working(1, JobOptions { concurrency: 2, ..options() });
    world.lend(0..2);
    world.given();
    world.connect(&loans(0..2));
    world.welcome("job", &options(), &loans([1]));
    world.answer(0, 0, 0..2);
    assert_eq!(world.said(), [answered([1])]);
}

#[test]
fn another_job_forgets_everything() {
    let mut world = World::working(1, options());
    world.lend(0..3);
    world.given();
    world.answer(0, 0, 0..1);
    world.orders();
    world.connect(&loans([1, 2, 0]));
    world.welcome("another job", &options(), &[]);
    assert_eq!((world.said(), world.held()), (vec![], vec![]));
    assert_eq!(world.orders(), [CoreOrder::End(id(0, 0)), CoreOrder::Start(id(0, 1))]);
    world.answer(0, 0, 1..2);
    assert_eq!(world.said(), []);
    world.ready(0, 1);
    world.lend(0..1);
    assert_eq!(world.given(), [(id(0, 1), loans([0]))]);
}

#[test]
fn a_dead_core_is_replaced_and_only_a_single_value_is_blamed() {
    let mut world = World::working(1, JobOptions { concurrency: 2, ..options() });
    world.lend(0..2);
    world.given();
    world.started(0, 0, 0);
    world.hear(0, 0, CoreEvent::Ended("signal: 9".into()));
    assert_eq!(world.said(), [returned(0..2, true)]);
    assert_eq!(world.orders(), [CoreOrder::End(id(0, 0)), CoreOrder::Start(id(0, 1))]);
    world.ready(0, 1);
    world.lend(2..3);
    world.started(0, 1, 2);
    world.hear(0, 1, CoreEvent::Ended("signal: 9".into()));
    assert_eq!(world.said(), [Said::Results(vec![(Loan::first(2), Some("died".into()))])]);
}

#[test]
fn a_call_past_its_timeout_ends_its_core() {
    let mut world = World::working(1, JobOptions { timeout: Some(1000), ..options() });
    world.lend(0..1);
    world.given();
    world.started(0, 0, 0);
    world.pass(1249 * MS);
    assert_eq!((world.said(), world.orders()), (vec![running(0, 500)], vec![]));
    world.pass(1000 * MS);
    assert_eq!(world.said(), [Said::Results(vec![(Loan::first(0), Some("timeout".into()))])]);
    assert_eq!(world.orders(), [CoreOrder::End(id(0, 0)), CoreOrder::Start(id(0, 1))]);
}

#[test]
fn a_core_that_never_loads_the_function_is_given_up() {
    let mut world = World::new(1);
    world.connect(&[]);
    world.welcome("job", &options(), &[]);
    for generation in 0..3 {
        assert_eq!(world.orders().last(), Some(&CoreOrder::Start(id(0, generation))));
        assert_eq!(world.said(), []);
        world.hear(0, generation, CoreEvent::Ended("exit status: 1".into()));
    }
    assert_eq!(world.orders(), [CoreOrder::End(id(0, 2))]);
    assert!(matches!(world.said()[..], [Said::Message(ToMaster::Broken { .. })]));
    world.host.lend(1, world.now);
    assert_eq!(world.orders(), []);
}

#[test]
fn tentative_answers_count_once_confirmed_or_when_the_core_ends() {
    let mut world = World::working(1, JobOptions { concurrency: 3, ..options() });
    world.lend(0..3);
    world.given();
    world.hear(0, 0, CoreEvent::Tentative(results(0..1)));
    assert_eq!((world.said(), world.held()), (vec![], loans(0..3)));
    world.hear(0, 0, CoreEvent::Confirmed);
    assert_eq!((world.said(), world.held()), (vec![answered([0])], loans(1..3)));
    world.hear(0, 0, CoreEvent::Tentative(results(1..2)));
    world.hear(0, 0, CoreEvent::Ended("exit status: 1".into()));
    let died = Said::Results(vec![(Loan::first(2), Some("died".into()))]);
    assert_eq!(world.said(), [answered([1]), died]);
}

#[test]
fn a_paused_volunteer_returns_what_no_core_has() {
    let mut world = World::working(1, options());
    world.lend(0..3);
    world.given();
    world.host.lend(0, world.now);
    let update = |cores| Said::Message(ToMaster::Update { name: None, cores: Some(cores) });
    assert_eq!(world.said(), [update(0), returned(1..3, false)]);
    world.lend(3..4);
    world.answer(0, 0, 0..1);
    assert_eq!(
        (world.orders(), world.said()),
        (vec![], vec![returned(3..4, false), answered([0])])
    );
    world.host.lend(1, world.now);
    world.lend(4..5);
    assert_eq!((world.given(), world.said()), (vec![(id(0, 0), loans([4]))], vec![update(1)]));
}

#[test]
fn fewer_cores_end_after_their_answers_and_more_are_started() {
    let mut world = World::working(2, options());
    world.lend(0..2);
    world.given();
    world.host.lend(1, world.now);
    assert_eq!(world.orders(), []);
    world.lend(2..3);
    world.answer(1, 0, 1..2);
    assert_eq!(world.orders(), [CoreOrder::End(id(1, 0))]);
    world.host.lend(3, world.now);
    assert_eq!(world.orders(), [CoreOrder::Start(id(1, 1)), CoreOrder::Start(id(2, 0))]);
    world.ready(2, 0);
    assert_eq!(world.given(), [(id(2, 0), loans([2]))]);
}

#[test]
fn other_frames_go_between_the_parts_of_a_long_frame_and_a_lost_frame_begins_again() {
    let mut world = World::working(1, JobOptions { concurrency: 2, ..options() });
    world.lend(0..2);
    world.given();
    world.host.answered(id(0, 0), &[result(0, &"y".repeat(3 * PART))], world.now);
    assert_eq!(world.next(), Some(Said::Part));
    world.tell(&ToVolunteer::Ping(Beat { t: 7.into() }));
    world.answer(0, 0, 1..2);
    assert_eq!(world.next(), Some(Said::Message(ToMaster::Pong(Beat { t: 7.into() }))));
    assert_eq!(world.next(), Some(answered([1])));
    assert_eq!(world.next(), Some(Said::Part));
    world.connect(&loans([0]));
    world.welcome("job", &options(), &loans([0]));
    assert_eq!(world.said(), [Said::Part, Said::Part, Said::Part, answered([0])]);
    assert_eq!(world.held(), []);
}

#[test]
fn what_was_to_be_returned_without_a_link_is_returned_after_the_welcome() {
    let mut world = World::working(1, JobOptions { concurrency: 2, ..options() });
    world.lend(0..2);
    world.given();
    world.started(0, 0, 0);
    world.host.lost();
    world.hear(0, 0, CoreEvent::Ended("signal: 9".into()));
    world.connect(&loans(0..2));
    world.welcome("job", &options(), &loans([1]));
    assert_eq!(world.said(), [returned([1], true)]);
}

#[test]
fn a_long_call_is_reported_once_on_each_link() {
    let mut world = World::working(1, options());
    world.lend(0..1);
    world.given();
    world.pass(500 * MS);
    assert_eq!(world.said(), [running(0, 500)]);
    world.pass(300 * MS);
    assert_eq!(world.said(), []);
    world.connect(&loans([0]));
    world.welcome("job", &options(), &loans([0]));
    world.pass(300 * MS);
    assert_eq!(world.said(), [running(0, 1050)]);
}

#[test]
fn a_ping_ends_the_silence_of_the_volunteer_and_three_heartbeats_show_that_of_the_master() {
    let mut world = World::working(1, options());
    let silent = world.host.silent_at().unwrap();
    assert_eq!(silent, world.now + 3 * HEARTBEAT);
    world.pass(HEARTBEAT);
    assert!(matches!(world.said()[..], [Said::Message(ToMaster::Ping(_))]));
    assert_eq!(world.host.due(), Some(world.now + HEARTBEAT));
    world.tell(&ToVolunteer::Pong(Beat { t: 0.into() }));
    assert_eq!(world.host.silent_at(), Some(silent + HEARTBEAT));
    world.host.lost();
    assert_eq!((world.host.silent_at(), world.host.due()), (None, None));
}

#[test]
fn a_name_is_told_at_once_and_in_the_next_hello() {
    let mut world = World::working(1, options());
    world.host.rename("Ann");
    let update = ToMaster::Update { name: Some("Ann".into()), cores: None };
    assert_eq!(world.said(), [Said::Message(update)]);
    world.host.connected("token", world.now);
    let said = world.said();
    assert!(matches!(&said[..], [Said::Message(ToMaster::Hello(hello))] if hello.name == "Ann"));
}

#[test]
fn what_changes_before_the_first_welcome_is_told_after_it() {
    let mut world = World::new(0);
    world.connect(&[]);
    world.host.lend(2, world.now);
    world.host.rename("Ann");
    world.welcome("job", &options(), &[]);
    let cores = ToMaster::Update { name: None, cores: Some(2) };
    let name = ToMaster::Update { name: Some("Ann".into()), cores: None };
    assert_eq!(world.said(), [Said::Message(cores), Said::Message(name)]);
}

#[test]
fn a_volunteer_that_leaves_returns_everything() {
    let mut world = World::working(1, options());
    world.lend(0..2);
    world.given();
    world.host.leave("left");
    let bye = Said::Message(ToMaster::Bye { reason: "left".into() });
    assert_eq!(world.said(), [returned([1, 0], false), bye]);
    assert_eq!((world.orders(), world.held()), (vec![CoreOrder::End(id(0, 0))], vec![]));
}

#[test]
fn recalled_values_are_returned_unless_a_core_has_them() {
    let mut world = World::working(1, options());
    world.lend(0..3);
    world.given();
    world.tell(&ToVolunteer::Recall { ids: loans([0, 2, 7]) });
    assert_eq!((world.said(), world.held()), (vec![returned([2], false)], loans([0, 1])));
}

#[test]
fn a_recalled_careful_value_lets_others_pass() {
    let mut world = World::working(1, JobOptions { concurrency: 2, ..options() });
    world.lend(0..1);
    world.given();
    world.lend_careful(1);
    world.lend(2..3);
    assert_eq!(world.given(), [], "a careful value is computed alone");
    world.tell(&ToVolunteer::Recall { ids: loans([1]) });
    assert_eq!(world.given(), [(id(0, 0), loans([2]))]);
}

#[test]
fn a_hello_names_a_bounded_number_of_loans_and_the_others_are_dropped() {
    let mut world = World::working(1, options());
    world.lend(0..5000);
    world.given();
    world.host.connected("token", world.now);
    assert_eq!(world.host.held().count(), MOST_HOLDS);
}

#[test]
fn a_master_that_does_not_speak_as_agreed_is_an_error() {
    let mut world = World::working(1, options());
    let part = |bytes: &[u8]| Frame::Binary(Bytes::copy_from_slice(bytes));
    for frame in [
        Frame::Text("{}".into()),
        Frame::Text(r#"{"type":"hello"}"#.into()),
        part(&[]),
        part(&[9]),
        part(&[3, 2, 1, 2, 3]),
        Frame::Binary(results(0..1)),
    ] {
        assert!(world.host.receive(frame.clone(), world.now).is_err(), "{frame:?}");
    }
}

#[test]
fn a_goodbye_is_kept_for_the_driver() {
    let mut world = World::working(1, options());
    world.tell(&ToVolunteer::Bye { reason: "done".into(), text: "thanks".into(), items: None });
    let goodbye = Goodbye { reason: "done".into(), text: "thanks".into() };
    assert_eq!(world.host.goodbye(), Some(&goodbye));
}

#[test]
fn a_failed_start_is_reported_and_a_failure_counts_as_an_answer() {
    let mut world = World::new(2);
    world.connect(&[]);
    world.welcome("job", &options(), &[]);
    world.orders();
    world.host.cannot_start(id(0, 0), "no memory");
    assert!(matches!(world.said()[..], [Said::Message(ToMaster::Broken { .. })]));
    world.ready(1, 0);
    world.lend(0..1);
    let failure = Failure::new("no", "throw").into();
    let answer = Answer { loan: Loan::first(0), micros: 1, result: Err(failure) };
    world.host.answered(id(1, 0), &[answer], world.now);
    assert_eq!(world.said(), [Said::Results(vec![(Loan::first(0), Some("throw".into()))])]);
}

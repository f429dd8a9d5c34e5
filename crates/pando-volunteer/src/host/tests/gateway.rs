//! The host of a gateway.

use super::*;

/// What the gateway is to do next.
fn passed_on(world: &mut World) -> Option<PassedOn> {
    world.host.next_passed_on()
}

fn given(world: &mut World) -> Vec<Loan> {
    match passed_on(world) {
        Some(PassedOn::Values(values)) => values.into_iter().map(|(loan, _)| loan).collect(),
        other => panic!("{other:?}"),
    }
}

fn answers(world: &mut World, answers: Vec<Answer>) {
    world.host.pass_up(PassedUp { answers, ..PassedUp::default() }, world.now);
}

#[test]
fn values_go_to_the_devices_and_answers_to_the_master() {
    let mut world = World::gateway();
    world.host.pass_up(PassedUp { cores: Some(3), ..PassedUp::default() }, world.now);
    let update = ToMaster::Update { name: None, cores: Some(3) };
    assert_eq!(world.said(), [Said::Message(update)]);
    world.lend(0..4);
    assert_eq!(given(&mut world), loans(0..4));
    assert_eq!(world.orders(), [], "it has no cores");
    // Behind the gateway, the loan has another number.
    let other = Answer { loan: Loan { index: 2, number: 7 }, ..result(2, "y") };
    answers(&mut world, vec![other, result(9, "unknown")]);
    assert_eq!((world.said(), world.host.computed()), (vec![answered([2])], 1));
    world.tell(&ToVolunteer::Recall { ids: loans([0, 1]) });
    assert_eq!(passed_on(&mut world), Some(PassedOn::Recall(loans([0, 1]))));
    world.host.pass_up(PassedUp { returned: vec![1, 2], ..PassedUp::default() }, world.now);
    assert_eq!(world.said(), [returned([1], false)]);
    assert_eq!(world.held(), loans([0, 3]));
    let calls = [0, 1].map(|id| Running { id: Loan { index: id, number: 5 }, ms: 800 });
    let started = ToMaster::Started { items: calls.to_vec(), loading: None };
    world.host.pass_up(PassedUp { messages: vec![started], ..PassedUp::default() }, world.now);
    assert_eq!(world.said(), [running(0, 800)]);
    world.host.leave("left");
    let bye = Said::Message(ToMaster::Bye { reason: "left".into() });
    let said = world.said();
    let [Said::Message(ToMaster::Returned { ids, .. }), last] = &said[..] else {
        panic!("{said:?}")
    };
    assert!(ids.len() == 2 && *last == bye, "{said:?}");
}

#[test]
fn answers_of_a_lost_link_are_given_to_the_next_one_as_far_as_they_are_kept() {
    let mut world = World::gateway();
    world.lend(0..3);
    given(&mut world);
    world.host.lost();
    answers(&mut world, vec![result(0, "y")]);
    world.host.connected("token", world.now);
    world.said();
    world.welcome("job", &options(), &loans([0, 2]));
    assert_eq!(passed_on(&mut world), Some(PassedOn::Forget(loans([1]))));
    assert_eq!(world.said(), [answered([0])]);
    answers(&mut world, vec![result(1, "late"), result(2, "y")]);
    assert_eq!(world.said(), [answered([2])]);
    assert_eq!(world.held(), []);
}

#[test]
fn another_run_begins_with_nothing() {
    let mut world = World::gateway();
    world.lend(0..3);
    world.host.connected("token", world.now);
    world.said();
    world.welcome("another job", &options(), &[]);
    assert_eq!((passed_on(&mut world), world.held()), (None, vec![]));
}

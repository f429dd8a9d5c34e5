//! A run within one program that creates values from results.

use crate::{library::local, sync_stdio::function};
use futures_util::StreamExt;
use pando::{Event, Feedback};
use pando_testing::FunctionGate;
use serde_json::{Value, json};

async fn next(run: &mut Feedback<Value, Value>) -> Event<Value> {
    run.next().await.expect("an event").expect("no error")
}

fn result(index: u64, x: impl Into<Value>) -> Event<Value> {
    Event::Result { index, result: json!({"x": x.into()}) }
}

fn failed(index: u64, message: &str) -> Event<Value> {
    Event::Failed { index, message: message.into() }
}

#[tokio::test]
async fn values_are_asked_for_as_cores_become_free_and_results_come_at_once() {
    let gate = FunctionGate::closed();
    let (pando, _folder) = local(&function(&gate));
    let mut run = pando.feedback().await.expect("a run");
    assert_eq!(next(&mut run).await, Event::Ask(2));
    assert_eq!(run.give(&json!("slow")).expect("JSON"), 1);
    assert_eq!(run.give(&json!(2)).expect("JSON"), 2);
    assert_eq!(next(&mut run).await, result(2, 2), "the quick one first");
    assert_eq!(next(&mut run).await, Event::Ask(1));
    gate.open("slow");
    assert_eq!(next(&mut run).await, result(1, "slow"));
    assert_eq!(next(&mut run).await, Event::Ask(1));
    run.end();
    assert_eq!(run.next().await, None);
    assert_eq!(run.next().await, None);
}

#[tokio::test]
async fn failed_and_cancelled_values_have_their_event_and_the_run_goes_on() {
    let gate = FunctionGate::closed();
    let (pando, _folder) = local(&function(&gate));
    let run = pando.retries(0).messages(std::io::sink()).feedback().await;
    let mut run = run.expect("a run");
    // Values and cancellations before the first ask count as well.
    for value in ["bad", "slow", "dropped"] {
        run.give(&json!(value)).expect("JSON");
    }
    run.cancel(3);
    run.cancel(99);
    let mut events = Vec::new();
    while events.len() < 2 {
        events.extend(Some(next(&mut run).await).filter(|event| !matches!(event, Event::Ask(_))));
    }
    assert_eq!(events, [failed(3, "cancelled"), failed(1, "it is bad")]);
    gate.waits_for("slow");
    run.cancel(2);
    gate.open("slow");
    run.give(&json!(4)).expect("JSON");
    run.end();
    let mut rest: Vec<_> = run.map(|event| event.expect("no error")).collect().await;
    rest.retain(|event| !matches!(event, Event::Ask(_)));
    assert_eq!(rest, [failed(2, "cancelled"), result(4, 4)]);
}

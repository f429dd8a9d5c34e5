//! `--sync-stdio`: a program in the loop.

use crate::common::{Gate, Pando, Running};
use serde_json::{Value, json};

/// A function to which some values are bad, and others wait at a gate.
pub(crate) fn function(gate: &Gate) -> String {
    let knock = gate.knock("x");
    format!(
        "export default async x => {{
          if (x === 'bad') throw new Error('it is bad')
          if (x === 'slow') await {knock}
          return {{ x }}
        }}"
    )
}

fn start(gate: &Gate, cores: &str) -> Running {
    Pando::new(&function(gate)).local().args(["--sync-stdio", "--cores", cores, "--retries", "0"]).stdin_open().start()
}

fn next(run: &mut Running) -> Value {
    serde_json::from_str(&run.line().expect("a line")).expect("JSON")
}

fn say(run: &mut Running, message: Value) {
    run.write_line(&message.to_string());
}

#[test]
fn values_are_asked_for_as_cores_become_free_and_results_come_at_once() {
    let gate = Gate::new();
    let mut run = start(&gate, "2");
    assert_eq!(next(&mut run), json!({"ask": 2}));
    say(&mut run, json!({"value": "slow"}));
    say(&mut run, json!({"value": 2}));
    assert_eq!(next(&mut run), json!({"result": {"x": 2}, "index": 2}), "the quick one first");
    assert_eq!(next(&mut run), json!({"ask": 1}));
    gate.open("slow");
    assert_eq!(next(&mut run), json!({"result": {"x": "slow"}, "index": 1}));
    assert_eq!(next(&mut run), json!({"ask": 1}));
    say(&mut run, json!({"end": true}));
    run.wait().status(0);
}

#[test]
fn an_error_is_told_and_the_run_goes_on() {
    let gate = Gate::new();
    let mut run = start(&gate, "1");
    assert_eq!(next(&mut run), json!({"ask": 1}));
    say(&mut run, json!({"value": "bad"}));
    assert_eq!(next(&mut run), json!({"error": "it is bad", "index": 1}));
    assert_eq!(next(&mut run), json!({"ask": 1}));
    say(&mut run, json!({"value": null}));
    assert_eq!(next(&mut run), json!({"result": {"x": null}, "index": 2}));
    run.close_stdin();
    run.wait().status(1);
}

#[test]
fn a_value_that_is_cancelled_has_no_result() {
    let gate = Gate::new();
    let mut run = start(&gate, "1");
    assert_eq!(next(&mut run), json!({"ask": 1}));
    say(&mut run, json!({"value": "slow"}));
    say(&mut run, json!({"value": 2}));
    gate.waits_for("slow");
    say(&mut run, json!({"cancel": 2}));
    say(&mut run, json!({"cancel": 1}));
    gate.open("slow");
    say(&mut run, json!({"value": 3}));
    say(&mut run, json!({"end": true}));
    let mut said = Vec::new();
    while let Some(line) = run.line() {
        said.push(serde_json::from_str::<Value>(&line).expect("JSON"));
    }
    said.retain(|message| message.get("ask").is_none());
    assert_eq!(
        said,
        [
            json!({"error": "cancelled", "index": 2}),
            json!({"error": "cancelled", "index": 1}),
            json!({"result": {"x": 3}, "index": 3})
        ]
    );
    run.wait().status(0);
}

#[test]
fn what_is_not_understood_ends_the_run_in_words() {
    let run = Pando::new(&function(&Gate::new())).local().args(["--sync-stdio"]).stdin("{\"value\":1}\nnonsense\n").run();
    run.status(1).said(&["error: line 2 of standard input: not valid JSON", "{\"value\":…}"]);
}

//! `--sync-stdio`: a program in the loop.

use pando_testing::{FunctionGate, PandoCommand, RunningProgram};
use serde_json::{Value, json};

/// A function that rejects some values, and waits at a gate with others.
pub(crate) fn function(gate: &FunctionGate) -> String {
    let knock = gate.knock("x");
    format!(
        "export default async x => {{
          if (x === 'bad') throw new Error('it is bad')
          if (x === 'slow') await {knock}
          return {{ x }}
        }}"
    )
}

fn start(gate: &FunctionGate, cores: &str) -> RunningProgram {
    PandoCommand::new(&function(gate))
        .local()
        .args(["--sync-stdio", "--cores", cores, "--retries", "0"])
        .stdin_open()
        .start()
}

fn next(run: &mut RunningProgram) -> Value {
    serde_json::from_str(&run.line().expect("a line")).expect("JSON")
}

fn say(run: &mut RunningProgram, message: Value) {
    run.write_line(&message.to_string());
}

#[test]
fn values_are_asked_for_as_cores_become_free_and_results_come_at_once() {
    let gate = FunctionGate::closed();
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
    let gate = FunctionGate::closed();
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
    let gate = FunctionGate::closed();
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
    let run = PandoCommand::new(&function(&FunctionGate::closed()))
        .local()
        .args(["--sync-stdio"])
        .stdin("{\"value\":1}\nnonsense\n")
        .run();
    run.status(1).said(&["error: line 2 of standard input: not valid JSON", "{\"value\":…}"]);
}

#[test]
fn the_same_json_is_taken_as_with_json_and_reaches_the_function_as_it_is() {
    let deep = "[".repeat(200) + &"]".repeat(200);
    let values = [r#""\ud800""#, &deep, r#"{"a":[1.0,"}"]}"#, "null"];
    let show = "export default x => typeof x === 'string' ? x.charCodeAt(0) : JSON.stringify(x)";
    let job = || PandoCommand::new(show).local().args(["--cores", "1"]);
    let expected = [
        "55296".to_owned(),
        format!("\"{deep}\""),
        r#""{\"a\":[1,\"}\"]}""#.to_owned(),
        "\"null\"".to_owned(),
    ];
    job().args(["--json"]).stdin(values.join("\n")).run().gives(expected.join("\n") + "\n");
    let said: String = values.iter().map(|value| format!("{{\"value\":{value}}}\n")).collect();
    let run = job().args(["--sync-stdio"]).stdin(said).run();
    run.status(0);
    let mut results: Vec<_> =
        run.text().lines().filter(|line| line.contains("\"result\"")).map(str::to_owned).collect();
    results.sort_by_key(|line| line.rsplit(':').next().map(str::to_owned));
    let expected = (1..)
        .zip(expected)
        .map(|(n, value)| format!("{{\"result\":{value},\"index\":{n}}}"))
        .collect::<Vec<_>>();
    assert_eq!(results, expected);
}

#[test]
fn a_value_that_is_no_json_is_answered_with_an_error_and_the_run_goes_on() {
    let mut run = PandoCommand::new("export default x => x")
        .local()
        .args(["--sync-stdio", "--cores", "1"])
        .stdin_open()
        .start();
    assert_eq!(next(&mut run), json!({"ask": 1}));
    run.write_line("{\"value\": NaN}");
    let answer = next(&mut run);
    assert_eq!(answer["index"], 1);
    assert!(
        answer["error"].as_str().unwrap().starts_with("line 1 of standard input: not valid JSON"),
        "{answer}"
    );
    run.write(b"{\"value\":\"\xff\"}\n{\"value\":3}\n");
    let answers: Vec<_> = std::iter::from_fn(|| Some(next(&mut run)))
        .filter(|said| said.get("ask").is_none())
        .take(2)
        .collect();
    assert!(
        answers
            .contains(&json!({"error": "line 2 of standard input: not valid UTF-8", "index": 2})),
        "{answers:?}"
    );
    assert!(answers.contains(&json!({"result": 3, "index": 3})), "{answers:?}");
    run.close_stdin();
    run.wait().status(1).said(&["2 items failed"]);
}

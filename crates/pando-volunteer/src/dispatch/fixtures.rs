//! Runs the scenarios of `fixtures/dispatch.json`, which TypeScript runs too.

use super::*;
use pando_protocol::volunteer::Form;
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;

const FIXTURES: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/dispatch.json"));

#[derive(Deserialize)]
struct Fixtures {
    scenarios: Vec<Scenario>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    name: String,
    #[serde(default = "one")]
    cores: usize,
    #[serde(default = "one")]
    concurrency: usize,
    /// In milliseconds.
    timeout: Option<u64>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// In milliseconds.
    at: u64,
    event: String,
    #[serde(default)]
    core: usize,
    #[serde(default)]
    loans: Vec<Json>,
    #[serde(default)]
    careful: Json,
    #[serde(default)]
    micros: u64,
    #[serde(default)]
    expect: Expected,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Expected {
    fed: BTreeMap<usize, Vec<Json>>,
    answered: Vec<Json>,
    blamed: Vec<Json>,
    returned: Vec<Json>,
    careful: Vec<Json>,
    ended: Vec<usize>,
    long: Vec<(Json, u64)>,
}

/// What the host decided in one step. All lists but those of `fed` are sorted.
#[derive(Debug, Default, PartialEq)]
struct Decisions {
    fed: BTreeMap<usize, Vec<Loan>>,
    answered: Vec<Loan>,
    blamed: Vec<Loan>,
    returned: Vec<Loan>,
    careful: Vec<Loan>,
    ended: Vec<usize>,
    long: Vec<(Loan, u64)>,
}

fn one() -> usize {
    1
}

/// The loans of a list of `7`, `"7:2"` (a later loan) and `"7..9"` (`7` and `8`).
fn loans(list: &[Json]) -> Vec<Loan> {
    let number = |text: &str| text.parse().expect("a number");
    let of = |json: &Json| match json.as_str() {
        None => vec![Loan::first(json.as_u64().expect("an index"))],
        Some(text) => match (text.split_once(".."), text.split_once(':')) {
            (Some((from, end)), _) => (number(from)..number(end)).map(Loan::first).collect(),
            (_, Some((index, loan))) => {
                vec![Loan { index: number(index), number: number(loan) as u32 }]
            }
            _ => panic!("no loan: {text}"),
        },
    };
    list.iter().flat_map(of).collect()
}

impl Expected {
    fn decisions(&self) -> Decisions {
        let one = |loan: &Json| loans(std::slice::from_ref(loan))[0];
        Decisions {
            fed: self.fed.iter().map(|(core, list)| (*core, loans(list))).collect(),
            answered: loans(&self.answered),
            blamed: loans(&self.blamed),
            returned: loans(&self.returned),
            careful: loans(&self.careful),
            ended: self.ended.clone(),
            long: self.long.iter().map(|(loan, ms)| (one(loan), *ms)).collect(),
        }
    }
}

impl Decisions {
    fn sorted(mut self) -> Self {
        for list in [&mut self.answered, &mut self.blamed, &mut self.returned, &mut self.careful] {
            list.sort_unstable();
        }
        self.ended.sort_unstable();
        self.long.sort_unstable();
        self
    }

    fn end(&mut self, dispatch: &mut Dispatch, core: usize) {
        let CrashOutcome { culprit, returned, careful } = dispatch.died(core);
        self.ended.push(core);
        self.blamed.extend(culprit);
        if careful { &mut self.careful } else { &mut self.returned }.extend(returned);
    }

    fn replace(&mut self, dispatch: &mut Dispatch, core: usize, careful: bool) {
        let (open, others) = dispatch.spoiled(core, careful);
        self.ended.push(core);
        self.careful.extend(open);
        self.returned.extend(others);
    }

    fn tick(&mut self, dispatch: &mut Dispatch, now: Instant) {
        dispatch.tick(now);
        for core in dispatch.overdue(now) {
            self.end(dispatch, core);
        }
        for core in dispatch.forgotten(now) {
            self.replace(dispatch, core, false);
        }
        self.long.extend(dispatch.long_calls(now));
    }

    fn answer(&mut self, dispatch: &mut Dispatch, step: &Step, now: Instant) {
        let mut answers = loans(&step.loans);
        for loan in dispatch.answered(step.core, answers.clone().into_iter(), step.micros, now) {
            let at = answers.iter().position(|other| *other == loan);
            answers.remove(at.expect("an answer of this frame"));
        }
        self.answered = answers;
    }
}

/// The host's decisions at a step.
fn decide(dispatch: &mut Dispatch, step: &Step, now: Instant) -> Decisions {
    let mut made = Decisions::default();
    let named = loans(&step.loans);
    match step.event.as_str() {
        "ready" => dispatch.ready(step.core),
        "values" => {
            let careful = loans(step.careful.as_array().map_or(&[], |list| &list[..]));
            let value = |loan: &Loan| Value {
                careful: careful.contains(loan),
                ..Value::new("x".into(), Form::Text)
            };
            made.returned = dispatch.extend(named.iter().map(|loan| (*loan, value(loan))));
        }
        "started" => dispatch.started(step.core, named[0], now),
        "answered" => made.answer(dispatch, step, now),
        "died" => made.end(dispatch, step.core),
        "spoiled" => made.replace(dispatch, step.core, step.careful == true),
        "tick" => made.tick(dispatch, now),
        "recall" => made.returned = dispatch.recall(&named),
        "pause" => made.returned = dispatch.pause(),
        "resume" => dispatch.resume(),
        "welcome" => dispatch.keep(|loan| named.contains(&loan)),
        other => panic!("no event: {other}"),
    }
    while let Some((core, values)) = dispatch.feed(now) {
        made.fed.entry(core).or_default().extend(values.into_iter().map(|(loan, _)| loan));
    }
    made.sorted()
}

#[test]
fn the_scenarios_that_typescript_runs_too() {
    let Fixtures { scenarios } = serde_json::from_str(FIXTURES).expect("JSON");
    let start = Instant::now();
    let mut failed = Vec::new();
    for Scenario { name, cores, concurrency, timeout, steps } in &scenarios {
        let timeout = timeout.map(Duration::from_millis);
        let mut dispatch = Dispatch::new(*cores, *concurrency as u32, timeout);
        let wrong = steps.iter().find_map(|step| {
            let made = decide(&mut dispatch, step, start + Duration::from_millis(step.at));
            let expected = step.expect.decisions().sorted();
            (made != expected).then(|| {
                format!("{name}: {} at {}: {made:?}, not {expected:?}", step.event, step.at)
            })
        });
        failed.extend(wrong);
    }
    assert!(scenarios.len() >= 25 && failed.is_empty(), "{}", failed.join("\n"));
}

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use roxmltree::Document;
use serde_json::Value;

use crate::devices::pando;
use crate::people::{join, start};
use crate::program::{leave_early, run};

const RATES: &str = env!("CARGO_BIN_EXE_learning-rates");
const BEST: &str = env!("CARGO_BIN_EXE_learning-best");
const GOOD: &str = "0.0003 4000 1";
const HOPELESS: &str = "0.000001 4000 1";

/// The lines that parts of the agent print in plain node.
fn node(arguments: &[&str]) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let output = Command::new("node")
        .arg("agent.mjs")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("node starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
}

fn numbers(line: &str) -> Vec<f64> {
    line.split(' ').map(|word| word.parse().expect("a number")).collect()
}

fn reward(line: &str) -> f64 {
    let trial: Value = serde_json::from_str(line).expect("JSON");
    trial["reward"].as_f64().expect("a number")
}

#[test]
fn an_agent_learns_the_same_in_a_tab_on_a_local_core_and_in_plain_node_until_a_person_stops_it()
-> Result<()> {
    let expected = node(&["train", GOOD, HOPELESS]);
    let (good, hopeless) = (reward(&expected[0]), reward(&expected[1]));
    assert!(good > 5.0 * hopeless && good > 100.0, "{expected:?}");

    let local = pando().args(["agent/agent.js", "--local", GOOD, HOPELESS]).output()?;
    assert_eq!(String::from_utf8(local.stdout)?.lines().collect::<Vec<_>>(), expected);

    let endless = "0.0000001 4000000000 1";
    let mut run = start(&["agent/agent.js"], [GOOD, endless, HOPELESS, ""].join("\n").into_bytes());
    let mut tab = join(&mut run, "Ann");
    assert_eq!(run.line().as_ref(), Some(&expected[0]));
    tab.wait_for("/Learning rate 1e-7/.test(document.querySelector('.agent h2').textContent)")?;
    tab.wait_for("/\\b[1-9]\\d* episodes/.test(document.querySelector('.agent p').textContent)")?;
    let drawn = "[...document.querySelectorAll('.agent canvas')].map(canvas =>
        canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.filter(byte => byte > 0).length)";
    let drawn = tab.evaluate(drawn)?;
    assert!(drawn.as_array().is_some_and(|all| all.len() == 2 && all.iter().all(|count| count.as_u64() > Some(100))), "{drawn}");
    tab.click(".agent button")?;
    let stopped: Value = serde_json::from_str(&run.line().expect("a result"))?;
    assert_eq!(stopped["stopped"], true, "{stopped}");
    assert!(
        stopped["steps"].as_u64() > Some(0) && stopped["reward"].as_f64() < Some(good),
        "{stopped}"
    );
    assert_eq!(String::from_utf8(run.succeed()?.stdout)?.trim_end(), expected[1]);
    Ok(())
}

#[test]
fn the_cart_and_the_pole_follow_their_equations() {
    let pushes = "1101001011";
    let states = node(&["swing", pushes]);
    let mut state = numbers(&states[0]);
    for (push, line) in pushes.chars().zip(&states[1..]) {
        // The equations with Florian's correction (2007), masses of 1 and 0.1 kg, and a pole of 1
        // m.
        let (force, turn) = (if push == '1' { 10.0 } else { -10.0 }, state[3]);
        let (sin, cos) = state[2].sin_cos();
        let push = (force + 0.05 * turn * turn * sin) / 1.1;
        let turning = (9.8 * sin - cos * push) / (0.5 * (4.0 / 3.0 - 0.1 * cos * cos / 1.1));
        let speeding = push - 0.05 * turning * cos / 1.1;
        state = vec![
            state[0] + 0.02 * state[1],
            state[1] + 0.02 * speeding,
            state[2] + 0.02 * turn,
            turn + 0.02 * turning,
        ];
        let stands = state[0].abs() <= 2.4 && state[2].abs().to_degrees() <= 12.0;
        let found = numbers(line);
        assert_eq!(found[0] > 0.0, stands, "{line}");
        assert!(
            state.iter().zip(&found[1..]).all(|(a, b)| (a - b).abs() < 1e-8),
            "{line}; expected {state:?}"
        );
    }
}

#[test]
fn the_gradient_is_how_the_loss_changes() {
    let parts = node(&["gradient"]);
    assert_eq!(parts.len(), 4 * 6 + 6 + 6 * 5 + 5 + 5 * 2 + 2);
    let pairs: Vec<Vec<f64>> = parts.iter().map(|line| numbers(line)).collect();
    assert!(pairs.iter().all(|pair| (pair[0] - pair[1]).abs() < 1e-7), "{pairs:?}");
    assert!(pairs.iter().filter(|pair| pair[0] != 0.0).count() > 30, "{pairs:?}");
}

#[test]
fn rates_are_the_same_factor_apart() {
    let lines = run(
        RATES,
        &["--from", "0.0001", "--to", "1", "--count", "5", "--steps", "7", "--seed", "3"],
        b"",
    )
    .lines();
    assert_eq!(lines, ["0.0001 7 3", "0.001 7 3", "0.01 7 3", "0.1 7 3", "1 7 3"]);
    assert_eq!(run(RATES, &[], b"").lines().len(), 16);
    assert_eq!(run(RATES, &["--from", "0"], b"").status, Some(2));
    assert_eq!(run(RATES, &["--count", "1"], b"").status, Some(2));
}

#[test]
fn rates_end_quietly_when_nobody_reads() {
    let output = leave_early(RATES, &["--count", "100000"], b"");
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""));
}

#[test]
fn the_best_is_named_and_all_are_drawn() -> Result<()> {
    let file = env::temp_dir().join(format!("pando-plot-{}.svg", std::process::id()));
    let trials = "{\"rate\":0.1,\"reward\":12,\"stopped\":true}\n{\"rate\":0.001,\"reward\":187.5}\n{\"rate\":0.01,\"reward\":187.5}\n";
    let output = run(BEST, &["--plot", &file.to_string_lossy()], trials.as_bytes());
    assert_eq!(output.lines(), ["0.001 187.5"]);
    let svg = fs::read_to_string(&file)?;
    fs::remove_file(&file)?;
    let plot = Document::parse(&svg)?;
    let circles: Vec<_> = plot
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "circle")))
        .collect();
    let coordinate = |index: usize, name| {
        circles[index].attribute(name).and_then(|text| text.parse::<f64>().ok())
    };
    assert_eq!(circles.len(), 3);
    // The circles are sorted by rate from left to right, with equal distances between powers of
    // ten. A higher circle means a higher reward.
    assert_eq!(
        [coordinate(0, "cx"), coordinate(1, "cx"), coordinate(2, "cx")],
        [Some(60.0), Some(320.0), Some(580.0)]
    );
    assert_eq!([coordinate(0, "cy"), coordinate(1, "cy")], [Some(60.0), Some(60.0)]);
    assert!(coordinate(2, "cy") > Some(300.0));
    assert_eq!(
        [circles[1].attribute("fill"), circles[2].attribute("fill")],
        [Some("#3b82a0"), Some("white")]
    );
    assert!(svg.contains(">0.001</text>"), "{svg}");
    Ok(())
}

#[test]
fn a_line_that_is_no_trial_is_told() {
    let output = run(BEST, &[], b"{\"rate\":0.1,\"reward\":12}\nx\n");
    assert_eq!(output.status, Some(1));
    assert!(
        output.stderr.starts_with("learning-best: line 2: expected what an agent reached"),
        "{}",
        output.stderr
    );
    assert_eq!(run(BEST, &[], b"").stderr, "learning-best: no lines on standard input\n");
    let folder =
        run(BEST, &["--plot", "/no/such/folder/plot.svg"], b"{\"rate\":0.1,\"reward\":12}\n");
    assert!(
        folder.stderr.contains("/no/such/folder/plot.svg cannot be written"),
        "{}",
        folder.stderr
    );
}

use std::process::Command;

use pando_examples::mining::Header;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::devices::{feed, pando};
use crate::npm::install;
use crate::program::run;
use pando_testing::{Finished, RunningProgram, Streams};

const BLOCKS: &str = env!("CARGO_BIN_EXE_mining-blocks");
const MONITOR: &str = env!("CARGO_BIN_EXE_mining-monitor");
const LIBRARY: &str = env!("CARGO_BIN_EXE_mining-library");
const VERIFY: &str = env!("CARGO_BIN_EXE_mining-verify");

/// Bitcoin's first two blocks with their nonces, and their hashes.
const BITCOIN: [(&str, &str); 2] = [
    (
        "01000000\
         0000000000000000000000000000000000000000000000000000000000000000\
         3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a\
         29ab5f49ffff001d1dac2b7c",
        "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
    ),
    (
        "01000000\
         6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000\
         982051fd1e4ba744bbbe680e1fee14677ba1a3c3540bf7b1cdb606e857233e0e\
         61bc6649ffff001d01e36299",
        "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048",
    ),
];

fn header(text: &str) -> Header {
    text.parse().expect("a header")
}

/// One of Bitcoin's first blocks, with the nonce reduced by `before`.
fn bitcoin(block: usize, before: u32) -> Header {
    let header = header(BITCOIN[block].0);
    header.with_nonce(header.nonce() - before)
}

/// The hash of a header in hexadecimal digits, computed independently.
fn hash(header: &str) -> String {
    let mut hash = Sha256::digest(Sha256::digest(hex::decode(header).expect("digits")));
    hash.reverse();
    hex::encode(hash)
}

/// Lets `program` mine easy blocks, and Bitcoin's blocks from near their nonces, on one core of
/// this machine and a tab. Checks its output and messages.
fn mine(program: &str) {
    install("mining");
    let easy = run(BLOCKS, &["--count", "12", "--bits", "1f0fffff"], b"").lines();
    let blocks: Vec<String> =
        easy.into_iter().chain([0, 1].map(|block| bitcoin(block, 20_000).to_string())).collect();
    let mut command = Command::new(program);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["--size", "500", "mining/mining.js"]);
    let (mined, log) = feed(command, (blocks.join("\n") + "\n").into());

    let lines = String::from_utf8(mined.clone()).expect("text");
    let lines: Vec<Vec<&str>> = lines.lines().map(|line| line.split(' ').collect()).collect();
    assert_eq!(lines.len(), blocks.len(), "{log}");
    for (line, block) in lines.iter().zip(&blocks) {
        let [mined, nonce, attempts] = line[..] else { panic!("{line:?}") };
        assert_eq!(mined[..152], block[..152], "in the order of the blocks");
        assert_eq!(header(mined).nonce().to_string(), nonce);
        assert!(attempts.parse::<u64>().expect("a number") > 0);
    }
    for line in &lines[..12] {
        assert!(hash(line[0]).as_str() <= "000fffff", "{}", hash(line[0]));
    }
    for (line, (known, its_hash)) in lines[12..].iter().zip(BITCOIN) {
        assert_eq!((line[0], hash(line[0]).as_str()), (known, its_hash));
        // The 41st attempt finds the nonce. With two cores, one earlier attempt may be unfinished
        // then. While one core is slow at the 41st, the other core finishes later attempts.
        assert!(line[2].parse::<u64>().expect("a number") >= 40, "{line:?}");
    }
    assert_eq!(run(VERIFY, &[], &mined).lines().len(), blocks.len());
    little_is_wasted(&log, &lines);
}

/// With two cores, at most one attempt of each block is cancelled.
fn little_is_wasted(log: &str, lines: &[Vec<&str>]) {
    let tally =
        log.lines().find(|line| line.ends_with("were cancelled")).expect("it says what was done");
    let numbers: Vec<u64> =
        tally.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect();
    let [blocks, _, given, counted, cancelled] = numbers[..] else { panic!("{tally}") };
    assert_eq!((blocks, given), (14, counted + cancelled), "{tally}");
    assert_eq!(
        counted,
        lines.iter().map(|line| line[2].parse::<u64>().expect("a number")).sum::<u64>()
    );
    assert!(cancelled <= blocks, "{tally}");
}

#[test]
fn the_monitor_mines_over_devices() {
    mine(MONITOR);
}

#[test]
fn the_library_mines_over_devices() {
    mine(LIBRARY);
}

/// Runs mining.js on this machine.
fn attempts(attempts: &[Value]) -> Finished {
    install("mining");
    let mut command = pando();
    command.args(["mining/mining.js", "--local", "--json"]);
    command.args(attempts.iter().map(Value::to_string));
    RunningProgram::start(&mut command, Streams::without_input()).wait()
}

#[test]
fn an_attempt_ends_at_the_nonce_or_after_all_of_its_nonces() {
    let header = bitcoin(0, 0);
    let target = hex::encode(header.target().expect("a target"));
    let attempt = |before: u32, count: u32| json!({"header": header.to_string(), "target": target, "nonce": header.nonce() - before, "count": count});
    let output = attempts(&[attempt(99, 100), attempt(100, 100), attempt(0, 5)]);
    assert_eq!(
        output.lines(),
        [
            format!(r#"{{"nonce":{},"hashes":100}}"#, header.nonce()),
            r#"{"nonce":null,"hashes":100}"#.into(),
            format!(r#"{{"nonce":{},"hashes":1}}"#, header.nonce()),
        ]
    );
    let output = attempts(&[json!({"header": "00", "target": target, "nonce": 0, "count": 1})]);
    assert!(
        output.status == Some(1) && output.stderr.contains("not an attempt"),
        "{}",
        output.stderr
    );
}

#[test]
fn targets_are_unpacked_as_in_bitcoin() {
    let unpacked = |bits| {
        Header::new([0; 32], [0; 32], 0, bits, 0)
            .target()
            .map(hex::encode)
            .map_err(|error| error.to_string())
    };
    let number = |digits: &str| Ok(format!("{digits:0>64}"));
    assert_eq!(unpacked(0x1d00_ffff), number(&format!("ffff{:052}", 0)));
    assert_eq!(unpacked(0x1b04_04cb), number(&format!("404cb{:048}", 0)));
    assert_eq!(unpacked(0x0500_9234), number("92340000"));
    assert_eq!(unpacked(0x0200_8000), number("80"));
    assert_eq!(unpacked(0x2012_3456), number(&format!("123456{:058}", 0)));
    assert_eq!(unpacked(0x2200_0012), number(&format!("12{:062}", 0)));
    for (bits, why) in [
        (0x0100_3456, "no hash meets"),
        (0x0492_3456, "no hash meets"),
        (0xff12_3456, "more than 256 bits"),
    ] {
        assert!(unpacked(bits).is_err_and(|error| error.contains(why)), "{bits:08x}");
    }
}

#[test]
fn verify_says_which_line_is_wrong() {
    let [(first, its_hash), (second, _)] = BITCOIN;
    let (good, other) = (format!("{first} 2083236893 7"), header(second).with_nonce(5));
    for (bad, why) in [
        (format!("{other} 5 1"), "more than the target allows"),
        (format!("{second} 5 1"), "the header's nonce is 2573394689, not 5"),
        (format!("{} 5 1", &second[2..]), "a header has 80 bytes, and this one 79"),
        ("x".into(), "expected \"HEADER NONCE ATTEMPTS\""),
    ] {
        let output = run(VERIFY, &[], format!("{good}\n{bad}\n").as_bytes());
        assert_eq!(
            (output.status, output.stdout),
            (Some(1), format!("{its_hash} 2083236893 7\n").into_bytes())
        );
        assert!(
            output.stderr.starts_with("mining-verify: line 2: ") && output.stderr.contains(why),
            "{}",
            output.stderr
        );
    }
}

#[test]
fn blocks_without_a_nonce_and_lines_without_a_block_are_told() {
    install("mining");
    let hopeless = bitcoin(0, 0).with_nonce(u32::MAX - 1500);
    for (input, why) in [
        (hopeless.to_string(), "no nonce from 4294965795 on makes this header valid"),
        ("01".into(), "line 1: a header has 80 bytes"),
    ] {
        for program in [MONITOR, LIBRARY] {
            let function = concat!(env!("CARGO_MANIFEST_DIR"), "/mining/mining.js");
            let output = run(
                program,
                &["--size", "1000", function, "--local"],
                format!("{input}\n").as_bytes(),
            );
            assert_eq!((output.status, output.stdout.len()), (Some(1), 0), "{}", output.stderr);
            assert!(output.stderr.contains(why), "{}", output.stderr);
        }
    }
}

#[test]
fn a_function_that_cannot_be_loaded_is_told() {
    for program in [MONITOR, LIBRARY] {
        let output = run(program, &["nothing.js", "--local"], b"");
        assert!(
            output.status == Some(1) && output.stderr.contains("nothing.js"),
            "{}",
            output.stderr
        );
    }
}

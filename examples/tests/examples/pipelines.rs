//! The applications end to end: generator, pando with this machine's cores and a browser tab, post-processor.

use std::{
    env,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use gif::DecodeOptions;

use crate::{
    collatz::{MAX, RANGES, install, most_steps},
    program::run,
    raytracer::{ANGLES, ENCODER},
};

/// The `pando` that was built with the example's programs.
fn pando() -> Command {
    let program = Path::new(ENCODER).with_file_name("pando");
    assert!(program.exists(), "{} is missing: cargo build --workspace", program.display());
    let mut command = Command::new(program);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// Maps `input` over one core of this machine and one tab; gives what pando printed, and said.
fn map(function: &str, input: Vec<u8>) -> (Vec<u8>, String) {
    let mut command = pando();
    command.args([function, "--stdin", "--port", "0", "--cores", "1"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("pando starts");
    let mut stdin = child.stdin.take().expect("piped");
    let mut said = BufReader::new(child.stderr.take().expect("piped"));
    let mut stdout = child.stdout.take().expect("piped");
    let mut log = String::new();
    let mut wait_for = |text: &str| loop {
        let start = log.len();
        assert_ne!(said.read_line(&mut log).expect("text"), 0, "{log}");
        if let Some(at) = log[start..].find(text) {
            break log[start + at..].trim().to_owned();
        }
    };
    let _tab = Tab::open(&wait_for("http://127.0.0.1:"));
    // Fast cores would be done before a browser has started.
    wait_for("Tab joined with 1 core");
    thread::spawn(move || std::io::Write::write_all(&mut stdin, &input));
    let listening = thread::spawn(move || {
        said.read_to_string(&mut log).expect("text");
        log
    });
    let mut output = Vec::new();
    stdout.read_to_end(&mut output).expect("a pipe");
    let status = child.wait().expect("it ends");
    let log = listening.join().expect("it reads");
    assert!(status.success(), "{status}\n{log}");
    (output, log)
}

/// A browser tab of its own, killed when dropped.
struct Tab {
    browser: Child,
    profile: PathBuf,
}

impl Tab {
    fn open(url: &str) -> Self {
        static TABS: AtomicU32 = AtomicU32::new(0);
        let number = TABS.fetch_add(1, Ordering::Relaxed);
        let profile = env::temp_dir().join(format!("pando-example-{}-{number}", std::process::id()));
        let mut command = Command::new(env::var_os("CHROMIUM").unwrap_or_else(|| "chromium".into()));
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.arg(format!("--user-data-dir={}", profile.display())).arg(format!("{url}#device=Tab;cores=1;"));
        let browser = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("Chromium starts");
        Self { browser, profile }
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        let _ = self.browser.kill();
        let _ = self.browser.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

#[test]
fn squares_of_the_numbers_come_out() {
    let output = pando().args(["square/square.js", "--local", "3", "-4"]).output().expect("pando starts");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "9\n16\n");
    assert!(output.status.success());
}

#[test]
fn collatz_over_devices_equals_a_local_computation() {
    install();
    let ranges = run(RANGES, &["--count", "40", "--size", "20"], b"").success();
    let (results, _) = map("collatz/collatz.js", ranges.clone());
    let expected: Vec<String> = String::from_utf8(ranges).expect("text").lines().map(most_steps).collect();
    assert_eq!(String::from_utf8_lossy(&results).lines().collect::<Vec<_>>(), expected);
    assert_eq!(run(MAX, &[], &results).lines(), ["3179389980591125407167 2760"]);
}

#[test]
fn the_animation_decodes_to_100_frames() {
    let angles = run(ANGLES, &[], b"").success();
    let (frames, log) = map("raytracer/raytracer.js", angles);
    let gif = run(ENCODER, &[], &frames).success();
    let mut decoder = DecodeOptions::new().read_info(&*gif).expect("a GIF");
    assert_eq!((decoder.width(), decoder.height()), (300, 300));
    let mut count = 0;
    while decoder.read_next_frame().expect("a frame").is_some() {
        count += 1;
    }
    assert_eq!(count, 100);
    assert!(log.contains("Tab joined with 1 core"), "{log}");
}

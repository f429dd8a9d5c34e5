//! The devices for the applications: the real `pando`, this machine's cores, browser tabs.

use std::{
    env,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use crate::raytracer::ENCODER;

/// The `pando` that was built together with the programs of the examples.
pub(crate) fn pando() -> Command {
    let program = Path::new(ENCODER).with_file_name("pando");
    assert!(program.exists(), "{} is missing: cargo build --workspace", program.display());
    let mut command = Command::new(program);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// Maps `input` over one core of this machine and one tab. Returns the output and the messages of
/// pando.
pub(crate) fn map(function: &str, input: Vec<u8>) -> (Vec<u8>, String) {
    let mut command = pando();
    command.args([function, "--stdin"]);
    feed(command, input)
}

/// Sends `input` to a command that accepts options of pando, after one core of this machine and
/// one tab have joined. Returns the output and the messages.
pub(crate) fn feed(mut command: Command, input: Vec<u8>) -> (Vec<u8>, String) {
    command.args(["--port", "0", "--cores", "1"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("pando starts");
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
    // Fast cores would finish before the browser has started.
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

/// A browser with one tab, killed when dropped.
pub(crate) struct Tab {
    browser: Child,
    profile: PathBuf,
}

impl Tab {
    pub(crate) fn open(url: &str) -> Self {
        static TABS: AtomicU32 = AtomicU32::new(0);
        let number = TABS.fetch_add(1, Ordering::Relaxed);
        let profile =
            env::temp_dir().join(format!("pando-example-{}-{number}", std::process::id()));
        let mut command =
            Command::new(env::var_os("CHROMIUM").unwrap_or_else(|| "chromium".into()));
        command.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ]);
        command.args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ]);
        command
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!("{url}#device=Tab;cores=1;"));
        let browser = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Chromium starts");
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

//! The output on a terminal.

use pando_testing::{PandoCommand, RunningProgram, WebSocket, children, kill, until};
use std::{
    collections::VecDeque,
    fs,
    io::Read,
    process::{ChildStdout, Command},
    sync::{Arc, Mutex},
    thread,
};

const ROWS: usize = 24;

/// A minimal terminal: it supports characters of one column, and the few commands that Pando uses.
struct Terminal {
    _run: RunningProgram,
    /// The process of `pando`.
    pid: u32,
    said: Arc<Mutex<VecDeque<u8>>>,
    /// All output so far.
    history: String,
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
    columns: usize,
    wraps: bool,
}

impl Terminal {
    /// Starts `pando` in this terminal.
    fn with(columns: usize, pando: PandoCommand) -> Self {
        let inside =
            format!("exec script -qfec \"stty cols {columns} rows {ROWS}; exec $*\" /dev/null");
        let mut run = pando
            .inside(&["sh", "-c", &inside, "sh"].map(str::to_owned))
            .stdin_open()
            .stdout_unread()
            .start();
        let said = gathered(run.take_stdout());
        let pid = until("it runs", || {
            let of = children(run.pid());
            of.into_iter().find(|pid| {
                fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "pando\n")
            })
        });
        let rows = vec![Vec::new(); ROWS];
        Self {
            _run: run,
            pid,
            said,
            history: String::new(),
            rows,
            row: 0,
            column: 0,
            columns,
            wraps: true,
        }
    }

    /// Changes the width of the terminal, as if a person resized the window.
    fn resize(&mut self, columns: usize) {
        let device = fs::read_link(format!("/proc/{}/fd/2", self.pid)).expect("it runs");
        let stty = Command::new("stty")
            .arg("-F")
            .arg(device)
            .args(["cols", &columns.to_string()])
            .status();
        assert!(stty.expect("stty is there").success());
        self.columns = columns;
    }

    /// Displays the new output.
    fn look(&mut self) -> &Self {
        let bytes: Vec<u8> = self.said.lock().unwrap().drain(..).collect();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '\r' => self.column = 0,
                '\n' => self.feed(),
                '\x1b' => {
                    let command: String =
                        std::iter::from_fn(|| rest.next_if(|c| !c.is_ascii_alphabetic())).collect();
                    match (&*command, rest.next()) {
                        ("[", Some('K')) => self.rows[self.row].truncate(self.column),
                        ("[?7", Some(end)) => self.wraps = end == 'h',
                        other => panic!("this terminal does not know {other:?}"),
                    }
                }
                c => self.put(c),
            }
        }
        self.history.push_str(&text);
        self
    }

    fn feed(&mut self) {
        self.row += 1;
        if self.row == ROWS {
            self.rows.remove(0);
            self.rows.push(Vec::new());
            self.row -= 1;
        }
    }

    fn put(&mut self, c: char) {
        if self.column >= self.columns {
            if self.wraps {
                self.feed();
                self.column = 0;
            } else {
                self.column = self.columns - 1;
            }
        }
        let row = &mut self.rows[self.row];
        row.resize(row.len().max(self.column + 1), ' ');
        row[self.column] = c;
        self.column += 1;
    }

    /// The text of the row with the cursor.
    fn status(&mut self) -> String {
        self.look();
        self.rows[self.row].iter().collect()
    }

    fn shows(&mut self, text: &str) -> bool {
        self.look().rows.iter().any(|row| row.iter().collect::<String>().contains(text))
    }

    /// Waits until `is_right` accepts the status line.
    #[track_caller]
    fn waits_for_status(&mut self, is_right: impl Fn(&str) -> bool) -> String {
        until("the status line is right", || Some(self.status()).filter(|status| is_right(status)))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        kill("KILL", self.pid.into());
    }
}

fn gathered(mut stdout: ChildStdout) -> Arc<Mutex<VecDeque<u8>>> {
    let said = Arc::<Mutex<VecDeque<u8>>>::default();
    let to = said.clone();
    thread::spawn(move || {
        let (mut block, mut whole) = ([0; 4096], Vec::new());
        while let Ok(read @ 1..) = stdout.read(&mut block) {
            whole.extend_from_slice(&block[..read]);
            let complete =
                std::str::from_utf8(&whole).map_or_else(|error| error.valid_up_to(), str::len);
            to.lock().unwrap().extend(whole.drain(..complete));
        }
    });
    said
}

#[test]
fn the_status_line_fits_any_terminal_and_keeps_the_url_when_all_else_has_left_the_screen() {
    let pando = PandoCommand::f("(x, cb) => cb(null, x)").args([
        "--cores",
        "0",
        "--heartbeat",
        "60s",
        "1",
        "2",
        "3",
    ]);
    let mut terminal = Terminal::with(80, pando);
    let url_after = |history: &str, start: &str| {
        let (_, rest) = history.split_once(start)?;
        let url = rest.split_whitespace().next()?.to_owned();
        rest.contains('\n').then_some(url)
    };
    let url = until("the URL is said", || {
        url_after(&terminal.look().history, "Serving volunteer code at ")
    });
    let near = until("loopback comes last", || {
        url_after(&terminal.look().history, "Serving volunteer code at http://127.0.0.1:")
    });
    let near = format!("http://127.0.0.1:{near}");
    let devices: Vec<WebSocket> =
        (0..20).map(|n| WebSocket::join(&near, &format!("Device-{n}"), 1)).collect();
    let status = terminal.waits_for_status(|status| status.contains("20 devices"));
    assert!(
        terminal.shows("Device-19 joined") && !terminal.shows("Serving volunteer code"),
        "{:?}",
        terminal.rows
    );
    assert!(
        status.starts_with("0 of 3 (0 %)") && status.ends_with(&url) && status.len() < 80,
        "{status}"
    );
    terminal.resize(200);
    let wide = terminal.waits_for_status(|status| status.contains("in progress"));
    assert!(wide.ends_with(&url) && wide.contains("20 devices with 20 cores"), "{wide}");
    for columns in [50, 45, 40, 25] {
        terminal.resize(columns);
        let status = terminal.waits_for_status(|status| status.len() < columns);
        assert!(status.starts_with("0 "), "{columns}: {status}");
        if !status.ends_with(&url) {
            assert!(status.contains("20 devices"), "{columns}: {status}");
        }
    }
    terminal.resize(12);
    assert_eq!(terminal.waits_for_status(|status| status.len() < 12), "0 %");
    drop(devices);
}

#[test]
fn people_are_told_which_of_the_urls_is_for_whom() {
    let mut terminal =
        Terminal::with(100, PandoCommand::f("(x, cb) => cb(null, x)").args(["--cores", "0", "1"]));
    until("the status line is there", || terminal.status().contains("0 of 1 ").then_some(()));
    let said: Vec<&str> = terminal
        .history
        .lines()
        .filter(|line| line.starts_with("Serving volunteer code at "))
        .collect();
    if said.iter().all(|line| line.contains("//127.")) {
        eprintln!("skipped in part: this machine has no address but loopback");
        return;
    }
    assert!(said.iter().all(|line| line.split(' ').count() == 5), "{said:?}");
    let whom = terminal
        .history
        .lines()
        .find(|line| line.starts_with("Which URL is for which devices: "))
        .expect("it is said");
    assert!(whom.trim_end().ends_with(" for this machine only"), "{whom}");
}

//! Functions of strangers on this machine's cores, held by each sandbox that this machine has. Each
//! promise of `docs/sandbox.md` has a test here. The function in `held/attempts.js` tries what a
//! hostile function would try, and tells what worked.

use pando_testing::{JoinCommand, PandoCommand, children, find_program, has_ended, kill, until};
use std::{
    env, fs,
    net::{TcpListener, UdpSocket},
    os::unix::fs::symlink,
    path::Path,
    process,
};
use tempfile::TempDir;

/// A hostile function.
const ATTEMPTS: &str = include_str!("held/attempts.js");

/// An engine and a sandbox, as a folder for PATH that has nothing else.
struct Held {
    path: TempDir,
    engine: &'static str,
    /// What the run says.
    words: &'static str,
}

impl Held {
    /// The sandboxes that this machine has.
    fn all() -> Vec<Self> {
        let has_bubblewrap = find_program("bwrap").is_some();
        let mut all = Vec::new();
        for engine in ["deno", "node", "bun"] {
            let Some(at) = find_program(engine) else { continue };
            if has_bubblewrap {
                all.push(Self::new(engine, Some(&at), true));
            }
            all.push(Self::new(engine, Some(&at), false));
        }
        if has_bubblewrap {
            all.push(Self::new("embedded", None, true));
        }
        all.push(Self::new("embedded", None, false));
        all
    }

    fn new(engine: &'static str, at: Option<&Path>, in_bubblewrap: bool) -> Self {
        let path = tempfile::tempdir().expect("a folder can be made");
        let add = |name: &str, at: &Path| symlink(at, path.path().join(name)).expect("a link");
        if let Some(at) = at {
            add(engine, at);
        }
        if in_bubblewrap {
            add("bwrap", &find_program("bwrap").expect("it is here"));
        }
        let words = if in_bubblewrap { "inside bubblewrap" } else { "inside Landlock and seccomp" };
        Self { path, engine, words }
    }

    /// A held run of a function.
    fn run(&self, source: &str) -> PandoCommand {
        PandoCommand::new(source)
            .local()
            .args(["--cores", "1", "--sandbox", "--engine", self.engine])
            .env("PATH", self.path.path())
    }

    /// What worked of the attempts of `lines`.
    fn attempt(&self, lines: &[String]) -> Vec<String> {
        let ended = self.run(ATTEMPTS).args(["--"]).args(lines).run();
        ended.said(&[self.words]);
        ended.lines()
    }
}

/// What a function that is not held can do, so that each test could fail.
fn free(line: &str) -> String {
    let ended = PandoCommand::new(ATTEMPTS).local().args(["--cores", "1", "--", line]).run();
    ended.lines().concat()
}

/// Asserts that attempts work where nothing holds the function, and in no sandbox.
#[track_caller]
fn assert_held(lines: &[String], kind: &str, works_when_free: &[&str]) {
    let free = free(&lines[0]);
    for attempt in works_when_free {
        assert!(free.contains(attempt), "{attempt} does not work at all: {free}");
    }
    for held in Held::all() {
        for said in held.attempt(lines) {
            assert_eq!(said, format!("{kind}: nothing"), "{} {}", held.engine, held.words);
        }
    }
}

#[test]
fn a_held_function_computes_as_any_other() {
    for held in Held::all() {
        let source = "export default async (x, { index }) => {
            await new Promise((done) => setTimeout(done, 1));
            return crypto.getRandomValues(new Uint8Array(2)).length + ' ' + new TextEncoder().encode(x).length + ' ' + index;
        }";
        let ended = held.run(source).args(["a", "é"]).run();
        ended.gives("2 1 1\n2 2 2\n").said(&[held.words]);
    }
}

#[test]
fn a_held_function_reads_no_file() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let secret = folder.path().join("secret.txt");
    fs::write(&secret, "secret").expect("a file can be written");
    let home = env::var("HOME").unwrap_or("/root".into());
    let lines = [
        format!("read {}", secret.display()),
        "read /etc/passwd".to_owned(),
        "read /proc/self/environ".to_owned(),
        "read /proc/1/cmdline".to_owned(),
        format!("read {home}/.bashrc"),
    ];
    assert_held(&lines[..2], "read", &["fs.readFileSync", "createReadStream", "readdirSync"]);
    for held in Held::all() {
        for said in held.attempt(&lines[2..]) {
            // Its own environment is empty, and its own processes are all that it sees.
            let harmless = held.words.contains("bubblewrap") && said.starts_with("read:");
            assert!(harmless || said == "read: nothing", "{said}");
        }
    }
}

#[test]
fn a_held_function_writes_no_file() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let lines = [format!("write {}", folder.path().display())];
    assert_held(&lines, "write", &["fs.writeFileSync /tmp", "fs.mkdirSync"]);
}

#[test]
fn a_held_function_has_no_environment() {
    assert_held(&["environment -".into()], "environment", &["process.env"]);
}

#[test]
fn a_held_function_has_no_network() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let names = UdpSocket::bind(("127.0.0.1", port)).expect("the port is free for datagrams");
    names.set_nonblocking(true).expect("a socket can be set");
    let lines = [format!("network {port}")];
    let free = free(&lines[0]);
    assert!(free.contains("net.connect") && free.contains("net.listen"), "{free}");
    let mut datagram = [0; 512];
    let mut heard = || std::iter::from_fn(|| names.recv(&mut datagram).ok()).count();
    assert!(heard() > 0, "a free function sends datagrams");
    for held in Held::all() {
        assert_eq!(held.attempt(&lines), ["network: nothing"], "{} {}", held.engine, held.words);
        assert_eq!(heard(), 0, "{} {}", held.engine, held.words);
    }
}

#[test]
fn a_held_function_starts_no_process_and_reaches_none() {
    let lines = [format!("processes {}", process::id())];
    assert_held(&lines, "processes", &["execSync", "fork", "process.kill"]);
}

#[test]
fn a_held_function_has_limited_memory() {
    // The buffers are never touched, so they cost the machine nothing.
    assert_eq!(free("memory 10000"), "memory: memory");
    for held in Held::all() {
        let args = ["--retries", "0", "--on-error", "skip", "--", "memory 10000"];
        let ended = held.run(ATTEMPTS).args(args).run();
        // An engine without memory refuses a buffer, or ends.
        assert!(["memory: nothing\n", ""].contains(&&*ended.text()), "{ended:?}");
        if ended.text().is_empty() {
            ended.status(1).said(&["it ended the process that computed it"]);
        }
    }
}

#[test]
fn a_held_function_that_never_ends_is_ended() {
    for held in Held::all() {
        let spin = "module.exports = (x) => { if (x === '1') for (;;); return x }";
        let args = ["--timeout", "300ms", "--retries", "0", "--on-error", "skip", "1", "2"];
        let ended = held.run(spin).args(args).run();
        ended.ends(1, "2\n").said(&["no answer within 300 ms"]);
    }
}

#[test]
fn a_held_function_ends_with_its_master() {
    for held in Held::all() {
        let spin = "module.exports = () => { for (;;); }";
        let run = held.run(spin).args(["1"]).start();
        let cores = until("a core", || {
            let all = descendants(run.pid());
            (!all.is_empty()).then_some(all)
        });
        kill("KILL", run.pid().into());
        until("the core's end", || cores.iter().all(|pid| has_ended(*pid)).then_some(()));
    }
}

fn descendants(pid: u32) -> Vec<u32> {
    children(pid).into_iter().flat_map(|pid| [vec![pid], descendants(pid)].concat()).collect()
}

#[test]
fn a_volunteer_holds_the_function_of_its_run() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let secret = folder.path().join("secret.txt");
    fs::write(&secret, "secret").expect("a file can be written");
    for held in Held::all() {
        let run = PandoCommand::new(ATTEMPTS).args(["--cores", "0"]);
        let run = run.args([format!("read {}", secret.display())]).start();
        let path = held.path.path().to_str().expect("UTF-8");
        let volunteer =
            JoinCommand::bare().args(["--cores", "1", &run.url()]).env("PATH", path).start();
        run.wait().gives("read: nothing\n");
        volunteer.wait().status(0).said(&[held.words]);
    }
}

#[test]
fn a_held_function_has_a_network_where_run_and_volunteer_permit_it() {
    let connect = "export default async (port) => {
        const answer = globalThis.Deno.connect({ hostname: '127.0.0.1', port: Number(port) });
        return answer.then((connection) => (connection.close(), 'open'), () => 'closed');
    };";
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port().to_string();
    for held in Held::all().iter().filter(|held| held.engine == "deno") {
        for (denies, allows, answer) in
            [(false, true, "open"), (true, true, "closed"), (false, false, "closed")]
        {
            let run = PandoCommand::new(connect).args(["--cores", "0"]);
            let run = run.args(denies.then_some("--deny-net")).args([&port]).start();
            let path = held.path.path().to_str().expect("UTF-8");
            let volunteer = JoinCommand::bare().args(["--cores", "1", &run.url()]);
            let volunteer =
                volunteer.args(allows.then_some("--allow-net")).env("PATH", path).start();
            run.wait().gives(format!("{answer}\n"));
            volunteer.wait().status(0);
        }
    }
}

#[test]
fn a_machine_without_engines_holds_with_its_own() {
    let empty = tempfile::tempdir().expect("a folder can be made");
    let run = PandoCommand::f("(x, cb) => cb(null, x)").local().args(["--sandbox", "1"]);
    let ended = run.env("PATH", empty.path()).run();
    ended.gives("1\n").said(&["QuickJS", "inside Landlock", "Deno was not found"]);
    let run = PandoCommand::f("(x, cb) => cb(null, x)").local().args(["--sandbox", "1"]);
    let ended = run.args(["--engine", "deno"]).env("PATH", empty.path()).run();
    ended.ends(2, "").said(&["cannot run other people's functions safely", "Deno was not found"]);
}

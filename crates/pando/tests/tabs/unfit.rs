//! Tabs that cannot run the function, among tabs that can.

use pando_testing::{PandoCommand, RunningProgram, Tab, numbers};

/// A name for this machine that browsers do not recognise as local.
const LAN: [&str; 1] = ["--host-resolver-rules=MAP lan.test 127.0.0.1"];

/// A tab with the name `name` whose page is no secure context.
fn insecure_tab(run: &RunningProgram, name: &str) -> Tab {
    let url = run.url().replace("127.0.0.1", "lan.test");
    Tab::open_with(&LAN, &url, &format!("device={name};cores=1;"))
}

fn sentences(stderr: &str, name: &str) -> usize {
    stderr
        .lines()
        .filter(|line| line.starts_with(name) && line.contains("is unfit for this job so far"))
        .count()
}

/// Features of secure contexts only, in the form in which functions use them.
const SECURE: [&str; 4] = [
    "await crypto.subtle.digest('SHA-256', new Uint8Array([1]))",
    "const { subtle } = crypto; await subtle.digest('SHA-256', new Uint8Array([1]))",
    "if (!crypto.subtle) throw new Error('this needs a secure context')",
    "if (typeof process === 'undefined' || !globalThis.process) await navigator.locks.request('x', () => 1)",
];

#[test]
fn tabs_over_plain_http_use_up_no_attempts_of_what_needs_https() {
    for (at, use_it) in SECURE.into_iter().enumerate() {
        let f = format!(
            "export default async x => {{ await new Promise(r => setTimeout(r, 30)); {use_it}; return x }}\n"
        );
        let args = [
            "--cores",
            "1",
            "--allow-host",
            "lan.test",
            "--retries",
            if at % 2 == 0 { "0" } else { "2" },
        ];
        let mut run = PandoCommand::new(&f).args(args).stdin_open().start();
        let names = ["Ann", "Bob"];
        let _tabs = names.map(|name| insecure_tab(&run, name));
        names.iter().for_each(|name| drop(run.says(&format!("{name} joined with 1 core"))));
        (1..=100).for_each(|n| run.write_line(&n.to_string()));
        run.close_stdin();
        let run = run.wait();
        run.gives(numbers(100)).did_not_say(&["attempt"]);
        for name in names {
            assert_eq!(sentences(&run.stderr, name), 1, "{}", run.stderr);
            run.said(&[&format!(
                "{name} is unfit for this job so far: this page is not https: --tls ("
            )]);
        }
    }
}

#[test]
fn what_an_old_browser_lacks_is_named() {
    // Chromium claims to be version 71, and the function leaves out the method there.
    let agent = [
        "--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/71.0.3578.80 Safari/537.36",
    ];
    let f = "const old = /Chrome.71/.test(navigator.userAgent)
      export default async x => { await new Promise(r => setTimeout(r, 30)); return (old ? { x } : [x]).at(-1) }\n";
    let mut run =
        PandoCommand::new(f).args(["--cores", "1", "--retries", "0"]).stdin_open().start();
    let _tab = Tab::open_with(&agent, &run.url(), "device=Ann;cores=2;");
    run.says("Ann joined with 2 cores");
    (1..=100).for_each(|n| run.write_line(&n.to_string()));
    run.close_stdin();
    let run = run.wait();
    run.gives(numbers(100)).said(&[
        "Ann is unfit for this job so far: this browser (Chrome 71) lacks Array.prototype.at (",
    ]);
    assert_eq!(sentences(&run.stderr, "Ann"), 1, "{}", run.stderr);
}

#[test]
fn what_only_tabs_can_compute_is_computed_by_tabs() {
    let at_load = "const c = new OffscreenCanvas(4, 4)\nexport default x => c.width * x\n";
    let in_a_call = "export default x => new OffscreenCanvas(4, 4).width * x\n";
    for (f, args) in
        [(at_load, vec!["--cores", "0"]), (at_load, vec![]), (in_a_call, vec!["--retries", "0"])]
    {
        let run = PandoCommand::new(f).args(args).stdin("1\n2\n3\n").start();
        let _tab = Tab::open(&run.url(), "device=Ann;cores=1;");
        run.wait().gives("4\n8\n12\n");
    }
}

#[test]
fn a_function_that_needs_a_page_says_so_in_a_worker_and_runs_with_dom() {
    let f = "export default x => document.createElement('p').tagName + x\n";
    let run = PandoCommand::new(f).stdin("1\n").start();
    run.says("this machine's cores cannot compute it (document is not defined: a browser has it): waiting for tabs at ");
    let tab = Tab::open(&run.url(), "device=Ann;cores=1;");
    run.wait().ends(1, "").said(&[
        "error: item 1 failed on Ann: ReferenceError: document is not defined (only a page has it, its workers have not: --dom)",
        "attempts: 3",
    ]);
    drop(tab);
    let run = PandoCommand::new(f).args(["--dom"]).stdin("1\n").start();
    let _tab = Tab::open(&run.url(), "device=Ann;cores=1;");
    run.wait().gives("P1\n");
}

#[test]
fn a_tab_that_cannot_load_the_function_is_told_why_and_what_to_do() {
    let f = "if (typeof importScripts === 'function' && !crypto.subtle) crypto.subtle.digest('SHA-1', new Uint8Array(1))
      export default x => x\n";
    let mut run = PandoCommand::new(f)
        .args(["--cores", "1", "--allow-host", "lan.test"])
        .stdin_open()
        .start();
    let _tab = insecure_tab(&run, "Ann");
    let said = run.says("Ann cannot run the function: ");
    assert!(said.contains("(reading 'digest') (this page is not https: --tls)"), "{said}");
    run.write_line("1");
    run.close_stdin();
    run.wait().gives("1\n");
}

//! Functions for browsers, and processes that are killed while they load a function: cases in
//! which this machine's cores cannot compute.

use pando_testing::{
    PandoCommand, RunningProgram, WebSocket, kill, numbers, until,
    volunteer::{answer, serve},
};
use std::{fs, thread};

const CANVAS: &str = "const c = new OffscreenCanvas(4, 4)\nexport default x => c.width * x\n";

/// Globals of browsers, in the form in which a function would use them.
const GLOBALS: [&str; 14] = [
    "new OffscreenCanvas(1, 1)",
    "document.createElement('p')",
    "window.innerWidth",
    "new XMLHttpRequest()",
    "new FileReader()",
    "caches.open('x')",
    "new Worker('data:,')",
    "new ImageData(1, 1)",
    "new Image()",
    "new RTCPeerConnection()",
    "createImageBitmap(new Blob())",
    "indexedDB.open('x')",
    "navigator.gpu.requestAdapter()",
    "new self.OffscreenCanvas(1, 1)",
];

/// A simulated browser joins and answers each value with itself.
fn answer_all(run: &RunningProgram) {
    let url = run.url();
    let mut socket = WebSocket::join(&url, "browser", 1);
    thread::spawn(move || serve(&mut socket, answer));
}

#[test]
fn with_local_alone_they_are_refused_at_load_with_what_to_do() {
    for global in GLOBALS {
        let run = PandoCommand::new(&format!("const a = {global}\nexport default x => x\n"))
            .local()
            .stdin("1\n")
            .run();
        run.ends(2, "").said(&["f.js", "a browser has it", "leave --local out", "--dom"]);
    }
}

#[test]
fn with_local_alone_an_item_fails_with_what_to_do() {
    for global in GLOBALS {
        let run = PandoCommand::new(&format!("export default x => {{ {global}; return x }}\n"))
            .local()
            .stdin("1\n")
            .run();
        run.ends(1, "").said(&[
            "error: item 1 failed on this machine: ",
            "a browser has it: without --local, tabs can",
            "attempts: 3",
        ]);
    }
}

#[test]
fn at_load_this_machine_s_cores_stand_back_and_others_compute() {
    for global in GLOBALS {
        let run = PandoCommand::new(&format!("const a = {global}\nexport default x => x\n"))
            .stdin(numbers(5))
            .start();
        let said = run.says("this machine's cores cannot compute it (");
        assert!(
            said.contains(": a browser has it): waiting for tabs at http://")
                && said.contains("--dom"),
            "{said}"
        );
        answer_all(&run);
        run.wait().gives(numbers(5));
    }
}

#[test]
fn in_a_call_they_stand_back_as_well() {
    for global in GLOBALS {
        let f = format!("export default x => {{ {global}; return x }}\n");
        let run = PandoCommand::new(&f).args(["--retries", "0"]).stdin(numbers(5)).start();
        let said = run.says("this machine's cores cannot compute it (");
        assert!(said.contains(": a browser has it): waiting for tabs at http://"), "{said}");
        answer_all(&run);
        let run = run.wait();
        run.gives(numbers(5)).did_not_say(&["attempt"]);
        assert_eq!(run.stderr.matches("cannot compute").count(), 1, "{}", run.stderr);
    }
}

#[test]
fn what_the_embedded_engine_lacks_is_told_with_the_engine_that_has_it() {
    let has = "which Node.js has, and the embedded engine has not";
    let embedded = |f: &str| PandoCommand::new(f).args(["--engine", "embedded"]).stdin(numbers(5));
    for (lacking, name) in [
        ("fetch('http://127.0.0.1:1/')", "fetch"),
        ("new WebAssembly.Memory({ initial: 1 })", "WebAssembly"),
        ("new Intl.NumberFormat('de')", "Intl"),
    ] {
        let at_load = format!("const a = {lacking}\nexport default x => x\n");
        embedded(&at_load).local().run().ends(2, "").said(&[name, has, "leave --local out"]);
        let in_call = format!("export default x => {{ {lacking}; return x }}\n");
        let ended = embedded(&in_call).local().run();
        ended.ends(1, "").said(&[name, "Node.js has it, and the embedded engine has not"]);
        for f in [at_load, in_call] {
            let run = embedded(&f).start();
            let said = run.says("this machine's cores cannot compute it (");
            assert!(said.contains(has) && said.contains("waiting for tabs at http://"), "{said}");
            answer_all(&run);
            run.wait().gives(numbers(5));
        }
    }
}

#[test]
fn items_that_need_no_browser_are_computed_here_and_the_others_wait_for_one() {
    let f = "export default x => { if (x === '3') new OffscreenCanvas(1, 1); return x }\n";
    let mut run = PandoCommand::new(f).args(["--cores", "1"]).stdin(numbers(5)).start();
    assert_eq!((run.line().as_deref(), run.line().as_deref()), (Some("1"), Some("2")));
    run.says(
        "this machine's cores cannot compute item 3 (OffscreenCanvas is not defined: a browser has it): waiting for tabs at http",
    );
    answer_all(&run);
    run.wait().gives(numbers(5));
}

#[test]
fn with_no_core_of_this_machine_nothing_is_said_of_that() {
    let run = PandoCommand::new(CANVAS).args(["--cores", "0"]).stdin(numbers(5)).start();
    answer_all(&run);
    run.wait().gives(numbers(5)).did_not_say(&["OffscreenCanvas"]);
}

#[test]
fn a_name_that_no_browser_has_is_an_ordinary_error() {
    let run = PandoCommand::new("export default x => documnt.title\n").stdin("1\n").run();
    run.ends(1, "").said(&[
        "error: item 1 failed on this machine: ReferenceError: documnt is not defined",
        "attempts: 3",
    ]);
    let run =
        PandoCommand::new("const a = documnt.title\nexport default x => a\n").stdin("1\n").run();
    run.ends(2, "").said(&["documnt is not defined"]).did_not_say(&["a browser has it", "Serving"]);
}

#[test]
fn code_that_asks_before_it_uses_the_document_runs_here() {
    let f = "const where = typeof document === 'undefined' ? 'here' : 'page'\nexport default x => where + x\n";
    PandoCommand::new(f).stdin("1\n").run().gives("here1\n").did_not_say(&["browser has it"]);
}

/// Kills the process that loads the function, so many times.
fn kill_what_loads(args: &[&str], times: usize) -> RunningProgram {
    // The function loads slowly, so that the test finds its process in time.
    let f = "const end = Date.now() + 3000\nwhile (Date.now() < end);\nmodule.exports = x => x\n";
    let run = PandoCommand::new(f).args(args).stdin(numbers(3)).start();
    let mut killed = Vec::new();
    while killed.len() < times {
        // Processes that only print Node's version are left out.
        let loads = |child: &u32| {
            fs::read_to_string(format!("/proc/{child}/cmdline"))
                .is_ok_and(|words| words.contains("\0-e\0"))
        };
        let child = until("a process that loads it", || {
            run.children().into_iter().find(|child| !killed.contains(child) && loads(child))
        });
        kill("KILL", child.into());
        killed.push(child);
    }
    run
}

#[test]
fn a_process_that_is_killed_while_it_loads_the_function_is_replaced() {
    let run = kill_what_loads(&["--cores", "1"], 1).wait();
    run.gives(numbers(3)).said(&["f.js was killed (signal: 9 (SIGKILL)): another one is started"]);
}

#[test]
fn when_all_of_them_are_killed_others_compute() {
    let run = kill_what_loads(&["--cores", "1"], 3);
    run.says("f.js was killed (signal: 9 (SIGKILL)): this machine's cores stay idle");
    answer_all(&run);
    run.wait().gives(numbers(3));
    let run = kill_what_loads(&["--cores", "0"], 3);
    answer_all(&run);
    run.wait().gives(numbers(3)).did_not_say(&["stay idle"]);
    kill_what_loads(&["--local"], 3)
        .wait()
        .ends(2, "")
        .said(&["error: the process that loads ", "f.js was killed"]);
}

#[test]
fn a_function_that_ends_its_own_process_while_it_is_loaded_is_refused() {
    for (end, said) in [("exit(3)", "exit status: 3"), ("abort()", "SIGABRT")] {
        let run =
            PandoCommand::new(&format!("globalThis.process.{end}\nmodule.exports = x => x\n"))
                .args(["--cores", "0"])
                .stdin("1\n")
                .run();
        run.ends(2, "").said(&["loading it ended the process", said]);
    }
}

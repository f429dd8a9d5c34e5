//! Errors whose messages say what to write instead.

use pando_testing::PandoCommand;

#[test]
fn a_built_in_that_browsers_lack_is_named_with_the_way() {
    let cases = [
        ("const fs = require('fs')", "fs.readFileSync('x')", "'fs' is empty", "--files"),
        (
            "const { readFileSync: read } = require('node:fs')",
            "read('x')",
            "'fs' is empty",
            "--files",
        ),
        (
            "const fs = require('fs/promises')",
            "fs.readFile('x')",
            "'fs/promises' is empty",
            "--files",
        ),
        ("const fs = require('fs')", "fs.promises.readFile('x')", "'fs' is empty", "--files"),
        ("const net = require('net')", "new net.Socket()", "'net' is empty", "WebSocket"),
        ("", "require('child_process').execSync('ls')", "'child_process' is empty", "--exec"),
    ];
    for (before, call, named, way) in cases {
        let f = format!("{before}\nmodule.exports = x => x === 'b' ? {call} : x\n");
        let run = PandoCommand::new(&f).args(["--retries", "0"]).stdin("a\nb\n").run();
        run.ends(1, "a\n").said(&["item 2 failed on this machine: TypeError: ", named, way]);
    }
}

#[test]
fn a_built_in_that_is_used_while_the_function_is_loaded_is_named_as_well() {
    let f =
        "import fs from 'fs'\nconst text = fs.readFileSync('x')\nexport default x => x + text\n";
    PandoCommand::new(f).stdin("a\n").run().ends(2, "").said(&[
        "f.js:2:17",
        "'fs' is empty in the function",
        "--files",
    ]);
}

#[test]
fn to_ask_whether_a_built_in_can_do_something_is_no_error() {
    let f = "const fs = require('fs')\nmodule.exports = x => typeof fs.readFileSync + (fs.existsSync ? 1 : 0) + Object.keys(fs).length\n";
    PandoCommand::new(f).stdin("a\n").run().gives("undefined00\n");
}

#[test]
fn a_variable_of_the_environment_is_told_once() {
    let f = "export default x => [process.env.HOME, process.env.HOME, process.env.NODE_ENV].join()";
    let run = PandoCommand::new(f).stdin("a\nb\n").run();
    run.gives(",,production\n,,production\n");
    let told = run.stderr.matches(
        "process.env.HOME is not set in the function, which has only the variables of the environment that --env gives it: add --env HOME",
    );
    assert_eq!(told.count(), 1, "{}", run.stderr);
    run.did_not_say(&["NODE_ENV"]);
}

#[test]
fn what_is_thrown_and_tells_no_reason_is_told_as_such() {
    for (thrown, told) in [("''", "an empty text"), ("undefined", "undefined"), ("null", "null")] {
        let run = PandoCommand::new(&format!("export default async x => {{ throw {thrown} }}"))
            .args(["--local", "--retries", "0", "1"]);
        let words = format!(
            "item 1 failed on this machine: {told} was thrown, which tells no reason: throw an Error (its input: 1; attempts: 1)\n"
        );
        run.run().ends(1, "").said(&[&words]);
    }
}

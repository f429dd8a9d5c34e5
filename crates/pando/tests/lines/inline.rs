//! Functions without a file of their own: from the command line, from a pipe, and with variables
//! of the environment.

use pando_testing::{PandoCommand, RunningProgram};
use std::process::Stdio;

fn eval(code: &str) -> PandoCommand {
    PandoCommand::bare().args(["-e", code]).local()
}

/// Runs `words` of bash, with the program in `$PANDO`.
fn bash(words: &str) -> pando_testing::Finished {
    let pando = PandoCommand::bare();
    let binary = pando.command().get_program().to_owned();
    let mut command = std::process::Command::new("bash");
    command.args(["-c", words]).env("PANDO", binary).env("PANDO_ALLOW_SLEEP", "1");
    command.current_dir(pando.folder()).stdin(Stdio::null());
    RunningProgram::start(&mut command, Default::default()).wait()
}

#[test]
fn an_expression_is_a_function() {
    eval("x => x * 2").args(["1", "2"]).run().gives("2\n4\n");
    eval("function (x) { return x + '!' }").stdin("a\n").run().gives("a!\n");
    eval("(x, cb) => setTimeout(cb, 1, null, x)").stdin("a\n").run().gives("a\n");
    eval("async x => (await import('path')).join(x, 'b') // join")
        .stdin("a\n")
        .run()
        .gives("a/b\n");
    PandoCommand::bare().env("PANDO_EVAL", "x => -x").local().args(["1"]).run().gives("-1\n");
}

#[test]
fn the_text_of_a_module_is_one() {
    eval("module.exports = (x, cb) => cb(null, x)").args(["7"]).run().gives("7\n");
    eval("import { sep } from 'path'\nexport default x => x + sep").args(["7"]).run().gives("7/\n");
    eval("module.exports['/pando/1.0.0'] = (x, cb) => cb(null, [x])")
        .args(["7"])
        .run()
        .gives("7\n");
}

#[test]
fn packages_and_files_of_code_come_from_the_working_directory() {
    eval("x => require('twice')(require('./lib/one.js'))(x)")
        .with_file("node_modules/twice/index.js", "module.exports = f => x => f(f(x))")
        .with_file("lib/one.js", "module.exports = x => x + 1")
        .args(["--json", "1"])
        .run()
        .gives("3\n");
    eval("x => require('none')(x)").args(["1"]).run().ends(2, "").said(&[
        "-e:1:14: the package 'none' is not installed",
        "> 1 | x => require('none')(x)",
        "npm install none",
    ]);
}

#[test]
fn errors_name_their_place_in_the_code() {
    eval("x => x +").args(["1"]).run().ends(2, "").said(&[
        "-e:1:",
        "syntax error",
        "> 1 | x => x +",
    ]);
    eval("const y = 1\nmodule.exports = {{").args(["1"]).run().ends(2, "").said(&["-e:2:"]);
    eval("x => x.a.b").args(["--retries", "0", "1"]).run().ends(1, "").said(&["(-e:1:10)"]);
    eval("x => {\n  throw new Error('no')\n}")
        .args(["--retries", "0", "1"])
        .run()
        .ends(1, "")
        .said(&["-e:2:9"]);
    eval("5").args(["1"]).run().ends(2, "").said(&["-e:1:1: no usable function"]);
    eval("const f = x => x").args(["1"]).run().ends(2, "").said(&["-e:1:1: syntax error"]);
}

#[test]
fn a_journal_knows_the_code() {
    let pando = |code: &str, folder: &std::path::Path| {
        eval(code).args(["--journal".as_ref(), folder.join("j").as_os_str()]).args(["1", "2"]).run()
    };
    let folder = tempfile::tempdir().expect("a folder can be made");
    pando("x => x * 2", folder.path()).gives("2\n4\n");
    pando("x => x * 2", folder.path()).gives("2\n4\n").said(&["2 results are there"]);
    pando("x => x * 3", folder.path()).ends(2, "").said(&["for another function"]);
}

#[test]
fn a_function_may_come_through_a_pipe() {
    bash("$PANDO <(echo 'x => x * 2') --local 1 2").gives("2\n4\n");
    bash("echo 'module.exports = (x, cb) => cb(null, x)' | $PANDO /dev/stdin --local 1 2")
        .gives("1\n2\n");
    bash("seq 2 | $PANDO <(echo 'export default x => -x') --local").gives("-1\n-2\n");
    bash("$PANDO <(echo 'x => x.a.b') --local --retries 0 1")
        .ends(1, "")
        .said(&["/dev/fd/", ":1:10)"]);
    bash("echo 'x => x' | $PANDO /dev/stdin --local --stdin")
        .ends(2, "")
        .said(&["standard input cannot give both the function and the values"]);
}

#[test]
fn variables_of_the_environment_are_given_by_name() {
    let f =
        "export default (x, { env }) => [process.env.KEY, env.KEY, process.env.B, env.HOME].join()";
    let run = PandoCommand::new(f)
        .env("KEY", "secret")
        .args(["--env", "KEY", "--env", "B=x=y", "--local", "1"])
        .run();
    run.gives("secret,secret,x=y,\n");
    // A variable is there while the module loads, and without the second argument.
    let f = "const key = process.env.KEY\nmodule.exports = x => key";
    PandoCommand::new(f)
        .args(["--env", "KEY=a", "--local", "1"])
        .run()
        .gives("a\n")
        .did_not_say(&["not set"]);
    let f =
        "module.exports = (x, context) => context(null, context.env.KEY + process.env.NODE_ENV)";
    PandoCommand::new(f)
        .args(["--env=KEY=a", "--env=NODE_ENV=test", "--local", "1"])
        .run()
        .gives("atest\n");
}

#[test]
fn a_variable_that_is_not_set_is_refused() {
    let run = PandoCommand::new("x => x").args(["--env", "NONE_SUCH", "1"]).run();
    run.ends(2, "").said(&["NONE_SUCH is not set in the environment", "--env NONE_SUCH=VALUE"]);
}

#[test]
fn the_value_of_a_variable_is_part_of_the_job() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let run = |value: &str| {
        let journal = folder.path().join("j");
        PandoCommand::new("export default (x, { env }) => env.A")
            .args(["--local", "--env", value, "1", "--journal"])
            .args([journal])
            .run()
    };
    run("A=1").gives("1\n");
    run("A=2").ends(2, "").said(&["--env A"]).did_not_say(&["A=1", "A=2"]);
}

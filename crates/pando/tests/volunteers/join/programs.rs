//! Native volunteers of runs with `--exec`.

use pando_testing::{JoinCommand, PandoCommand, RunningProgram, numbers};

/// A run whose own core blocks on the first value until the file `go` is there. All other values
/// are for others.
fn run(command: &str) -> (RunningProgram, String) {
    let run = PandoCommand::bare()
        .args(["--exec", command, "--cores", "1", "--port", "0", "--batch-size", "1"])
        .stdin(numbers(20))
        .start();
    let line = run.says("Other machines can run a command per value");
    let url = line.rsplit(' ').next().expect("a URL").to_owned();
    let port = url.rsplit(':').next().expect("a port").to_owned();
    (run, format!("http://127.0.0.1:{port}"))
}

/// The command of a run whose own machine waits for the file `go`.
const WAITS: &str = "until test -e go; do sleep 0.01; done; echo {}";

fn go(run: &RunningProgram) {
    std::fs::write(run.folder().join("go"), "").expect("the folder can be written");
}

#[test]
fn a_volunteer_runs_its_own_command() {
    let (run, url) = run(WAITS);
    let last = run.folder().join("done-20");
    let command = format!("touch {}/done-{{}}; echo own {{}}", run.folder().display());
    let volunteer = JoinCommand::bare().args(["--cores", "2", "--exec", &command, &url]).start();
    volunteer.says("with the command: touch");
    // The run's own core is at the first value all the time.
    pando_testing::until("the last value is computed", || last.exists().then_some(()));
    go(&run);
    let others = (2..=20).map(|number| format!("own {number}\n"));
    run.wait().gives("1\n".to_owned() + &others.collect::<String>());
    volunteer.wait().status(0).said(&["This machine computed 19 values."]);
}

#[test]
fn a_volunteer_that_trusts_runs_the_command_of_the_run() {
    let (run, url) =
        run("test \"$PANDO_INDEX\" != 1 || until test -e go; do sleep 0.01; done; echo {}");
    let volunteer = JoinCommand::to(&url).start();
    volunteer.says("with the command: test");
    run.says(" joined with 1 core");
    go(&run);
    volunteer.signal("TERM");
    volunteer.wait().status(0);
    run.wait().gives(numbers(20));
}

#[test]
fn a_volunteer_must_name_what_it_allows() {
    let (run, url) = run(WAITS);
    JoinCommand::bare().args([&*url]).start().wait().status(2);
    let function = crate::idle(1).stdin_open().start();
    let volunteer = JoinCommand::bare().args(["--exec", "echo {}", &function.url()]).start();
    volunteer.wait().status(2).said(&["leave --exec out"]);
    go(&run);
    run.wait().gives(numbers(20));
}

#[test]
fn a_program_that_answers_lines_stays_on_its_machine() {
    let run = PandoCommand::bare()
        .args(["--exec", "cat", "--cores", "1", "--port", "0", "--token", "k7d2m9qx4tab"])
        .stdin_open()
        .start();
    let line = run.says("Serving monitoring page at ");
    let port = line.rsplit(':').next().and_then(|rest| rest.split('/').next()).expect("a port");
    let url = format!("http://127.0.0.1:{port}/k7d2m9qx4tab/");
    let volunteer = JoinCommand::to(&url).start();
    volunteer.wait().status(2).said(&["runs a program, which this device cannot run"]);
}

//! Pando inside other programs, and two masters on one machine.

use pando_testing::{PandoCommand, numbers};
use std::process::Command;

const PYTHON: &str = r#"
import subprocess, sys
pando = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
for n in range(1, 4):
    pando.stdin.write(f"{n}\n")
    pando.stdin.flush()
    print("got", pando.stdout.readline().strip())
out, _ = pando.communicate("10\n11\n")
print("rest", out.split(), pando.returncode)
"#;

#[test]
fn a_ten_line_python_program_asks_and_gets_answers() {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("python3 is not installed: not tried");
        return;
    }
    let pando = PandoCommand::f("(x, cb) => cb(null, x * x)").local().with_file("embed.py", PYTHON);
    let command = pando.command();
    let mut python = Command::new("python3");
    python
        .arg(pando.folder().join("embed.py"))
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(pando.folder());
    let output = python.output().expect("python3 runs");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "got 1\ngot 4\ngot 9\nrest ['100', '121'] 0\n",
        "{output:?}"
    );
}

#[test]
fn a_program_that_never_reads_standard_error_is_served_whatever_the_function_prints() {
    let f = "(x, cb) => { for (let i = 0; i < 1000; i++) console.log(`line ${i} of ${x}: ` + 'x'.repeat(100)); cb(null, x) }";
    PandoCommand::f(f).stdin(numbers(100)).stderr_unread().run().gives(numbers(100));
}

#[test]
fn failures_without_end_do_not_block_a_program_that_never_reads_standard_error() {
    let f = "export default (x, { attempt }) => { if (attempt === 1) throw new Error('x'.repeat(1000)); return x }";
    PandoCommand::new(f).stdin(numbers(2000)).stderr_unread().run().gives(numbers(2000));
}

/// This is the only test that uses the default port.
#[test]
fn two_masters_on_one_machine_with_the_default_port() {
    let start =
        || PandoCommand::f("(x, cb) => cb(null, x)").on_the_default_port().stdin_open().start();
    let port = |url: &str| -> u16 {
        url.split(['/', ':'])
            .find_map(|part| part.parse().ok().filter(|port| *port >= 5000))
            .unwrap()
    };
    let mut first = start();
    let first_port = port(&first.url());
    let mut second = start();
    let second_port = port(&second.url());
    assert_ne!(first_port, second_port);
    // Another program may have had the default port for a moment.
    let moved = if second_port == 5000 { (&first, first_port) } else { (&second, second_port) };
    moved.0.says(&format!("port 5000 is taken; using {}", moved.1));
    for run in [&mut first, &mut second] {
        run.write_line("works");
        assert_eq!(run.line().as_deref(), Some("works"));
    }
    first.wait().gives("works\n");
    second.wait().gives("works\n");
}

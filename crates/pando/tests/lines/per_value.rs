//! `--exec` with `{}`: a command runs once per value.

use pando_testing::{Finished, PandoCommand, has_ended, numbers, until};
use std::fs;

fn exec(command: &str) -> PandoCommand {
    PandoCommand::bare().args(["--exec", command]).local()
}

/// Runs the command over `values`, separated by NUL.
fn over(command: &str, values: &[&str]) -> Finished {
    let input: String = values.iter().map(|value| format!("{value}\0")).collect();
    exec(command).args(["-0"]).stdin(input).run()
}

#[test]
fn a_command_runs_once_per_value_and_its_output_is_the_result() {
    let doubled: String = (1..=200).map(|n| format!("{}\n", n * 2)).collect();
    for (cores, concurrency) in [("1", "1"), ("2", "1"), ("2", "5")] {
        exec(r"expr {} \* 2")
            .args(["--cores", cores, "--concurrency", concurrency])
            .stdin(numbers(200))
            .run()
            .gives(&doubled);
    }
}

/// Values that a shell would take for something else than text.
const VALUES: [&str; 14] = [
    "",
    " two  spaces ",
    "-n",
    "it's",
    "\"",
    "$(touch injected)",
    "`touch injected`",
    "'; touch injected; '",
    "\" ; touch injected ; \"",
    "$HOME ${x} \\ \\n",
    "*",
    "two\nlines\n",
    "é\u{1f600}\t#",
    "{}",
];

#[test]
fn a_value_is_one_argument_in_each_place_and_the_shell_runs_nothing_of_it() {
    let expected: String = VALUES.iter().map(|value| format!("[{value}]\0")).collect();
    for command in [
        "printf '[%s]' {}",
        "printf '[%s]' \"{}\"",
        "printf '[%s]' '{}'",
        "printf '%s' '['{}']'",
        "show() { printf '[%s]' {}; }; show other",
        "x={}; printf '[%s]' \"$x\"",
        "set -eu; printf '[%s]' {} # {} it's",
    ] {
        over(command, &VALUES).gives(&expected);
    }
    let within: String = VALUES.iter().map(|value| format!("<{value}>\0")).collect();
    over("printf '%s>' \"<$(printf %s. {} | sed '$s/.$//'; echo)\"", &["a  b", "*", "'"])
        .gives("<a  b>\0<*>\0<'>\0");
    over("printf '<%s>' \"$(echo start)${x-}{}\" | sed s/start//", &VALUES).gives(within);
    let run = exec("printf '[%s]' {}; ls").args(["-0", "--", "$(touch injected)"]).start();
    let injected = run.folder().join("injected");
    let (run, exists) = run.wait_and(|| injected.exists());
    run.status(0);
    assert!(!exists);
}

#[test]
fn a_value_that_no_argument_can_hold_fails_and_is_told_the_way() {
    let long = "x".repeat(1_000_000);
    let run = exec("printf %s {} | wc -c")
        .args(["--on-error", "skip", "--retries", "0"])
        .stdin(format!("{}\n{long}\na\0b\n{}\n", "y".repeat(100_000), "z"))
        .run();
    run.ends(1, "100000\n1\n").said(&[
        "item 2 failed",
        "it has 1000000 bytes",
        "leave {} out of the command, so that it reads values from its standard input",
        "item 3 failed",
        "a NUL byte",
    ]);
}

#[test]
fn a_status_or_a_signal_is_the_failure_of_the_value_with_its_last_words() {
    let command = "case {} in 2) echo from >&2; echo ValueError: two >&2; echo to >&2; exit 3;; 3) kill -TERM $$;; 4) echo four >&2;; esac; echo {}";
    let run = exec(command)
        .args(["--on-error", "skip", "--retries", "0", "--cores", "1"])
        .stdin(numbers(5))
        .run();
    run.ends(1, "1\n4\n5\n").said(&[
        "item 2 failed on this machine: the command did not succeed (exit status: 3): ValueError: two",
        "  from\n",
        "item 3 failed on this machine: the command did not succeed (signal: 15 (SIGTERM))",
        "this machine: four\n",
        "2 items failed and were left out",
    ]);
    // The lines of a command that failed are told once.
    run.did_not_say(&["this machine: from"]);
}

#[test]
fn a_command_that_is_not_there_is_the_failure_of_the_value() {
    exec("no-such-program-here {}").args(["1", "2"]).run().ends(1, "").said(&[
        "error: item 1 failed",
        "exit status: 127",
        "not found",
    ]);
}

#[test]
fn the_result_is_the_output_without_its_last_line_end() {
    exec("printf '%s' {}").args(["a", "b"]).run().gives("a\nb\n");
    exec("true {}").args(["a", "b"]).run().gives("\n\n");
    exec("printf '\\377%s\\n' {}").args(["a"]).run().gives(b"\xffa\n");
    let two = exec("echo {}; echo {}").args(["--retries", "0", "a"]).run();
    two.ends(1, "").said(&["item 1 failed", "its result contains a newline"]);
    exec("printf '%s\\n\\n' {}").args(["-0", "a"]).run().gives("a\n\0");
}

#[test]
fn json_is_passed_as_its_text_and_the_output_must_be_json() {
    let input = "1\n\"a b\"\n{\"n\": [1,2]}\n";
    exec("printf %s {}").args(["--json"]).stdin(input).run().gives(input);
    // JSON of several lines becomes one line.
    exec("printf '{\\n  \"x\": %s\\n}\\n' {}")
        .args(["--json"])
        .stdin("1\n2\n")
        .run()
        .gives("{\"x\":1}\n{\"x\":2}\n");
    let plain = exec("echo plain {}").args(["--json", "--retries", "0"]).stdin("1\n").run();
    plain.ends(1, "").said(&["item 1 failed", "its output is not valid JSON"]);
    exec("printf '{\"row\":%s}' {}")
        .args(["--csv"])
        .stdin("a,b\n1,x y\n")
        .run()
        .gives("a,b,row\n1,x y,\"{\"\"a\"\":\"\"1\"\",\"\"b\"\":\"\"x y\"\"}\"\n");
    exec("echo '{}' >&2; echo 7")
        .args(["--grid", "n=1,2"])
        .run()
        .gives("7\n7\n")
        .said(&["this machine: {\"n\":1}\n"]);
}

#[test]
fn with_files_the_value_is_the_path_and_the_output_becomes_a_file() {
    let command = exec("cat {} {}")
        .with_file("in/a.txt", "one\n")
        .with_file("in/b.bin", b"\0\xff")
        .with_file("-rf", "dash\n");
    let run = command
        .args(["--files", "--output-dir", "out", "--ext", "twice", "in/a.txt", "in/b.bin", "--"])
        .args(["-rf"])
        .start();
    let out = run.folder().join("out");
    let read = |name: &str| fs::read(out.join(name)).unwrap_or_default();
    let names = ["in/a.twice", "in/b.twice", "-rf.twice"];
    let (run, files) = run.wait_and(|| names.map(read));
    run.gives("out/in/a.twice\nout/in/b.twice\nout/-rf.twice\n");
    assert_eq!(files, [&b"one\none\n"[..], b"\0\xff\0\xff", b"dash\ndash\n"]);
    let gone = exec("cat {}").args(["--files", "--retries", "0", "gone"]).run();
    gone.ends(1, "").said(&["gone cannot be read"]);
    let lines = exec("cat").args(["--files", "x"]).run();
    lines.ends(2, "").said(&["write {} in the place of the path"]);
}

#[test]
fn values_and_attempts_have_their_numbers_in_the_environment() {
    let command = "test {} != b || test $PANDO_ATTEMPT = 3 && echo {} $PANDO_INDEX $PANDO_ATTEMPT";
    exec(command).args(["a", "b", "c"]).run().gives("a 1 1\nb 2 3\nc 3 1\n");
    exec("test -z \"$(env | grep '^pando_value')\" && echo {}")
        .env("pando_value", "7")
        .args(["1"])
        .run()
        .gives("1\n");
}

#[test]
fn a_timeout_ends_all_processes_of_the_value_and_no_others() {
    let command = "if [ {} = 2 ]; then sleep 1000 & echo $! >pid; wait; fi; echo {}";
    let run = exec(command)
        .args(["--timeout", "400ms", "--retries", "0", "--on-error", "skip", "--cores", "1"])
        .stdin(numbers(5))
        .start();
    let pid = until("the command has started another", || {
        fs::read_to_string(run.folder().join("pid")).ok()?.trim().parse().ok()
    });
    until("what it started is gone", || has_ended(pid).then_some(()));
    run.wait().ends(1, "1\n3\n4\n5\n").said(&["item 2 failed", "no answer within 400 ms"]);
}

#[test]
fn what_a_command_leaves_running_ends_with_it() {
    let run = exec("sleep 1000 & echo $! >>pids; echo {}").stdin(numbers(3)).start();
    let pids = run.folder().join("pids");
    let pids = until("all values are computed", || {
        let pids = fs::read_to_string(&pids).ok()?;
        let pids: Vec<u32> = pids.lines().filter_map(|pid| pid.parse().ok()).collect();
        (pids.len() == 3).then_some(pids)
    });
    run.wait().gives(numbers(3));
    pids.into_iter().for_each(|pid| until("it is gone", || has_ended(pid).then_some(())));
}

#[test]
fn commands_end_with_a_master_that_is_killed() {
    let run = exec("echo $$ >pid; sleep 1000; echo {}").stdin_open().args(["1"]).start();
    let pid = until("the command is there", || {
        fs::read_to_string(run.folder().join("pid")).ok()?.trim().parse().ok()
    });
    pando_testing::kill("KILL", run.pid().into());
    until("the command is gone", || has_ended(pid).then_some(()));
}

#[test]
fn braces_of_the_command_itself_stand_after_a_backslash() {
    let find = "find . -name {} -exec basename \\{} ';'";
    exec(find).with_file("a.txt", "").args(["a.txt", "f.js"]).run().gives("a.txt\n\n");
    // Without another pair of braces, the program answers lines.
    let awk = "awk -W interactive 'function f() \\{} { f(); print $1 * 2; fflush() }'";
    exec(awk).stdin(numbers(3)).run().gives("2\n4\n6\n");
}

#[test]
fn a_command_in_which_braces_cannot_be_replaced_is_refused() {
    for (command, why) in [
        ("cat <<end\n{}\nend", "here-document"),
        ("echo `cat {}`", "backquotes"),
        ("echo \"${x%{}}\"", "give the value to a variable first"),
        ("echo '{}", "no end"),
    ] {
        exec(command).args(["1"]).run().ends(2, "").said(&["error: --exec", why]);
    }
    let number = exec("echo $(({} * 2))").args(["--on-error", "skip", "--retries", "0"]);
    number.args(["4", "-5", "a[$(touch injected)]", "010", ""]).run().ends(1, "8\n-10\n").said(&[
        "item 3 failed",
        "whole numbers",
        "3 items failed",
    ]);
}

#[test]
fn a_journal_knows_files_that_have_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let run = || {
        let command = exec(&format!("echo x >>{}; wc -c <{{}}", path("calls")));
        command.args(["--files", "--journal", &path("journal"), &path("a"), &path("b")]).run()
    };
    fs::write(path("a"), "1").unwrap();
    fs::write(path("b"), "12").unwrap();
    run().gives("1\n2\n");
    run().gives("1\n2\n");
    fs::write(path("b"), "123").unwrap();
    run().gives("1\n3\n");
    assert_eq!(fs::read_to_string(path("calls")).unwrap().lines().count(), 3);
}

//! The messages on standard error.

use pando_testing::{PandoCommand, lines};

#[test]
fn the_first_lines_are_the_urls_best_first() {
    let run = PandoCommand::f("(x, cb) => cb(null, x)").stdin("1\n").run();
    run.gives("1\n");
    let said: Vec<&str> = run.stderr.lines().collect();
    let (page, said) = said.split_last().expect("there are some");
    assert!(page.starts_with("Serving monitoring page at http://"), "{page}");
    assert!(
        !said.is_empty()
            && said.iter().all(|line| line.starts_with("Serving volunteer code at http://")),
        "{said:?}"
    );
    assert!(said.last().unwrap().contains("//127.0.0.1:"), "loopback comes last: {said:?}");
}

#[test]
fn a_local_run_that_goes_well_says_nothing_but_where_its_page_is() {
    let run = || PandoCommand::f("(x, cb) => cb(null, x)").local().stdin("1\n");
    let said = run().run().gives("1\n").stderr.clone();
    assert!(said.starts_with("Serving monitoring page at ") && said.lines().count() == 1, "{said}");
    assert_eq!(run().args(["-q"]).run().gives("1\n").stderr, "");
}

#[test]
fn what_the_function_prints_appears_with_device_and_item() {
    let f = "(x, cb) => { console.log('value', x); if (x == 7) console.error('%s!', 'seven', { a: [1] }); cb(null, x) }";
    let run = PandoCommand::f(f).stdin(lines(1..=9)).run();
    run.gives(lines(1..=9)).said(&[
        "this machine, item 7: value 7\n",
        "this machine, item 7: seven! ",
        "this machine, item 1: value 1\n",
    ]);
}

#[test]
fn quiet_hides_what_the_function_prints_and_nothing_else() {
    let f = "(x, cb) => { console.log('value', x); x === 'b' ? cb('no b') : cb(null, x) }";
    for quiet in ["-q", "--quiet"] {
        let run = PandoCommand::f(f).args([quiet, "--retries", "0"]).stdin("a\nb\n").run();
        run.ends(1, "a\n").did_not_say(&["value"]).said(&["item 2 failed", "no b"]);
    }
}

#[test]
fn quiet_hides_reports_as_well() {
    let f = "export default async (x, { report }) => { report({ nbItems: 1 }); await new Promise(done => setTimeout(done, 700)); return x }";
    let run = |args: &[&str]| {
        PandoCommand::new(f)
            .args(["--cores", "1", "--reporting-interval", "500ms"])
            .args(args)
            .stdin("a\nb\n")
            .run()
    };
    run(&[]).gives("a\nb\n").said(&["this machine: ", "items/s"]);
    run(&["-q"]).gives("a\nb\n").did_not_say(&["items/s"]);
}

#[test]
fn a_callback_called_twice_is_a_warning_with_its_item_and_the_second_call_is_ignored() {
    let f = "(x, cb) => { cb(null, x); if (x === 'b') cb(null, 'again'); if (x === 'c') setTimeout(() => cb('late'), 1); if (x === 'd') setTimeout(() => cb(null, x), 50) }";
    let mut run = PandoCommand::f(f).stdin_open().start();
    run.write("a\nb\nc\n");
    run.says("this machine, item 2: the callback was called twice");
    run.says("this machine, item 3: the callback was called twice");
    run.wait().gives("a\nb\nc\n");
}

#[test]
fn a_late_error_is_shown_with_its_item_and_changes_nothing() {
    let f = "(x, cb) => { cb(null, x); if (x === 'b') setTimeout(() => { throw new Error('too late') }, 1) }";
    let mut run = PandoCommand::f(f).stdin_open().start();
    run.write("a\nb\n");
    assert!(run.says("too late").starts_with("this machine, item 2: "), "{}", run.stderr());
    run.wait().gives("a\nb\n");
}

#[test]
fn what_is_printed_while_loading_appears() {
    let f = "console.log('loading now')\nmodule.exports['/pando/1.0.0'] = (x, cb) => cb(null, x)";
    PandoCommand::new(f).stdin("1\n").run().gives("1\n").said(&["loading now"]);
}

#[test]
fn repeated_lines_are_counted() {
    let f = "(x, cb) => { for (let i = 0; i < 500; i++) console.log('same'); cb(null, x) }";
    let run = PandoCommand::f(f).stdin("1\n").run();
    // The first line is shown at once, before the run knows whether more lines follow.
    run.gives("1\n")
        .said(&["this machine, item 1: same\n", "this machine, item 1: same (499 times)"]);
}

#[test]
fn control_characters_that_a_function_prints_are_made_visible() {
    let run = PandoCommand::f("(x, cb) => { console.log('\\u001b[31mred'); cb(null, x) }")
        .stdin("1\n")
        .run();
    run.gives("1\n").did_not_say(&["\u{1b}"]).said(&["[31mred"]);
}

#[test]
fn the_last_words_of_the_function_are_heard() {
    let f = "(x, cb) => { console.log('word ' + x); cb(null, x) }";
    for _ in 0..5 {
        PandoCommand::f(f).stdin("1\n2\n3\n").run().gives("1\n2\n3\n").said(&["item 3: word 3"]);
    }
}

#[test]
fn what_an_endless_loop_printed_before_it_is_shown_while_it_goes_on() {
    let f = "(x, cb) => { console.log('into the loop'); for (;;); }";
    let run = PandoCommand::f(f).stdin("1\n").start();
    run.says("this machine, item 1: into the loop");
}

#[test]
fn a_long_call_is_told_with_its_item() {
    let run = PandoCommand::f("(x, cb) => { for (;;); }").stdin("1\n").start();
    run.says("item 1 has been computing on this machine for 1");
}

#[test]
fn nobody_there_is_told_with_what_to_do() {
    let run = PandoCommand::f("(x, cb) => cb(null, x)").args(["--cores", "0"]).stdin("1\n").start();
    let hint = run.says("nobody has joined");
    let port = run.url().rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    assert!(
        hint.contains("http://") && hint.contains(&port) && hint.contains("firewall"),
        "{hint}"
    );
}

#[test]
fn whole_numbers_that_javascript_rounds_are_told_once() {
    let warning = "warning: item 3 has the whole number 12345678901234567890, which JavaScript rounds to 12345678901234567000";
    let input = "9007199254740992\n\"12345678901234567890\"\n[12345678901234567890]\n12345678901234567890\n";
    let run =
        PandoCommand::f("(x, cb) => cb(null, 'x')").local().args(["--json"]).stdin(input).run();
    run.gives("\"x\"\n".repeat(4)).said(&[warning, "put such numbers in quotes and use BigInt"]);
    assert_eq!(run.stderr.matches("JavaScript rounds").count(), 1, "{}", run.stderr);
    let items = PandoCommand::f("(x, cb) => cb(null, 0)")
        .local()
        .args(["--json", "1", "2", "12345678901234567890"])
        .run();
    items.gives("0\n0\n0\n").said(&[warning]);
    let sync = PandoCommand::f("(x, cb) => cb(null, 0)").local().args(["--sync-stdio"]);
    sync.stdin("{\"value\":1}\n{\"value\":2}\n{\"value\":12345678901234567890}\n")
        .run()
        .said(&[warning]);
    // Lines are text, and programs receive the digits unchanged.
    PandoCommand::f("(x, cb) => cb(null, x)")
        .local()
        .stdin(input)
        .run()
        .gives(input)
        .did_not_say(&["JavaScript"]);
    let run = PandoCommand::bare().args(["--exec", "cat", "--local", "--json"]).stdin(input).run();
    run.gives(input).did_not_say(&["JavaScript"]);
}

#[test]
fn developers_are_told_of_decisions_where_they_ask() {
    let f = "(x, cb) => x === '2' ? cb(new Error('no')) : cb(null, x)";
    let run = |levels: &str| {
        PandoCommand::f(f)
            .env("PANDO_LOG", levels)
            .args(["--on-error", "skip"])
            .stdin("1\n2\n3\n")
            .run()
    };
    let decisions =
        ["a volunteer has joined", "an attempt has failed item=2", "answers have arrived"];
    run("debug").ends(1, "1\n3\n").said(&decisions[..2]).did_not_say(&decisions[2..]);
    run("pando::master=trace").ends(1, "1\n3\n").said(&decisions);
    run("").ends(1, "1\n3\n").did_not_say(&decisions);
    run("pando=loud").ends(2, "").said(&["error: PANDO_LOG=pando=loud is not understood"]);
}

#[test]
fn the_status_line_tells_the_share_that_is_done_and_the_time_left() {
    let f = "(x, cb) => setTimeout(() => cb(null, x), 700)";
    let run = |words: &[&str], stdin: &str| {
        let words =
            ["--progress", "always", "--cores", "1"].into_iter().chain(words.iter().copied());
        let command = PandoCommand::f(f).local().args(words);
        let file = command.folder().join("values");
        std::fs::write(&file, stdin).unwrap();
        if stdin.is_empty() { command.run() } else { command.stdin_file(file).run() }
    };
    let third = "1 of 3 (33 %) [######--------------], ";
    run(&["1", "2", "3"], "").gives("1\n2\n3\n").said(&[third, " s left, 1 device with 1 core"]);
    // The number of lines in a file is known once the file is read.
    run(&[], "1\n2\n3\n").gives("1\n2\n3\n").said(&[third]);
    let piped = |words: &[&str]| {
        let words =
            ["--progress", "always", "--cores", "1"].into_iter().chain(words.iter().copied());
        let mut run = PandoCommand::f(f).local().args(words).stdin_open().start();
        run.write("1\n2\n");
        assert_eq!(run.line().as_deref(), Some("1"));
        assert_eq!(run.line().as_deref(), Some("2"));
        let finished = run.wait();
        finished.gives("1\n2\n");
        finished
    };
    piped(&["--total", "4"]).said(&["1 of 4 (25 %) [#####"]);
    // The input has more values than was said.
    piped(&["--total", "1"]).said(&["1 done, "]).did_not_say(&["(200 %)"]);
}

#[test]
fn one_hint_says_that_other_devices_can_help() {
    let args = ["--cores", "1", "--progress", "always"];
    let run = PandoCommand::f("(x, cb) => cb(null, x)").args(args).stdin_open().start();
    run.says("only this machine computes so far; phones and laptops can help: open http");
}

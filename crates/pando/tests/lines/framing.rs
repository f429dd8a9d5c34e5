//! The format of values.

use pando_testing::{PandoCommand, lines};

const ECHO: &str = "(x, cb) => cb(null, x)";
/// A function that shows its argument exactly.
const SHOW: &str = "(x, cb) => cb(null, JSON.stringify(x))";

#[test]
fn each_line_in_is_a_line_out_in_order() {
    PandoCommand::f("(x, cb) => cb(null, x * x)")
        .stdin(lines(1..=10))
        .run()
        .gives(lines((1..=10).map(|x| x * x)));
}

#[test]
fn a_value_is_received_as_a_string() {
    PandoCommand::f("(x, cb) => cb(null, typeof x + ' ' + x)")
        .stdin("1\n")
        .run()
        .gives("string 1\n");
}

#[test]
fn an_empty_line_is_a_value() {
    PandoCommand::f(SHOW).stdin("\na\n\n\n").run().gives("\"\"\n\"a\"\n\"\"\n\"\"\n");
}

#[test]
fn an_empty_result_is_an_empty_line() {
    PandoCommand::f("(x, cb) => cb(null, '')").stdin("a\nb\n").run().gives("\n\n");
}

#[test]
fn a_last_line_without_its_end_counts() {
    PandoCommand::f(SHOW).stdin("a\nb").run().gives("\"a\"\n\"b\"\n");
}

#[test]
fn one_carriage_return_before_the_newline_is_not_part_of_the_value() {
    PandoCommand::f(SHOW)
        .stdin("a\r\nb\r\r\n\r\nc\rd\n")
        .run()
        .gives("\"a\"\n\"b\\r\"\n\"\"\n\"c\\rd\"\n");
}

#[test]
fn one_carriage_return_at_the_end_of_a_last_line_is_dropped_or_kept_but_harms_nothing() {
    let run = PandoCommand::f(SHOW).stdin("a\r\nb\r").run();
    run.status(0);
    assert!(["\"a\"\n\"b\"\n", "\"a\"\n\"b\\r\"\n"].contains(&run.text().as_str()), "{run:?}");
}

#[test]
fn a_leading_byte_order_mark_is_dropped() {
    PandoCommand::f(SHOW).stdin("\u{feff}a\nb\n").run().gives("\"a\"\n\"b\"\n");
}

#[test]
fn text_of_all_scripts_passes_unchanged() {
    let text = "été\n日本語\n👩‍👩‍👧 🇫🇷\n\u{2028}\u{2029}\n\u{7f}\u{1}\t\n";
    PandoCommand::f(ECHO).stdin(text).run().gives(text);
}

#[test]
fn nul_separates_values_and_results_with_0() {
    PandoCommand::f(ECHO).args(["-0"]).stdin("a\nb\0\0c\r\0d").run().gives("a\nb\0\0c\r\0d\0");
    PandoCommand::f(ECHO).args(["--null"]).stdin("a\0").run().gives("a\0");
}

#[test]
fn items_are_values_also_negative_numbers_and_options_stand_anywhere() {
    PandoCommand::f(ECHO)
        .args(["3", "-1", "--concurrency", "2", "-2.5", "a b", ""])
        .run()
        .gives("3\n-1\n-2.5\na b\n\n");
}

#[test]
fn two_dashes_end_the_options() {
    PandoCommand::f(ECHO).args(["1", "--", "--json", "-q"]).run().gives("1\n--json\n-q\n");
}

#[test]
fn items_with_newlines_are_single_values() {
    PandoCommand::f("(x, cb) => cb(null, x.length)").args(["a\nb"]).run().gives("3\n");
}

#[test]
fn with_items_standard_input_is_left_alone() {
    let mut run = PandoCommand::f(ECHO).args(["1", "2"]).stdin_open().start();
    assert_eq!(run.line().as_deref(), Some("1"));
    assert_eq!(run.line().as_deref(), Some("2"));
    run.wait_with_input_open().gives("1\n2\n");
}

#[test]
fn stdin_is_the_default_and_may_be_asked_for() {
    PandoCommand::f(ECHO).stdin("1\n").run().gives("1\n");
    PandoCommand::f(ECHO).args(["--stdin"]).stdin("1\n").run().gives("1\n");
}

#[test]
fn standard_input_may_be_a_file() {
    let pando = PandoCommand::f(ECHO).with_file("input", "1\n2\n");
    let input = pando.folder().join("input");
    pando.stdin_file(input).run().gives("1\n2\n");
}

#[test]
fn with_json_values_are_parsed() {
    let input = "1\n\"a\\nb\"\n{\"a\": [1, 2]}\nnull\ntrue\n -2.5e1 \n";
    let show = "(x, cb) => cb(null, [typeof x, x && x.a ? x.a[1] : x])";
    let expected = "[\"number\",1]\n[\"string\",\"a\\nb\"]\n[\"object\",2]\n[\"object\",null]\n[\"boolean\",true]\n[\"number\",-25]\n";
    PandoCommand::f(show).args(["--json"]).stdin(input).run().gives(expected);
}

#[test]
fn with_json_results_are_json_and_text_is_quoted() {
    let echo = "(x, cb) => cb(null, x)";
    let input = "\"a\\nb\"\n{\"b\":1,\"a\":[]}\nnull\nfalse\n0\n\"\"\n";
    PandoCommand::f(echo).args(["--json"]).stdin(input).run().gives(input);
    PandoCommand::new("export default x => x").args(["--json"]).stdin(input).run().gives(input);
}

#[test]
fn with_json_items_are_json() {
    PandoCommand::f("(x, cb) => cb(null, x.a)")
        .args(["--json", "{\"a\":1}", "{\"a\":\"b\"}"])
        .run()
        .gives("1\n\"b\"\n");
}

#[test]
fn with_json_and_0_texts_may_span_lines() {
    PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--json", "-0"])
        .stdin("[1,\n2]\0")
        .run()
        .gives("[1,2]\0");
}

#[test]
fn an_empty_input_ends_at_once() {
    PandoCommand::f(ECHO).run().gives("");
    PandoCommand::f(ECHO).local().run().gives("");
}

#[test]
fn an_empty_input_ends_at_once_with_nobody_there() {
    PandoCommand::f(ECHO).args(["--cores", "0"]).run().gives("");
    PandoCommand::f(ECHO).args(["--start-idle"]).run().gives("");
}

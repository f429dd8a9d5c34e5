//! Results that cannot be printed.

use pando_testing::{Finished, PandoCommand, without_form};

/// The function returns `result` for the second of three values, which is refused, and its
/// argument for the others.
#[track_caller]
fn second_result_refused(
    result: &str,
    args: &[&str],
    input: &str,
    before: &str,
    words: &[&str],
) -> Finished {
    let f = format!("export default (x, {{ index }}) => index === 2 ? {result} : x");
    let run = PandoCommand::new(&f).args(args).args(["--retries", "0"]).stdin(input).run();
    run.ends(1, before).said(&["error: item 2 failed on this machine: "]).said(words);
    run
}

#[test]
fn a_newline_in_line_mode_with_the_remedy() {
    second_result_refused(
        "'two\\nlines'",
        &[],
        "a\nb\nc\n",
        "a\n",
        &["newline", "-0", "JSON.stringify"],
    );
    second_result_refused("new Uint8Array([1, 10])", &[], "a\nb\nc\n", "a\n", &["newline"]);
    second_result_refused("'at the end\\n'", &[], "a\nb\nc\n", "a\n", &["newline"]);
}

/// What is left of a buffer that was transferred, or of a memory that has grown, looks empty.
#[test]
fn bytes_that_are_gone() {
    let transferred = "(x => { structuredClone(x, { transfer: [x] }); return x })";
    let grown = "(m => { const x = new Uint8Array(m.buffer, 0, 2); m.grow(1); return x })";
    for result in [
        format!("{transferred}(new ArrayBuffer(2))"),
        format!("(x => {transferred}(x.buffer) && x)(new Uint8Array(2))"),
        format!("(x => {transferred}(x.buffer) && x)(new DataView(new ArrayBuffer(2)))"),
        format!("{grown}(new WebAssembly.Memory({{ initial: 1 }}))"),
    ] {
        second_result_refused(
            &result,
            &[],
            "a\nb\nc\n",
            "a\n",
            &["detached", "the bytes are gone", "slice()"],
        );
    }
    PandoCommand::new("export default x => new Uint8Array(0)").stdin("a\n").run().gives("\n");
}

#[test]
fn a_nul_with_nul_separation() {
    second_result_refused("'a\\0b'", &["--null"], "a\0b\0c\0", "a\0", &["NUL"]);
}

#[test]
fn a_newline_is_fine_with_nul_separation_and_a_nul_is_in_line_mode() {
    PandoCommand::new("export default x => 'a\\nb'")
        .args(["--null"])
        .stdin("x\0")
        .run()
        .gives("a\nb\0");
    PandoCommand::new("export default x => 'a\\0b'").stdin("x\n").run().gives("a\0b\n");
}

#[test]
fn not_a_number_is_no_json() {
    second_result_refused("NaN", &["--json"], "1\n2\n3\n", "1\n", &["NaN"]);
    second_result_refused("-Infinity", &["--json"], "1\n2\n3\n", "1\n", &["Infinity"]);
}

#[test]
fn a_cycle_is_no_json() {
    second_result_refused("(o => o.o = o)({})", &["--json"], "1\n2\n3\n", "1\n", &["JSON"]);
    second_result_refused("(o => o.o = o)({})", &[], "1\n2\n3\n", "1\n", &["JSON"]);
}

#[test]
fn a_big_integer_is_no_json() {
    second_result_refused("10n", &["--json"], "1\n2\n3\n", "1\n", &["BigInt"]);
}

#[test]
fn a_function_and_a_symbol_are_no_json() {
    second_result_refused("(() => 1)", &["--json"], "1\n2\n3\n", "1\n", &[]);
    second_result_refused("Symbol('s')", &["--json"], "1\n2\n3\n", "1\n", &[]);
}

#[test]
fn an_object_that_cannot_be_text() {
    let f = "(x, cb) => cb(null, x === 'b' ? Object.create(null) : x)";
    PandoCommand::f(f)
        .args(["--retries", "0"])
        .stdin("a\nb\n")
        .run()
        .ends(1, "a\n")
        .said(&["error: item 2 failed"]);
}

#[test]
fn a_to_json_that_throws() {
    let result = "({ toJSON() { throw new Error('not this') } })";
    second_result_refused(result, &["--json"], "1\n2\n3\n", "1\n", &["not this"]);
}

#[test]
fn what_json_would_leave_out_or_alter_is_an_error_that_names_its_path() {
    let run = PandoCommand::new(&without_form::function())
        .args(["--retries", "0", "--on-error", "skip"])
        .stdin(without_form::input());
    without_form::all_right(run.run().status(1), "this machine");
}

#[test]
fn what_string_cannot_show_is_an_error_for_a_callback() {
    let f =
        "(x, cb) => cb(null, x === 'b' ? new Map() : x === 'c' ? { a: 1 } : Promise.resolve(x))";
    let run =
        PandoCommand::f(f).args(["--retries", "0", "--on-error", "skip"]).stdin("a\nb\nc\n").run();
    run.ends(1, "a\n[object Object]\n").said(&[
        "item 2 failed on this machine: the answer has no text: it would be printed as [object Map]: answer text",
        "item 3: its result is printed as [object Object]: answer JSON.stringify(result)",
    ]);
}

#[test]
fn an_object_that_throws_when_it_is_read_is_the_failure_of_its_item() {
    let f = r#"const fail = (what) => { throw new Error(what) }
export default (x) => {
  if (x === 'getter') return { get a() { fail('in a getter') } }
  if (x === 'then') return { get then() { fail('in then') } }
  if (x === 'proxy') return [new Proxy({}, { ownKeys() { fail('in a proxy') } })]
  if (x === 'message') throw { get message() { fail('in its message') } }
  if (x === 'tag') throw { get [Symbol.toStringTag]() { fail('in its tag') } }
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  if (x === 'revoked') throw proxy
  if (x === 'cause') throw new Error('no', { cause: proxy })
  if (x === 'answered') return proxy
  console.log(proxy)
  return x
}"#;
    let args = ["--on-error", "skip", "--retries", "0", "--cores", "1"];
    let items =
        ["getter", "then", "proxy", "message", "tag", "revoked", "cause", "answered", "good"];
    let run = PandoCommand::new(f).local().args(args).args(items).run();
    run.ends(1, "good\n").said(&[
        "item 1 failed on this machine: the answer has no JSON form: in a getter",
        "item 2 failed on this machine: in then",
        "item 3 failed on this machine: the answer has no JSON form: in a proxy",
        "item 4 failed on this machine: a value that throws when it is read was thrown: throw an Error (",
        "item 5 failed on this machine: a value that throws when it is read was thrown",
        "item 6 failed on this machine: a value that throws when it is read was thrown",
        "item 7 failed on this machine: no (cause: [unreadable]) (",
        "item 8 failed on this machine: TypeError: ",
        "item 9: [unreadable]",
        "8 items failed",
    ]);
}

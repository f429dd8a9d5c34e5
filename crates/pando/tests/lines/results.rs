//! The form of results on standard output.

use pando_testing::{PandoCommand, lines};

#[test]
fn bytes_go_out_as_they_are() {
    let f = "(x, cb) => cb(null, { u: new Uint8Array([1, 255, 0]), b: Buffer.from('é'), a: new Uint8Array([65, 66]).buffer }[x])";
    PandoCommand::f(f).stdin("u\nb\na\n").run().gives(b"\x01\xff\x00\n\xc3\xa9\nAB\n");
}

#[test]
fn a_view_goes_out_without_the_buffer_around_it() {
    let f = "(x, cb) => cb(null, new Uint8Array([65, 66, 67, 68]).subarray(1, 3))";
    PandoCommand::f(f).stdin("1\n").run().gives("BC\n");
}

#[test]
fn bytes_of_a_megabyte_pass() {
    let f = "(x, cb) => cb(null, new Uint8Array(1 << 20).fill(+x))";
    let expected = [[7u8; 1 << 20].as_slice(), b"\n", [200u8; 1 << 20].as_slice(), b"\n"].concat();
    PandoCommand::f(f).stdin("7\n200\n").run().gives(expected);
}

#[test]
fn a_blob_goes_out_as_its_bytes() {
    let blob = "new Blob([new Uint8Array([Number(x), 255])])";
    let expected = b"\x01\xff\n\x02\xff\n";
    PandoCommand::new(&format!("export default x => {blob}")).stdin("1\n2\n").run().gives(expected);
    PandoCommand::f(&format!("(x, cb) => cb(null, {blob})")).stdin("1\n2\n").run().gives(expected);
    PandoCommand::new(&format!("export default async x => new File([{blob}], 'name')"))
        .stdin("1\n2\n")
        .run()
        .gives(expected);
}

const VALUES: &str =
    "[0, -0, 1.5, true, null, [1, [2]], { a: 1 }, 'text', NaN, 10n, new Date(0).getTime()]";

#[test]
fn a_callback_s_results_are_printed_as_string_does() {
    let f = format!("(x, cb) => cb(null, {VALUES}[x])");
    let expected = "0\n0\n1.5\ntrue\nnull\n1,2\n[object Object]\ntext\nNaN\n10\n0\n";
    PandoCommand::f(&f).stdin(lines(0..11)).run().gives(expected);
}

#[test]
fn a_default_export_s_results_are_json_and_its_text_is_plain() {
    let f = format!("export default x => ({VALUES})[x]");
    let expected = "0\n0\n1.5\ntrue\nnull\n[1,[2]]\n{\"a\":1}\ntext\n";
    PandoCommand::new(&f).stdin(lines(0..8)).run().gives(expected);
}

#[test]
fn an_error_that_is_falsy_is_none() {
    let f = "(x, cb) => cb([undefined, null, 0, '', false][x], x)";
    PandoCommand::f(f).stdin(lines(0..5)).run().gives(lines(0..5));
}

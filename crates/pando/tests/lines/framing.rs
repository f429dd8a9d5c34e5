//! What a value is, and what a result.

use crate::common::{Pando, Tab, lines};

const ECHO: &str = "(x, cb) => cb(null, x)";
const QUOTE: &str = "(x, cb) => cb(null, JSON.stringify(x))";

#[test]
fn each_line_in_is_a_line_out_in_order() {
    Pando::f("(x, cb) => cb(null, x * x)").stdin(lines(1..=10)).run().gives(lines((1..=10).map(|x| x * x)));
}

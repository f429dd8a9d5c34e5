use crate::program::apply;

#[test]
fn a_number_is_squared() {
    assert_eq!(apply("square/square.js", "12\n-1.5\n").lines(), ["144", "2.25"]);
}

#[test]
fn what_is_no_number_is_refused() {
    let output = apply("square/square.js", "twelve\n");
    assert_eq!((output.status, output.stderr.trim()), (Some(1), "not a number: twelve"));
}

//! `--grid`: all combinations of some values.

use pando_testing::{Finished, PandoCommand};

const SHOW: &str = "export default x => x";

fn run(args: &[&str]) -> Finished {
    PandoCommand::new(SHOW).local().args(args).run()
}

#[test]
fn numbers_are_exact_and_the_last_name_varies_fastest() {
    run(&["--grid", "dt=0.1:0.3:0.1", "--grid", "method=rk4,euler"]).gives(
        "{\"dt\":0.1,\"method\":\"rk4\"}\n{\"dt\":0.1,\"method\":\"euler\"}\n\
         {\"dt\":0.2,\"method\":\"rk4\"}\n{\"dt\":0.2,\"method\":\"euler\"}\n\
         {\"dt\":0.3,\"method\":\"rk4\"}\n{\"dt\":0.3,\"method\":\"euler\"}\n",
    );
    run(&["--grid", "x=1:-1:-1"]).gives("{\"x\":1}\n{\"x\":0}\n{\"x\":-1}\n");
}

#[test]
fn with_a_table_names_are_columns() {
    let f = "export default ({ x, y }) => ({ sum: x + y, word: typeof x })";
    let run = PandoCommand::new(f).local().args(["--csv", "--grid", "x=1,2", "--grid", "y=10,20"]);
    run.run()
        .gives("x,y,sum,word\n1,10,11,number\n1,20,21,number\n2,10,12,number\n2,20,22,number\n");
}

/// All pairs of 3,000 × 3,000,000,000 values: only the first ones are made.
#[test]
fn combinations_are_made_only_as_they_are_wanted() {
    let first = run(&["--grid", "a=1:3000:1", "--grid", "b=0:3000000000:1", "--head", "2"]);
    first.gives("{\"a\":1,\"b\":0}\n{\"a\":1,\"b\":1}\n");
}

#[test]
fn their_number_is_known() {
    let run = PandoCommand::new(SHOW)
        .local()
        .args(["--summary", "always", "--grid", "a=1:50:1", "--grid", "b=1:41:1", "--unordered"])
        .run();
    run.status(0).said(&["2,050"]);
    assert_eq!(run.text().lines().count(), 2050);
}

#[test]
fn forms_without_sense_are_wrong_usage_in_words() {
    for (grid, words) in [
        ("dt", "it has no `=`"),
        ("dt=0:1:0", "its step is 0"),
        ("dt=0:1:-0.1", "give the step the other sign"),
        ("dt=", "a value of dt is empty"),
        ("dt=1,,2", "a value of dt is empty"),
        ("dt=0:1", "the range of dt has no step"),
        ("dt=0:100000000:0.00000001", "too many combinations"),
    ] {
        run(&["--grid", grid]).ends(2, "").said(&[words]);
    }
    run(&["--grid", "a=1", "--grid", "a=2"]).ends(2, "").said(&["--grid gives a twice"]);
    run(&["--grid", "a=1", "7"]).ends(2, "").said(&["--grid cannot be used with ITEMS"]);
    run(&["--grid", "a=1", "--stdin"]).ends(2, "").said(&["--grid cannot be used with --stdin"]);
}

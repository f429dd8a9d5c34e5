//! `pando join` as a program of its own, for machines that only lend their cores.

use std::env::args_os;

fn main() {
    // The volunteer starts this program again as the helper of its sandbox.
    let name = args_os().nth(1).unwrap_or_default();
    let hidden =
        name.to_str().and_then(|name| pando_volunteer::hidden_command(name, args_os().skip(2)));
    let join = || pando_join::run(pando_join::JoinOptions::read(args_os()));
    std::process::exit(hidden.unwrap_or_else(join));
}

//! The program: parses the command line, runs, exits.

fn main() {
    std::process::exit(run());
}

/// Starts the relay if the first argument is `relay`, otherwise a run. A function in a file named
/// `relay` can be given as `./relay`.
fn run() -> i32 {
    if std::env::args_os().nth(1).is_some_and(|first| first == "relay") {
        return pando_relay::run(pando_relay::RelayOptions::read(std::env::args_os().skip(1)));
    }
    pando::main()
}

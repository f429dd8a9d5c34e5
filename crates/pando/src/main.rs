//! The program: parses the command line, runs, exits.

fn main() {
    std::process::exit(run());
}

/// `relay` as the first argument asks for the relay; a function in a file of that name is `./relay`.
fn run() -> i32 {
    if std::env::args_os().nth(1).is_some_and(|first| first == "relay") {
        return pando_relay::run(pando_relay::Options::read(std::env::args_os().skip(1)));
    }
    pando::run::run(pando::cli::Cli::read())
}

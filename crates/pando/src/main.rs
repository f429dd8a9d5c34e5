//! The program: parses the command line, runs, exits.

fn main() {
    std::process::exit(run());
}

/// Starts the relay if the first argument is `relay`, otherwise a run. A function in a file named
/// `relay` can be given as `./relay`.
fn run() -> i32 {
    #[cfg(feature = "relay")]
    if std::env::args_os().nth(1).is_some_and(|first| first == "relay") {
        return pando::relay::run(pando::relay::Options::read());
    }
    #[cfg(feature = "master")]
    return pando::run::run(pando::cli::Cli::read());
    #[cfg(not(feature = "master"))]
    {
        eprintln!("error: this build of Pando is the relay alone: start it with pando relay (see pando relay --help)");
        2
    }
}

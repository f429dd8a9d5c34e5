//! The program: parses the command line, runs, exits.

fn main() {
    std::process::exit(run());
}

/// Starts the relay if the first argument is `relay`, joins a run if it is `join`, starts the demo
/// if it is `demo`, tells of a journal if it is `journal`, and otherwise starts a run. A function
/// in a file of such a name can be given as `./relay`.
fn run() -> i32 {
    let first = std::env::args_os().nth(1).unwrap_or_default();
    match first.to_str() {
        Some("relay") => {
            pando_relay::run(pando_relay::RelayOptions::read(std::env::args_os().skip(1)))
        }
        Some("join") => pando::join(std::env::args_os().skip(1)),
        Some("demo") => pando::demo(),
        Some("journal") => pando::show_journal(),
        Some(name) => pando_volunteer::hidden_command(name, std::env::args_os().skip(2))
            .unwrap_or_else(pando::main),
        None => pando::main(),
    }
}

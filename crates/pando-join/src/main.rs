//! `pando join` as a program of its own, for machines that only lend their cores.

fn main() {
    std::process::exit(pando_join::run(pando_join::JoinOptions::read(std::env::args_os())));
}

//! The relay as a program of its own; `pando relay` is the same.

fn main() {
    std::process::exit(pando_relay::run(pando_relay::RelayOptions::read(std::env::args_os())));
}

//! Compiles `src/early.c`.

use std::env;

/// Compiles the code that runs before Rust's own start. The object file is linked directly,
/// because no code refers to its symbols.
fn main() {
    if env::var_os("CARGO_CFG_UNIX").is_none() {
        return;
    }
    println!("cargo:rerun-if-changed=src/early.c");
    for object in cc::Build::new().file("src/early.c").compile_intermediates() {
        println!("cargo:rustc-link-arg-bins={}", object.display());
    }
}

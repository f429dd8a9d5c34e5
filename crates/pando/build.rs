//! Compiles `src/early.c`.

use std::env;

/// What runs before Rust's own start. Its object is linked into the program as it is: nothing names a symbol of it.
fn main() {
    if env::var_os("CARGO_CFG_UNIX").is_none() {
        return;
    }
    println!("cargo:rerun-if-changed=src/early.c");
    for object in cc::Build::new().file("src/early.c").compile_intermediates() {
        println!("cargo:rustc-link-arg-bins={}", object.display());
    }
}

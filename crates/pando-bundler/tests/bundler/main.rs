//! Tests run the bundles of real modules in `node`, in a context like a browser's worker.

mod builtins;
mod bytes;
mod errors;
mod globals;
mod hints;
mod language;
mod packages;
mod stacks;
mod support;
mod warnings;

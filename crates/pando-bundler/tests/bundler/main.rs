//! Bundles of real modules, run in `node` in a context like that of a browser's worker.

mod builtins;
mod errors;
mod globals;
mod language;
mod packages;
mod stacks;
mod support;
mod warnings;

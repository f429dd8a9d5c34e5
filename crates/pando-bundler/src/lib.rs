//! Turns a user's module and its npm packages into one classic browser script.
//!
//! [rolldown](https://rolldown.rs) works inside; the public interface has three types:
//! [`Options`], [`Bundle`] and [`Error`]. Nothing is written to disk, and no code is run.
//!
//! ```no_run
//! # async fn example() -> Result<(), pando_bundler::Error> {
//! let options = pando_bundler::Options::new(|_name| None);
//! let bundle = pando_bundler::bundle("render.js".as_ref(), &options).await?;
//! for warning in &bundle.warnings {
//!     eprintln!("{warning}");
//! }
//! println!("{}", bundle.code);
//! # Ok(())
//! # }
//! ```
//!
//! # What comes in
//!
//! - CommonJS, in sloppy mode with its implicit globals, octal literals and `with`; ES modules and
//!   TypeScript, which are strict; JSON. Packages come from `node_modules`, from each file's own
//!   folder upwards. A package's `browser` map takes precedence over Node's built-ins, and
//!   `require` gives a package's `main` even if the package also has an ES module.
//! - Node's built-ins, with `node:` or without, are the embedded files of [`Options::builtins`]. A
//!   built-in without a browser form (`fs`, `net`, …) is an empty object, with a warning;
//!   [`Bundle::missing_builtin`] recognizes errors about it.
//! - `Buffer`, `process`, `global`, `setImmediate`, `clearImmediate`, `__dirname` and `__filename`
//!   exist without a `require`, and cost nothing where they are not used.
//! - `require('pando-computing')` is a small module that hands `report(…)` to the runtime.
//!
//! # What comes out
//!
//! A script for browsers with ES2018 and `globalThis`, which sets `globalThis.__pandoModule` to `{
//! exports, esm }`. Only white space and comments are removed, so that code which reads
//! `Function.prototype.toString()` still works. [`Bundle::trace`] translates the stacks of errors
//! to places in the user's files.
//!
//! # What is refused
//!
//! Everything that is known to fail without running the code: see [`Error`].

mod builtins;
mod bytes;
mod decorators;
mod diagnostics;
mod empty_builtins;
mod entry;
mod env_vars;
mod error;
mod finder;
mod foreign;
mod inline;
mod location;
mod meaning;
mod notes;
mod origins;
mod package;
mod plugin;
mod requires;
mod run;
mod second;
mod source;
mod strict;
mod trace;
mod uuid;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

pub use entry::WHAT_TO_WRITE;
pub use error::Error;
pub use inline::{inline_file, inline_module, is_inline, name_of};

/// The options for making a bundle.
#[derive(Debug, Clone)]
pub struct Options {
    /// The source of an embedded file: `zlib.js` is the built-in `zlib`, `util-types.js` is
    /// `util/types`. These are CommonJS files that require each other as `./NAME.js`.
    ///
    /// A built-in without an embedded file is treated as a built-in without a browser form.
    pub builtins: fn(&str) -> Option<&'static str>,
    /// Whether the function runs in a page, which has a document, rather than in workers, which
    /// have none. Packages may have a form for each.
    pub page: bool,
    /// Whether to hand the bundle's `Buffer` to the runtime too, as `__pandoModule.Buffer`,
    /// because values are bytes.
    pub buffer: bool,
    /// The variables of the environment for the function, by name.
    pub env: BTreeMap<String, String>,
    /// Whether values are files, whose names come before their bytes if [`Bundle::names`] says so.
    pub files: bool,
    /// Whether the run has assets, which the function reads by its context.
    pub assets: bool,
}

impl Options {
    /// Options for a function in workers, whose values are texts, with these built-ins.
    pub const fn new(builtins: fn(&str) -> Option<&'static str>) -> Self {
        Self {
            builtins,
            page: false,
            buffer: false,
            env: BTreeMap::new(),
            files: false,
            assets: false,
        }
    }
}

/// A module and all its dependencies, as one script.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    /// The source of the script, to be served as UTF-8.
    pub code: String,
    /// A short hexadecimal hash of `code`: the same function gives the same hash.
    pub hash: String,
    /// Warnings about code that will not work as the user may expect: a line or two each, without
    /// a line feed at the end.
    pub warnings: Vec<String>,
    /// The files that were read, without the built-ins.
    pub modules: Vec<PathBuf>,
    /// Whether the entry is an ES module or TypeScript.
    pub esm: bool,
    /// Whether the function may ask for the name of its file. Then each value begins with the
    /// length of the name in bytes (32 bits, big endian) and the name.
    pub names: bool,
    origins: origins::Origins,
    missing: empty_builtins::Missing,
}

impl Bundle {
    /// The meaning of the script, as a text to be compared: the same for functions that differ only
    /// in white space, comments, names of files and names of local variables.
    ///
    /// Another version of this crate may give another text.
    pub fn meaning(&self) -> String {
        meaning::meaning(&self.code)
    }

    /// The stack of an error that the script threw as `function.js`, with places in the user's
    /// files and packages instead of places in the script. Any other text is returned unchanged.
    ///
    /// Reads the stacks of V8 (`at f (http://…/function.js:1:210)`) and of Firefox and Safari
    /// (`f@http://…/function.js:1:210`).
    pub fn trace(&self, stack: &str) -> String {
        trace::trace(stack, &self.origins)
    }

    /// The empty built-in behind an error with this message.
    ///
    /// `fs` for `TypeError: fs.readFileSync is not a function`, in the words of any browser.
    pub fn missing_builtin(&self, message: &str) -> Option<&str> {
        self.missing.behind(message)
    }
}

/// Bundles the module in the file `entry`. Needs a tokio runtime.
///
/// # Errors
///
/// When the file cannot be read, does not parse, cannot have a usable function, or needs a package
/// that is not installed.
pub async fn bundle(entry: &Path, options: &Options) -> Result<Bundle, Error> {
    let entry = entry::EntryModule::open(entry)?;
    run::run(&entry, options).await
}

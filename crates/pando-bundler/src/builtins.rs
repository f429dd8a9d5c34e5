//! The names of Node's built-in modules, and their forms in browsers.

use crate::Options;

/// Built-ins without a browser form. They are empty objects, as with browserify.
const EMPTY: &[&str] = &[
    "_http_agent",
    "_http_client",
    "_http_common",
    "_http_incoming",
    "_http_outgoing",
    "_http_server",
    "_stream_wrap",
    "_tls_common",
    "_tls_wrap",
    "async_hooks",
    "child_process",
    "cluster",
    "dgram",
    "dns",
    "dns/promises",
    "fs",
    "fs/promises",
    "http2",
    "inspector",
    "inspector/promises",
    "net",
    "readline",
    "readline/promises",
    "repl",
    "sea",
    "sqlite",
    "test",
    "test/reporters",
    "tls",
    "trace_events",
    "v8",
    "wasi",
    "worker_threads",
    "path/win32",
];

/// Built-ins with an embedded file.
const EMBEDDED: &[&str] = &[
    "_stream_duplex",
    "_stream_passthrough",
    "_stream_readable",
    "_stream_transform",
    "_stream_writable",
    "assert",
    "assert/strict",
    "buffer",
    "console",
    "constants",
    "crypto",
    "diagnostics_channel",
    "domain",
    "events",
    "http",
    "https",
    "module",
    "os",
    "path",
    "path/posix",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "stream",
    "stream/consumers",
    "stream/promises",
    "stream/web",
    "string_decoder",
    "sys",
    "timers",
    "timers/promises",
    "tty",
    "url",
    "util",
    "util/types",
    "vm",
    "zlib",
];

/// Built-ins that only exist with the prefix `node:`; without the prefix these names are packages.
const ONLY_PREFIXED: &[&str] = &["sea", "sqlite", "test", "test/reporters"];

/// The meaning of a specifier that names a built-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Builtin {
    /// The embedded file of this name.
    File(String),
    /// An empty object in place of the built-in of this name.
    Empty(String),
    /// `node:` with a name that Node does not have.
    Unknown,
}

impl Builtin {
    /// The built-in that `specifier` names, if any.
    pub(crate) fn find(specifier: &str, options: &Options) -> Option<Self> {
        let bare = specifier.strip_prefix("node:");
        let name = bare.unwrap_or(specifier);
        let prefixed = bare.is_some();
        let file = file_name(name);
        if EMBEDDED.contains(&name) && (options.builtins)(&file).is_some() {
            return Some(Self::File(file));
        }
        let known = EMBEDDED.contains(&name)
            || (EMPTY.contains(&name) && (prefixed || !ONLY_PREFIXED.contains(&name)));
        match (known, prefixed) {
            (true, _) => Some(Self::Empty(name.to_owned())),
            (false, true) => Some(Self::Unknown),
            (false, false) => None,
        }
    }
}

fn file_name(builtin: &str) -> String {
    format!("{}.js", builtin.replace('/', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: Options = Options::new(|name| (name == "util-types.js").then_some(""));

    #[test]
    fn names_become_files() {
        let file = Some(Builtin::File("util-types.js".into()));
        assert_eq!(Builtin::find("util/types", &OPTIONS), file);
        assert_eq!(Builtin::find("node:util/types", &OPTIONS), file);
    }

    #[test]
    fn what_browsers_lack_is_empty() {
        assert_eq!(Builtin::find("node:fs", &OPTIONS), Some(Builtin::Empty("fs".into())));
        assert_eq!(
            Builtin::find("zlib", &OPTIONS),
            Some(Builtin::Empty("zlib".into())),
            "its file is not embedded"
        );
    }

    #[test]
    fn other_names_are_packages() {
        assert_eq!(Builtin::find("sqlite", &OPTIONS), None);
        assert_eq!(Builtin::find("left-pad", &OPTIONS), None);
        assert_eq!(Builtin::find("node:left-pad", &OPTIONS), Some(Builtin::Unknown));
    }
}

//! The files of `web/`, built and embedded by `build.rs`.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The file `name` of the built `web/`, such as `page.js`.
pub fn web(name: &str) -> Option<&'static str> {
    WEB.iter().find(|(file, _)| *file == name).map(|(_, text)| *text)
}

/// A file of Node's built-ins for browsers, such as `zlib.js`.
pub fn builtin(name: &str) -> Option<&'static str> {
    BUILTINS.iter().find(|(file, _)| *file == name).map(|(_, text)| *text)
}

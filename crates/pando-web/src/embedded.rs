//! The files of `web/`, built and embedded by `build.rs`.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The file `name` of the built `web/`, such as `page.js`.
pub fn web(name: &str) -> Option<&'static str> {
    WEB.iter().find(|(file, _)| *file == name).map(|(_, text)| *text)
}

/// The script `name` of the volunteer page: its own, the ones for assets and for
/// sharing, or the texts of a language.
pub fn page_script(name: &str) -> Option<&'static str> {
    let is_texts = name.starts_with("texts-") && name.ends_with(".js");
    let scripts = ["assets.js", "page.js", "screen.js", "share.js"];
    if scripts.contains(&name) || is_texts { web(name) } else { None }
}

/// A file of Node's built-ins for browsers, such as `zlib.js`.
pub fn builtin(name: &str) -> Option<&'static str> {
    BUILTINS.iter().find(|(file, _)| *file == name).map(|(_, text)| *text)
}

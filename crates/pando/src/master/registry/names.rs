//! The names of devices, which differ from each other and from the words of the master.

use crate::console::printable;
use std::collections::HashSet;

/// Names which no device may have, because the master's own lines begin with these words.
const RESERVED: [&str; 3] = ["error", "warning", "pando"];

/// Returns `wanted` as a device's name, cleaned of anything like an address or a prefix of the
/// master's lines. If the name is taken, a number follows: `wanted 2`.
pub(crate) fn unused_name<'a>(taken: impl Iterator<Item = &'a str>, wanted: &str) -> String {
    let clean: String =
        printable(wanted).replace("://", " ").replace(['\n', '\t', ':', '：', '﹕'], " ");
    let clean: String = clean.trim().chars().take(60).collect();
    // Joiners and variation selectors are invisible in a name.
    let seen = clean.replace(['\u{200c}', '\u{200d}', '\u{fe0e}', '\u{fe0f}'], "");
    let is_reserved =
        seen.is_empty() || RESERVED.iter().any(|reserved| seen.eq_ignore_ascii_case(reserved));
    let wanted = if is_reserved { "A device".to_owned() } else { clean };
    let taken: HashSet<&str> = taken.collect();
    let mut name = wanted.clone();
    let mut number = 2;
    while taken.contains(&*name) {
        name = format!("{wanted} {number}");
        number += 1;
    }
    name
}

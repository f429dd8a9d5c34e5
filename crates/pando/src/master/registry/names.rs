//! The names of devices, which differ from each other and from the words of the master.

use crate::console::printable;
use std::collections::HashMap;

/// Names which no device may have, because the master's own lines begin with these words.
const RESERVED: [&str; 3] = ["error", "warning", "pando"];

/// The names of the connected devices.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Each name, and the lowest number that may be free behind the name.
    taken: HashMap<String, u64>,
}

impl Names {
    /// Takes `wanted` as a device's name, cleaned of anything like an address or a prefix of the
    /// master's lines. If the name is taken, a number follows: `wanted 2`.
    pub(super) fn take(&mut self, wanted: &str) -> String {
        let wanted = clean(wanted);
        let mut name = wanted.clone();
        if let Some(&free) = self.taken.get(&wanted) {
            let mut number = free;
            loop {
                name = format!("{wanted} {number}");
                number += 1;
                if !self.taken.contains_key(&name) {
                    break;
                }
            }
            self.taken.insert(wanted, number);
        }
        self.taken.insert(name.clone(), 2);
        name
    }

    /// Gives back a name: other devices may have it from now on.
    pub(super) fn give_back(&mut self, name: &str) {
        self.taken.remove(name);
        if let Some((wanted, number)) = name.rsplit_once(' ')
            && let Ok(number) = number.parse::<u64>()
            && let Some(free) = self.taken.get_mut(wanted)
        {
            *free = (*free).min(number.max(2));
        }
    }
}

fn clean(wanted: &str) -> String {
    let clean: String =
        printable(wanted).replace("://", " ").replace(['\n', '\t', ':', '：', '﹕'], " ");
    let clean: String = clean.trim().chars().take(60).collect();
    // Joiners and variation selectors are invisible in a name.
    let seen = clean.replace(['\u{200c}', '\u{200d}', '\u{fe0e}', '\u{fe0f}'], "");
    let is_reserved =
        seen.is_empty() || RESERVED.iter().any(|reserved| seen.eq_ignore_ascii_case(reserved));
    if is_reserved { "A device".to_owned() } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_get_the_lowest_free_numbers() {
        let mut names = Names::default();
        let all: Vec<String> = (0..5).map(|_| names.take("Android Chrome")).collect();
        assert_eq!(all[0], "Android Chrome");
        assert_eq!(all[4], "Android Chrome 5");
        names.give_back("Android Chrome 4");
        names.give_back("Android Chrome 2");
        let more: Vec<String> = (0..3).map(|_| names.take("Android Chrome")).collect();
        assert_eq!(more, ["Android Chrome 2", "Android Chrome 4", "Android Chrome 6"]);
        names.give_back("Android Chrome");
        assert_eq!(names.take("Android Chrome"), "Android Chrome");
        assert_eq!(names.take("Android Chrome"), "Android Chrome 7");
    }

    #[test]
    fn a_name_that_ends_with_a_number_is_a_name_like_others() {
        let mut names = Names::default();
        assert_eq!(names.take("Tab 2"), "Tab 2");
        assert_eq!(names.take("Tab"), "Tab");
        assert_eq!(names.take("Tab"), "Tab 3");
        assert_eq!(names.take("Tab 2"), "Tab 2 2");
        names.give_back("Tab 2");
        assert_eq!(names.take("Tab"), "Tab 2");
    }

    #[test]
    fn no_device_speaks_for_the_master() {
        let mut names = Names::default();
        assert_eq!(names.take("error"), "A device");
        assert_eq!(names.take(" Pando\n"), "A device 2");
        assert_eq!(names.take("http://a"), "http a");
    }
}

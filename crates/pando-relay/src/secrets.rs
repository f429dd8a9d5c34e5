//! The secrets for opening rooms.

use subtle::{Choice, ConstantTimeEq};

/// The secrets with which masters may open rooms.
#[derive(Clone)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    /// The secrets given by option or environment, and the lines of a secrets file, without blank
    /// ones.
    pub(crate) fn new(given: &[String], file: &str) -> Self {
        let all = given.iter().map(String::as_str).chain(file.lines());
        let mut secrets: Vec<String> =
            all.map(str::trim).filter(|secret| !secret.is_empty()).map(str::to_owned).collect();
        secrets.sort();
        secrets.dedup();
        Self(secrets)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Length of the shortest secret.
    pub(crate) fn shortest(&self) -> usize {
        self.0.iter().map(String::len).min().unwrap_or_default()
    }

    /// Whether `given` is a known secret. The time taken does not depend on which one it is.
    pub(crate) fn knows(&self, given: &str) -> bool {
        let found = self.0.iter().map(|secret| secret.as_bytes().ct_eq(given.as_bytes()));
        found.fold(Choice::from(0), |any, this| any | this).into()
    }
}

/// Whether two keys are the same. The time taken does not depend on where they differ.
pub(crate) fn same(given: &str, expected: &str) -> bool {
    given.as_bytes().ct_eq(expected.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_come_from_options_and_from_lines_of_a_file() {
        let secrets = Secrets::new(&["one".into(), " ".into()], "two\r\n\n  three  \n");
        assert!(["one", "two", "three"].iter().all(|secret| secrets.knows(secret)));
        assert!(["", " ", "on", "onee", "One", "one\n"].iter().all(|wrong| !secrets.knows(wrong)));
        assert_eq!(secrets.shortest(), 3);
        assert!(Secrets::new(&[String::new()], "\n").is_empty());
    }
}

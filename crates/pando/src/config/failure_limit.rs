//! `--max-failures`: when a run is hopeless.

use std::fmt;

/// Finished items from which on a share of failures is judged.
const ENOUGH: u64 = 100;

/// How many items may fail for good before the run ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum FailureLimit {
    /// At most this number of items.
    Items(u64),
    /// At most this percentage of the finished items. Fewer than [`ENOUGH`] items are not judged.
    Percent(f64),
}

impl FailureLimit {
    /// Reads a number, or a percentage.
    ///
    /// # Errors
    /// When the text is neither.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let percent = text.strip_suffix('%').map(|share| share.trim_end().parse::<f64>());
        match percent {
            Some(Ok(share)) if (0.0..=100.0).contains(&share) => Ok(Self::Percent(share)),
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().map(Self::Items).map_err(|error| error.to_string())
            }
            _ => Err("give a number of inputs, such as 20, or a share from 0% to 100%".into()),
        }
    }

    /// Whether `failed` items of `finished` are too many.
    pub(crate) fn is_exceeded(self, failed: u64, finished: u64) -> bool {
        match self {
            Self::Items(most) => failed > most,
            Self::Percent(share) => {
                finished >= ENOUGH && failed as f64 * 100.0 > share * finished as f64
            }
        }
    }
}

impl fmt::Display for FailureLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Items(most) => write!(formatter, "{most}"),
            Self::Percent(share) => write!(formatter, "{share}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_number_or_a_share() {
        assert_eq!(FailureLimit::parse("0"), Ok(FailureLimit::Items(0)));
        assert_eq!(FailureLimit::parse("2.5%"), Ok(FailureLimit::Percent(2.5)));
        for wrong in ["", "%", "-1", "+1", "1.5", "101%", "-1%", "nan%", "many"] {
            assert!(FailureLimit::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(FailureLimit::Percent(2.5).to_string(), "2.5%");
    }

    #[test]
    fn a_share_is_judged_once_enough_items_are_finished() {
        let tenth = FailureLimit::Percent(10.0);
        assert!(!tenth.is_exceeded(99, 99) && tenth.is_exceeded(11, 100));
        assert!(!tenth.is_exceeded(10, 100) && !tenth.is_exceeded(11, 110));
        assert!(
            FailureLimit::Items(0).is_exceeded(1, 1) && !FailureLimit::Items(1).is_exceeded(1, 1)
        );
    }
}

//! Numbers for people.

/// The digits of a number, in groups of three: `1,234,567`.
pub fn grouped(digits: &str) -> String {
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of things: `1 item`, `2,500 items`. `thing` is the singular of a regular word.
pub fn count(n: u64, thing: &str) -> String {
    format!("{} {thing}{}", grouped(&n.to_string()), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::{count, grouped};

    #[test]
    fn only_one_thing_has_the_singular() {
        assert_eq!([0, 1, 2500].map(|n| count(n, "item")), ["0 items", "1 item", "2,500 items"]);
    }

    #[test]
    fn digits_are_in_groups_of_three() {
        assert_eq!(
            ["1", "999", "1000", "1234567"].map(grouped),
            ["1", "999", "1,000", "1,234,567"]
        );
    }
}

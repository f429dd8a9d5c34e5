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

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn digits_are_in_groups_of_three() {
        assert_eq!(
            ["1", "999", "1000", "1234567"].map(grouped),
            ["1", "999", "1,000", "1,234,567"]
        );
    }
}

//! Decimal numbers, without rounding.

use std::fmt;

/// Most digits of a number, and the most places by which an exponent moves the point.
const MOST: u32 = 30;

/// The number `units / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    units: i128,
    scale: u32,
}

impl Decimal {
    /// Reads `-12.5`, `.5`, `1e-3` and the like; `None` if `text` is no number, or too long.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (digits, exponent) = match text.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (sign, digits) = match digits.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, digits.strip_prefix('+').unwrap_or(digits)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all: String = [whole, fraction].concat();
        let is_number = !all.is_empty() && all.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || all.len() > MOST as usize || exponent.unsigned_abs() > MOST {
            return None;
        }
        let units = sign * all.parse::<i128>().ok()?;
        let scale = fraction.len() as i32 - exponent;
        if scale >= 0 {
            return Some(Self { units, scale: scale as u32 });
        }
        let units = units.checked_mul(10i128.checked_pow(scale.unsigned_abs())?)?;
        Some(Self { units, scale: 0 })
    }

    /// The units of this number for a larger `scale`.
    fn units_for(self, scale: u32) -> Option<i128> {
        self.units.checked_mul(10i128.checked_pow(scale - self.scale)?)
    }
}

/// Without zeros at the end of the fraction. This is also a number in JSON.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mut units, mut scale } = *self;
        while scale > 0 && units % 10 == 0 {
            (units, scale) = (units / 10, scale - 1);
        }
        let sign = if units < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", units.unsigned_abs(), width = scale as usize + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

/// Numbers at equal distances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    start: i128,
    step: i128,
    scale: u32,
    pub(super) count: u64,
}

impl Range {
    /// From `start` by `step`, as far as `end`.
    ///
    /// # Errors
    /// When there is no such range, in words for people.
    pub(super) fn new(start: Decimal, end: Decimal, step: Decimal) -> Result<Self, String> {
        let scale = start.scale.max(end.scale).max(step.scale);
        let units = |number: Decimal| number.units_for(scale);
        let too_long = || "its numbers have too many digits".to_owned();
        let (first, last, by) = units(start)
            .zip(units(end))
            .zip(units(step))
            .map(|((a, b), c)| (a, b, c))
            .ok_or_else(too_long)?;
        if by == 0 {
            return Err("its step is 0: give another one".into());
        }
        let distance = last.checked_sub(first).ok_or_else(too_long)?;
        if distance.signum() * by.signum() < 0 {
            return Err(format!(
                "its step {step} leads from {start} away from {end}: give the step the other sign"
            ));
        }
        let count = u64::try_from(distance / by + 1).unwrap_or(u64::MAX);
        Ok(Self { start: first, step: by, scale, count })
    }

    /// The number at this place, from 0.
    pub(super) fn number(&self, at: u64) -> Decimal {
        Decimal { units: self.start + self.step * i128::from(at), scale: self.scale }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(start: &str, end: &str, step: &str) -> Result<Vec<String>, String> {
        let [start, end, step] = [start, end, step].map(|text| Decimal::parse(text).unwrap());
        let range = Range::new(start, end, step)?;
        Ok((0..range.count).map(|at| range.number(at).to_string()).collect())
    }

    #[test]
    fn numbers_are_exact_and_the_end_counts_if_it_is_hit() {
        let tenths: Vec<String> = (0..=10)
            .map(|at| match at {
                0 | 10 => (at / 10).to_string(),
                _ => format!("0.{at}"),
            })
            .collect();
        assert_eq!(numbers("0", "1", "0.1").unwrap(), tenths);
        assert_eq!(numbers("0", "1", "0.3").unwrap(), ["0", "0.3", "0.6", "0.9"]);
        assert_eq!(numbers("1", "-1", "-.50").unwrap(), ["1", "0.5", "0", "-0.5", "-1"]);
        assert_eq!(numbers("1e-3", "3e-3", "1E-3").unwrap(), ["0.001", "0.002", "0.003"]);
        assert_eq!(numbers("-1e2", "100", "+100").unwrap(), ["-100", "0", "100"]);
        assert_eq!(numbers("5", "5", "-1").unwrap(), ["5"]);
        assert_eq!(numbers("0.10", "0.1", "1").unwrap(), ["0.1"]);
        assert_eq!(
            numbers("0.1000000000000000000000000001", "0.1000000000000000000000000002", "1e-28")
                .unwrap()
                .len(),
            2
        );
    }

    #[test]
    fn ranges_without_sense_are_refused() {
        assert!(numbers("0", "1", "0.0").unwrap_err().contains("step is 0"));
        assert!(
            numbers("0", "1", "-0.1").unwrap_err().contains("step -0.1 leads from 0 away from 1")
        );
        assert!(numbers("1e30", "2e30", "1e-30").unwrap_err().contains("too many digits"));
        for text in ["", "-", ".", "x", "1x", "0x10", "1e", "1e99", "1.2.3", "--1", "1 ", "∞"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}

//! How long to wait before the next try to reach a server.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(2);
const PATIENT: Duration = Duration::from_secs(30);
const PATIENT_AFTER: Duration = Duration::from_secs(600);

/// 0.2 to 2 s in the first ten minutes, then up to 30 s. `random`, in [0, 1), keeps many clients of
/// one server apart.
pub fn backoff(failures: u32, away: Duration, random: f64) -> Duration {
    let longest = if away < PATIENT_AFTER {
        LONGEST
    } else {
        PATIENT.min(LONGEST + (away.saturating_sub(PATIENT_AFTER)) / 10)
    };
    let full = longest.min(FIRST * 2_u32.pow(failures.min(16)));
    FIRST.max(full.mul_f64(0.5 + random / 2.0))
}

/// A random number in [0, 1), for [`backoff`].
pub fn random() -> f64 {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes)
        .map_or(0.5, |()| f64::from(u32::from_le_bytes(bytes)) / 4_294_967_296.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soon_at_first_and_patient_later() {
        assert_eq!(backoff(0, Duration::ZERO, 0.9), FIRST);
        assert_eq!(backoff(3, Duration::from_secs(5), 0.0), Duration::from_millis(800));
        assert!(backoff(99, Duration::from_secs(60), 0.99) <= LONGEST);
        assert_eq!(backoff(99, Duration::from_secs(3600), 0.0), PATIENT / 2);
    }
}

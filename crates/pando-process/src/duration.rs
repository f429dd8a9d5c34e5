//! Durations on the command line.

use std::time::Duration;

/// The longest duration; adding it to a time does not overflow.
const LONGEST: Duration = Duration::from_secs(10_000 * 24 * 3600);

/// Parses `500ms`, `2s`, `1h30m`; a bare number is seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let parsed = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| ()),
        Err(_) => humantime::parse_duration(text).map_err(|_| ()),
    };
    match parsed {
        Ok(duration) if duration > LONGEST => Err("must be at most 10000d".into()),
        Ok(duration) if duration >= Duration::from_millis(1) => Ok(duration),
        Ok(_) => Err("must be at least 1ms".into()),
        Err(()) => {
            Err("give a duration such as 500ms, 2s or 1h30m; a bare number is seconds".into())
        }
    }
}

/// The duration as text for people: `500 ms`, `2 s`.
pub fn spoken(time: Duration) -> String {
    if time.subsec_millis() == 0 {
        format!("{} s", time.as_secs())
    } else {
        format!("{} ms", time.as_millis())
    }
}

/// A time in its two largest units, rounded up to seconds.
pub fn rounded(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, 1..10) => format!("{minutes} min {} s", seconds % 60),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("1.5"), Ok(Duration::from_millis(1500)));
        assert!(
            duration("10000d").is_ok() && duration("10001d").is_err() && duration("1e18").is_err()
        );
        assert!(duration("0").is_err() && duration("-1").is_err() && duration("soon").is_err());
    }

    #[test]
    fn times_have_two_units() {
        let texts =
            [0, 59, 60, 599, 3599, 3600, 86_399, 90_000].map(|s| rounded(Duration::from_secs(s)));
        let expected = [
            "0 s",
            "59 s",
            "1 min 0 s",
            "9 min 59 s",
            "59 min",
            "1 h 0 min",
            "23 h 59 min",
            "1 d 1 h",
        ];
        assert_eq!(texts, expected);
        assert_eq!(rounded(Duration::from_millis(1)), "1 s");
    }
}

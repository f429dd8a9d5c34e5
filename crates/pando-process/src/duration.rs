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
}

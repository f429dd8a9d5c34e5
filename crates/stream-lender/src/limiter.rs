//! A bound on the values in flight on one channel.

/// Bounds the values, and their bytes, that are in flight on one channel (sent and not yet
/// answered), so that a slow link costs neither memory nor the time of others.
///
/// A limiter only counts: the sender checks the [`room`](Self::room) before each value.
///
/// ```
/// use stream_lender::Limiter;
///
/// let mut limiter = Limiter::new(2, 1_000);
/// limiter.sent(1, 5_000); // One value is always allowed, whatever its size,
/// assert_eq!(limiter.room(), 0); // and this one is enough for now.
/// limiter.answered(1, 5_000);
/// assert_eq!(limiter.room(), 2);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limiter {
    limit: usize,
    byte_limit: u64,
    values: usize,
    bytes: u64,
}

impl Limiter {
    /// Allows at most `limit` values in flight, and no further value while `byte_limit` bytes or
    /// more are in flight.
    pub fn new(limit: usize, byte_limit: u64) -> Self {
        Limiter { limit, byte_limit, values: 0, bytes: 0 }
    }

    /// How many more values may be sent. The sizes of these values are not known here, so the
    /// sender checks again after each. If nothing is in flight, there is room for at least one
    /// value, whatever its size, unless the limit is 0.
    pub fn room(&self) -> usize {
        if self.values > 0 && self.bytes >= self.byte_limit {
            return 0;
        }
        self.limit.saturating_sub(self.values)
    }

    /// Counts `count` values that were sent, of `bytes` bytes in total.
    pub fn sent(&mut self, count: usize, bytes: u64) {
        self.values += count;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Counts `count` values that came back, of `bytes` bytes in total: with a result, failed or
    /// handed back.
    pub fn answered(&mut self, count: usize, bytes: u64) {
        self.values = self.values.saturating_sub(count);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Changes the limit on values; 0 is a pause. Values in flight are not affected: if more than
    /// `limit` are in flight, there is no room until enough of them are answered.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Changes the limit on bytes.
    pub fn set_byte_limit(&mut self, byte_limit: u64) {
        self.byte_limit = byte_limit;
    }

    /// The limit on values.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// How many values are in flight.
    pub fn in_flight(&self) -> usize {
        self.values
    }

    /// How many bytes are in flight.
    pub fn bytes_in_flight(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::Limiter;

    #[test]
    fn values_are_limited() {
        let mut limiter = Limiter::new(2, u64::MAX);
        limiter.sent(1, 1);
        limiter.sent(1, 1);
        assert_eq!((limiter.room(), limiter.in_flight()), (0, 2));
        limiter.answered(1, 1);
        assert_eq!((limiter.room(), limiter.bytes_in_flight()), (1, 1));
    }

    #[test]
    fn bytes_are_limited_but_one_value_is_always_allowed() {
        let mut limiter = Limiter::new(10, 100);
        assert_eq!(limiter.room(), 10);
        limiter.sent(1, 99);
        assert_eq!(limiter.room(), 9, "below the limit");
        limiter.sent(1, 50);
        assert_eq!(limiter.room(), 0, "beyond it");
        limiter.answered(1, 50);
        limiter.answered(1, 99);
        limiter.set_byte_limit(0);
        assert_eq!(limiter.room(), 10);
        limiter.sent(1, 0);
        assert_eq!(limiter.room(), 0, "one at a time");
    }

    #[test]
    fn a_lower_limit_waits_for_answers_and_zero_pauses() {
        let mut limiter = Limiter::new(3, 100);
        for _ in 0..3 {
            limiter.sent(1, 1);
        }
        limiter.set_limit(1);
        limiter.answered(1, 1);
        assert_eq!(limiter.room(), 0);
        limiter.answered(1, 1);
        limiter.answered(1, 1);
        assert_eq!(limiter.room(), 1);
        limiter.set_limit(0);
        assert_eq!((limiter.room(), limiter.limit()), (0, 0));
    }
}

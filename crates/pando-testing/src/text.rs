//! Inputs that many tests use.

/// A function that returns an error for `boom`, and its argument for all other values.
pub const BOOM: &str = "(x, cb) => x === 'boom' ? cb(new Error('it went boom')) : cb(null, x)";

/// The numbers from `1` to `count`, one per line, as `seq` prints them.
pub fn numbers(count: u64) -> String {
    lines(1..=count)
}

/// The values, one per line.
pub fn lines<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|value| value.to_string() + "\n").collect()
}

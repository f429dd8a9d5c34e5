//! Inputs that many tests use.

/// A function that answers an error for `boom`, and else the value.
pub(crate) const BOOM: &str = "(x, cb) => x === 'boom' ? cb(new Error('it went boom')) : cb(null, x)";

/// `1` to `count`, one a line: what `seq` prints.
pub(crate) fn numbers(count: u64) -> String {
    lines(1..=count)
}

/// One line each.
pub(crate) fn lines<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|value| value.to_string() + "\n").collect()
}

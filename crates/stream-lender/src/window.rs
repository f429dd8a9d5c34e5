//! How much may be read and not yet output.

/// The bounds on values read and not yet output. Reading stops when either bound is reached. One
/// value is always allowed, whatever the bounds and the size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// The most values, which are never exceeded; 0 counts as 1.
    pub items: usize,
    /// The most bytes, by the weights given to
    /// [`Lender::with_weights`](crate::Lender::with_weights), in values without a result and in
    /// results not yet output. No value is read while this bound is reached; the value that
    /// reaches it, and results larger than their values, may go beyond it.
    pub bytes: u64,
}

/// 65,536 values and 256 MiB.
impl Default for Window {
    fn default() -> Self {
        Window { items: 65_536, bytes: 256 << 20 }
    }
}

/// The window, and how much of it is taken.
pub(crate) struct Budget<T, R> {
    window: Window,
    bytes: u64,
    /// The part of `bytes` that belongs to results.
    result_bytes: u64,
    value_weight: fn(&T) -> u64,
    result_weight: fn(&R) -> u64,
}

impl<T, R> Budget<T, R> {
    pub(crate) fn new(
        window: Window,
        value_weight: fn(&T) -> u64,
        result_weight: fn(&R) -> u64,
    ) -> Self {
        Budget { window, bytes: 0, result_bytes: 0, value_weight, result_weight }
    }

    pub(crate) fn has_room(&self, items: usize) -> bool {
        items == 0 || (items < self.window.items && self.bytes < self.window.bytes)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn result_bytes(&self) -> u64 {
        self.result_bytes
    }

    pub(crate) fn add_value(&mut self, value: &T) {
        self.bytes = self.bytes.saturating_add((self.value_weight)(value));
    }

    pub(crate) fn remove_value(&mut self, value: &T) {
        self.bytes = self.bytes.saturating_sub((self.value_weight)(value));
    }

    /// How much a result weighs.
    pub(crate) fn weigh_result(&self, result: &R) -> u64 {
        (self.result_weight)(result)
    }

    /// Adds a result of this weight.
    pub(crate) fn add_result(&mut self, weight: u64) {
        self.bytes = self.bytes.saturating_add(weight);
        self.result_bytes = self.result_bytes.saturating_add(weight);
    }

    pub(crate) fn remove_result(&mut self, result: &R) {
        let weight = (self.result_weight)(result);
        self.bytes = self.bytes.saturating_sub(weight);
        self.result_bytes = self.result_bytes.saturating_sub(weight);
    }
}

//! Lends one stream of values to any number of borrowers, and gives their results in the order of
//! the values.
//!
//! Borrowers come and go at any time. A borrower asks for a value when it can take one more, so
//! fast borrowers get more values. When a borrower leaves, the values that it holds are lent again
//! to other borrowers. A value is read only when a borrower asks, and reading never runs further
//! ahead of the output than a window. This crate is the heart of
//! [Pando](https://arxiv.org/abs/1803.08426), whose borrowers are the devices of volunteers. It
//! knows nothing of networks, processes or time, and suits any borrowers that may fail.
//!
//! ```
//! use stream_lender::{Ask, Lender, Output, Pull, Window};
//!
//! let mut words = ["lend", "and", "reorder"].into_iter();
//! let mut input = || Pull::from(words.next());
//! let mut lender: Lender<&str, usize, ()> = Lender::new(Window::default());
//! let (tablet, phone) = (lender.open(), lender.open());
//!
//! let Ask::Value(first) = lender.ask(tablet, &mut input) else { unreachable!() };
//! let Ask::Value(second) = lender.ask(phone, &mut input) else { unreachable!() };
//! lender.result(phone, second.loan, second.value.len())?;
//! assert_eq!(lender.next_output(), Output::Pending); // The first comes first,
//! assert_eq!(lender.close(tablet), [first.loan.index]); // and whoever had it left,
//! let Ask::Value(again) = lender.ask(phone, &mut input) else { unreachable!() };
//! assert!(lender.result(phone, first.loan, 0).is_err()); // (what is said of that loan comes too late)
//! lender.result(phone, again.loan, again.value.len())?; // so another computes it.
//! assert_eq!(lender.next_output(), Output::Item(0, 4));
//! assert_eq!(lender.next_output(), Output::Item(1, 3));
//! # Ok::<(), stream_lender::Refused>(())
//! ```
//!
//! # The parts
//!
//! - [`Lender`] is the state machine: plain method calls, no threads, no clock, no futures. It
//!   never calls back.
//! - [`lend`] wraps the lender for `async` code: a [`Lending`] handle opens [`SubStream`]s (a
//!   `Stream` of values, a `Sink` of results), and [`Results`] is the `Stream` of the output. No
//!   runtime is needed.
//! - [`Limiter`] bounds the values in flight on one channel between the lender and a borrower.
//! - [`Stubborn`] keeps values until their results are confirmed.
//!
//! # Properties
//!
//! These properties hold whatever borrowers do and however often they fail. For each property
//! there is a test of its number in `tests/properties`, and `tests/schedules` compares thousands
//! of random schedules with a naive model.
//!
//!  1. If no sub-stream asks, the input is not read.
//!  2. Any number of sub-streams can be opened, at any time, also after some have closed.
//!  3. An open sub-stream that asks eventually gets a value or "done".
//!  4. The output ends after the input has ended and every value read has its result.
//!  5. Outputs come in the order in which inputs were read; or, with [`Order::OfResults`], in the
//!     order in which results come. Each value has one output.
//!  6. If a sub-stream closes before returning results, its values are lent again: to the next
//!     sub-stream that asks, the oldest value first, before any new input.
//!  7. A sub-stream that asks faster gets more values.
//!  8. After the end, opening or asking answers "done" at once.
//!  9. A value is with at most one sub-stream at a time.
//! 10. A result is accepted only from the sub-stream that holds the value now, and only under the
//!     present loan. Results that are late, doubled, forged or of an earlier loan (even one to the
//!     same sub-stream) are refused and reported, and change nothing.
//! 11. The number of values read but not yet output never exceeds the window; a consumer that
//!     stops reading stops the input.
//! 12. A single borrowed value can be handed back, or failed. Then it is either lent, oldest
//!     first, to the next asker that has not failed it (to any asker, once all open sub-streams
//!     that are not paused have failed it), or failed for good, and the failure takes its place in
//!     the order.
//!
//! "Eventually" in 3 means: as long as the sub-streams that hold values give them back or close,
//! the output is taken, and the input goes on. "Failed for good" in 12 is a result like any other,
//! of a type `R` that can express a failure.
//!
//! # Costs
//!
//! A value costs one slot of a ring buffer from the reading until the output of the result;
//! nothing else is allocated. Lending a new value, giving its result and taking its output are
//! O(1) each; together they take some 60 ns (`cargo run --release --example order`). A value that
//! comes back without a result costs O(log n).

mod answer;
mod input;
mod lender;
mod limiter;
mod signal;
mod stream;
mod stubborn;
mod sub_streams;
mod sync;
mod window;

pub use answer::{Ask, Index, Lent, Loan, Order, Output, Refused};
pub use input::{Input, Pull};
pub use lender::Lender;
pub use limiter::Limiter;
pub use stream::{Lending, Results, Returns, SubStream, Values, lend, lend_with};
pub use stubborn::{GaveUp, Refuted, Stubborn, Trial, stubbornly};
pub use sub_streams::SubStreamId;
pub use window::Window;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

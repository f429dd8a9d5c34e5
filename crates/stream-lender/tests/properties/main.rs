//! Tests of the twelve properties in the crate's documentation. The name of each test starts with
//! its property.

mod asks;
mod loans;
mod output;

use stream_lender::{Ask, Index, Lender, Lent, Loan, Output, Pull, SubStreamId, Window};

type Numbers = Lender<u64, u64, &'static str>;

fn lender() -> Numbers {
    Lender::new(Window::default())
}

/// An input of the numbers 0, 1, … below `end`. Each value is its own index.
fn numbers(end: u64) -> impl FnMut() -> Pull<u64, &'static str> {
    let mut numbers = 0..end;
    move || Pull::from(numbers.next())
}

/// An input that must not be read.
fn unread() -> Pull<u64, &'static str> {
    panic!("the input is read")
}

fn first(index: Index) -> Loan {
    Loan::first(index)
}

/// A value that is lent for the first time.
fn value(index: Index) -> Ask<u64> {
    again(index, 0)
}

/// A value that has been lent `number` times before.
fn again(index: Index, number: u32) -> Ask<u64> {
    Ask::Value(Lent { loan: Loan { index, number }, value: index })
}

/// All results that can be output now.
fn outputs(lender: &mut Numbers) -> Vec<(Index, u64)> {
    std::iter::from_fn(|| match lender.next_output() {
        Output::Item(index, result) => Some((index, result)),
        _ => None,
    })
    .collect()
}

fn wakes(lender: &mut Numbers) -> Vec<SubStreamId> {
    std::iter::from_fn(|| lender.next_wake()).collect()
}

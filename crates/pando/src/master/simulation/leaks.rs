//! Checks the bookkeeping after every event and at the end of a run.

use super::{master_end::MasterEnd, world::World};
use crate::master::{policy::Trust, registry::Device, state::RunState};
use stream_lender::{Loan, SubStreamId};

impl World {
    /// Checks that the lender, the sessions and the master's ends agree.
    pub(super) fn check_books(&self) {
        let state = self.master.lock();
        let lender = state.items().lender();
        assert!(lender.in_progress() <= self.plan.job.window.max(1), "beyond the window");
        let there = state.registry().devices().filter(|device| !device.is_replaced()).count();
        let confirming = state.confirmations().waiting() + self.confirming.iter().flatten().count();
        assert_eq!(
            lender.sub_streams(),
            there
                + confirming
                + usize::from(state.retries().has_postponed())
                + usize::from(has_keeper(&state)),
            "sub-streams that are nobody's"
        );
        let ends = self.master_ends.iter().filter(|end| self.links[end.link].gateway.is_none());
        assert_eq!(state.registry().len(), ends.count());
        self.check_gateways();
        if self.model.has_given_up() || self.reader_left {
            return;
        }
        for (sub, device) in state.registry().iter().filter(|(_, device)| !device.is_replaced()) {
            check_book(&state, sub, device);
        }
        if !self.model.is_cut() {
            check_failures(&state);
        }
    }

    /// Checks that nothing is left at the end.
    pub(super) fn check_the_end(&self, whole: bool) {
        let state = self.master.lock();
        // The devices behind gateways hear of the end later.
        let is_here = |end: &MasterEnd| self.links[end.link].gateway.is_none();
        assert!(
            state.registry().len() == 0 && !self.master_ends.iter().any(is_here),
            "somebody is still there"
        );
        if !whole {
            return;
        }
        let lender = state.items().lender();
        assert!(lender.is_done());
        assert_eq!(
            (lender.sub_streams(), lender.returned(), lender.bytes_in_progress()),
            (usize::from(has_keeper(&state)), 0, 0)
        );
        assert!(state.retries().is_empty(), "{:?}", state.retries());
        assert!(state.confirmations().is_empty());
        assert!(state.trust().is_none_or(|trust| trust.is_clear(lender)), "{:?}", state.trust());
        assert!(state.is_interrupted() || state.items().is_clear());
    }
}

fn has_keeper(state: &RunState) -> bool {
    state.trust().is_some_and(Trust::has_keeper)
}

/// Checks the book of one device's loans against the lender.
pub(super) fn check_book(state: &RunState, sub: SubStreamId, device: &Device) {
    let (lender, loans, name) = (state.items().lender(), device.loans(), device.name());
    for loan in loans.copies() {
        assert!(lender.holder(loan.index) != Some(sub), "{loan:?} is a copy and held");
        assert_eq!(
            loans.copies().filter(|other| other.index == loan.index).count(),
            1,
            "{loan:?} is a copy twice"
        );
    }
    let computes = |loan: Loan| lender.holds(sub, loan) || loans.is_copy(loan);
    for (loan, _) in loans.running() {
        assert!(computes(loan), "{loan:?} is running on {name} which does not hold it");
    }
    let (in_flight, queued) = loans.in_flight();
    let queued = queued.filter(|loan| computes(*loan)).count();
    let expected = lender.held(sub) + loans.copies().count() - queued;
    assert_eq!(in_flight, expected, "values that {name} is believed to have");
}

/// Checks that failures are kept only for values without a result.
fn check_failures(state: &RunState) {
    for index in state.retries().indexes() {
        assert!(
            state.items().lender().value(index).is_some(),
            "{index} has its result, and its failures are kept"
        );
    }
}

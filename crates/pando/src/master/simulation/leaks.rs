//! Checks the bookkeeping after every event and at the end of a run.

use super::world::World;
use crate::master::Core;

impl World {
    /// Checks that the lender, the sessions and the desks agree.
    pub(super) fn check_books(&self) {
        let core = self.master.lock();
        let lender = &core.lender;
        assert!(lender.in_progress() <= self.plan.job.window.max(1), "beyond the window");
        let seated = core.seats.values().filter(|seat| !seat.replaced).count();
        let confirming = core.unconfirmed.len() + self.confirming.iter().flatten().count();
        assert_eq!(
            lender.sub_streams(),
            seated + confirming + core.court.sub_streams(),
            "sub-streams that are nobody's"
        );
        assert_eq!(core.seats.len(), self.desks.len());
        if self.model.is_cut() || self.reader_left {
            return;
        }
        for desk in &self.desks {
            let (sub, seat) = (desk.attendant.sub, &core.seats[&desk.attendant.sub]);
            if seat.replaced {
                continue;
            }
            for loan in seat.copies_in_flight.keys() {
                assert!(lender.holder(loan.index) != Some(sub), "{loan:?} is a stray and held");
                assert_eq!(
                    seat.copies_in_flight.keys().filter(|other| other.index == loan.index).count(),
                    1,
                    "{loan:?} is a stray twice"
                );
            }
            for loan in seat.running.keys() {
                assert!(
                    core.computes(sub, *loan),
                    "{loan:?} is running on {} which does not hold it",
                    seat.name
                );
            }
            let copies = seat.copies.iter().filter(|copy| core.computes(sub, copy.loan));
            let expected = lender.held(sub) + seat.copies_in_flight.len() - copies.count();
            assert_eq!(
                desk.attendant.seat.in_flight(),
                expected,
                "values that {} is believed to have",
                seat.name
            );
        }
        check_failures(&core);
    }

    /// Checks that nothing is left at the end.
    pub(super) fn check_the_end(&self, whole: bool) {
        let core = self.master.lock();
        assert!(core.seats.is_empty() && self.desks.is_empty(), "somebody is still there");
        if !whole {
            return;
        }
        assert!(core.lender.is_done());
        assert_eq!(
            (core.lender.sub_streams(), core.lender.waiting(), core.lender.bytes_in_progress()),
            (0, 0, 0)
        );
        assert!(core.failures.is_empty(), "{:?}", core.failures);
        assert!(core.unconfirmed.is_empty() && core.targets.is_empty());
        assert!(core.interrupted || core.input.is_empty());
    }
}

/// Checks that failures are kept only for values without a result.
fn check_failures(core: &Core) {
    for index in core.failures.indexes() {
        assert!(
            core.lender.value(index).is_some(),
            "{index} has its result, and its failures are kept"
        );
    }
}

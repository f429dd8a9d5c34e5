//! The master's decisions about failed values.

use super::{End, Model};
use crate::{
    config::{FailureLimit, OnError},
    master::{registry::Standing, simulation::seen::Seen, state::RunState},
};
use stream_lender::Index;

impl Model {
    /// Checks the master's decisions about failed values.
    pub(in crate::master::simulation) fn look(&mut self, state: &RunState, seen: &mut Seen) {
        if let Some(shared) = &mut self.shared {
            return shared.look(state);
        }
        if self.is_over {
            return;
        }
        let aside = state
            .registry()
            .iter()
            .filter(|(_, device)| device.stands_back() || device.is_suspect());
        for (sub, device) in aside {
            seen.note_if(device.stands_back(), "stands back");
            seen.note_if(
                state.registry().evidence().standing(device.key()) == Standing::Unfit,
                "device is unfit",
            );
            self.paused.insert(sub);
        }
        seen.note_if(state.retries().has_postponed(), "final failure waits");
        let fatal = state.retries().fatal();
        self.check_limit(fatal, state);
        for index in self.doubtful.clone() {
            let is_fatal = fatal == Some(index) && self.fatal != fatal;
            let is_cut_off = [fatal, self.given_up].into_iter().flatten().any(|cut| cut <= index);
            if is_fatal || is_cut_off || state.items().lender().is_settled(index) {
                self.doubtful.remove(&index);
                if is_fatal || !is_cut_off {
                    self.failed_for_good(index, is_fatal, state, seen);
                }
                continue;
            }
            let fate = &mut self.fates[index as usize];
            let attempts = state.retries().attempts(index);
            assert!(
                (fate.attempts..=fate.failures).contains(&attempts),
                "{attempts} attempts at {index}, before {}",
                fate.attempts
            );
            assert!(fate.certain <= self.job.retries, "{index} has failed too often");
            seen.note_if(attempts < fate.failures, "failure that does not count");
            fate.attempts = attempts;
        }
        let unfit = state
            .registry()
            .devices()
            .filter(|device| state.registry().evidence().standing(device.key()) == Standing::Unfit);
        self.unfit = unfit.map(|device| device.key().device.to_string()).collect();
    }

    /// Checks that `--max-failures` ends the run at the right time, by item `fatal`.
    fn check_limit(&self, fatal: Option<Index>, state: &RunState) {
        let Some(FailureLimit::Items(most)) = self.job.max_failures else { return };
        if self.job.on_error == OnError::Stop {
            return;
        }
        let (failed, _) = state.retries().counts();
        assert!(fatal.is_some() || failed <= most, "{failed} have failed, more than {most}");
        assert!(fatal.is_none() || failed >= most, "{failed} have failed, fewer than {most}");
    }

    /// Checks a final failure: proven devices have failed `index`, or all connected devices.
    fn failed_for_good(&mut self, index: Index, is_fatal: bool, state: &RunState, seen: &mut Seen) {
        let fate = &mut self.fates[index as usize];
        assert!(fate.failures > self.job.retries, "{index} has failed {} times", fate.failures);
        if fate.certain == 0 {
            seen.note("failed for good by all that are here");
            let other = state.registry().devices().find(|device| {
                let is_unfit = state.registry().evidence().standing(device.key())
                    == Standing::Unfit
                    || self.unfit.contains(&*device.key().device);
                device.is_active() && !is_unfit && !fate.failed_on.contains(&*device.key().device)
            });
            assert!(
                other.is_none(),
                "{index} has failed, and {:?} is there to try it",
                other.map(|device| &device.key().device)
            );
        }
        match self.job.on_error {
            OnError::Stop => self.fatal = Some(self.fatal.map_or(index, |fatal| fatal.min(index))),
            _ if is_fatal => {
                seen.note("too many failures");
                self.fatal = Some(index);
            }
            on_error => {
                self.left_out += self.job.values_in(index);
                fate.end = Some(if on_error == OnError::Skip { End::LeftOut } else { End::Told });
            }
        }
    }
}

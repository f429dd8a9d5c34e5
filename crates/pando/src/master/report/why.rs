//! Why nothing is computed, in one sentence that is always true. Pure: time is an argument.

use super::{idle::IdleCause, status::grouped};
use crate::{
    duration::rounded,
    master::{
        job::Job,
        registry::{Device, Registry},
        state::RunState,
    },
    number::count,
};
use std::time::{Duration, Instant};

/// The sentence for a run that has ended.
pub(super) const ENDED: &str = "The run has ended.";

/// The facts that matter.
#[derive(Debug, Clone, Default)]
pub(super) struct Situation {
    is_finished: bool,
    /// Whether any device ever joined.
    has_joined: bool,
    /// Whether devices cannot join through the relay, because the connection to it is lost.
    is_relay_lost: bool,
    crew: Crew,
    /// Values read and without a result.
    unfinished: u64,
    /// Values that came back, and wait to be lent again.
    returned: u64,
    /// Results that are not yet output.
    results: u64,
    /// Whether the next result in order can be output.
    has_output: bool,
    /// Whether no value can be read, because the window or the memory for results is full.
    is_full: bool,
    /// Whether a value of the input waits to be lent.
    has_queued: bool,
    input_is_open: bool,
    /// The oldest value without a result.
    oldest: Option<OldestItem>,
    /// Whether a program in the loop gives the values.
    has_program: bool,
    /// Whether results wait for their command.
    confirms: bool,
    /// Whether a failure is postponed, because other devices may come.
    has_postponed: bool,
    /// The sentence about values that want other devices than those that are connected.
    shortage: Option<String>,
}

/// The connected devices.
#[derive(Debug, Clone, Default)]
struct Crew {
    devices: u64,
    /// Devices that are paused.
    paused: u64,
    /// Devices that stand back or rest.
    aside: u64,
    /// Values at devices that show work.
    held: u64,
    /// Values at devices that show no work.
    stuck: u64,
    /// The name of the first device with such values.
    stuck_at: String,
    /// The cores that may compute.
    cores: u64,
}

/// The oldest value without a result.
#[derive(Debug, Clone)]
struct OldestItem {
    number: u64,
    /// The name of the device that has the value.
    device: Option<String>,
    age: Duration,
}

impl Situation {
    /// The facts at `now`.
    pub(super) fn of(state: &RunState, job: &Job, now: Instant) -> Self {
        let items = state.items();
        let (lender, registry) = (items.lender(), state.registry());
        Self {
            is_finished: state.shutdown().is_finished(),
            has_joined: registry.joined() > 0,
            is_relay_lost: registry.is_relay_lost(),
            crew: Crew::of(registry, |device_held| lender.held(device_held), now),
            unfinished: lender.unfinished() as u64,
            returned: lender.returned() as u64,
            results: items.waiting(),
            has_output: lender.has_output(),
            is_full: lender.is_full() || state.holds_back(),
            has_queued: items.queued() > 0,
            input_is_open: lender.input_is_open(),
            oldest: lender.oldest().map(|(index, holder)| OldestItem {
                number: index + 1,
                device: state
                    .computed_by(index, holder)
                    .and_then(|sub| Some(registry.get(sub)?.name().to_owned())),
                age: state.oldest().age(index, now),
            }),
            has_program: job.sync,
            confirms: state.confirmations().bytes() > 0 || state.confirmations().waiting() > 0,
            has_postponed: state.retries().has_postponed(),
            shortage: state
                .trust()
                .and_then(|trust| trust.shortage(lender, registry))
                .map(|shortage| format!("{}.", capitalized(&shortage.in_words(job)))),
        }
    }

    /// The sentence; empty while values are computed.
    pub(super) fn words(&self) -> String {
        let is_over = !self.input_is_open && !self.has_queued;
        match () {
            () if self.is_finished => ENDED.into(),
            () if is_over && self.unfinished == 0 && self.results > 0 => {
                "All is computed: the reader of the output takes the last results.".into()
            }
            () if is_over && self.unfinished == 0 => "All is computed and output.".into(),
            () if self.crew.held > 0 && self.shortage.is_some() && self.is_full => {
                format!("The window is full. {}", self.shortage.as_deref().unwrap_or_default())
            }
            () if self.crew.held > 0 => self.words_of_work(is_over),
            () if self.crew.stuck > 0 => format!(
                "Nothing is computed: {} has {}, but shows no work.",
                self.crew.stuck_at,
                count(self.crew.stuck, "value")
            ),
            () if self.crew.devices == self.crew.paused + self.crew.aside => self.words_of_crew(),
            () if self.confirms => "The command of --confirm checks results.".into(),
            () if self.has_postponed => {
                "An item has failed on all devices: it waits in case another device joins.".into()
            }
            () if self.shortage.is_some() && self.crew.stuck == 0 => {
                self.shortage.clone().unwrap_or_default()
            }
            () if self.is_full && self.has_output => format!(
                "Nothing is computed: {} for the reader of the output, which is slow.",
                wait(self.results)
            ),
            () if self.returned > 0 => {
                format!("{} for a device that may compute them.", values_wait(self.returned))
            }
            () if self.is_full || self.has_queued || is_over => String::new(),
            () if self.has_program => {
                "Nothing is computed: the program in the loop gives no further value now.".into()
            }
            () => "Nothing is computed: no further value has come from the input.".into(),
        }
    }

    /// Why a core of a device that takes part has no value.
    pub(super) fn idle_cause(&self) -> IdleCause {
        let is_over = !self.input_is_open && !self.has_queued;
        match () {
            () if is_over && self.unfinished == 0 && self.results > 0 => IdleCause::Reader,
            () if self.is_finished || is_over && self.unfinished == 0 => IdleCause::End,
            () if self.confirms && self.crew.held == 0 => IdleCause::Confirm,
            () if self.is_full && self.has_output => IdleCause::Reader,
            () if self.shortage.is_some() => IdleCause::Devices,
            () if self.is_full => IdleCause::Order,
            () if self.has_postponed || self.returned > 0 => IdleCause::Failures,
            () if is_over => IdleCause::End,
            () if self.has_queued => IdleCause::Network,
            () => IdleCause::Input,
        }
    }

    /// The sentence while devices compute: all wait for one item, or the last items are computed.
    fn words_of_work(&self, is_over: bool) -> String {
        let held = self.crew.held;
        if self.is_full
            && !self.has_output
            && let Some(OldestItem { number, device, age }) = &self.oldest
        {
            let who = match device {
                Some(device) => format!("which {device} has"),
                None => "which waits for a device".into(),
            };
            let since = match age.as_secs() {
                0 => String::new(),
                _ => format!("; {} so far", rounded(*age)),
            };
            return format!(
                "The window is full: all wait for item {}, {who}{since}.",
                grouped(*number)
            );
        }
        if is_over && self.returned == 0 && held < self.crew.cores {
            let (is, last) = if held == 1 { ("is", "item") } else { ("are", "items") };
            return format!(
                "The input has ended: the last {} {last} {is} computed.",
                grouped(held)
            );
        }
        String::new()
    }

    /// The sentence when no device takes values.
    fn words_of_crew(&self) -> String {
        let Crew { devices, paused, aside, .. } = self.crew;
        match (devices, paused, aside) {
            (0, ..) if self.is_relay_lost => {
                "Nothing is computed: no device is connected, and the run waits for the relay, which is out of reach.".into()
            }
            (0, ..) if self.has_joined => "Nothing is computed: no device is connected.".into(),
            (0, ..) => "Nothing is computed: no device has joined.".into(),
            (1, 1, _) => "Nothing is computed: the only device is paused.".into(),
            (1, ..) => "Nothing is computed: the only device stands back.".into(),
            (.., 0) => "Nothing is computed: all devices are paused.".into(),
            (_, 0, _) => "Nothing is computed: all devices stand back.".into(),
            _ => "Nothing is computed: all devices are paused or stand back.".into(),
        }
    }
}

impl Crew {
    fn of(
        registry: &Registry,
        held: impl Fn(stream_lender::SubStreamId) -> usize,
        now: Instant,
    ) -> Self {
        let mut crew = Self::default();
        let devices = registry.iter().filter(|(_, device)| !device.is_replaced());
        for (sub, device) in devices {
            let values = held(sub) + device.loans().copies().count();
            crew.add(
                device,
                values as u64,
                device.is_stalled(values, registry.silence_limit(), now),
            );
        }
        crew
    }

    fn add(&mut self, device: &Device, values: u64, is_stalled: bool) {
        self.devices += 1;
        self.cores += u64::from(device.cores());
        match device.cores() {
            0 => self.paused += 1,
            _ => self.aside += u64::from(!device.takes_part()),
        }
        if !is_stalled {
            self.held += values;
        } else if values > 0 {
            if self.stuck == 0 {
                device.name().clone_into(&mut self.stuck_at);
            }
            self.stuck += values;
        }
    }
}

/// A sentence with a capital at its begin.
fn capitalized(sentence: &str) -> String {
    let (first, rest) = sentence.split_at(sentence.chars().next().map_or(0, char::len_utf8));
    format!("{}{rest}", first.to_uppercase())
}

/// `1 result waits`, `2 results wait`.
fn wait(results: u64) -> String {
    format!("{} wait{}", count(results, "result"), if results == 1 { "s" } else { "" })
}

/// `1 value waits`, `2 values wait`.
fn values_wait(values: u64) -> String {
    format!("{} wait{}", count(values, "value"), if values == 1 { "s" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Devices that compute, and an input with more.
    fn busy() -> Situation {
        Situation {
            has_joined: true,
            crew: Crew { devices: 2, held: 8, cores: 4, ..Crew::default() },
            unfinished: 8,
            input_is_open: true,
            ..Situation::default()
        }
    }

    fn idle() -> Situation {
        Situation {
            crew: Crew { devices: 2, cores: 4, ..Crew::default() },
            unfinished: 0,
            ..busy()
        }
    }

    #[test]
    fn each_idle_core_has_one_cause() {
        let cause = |situation: Situation| situation.idle_cause();
        assert_eq!(cause(busy()), IdleCause::Input);
        assert_eq!(cause(Situation { has_queued: true, ..busy() }), IdleCause::Network);
        assert_eq!(cause(Situation { is_full: true, ..busy() }), IdleCause::Order);
        let slow = Situation { is_full: true, has_output: true, ..busy() };
        assert_eq!(cause(slow), IdleCause::Reader);
        assert_eq!(cause(Situation { returned: 1, ..busy() }), IdleCause::Failures);
        assert_eq!(cause(Situation { confirms: true, ..idle() }), IdleCause::Confirm);
        let over = Situation { input_is_open: false, ..busy() };
        assert_eq!(cause(over.clone()), IdleCause::End);
        let read = Situation { unfinished: 0, results: 3, ..over };
        assert_eq!(cause(read.clone()), IdleCause::Reader);
        assert_eq!(cause(Situation { results: 0, ..read }), IdleCause::End);
    }

    #[test]
    fn nothing_is_said_while_values_are_computed() {
        assert_eq!(busy().words(), "");
        let full_of_results = Situation { is_full: true, has_output: true, ..busy() };
        assert_eq!(full_of_results.words(), "");
    }

    #[test]
    fn one_sentence_says_who_is_missing() {
        let crew = |devices, paused, aside| Situation {
            crew: Crew { devices, paused, aside, ..Crew::default() },
            ..idle()
        };
        let alone = Situation { has_joined: false, ..crew(0, 0, 0) };
        assert_eq!(alone.words(), "Nothing is computed: no device has joined.");
        let waits =
            "no device is connected, and the run waits for the relay, which is out of reach.";
        for (situation, words) in [
            (crew(0, 0, 0), "no device is connected."),
            (Situation { is_relay_lost: true, ..crew(0, 0, 0) }, waits),
            (Situation { is_relay_lost: true, ..alone }, waits),
            (Situation { is_relay_lost: true, ..crew(1, 1, 0) }, "the only device is paused."),
            (crew(1, 1, 0), "the only device is paused."),
            (crew(1, 0, 1), "the only device stands back."),
            (crew(3, 3, 0), "all devices are paused."),
            (crew(3, 0, 3), "all devices stand back."),
            (crew(3, 1, 2), "all devices are paused or stand back."),
        ] {
            assert_eq!(situation.words(), format!("Nothing is computed: {words}"));
        }
        let mut stuck = idle();
        stuck.crew = Crew { stuck: 2, stuck_at: "Ada".into(), ..stuck.crew };
        assert_eq!(stuck.words(), "Nothing is computed: Ada has 2 values, but shows no work.");
    }

    #[test]
    fn one_sentence_says_what_is_waited_for() {
        assert_eq!(
            idle().words(),
            "Nothing is computed: no further value has come from the input."
        );
        let slow = Situation { is_full: true, has_output: true, results: 1200, ..idle() };
        assert_eq!(
            slow.words(),
            "Nothing is computed: 1,200 results wait for the reader of the output, which is slow."
        );
        let oldest = OldestItem {
            number: 401,
            device: Some("Ada's phone".into()),
            age: Duration::from_secs(12),
        };
        let blocked = Situation { is_full: true, oldest: Some(oldest), ..busy() };
        assert_eq!(
            blocked.words(),
            "The window is full: all wait for item 401, which Ada's phone has; 12 s so far."
        );
        let mut last = Situation { input_is_open: false, ..busy() };
        assert_eq!(last.words(), "", "every core has a value");
        last.crew.held = 1;
        assert_eq!(last.words(), "The input has ended: the last 1 item is computed.");
        let read = Situation { input_is_open: false, results: 3, ..idle() };
        assert_eq!(
            read.words(),
            "All is computed: the reader of the output takes the last results."
        );
        assert_eq!(Situation { is_finished: true, ..busy() }.words(), "The run has ended.");
    }
}

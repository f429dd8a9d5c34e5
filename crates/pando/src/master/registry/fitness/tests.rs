use super::*;

const SILENCE_LIMIT: Duration = Duration::from_secs(3);

/// The fitness of a device that failed `count` items.
fn failed(count: u32, now: Instant) -> Fitness {
    let mut fitness = Fitness::default();
    (0..count).for_each(|_| fitness.failed("no".into(), SILENCE_LIMIT, now));
    fitness
}

#[test]
fn who_fails_all_that_it_tries_is_in_doubt_and_unfit_when_others_can_do_it() {
    let now = Instant::now();
    assert_eq!(failed(2, now).standing(), Standing::Untried);
    let mut fitness = failed(3, now);
    assert_eq!(fitness.standing(), Standing::Doubtful);
    fitness.doubt_confirmed(SILENCE_LIMIT, now);
    assert_eq!(fitness.standing(), Standing::Unfit);
    // The order of failures and confirmed doubts makes no difference.
    let mut fitness = failed(2, now);
    fitness.doubt_confirmed(SILENCE_LIMIT, now);
    assert_eq!(fitness.standing(), Standing::Untried);
    fitness.failed("no".into(), SILENCE_LIMIT, now);
    assert_eq!(fitness.standing(), Standing::Unfit);
}

#[test]
fn what_is_the_item_s_fault_is_not_the_device_s() {
    let now = Instant::now();
    let mut fitness = failed(3, now);
    fitness.doubt_lifted();
    assert_eq!(fitness.standing(), Standing::Untried);
    (0..3).for_each(|_| fitness.doubt_lifted());
    assert!(fitness.is_blank());
}

#[test]
fn one_success_clears_it_and_only_many_items_that_others_did_speak_against_that() {
    let now = Instant::now();
    let mut fitness = failed(3, now);
    fitness.doubt_confirmed(SILENCE_LIMIT, now);
    assert!(
        fitness
            .succeeded()
            .is_some_and(|words| words.contains("failed 3 items before it had computed any"))
    );
    for times in 0..20 {
        assert_eq!(
            fitness.standing(),
            if times < UNFIT_AFTER { Standing::Proven } else { Standing::Unfit }
        );
        fitness.failed("no more".into(), SILENCE_LIMIT, now);
        fitness.doubt_confirmed(SILENCE_LIMIT, now);
    }
    assert!(fitness.take_news(true, now).is_some_and(|words| words.contains("no more")));
    assert_eq!(
        fitness.succeeded().as_deref(),
        Some("has computed an item: it gets its share again")
    );
    assert_eq!((fitness.standing(), fitness.succeeded()), (Standing::Proven, None));
}

#[test]
fn each_rest_is_twice_as_long_up_to_ten_minutes_until_the_first_success() {
    let start = Instant::now();
    let mut now = start;
    let mut fitness = failed(3, now);
    for seconds in [3, 6, 12, 24, 48, 96, 192, 384, 600, 600] {
        // Another failure during a rest does not make the rest longer.
        fitness.failed("no".into(), SILENCE_LIMIT, now);
        assert!(fitness.rests(now + Duration::from_secs(seconds - 1)), "{seconds}");
        now += Duration::from_secs(seconds);
        assert!(!fitness.rests(now));
        fitness.failed("no".into(), SILENCE_LIMIT, now);
    }
    fitness.succeeded();
    assert!(!fitness.rests(now));
}

#[test]
fn a_returner_is_unfit_and_cores_that_end_are_not_taken_for_one() {
    let now = Instant::now();
    let mut fitness = Fitness::default();
    for _ in 0..2 * 4 + 3 {
        fitness.gave_back(4, SILENCE_LIMIT, now);
        assert_eq!(fitness.standing(), Standing::Untried);
    }
    fitness.failed("it ended its core".into(), SILENCE_LIMIT, now);
    (0..2 * 4 + 3).for_each(|_| fitness.gave_back(4, SILENCE_LIMIT, now));
    assert_eq!(fitness.standing(), Standing::Untried);
    fitness.gave_back(4, SILENCE_LIMIT, now);
    assert_eq!(fitness.standing(), Standing::Unfit);
    assert!(
        fitness.rests(now)
            && fitness.take_news(false, now).is_some_and(|words| words.contains("gives back"))
    );
}

#[test]
fn what_is_certain_needs_no_second_failure() {
    let now = Instant::now();
    let mut fitness = Fitness::default();
    fitness.cannot(SILENCE_LIMIT, now);
    assert_eq!((fitness.standing(), fitness.take_news(true, now)), (Standing::Unfit, None));
    fitness.succeeded();
    fitness.cannot(SILENCE_LIMIT, now);
    assert_eq!(fitness.standing(), Standing::Proven);
}

#[test]
fn people_hear_once_of_who_is_unfit_and_of_who_is_in_doubt_only_after_a_while_and_beside_a_better_one()
 {
    let now = Instant::now();
    let mut fitness = failed(3, now);
    assert_eq!(fitness.take_news(true, now), None);
    assert_eq!(fitness.take_news(false, now + DOUBT), None);
    assert!(
        fitness
            .take_news(true, now + DOUBT)
            .is_some_and(|words| words.starts_with("is unfit for this job so far: no; "))
    );
    assert_eq!((fitness.take_news(true, now + DOUBT), fitness.take_last_words()), (None, None));
    let mut fitness = failed(1, now);
    assert!(fitness.note_first_failure() && !fitness.note_first_failure());
    assert!(fitness.take_last_words().is_some_and(|words| words.starts_with("failed an item")));
    let mut fitness = failed(1, now);
    assert!(fitness.take_notice() && !fitness.take_notice());
    assert_eq!(fitness.take_last_words(), None);
}

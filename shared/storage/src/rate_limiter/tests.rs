use super::*;

/// A table that accepts `limit` items a second with a second's worth of burst, asked in batches of 25.
/// Gives the accepted rate and the share that was put off, over `seconds`.
fn simulate(limit: f64, seconds: f64) -> (f64, f64) {
    let mut aimd = Aimd::default();
    let (mut now, mut tokens, mut accepted, mut throttled) = (0.0_f64, 0.0_f64, 0, 0);
    // Sixteen in flight with 5 ms each could do 80,000 items a second.
    let fastest = 25.0 / 80_000.0;
    while now < seconds {
        let wait = aimd.reserve(25, Duration::from_secs_f64(now)).as_secs_f64().max(fastest);
        now += wait;
        tokens = (tokens + wait * limit).min(limit);
        let passed = (0..25).take_while(|&item| as_f64(item) + 1.0 <= tokens).count();
        tokens -= as_f64(passed);
        accepted += passed;
        throttled += 25 - passed;
        aimd.learn(passed, 25 - passed, Duration::from_secs_f64(now));
    }
    (as_f64(accepted) / seconds, as_f64(throttled) / as_f64(accepted + throttled))
}

#[test]
fn finds_the_tables_rate_and_stays_under_it() {
    for limit in [1_000.0, 4_000.0, 20_000.0] {
        let (rate, refused) = simulate(limit, 60.0);
        assert!(rate > 0.9 * limit, "{rate} of {limit}");
        assert!(refused < 0.05, "{refused} refused at {limit}");
    }
}

#[test]
fn refusals_that_no_slowness_avoids_do_not_slow_it_down() {
    // Out of a thousand, by chance and whatever the rate.
    for (refused, fastest) in [(150, 20_000.0), (300, 20_000.0), (500, 20_000.0), (300, 500.0)] {
        let mut aimd = Aimd::default();
        let (mut now, mut draw, mut asked) = (60.0_f64, 1_u32, 0);
        while now < 90.0 {
            now += aimd.reserve(25, Duration::from_secs_f64(now)).as_secs_f64().max(25.0 / fastest);
            let throttled = (0..25).filter(|_| {
                draw = draw.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (draw >> 8) % 1_000 < refused
            });
            let throttled = throttled.count();
            aimd.learn(25 - throttled, throttled, Duration::from_secs_f64(now));
            asked += 25;
        }
        assert!(as_f64(asked) / 30.0 > 0.75 * fastest, "{asked} with {refused} of a thousand refused");
    }
}

/// Ten jobs ask a table, each by a function of its own and with sixteen requests in flight of 5 ms; one of them from so many seconds on. Gives what
/// was accepted of each until so many seconds, and what all have asked.
fn share(limit: f64, late: f64, seconds: f64) -> (Vec<usize>, usize) {
    const JOBS: usize = 10;
    /// What happens to a request next.
    enum Step {
        Turn,
        Arrives,
        Answered(usize),
    }
    let mut jobs: Vec<(Aimd, usize)> = (0..JOBS).map(|_| (Aimd::default(), 0)).collect();
    let start = |job: usize, sender: usize| (as_f64(sender) / 1e3 + if job == 0 { late } else { 0.0 }, job, Step::Turn);
    let mut steps: Vec<(f64, usize, Step)> = (0..JOBS * 16).map(|at| start(at % JOBS, at / JOBS)).collect();
    let (mut at, mut tokens, mut asked) = (0.0_f64, limit, 0);
    while at < seconds {
        let (next, _) = steps.iter().enumerate().min_by(|a, b| a.1.0.total_cmp(&b.1.0)).expect("requests");
        let (now, job, step) = steps.swap_remove(next);
        tokens = (tokens + (now - at) * limit).min(limit);
        at = now;
        let (aimd, accepted) = &mut jobs[job];
        steps.push(match step {
            Step::Turn => (now + aimd.reserve(25, Duration::from_secs_f64(now)).as_secs_f64(), job, Step::Arrives),
            Step::Arrives => {
                let passed = (1..=25).take_while(|&items| as_f64(items) <= tokens).count();
                tokens -= as_f64(passed);
                (*accepted, asked) = (*accepted + passed, asked + 25);
                (now + 0.005, job, Step::Answered(passed))
            }
            Step::Answered(passed) => {
                aimd.learn(passed, 25 - passed, Duration::from_secs_f64(now));
                (now, job, Step::Turn)
            }
        });
    }
    (jobs.into_iter().map(|(_, accepted)| accepted).collect(), asked)
}

#[test]
fn many_who_share_a_table_use_it_and_do_not_drive_each_other() {
    let (accepted, asked) = share(4_000.0, 0.0, 60.0);
    let all: usize = accepted.iter().sum();
    assert!(as_f64(all) > 0.9 * 4_000.0 * 60.0, "{accepted:?} accepted");
    assert!(as_f64(asked) < 5.0 * as_f64(all), "{asked} asked for {all}");
}

/// Whoever comes last finds a table that puts off, and asks without a limit until it has been put off itself.
#[test]
fn nobody_who_shares_a_table_is_left_with_less_than_a_third_of_a_fair_share() {
    for late in [0.0, 0.1, 0.35, 1.0, 5.0] {
        let (accepted, _) = share(4_000.0, late, 65.0);
        let fair = accepted.iter().sum::<usize>() / accepted.len();
        assert!(accepted.iter().all(|accepted| *accepted > fair / 3), "{late} s late: {accepted:?}");
    }
}

#[test]
fn a_first_answer_that_is_lost_after_a_silence_says_nothing_of_the_rate() {
    let mut aimd = Aimd::default();
    let at = |millis| Duration::from_millis(millis);
    assert_eq!(aimd.reserve(100, at(60_000)), Duration::ZERO);
    aimd.learn(0, 100, at(60_025));
    assert_eq!(aimd.rate, None);
    for millis in 60_026..60_300 {
        aimd.reserve(100, at(millis));
        aimd.learn(100, 0, at(millis));
    }
    assert!(aimd.rate.is_none_or(|rate| rate > 1_000.0), "{:?}", aimd.rate);
}

#[test]
fn silence_between_jobs_is_no_time_in_which_little_was_accepted() {
    let mut aimd = Aimd::default();
    let at = |millis| Duration::from_millis(millis);
    // A small job, and half a minute later one that is refused by chance.
    aimd.reserve(1, at(0));
    aimd.learn(1, 0, at(5));
    for millis in (30_000..30_060).step_by(5) {
        for _ in 0..16 {
            aimd.reserve(25, at(millis));
        }
        for _ in 0..16 {
            aimd.learn(17, 8, at(millis + 5));
        }
    }
    assert!(aimd.rate.is_some_and(|rate| rate > 10_000.0), "{:?}", aimd.rate);
}

#[test]
fn a_rate_that_has_fallen_to_the_floor_recovers_within_seconds() {
    let mut aimd = Aimd { rate: Some(FLOOR), ..Aimd::default() };
    let mut now = Duration::ZERO;
    while aimd.rate < Some(10_000.0) {
        now += aimd.reserve(25, now) + Duration::from_millis(5);
        aimd.learn(25, 0, now);
    }
    assert!(now < Duration::from_secs(20), "{now:?}");
}

#[test]
fn without_refusals_nothing_waits() {
    let mut aimd = Aimd::default();
    for millis in 0..1_000 {
        let now = Duration::from_millis(millis);
        assert_eq!(aimd.reserve(1_000, now), Duration::ZERO);
        aimd.learn(1_000, 0, now);
    }
}

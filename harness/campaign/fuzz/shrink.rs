//! Makes a plan smaller as long as it shows the same.

use crate::generate::{Class, Given, Plan, Step};

/// A way to make a plan smaller: the n-th plan that it gives, none where there are no more.
type Smaller = fn(&Plan, usize) -> Option<Plan>;

const SMALLER: [Smaller; 6] =
    [fewer_at_once, fewer_times, fewer_secrets, plainer_secrets, simpler_calls, plainer_values];

/// Makes a plan smaller. `shows` tries a plan and tells whether it still shows it; it is asked so many
/// times at most.
pub(super) fn shrink(plan: &Plan, most: usize, mut shows: impl FnMut(&Plan) -> bool) -> Plan {
    let mut best = plan.clone();
    let mut left = most;
    loop {
        let before = best.clone();
        fewer_steps(&mut best, &mut left, &mut shows);
        for smaller in SMALLER {
            let mut at = 0;
            while let Some(candidate) = smaller(&best, at) {
                let better = candidate != best && attempt(&candidate, &mut left, &mut shows);
                if better {
                    best = candidate
                } else {
                    at += 1
                }
                if left == 0 {
                    return best;
                }
            }
        }
        if best == before {
            return best;
        }
    }
}

fn attempt(plan: &Plan, left: &mut usize, shows: &mut impl FnMut(&Plan) -> bool) -> bool {
    if *left == 0 {
        return false;
    }
    *left -= 1;
    shows(plan)
}

/// Takes out runs of steps: half of them, then a quarter, and so on.
fn fewer_steps(best: &mut Plan, left: &mut usize, shows: &mut impl FnMut(&Plan) -> bool) {
    let mut size = best.steps.len().max(1);
    while size > 0 {
        let mut at = 0;
        while at < best.steps.len() && *left > 0 {
            let mut candidate = best.clone();
            candidate.steps.drain(at..(at + size).min(candidate.steps.len()));
            if attempt(&candidate, left, shows) { *best = candidate } else { at += size }
        }
        size /= 2;
    }
}

/// The n-th way to have fewer calls at once.
fn fewer_at_once(plan: &Plan, number: usize) -> Option<Plan> {
    let crowds = plan.steps.iter().enumerate().filter_map(|(at, step)| match step {
        Step::Together(asks) => Some((at, asks.len())),
        _ => None,
    });
    let (at, member) =
        crowds.flat_map(|(at, count)| (0..count).map(move |member| (at, member))).nth(number)?;
    let mut plan = plan.clone();
    if let Step::Together(asks) = &mut plan.steps[at] {
        asks.remove(member);
        if let [only] = asks.as_slice() {
            plan.steps[at] = Step::Call(only.clone());
        }
    }
    Some(plan)
}

/// The n-th way to make a call less often: once, half as often, or one time less.
fn fewer_times(plan: &Plan, number: usize) -> Option<Plan> {
    let mut plan = plan.clone();
    let often = plan.steps.iter_mut().filter(|step| matches!(step, Step::Often(..)));
    let step = often.into_iter().nth(number / 3)?;
    if let Step::Often(ask, times) = step {
        match number % 3 {
            0 => *step = Step::Call(ask.clone()),
            1 => *times = times.div_ceil(2),
            _ => *times = times.saturating_sub(1).max(1),
        }
    }
    Some(plan)
}

/// The plan without its n-th secret, and without what is done to it.
fn fewer_secrets(plan: &Plan, number: usize) -> Option<Plan> {
    if number >= plan.secrets.len() || plan.secrets.len() < 2 {
        return None;
    }
    let mut plan = plan.clone();
    plan.secrets.remove(number);
    plan.steps.retain_mut(|step| match step {
        Step::Call(ask) | Step::Often(ask, _) | Step::Pages(ask) => ask.secret != number,
        Step::Together(asks) => {
            asks.retain(|ask| ask.secret != number);
            !asks.is_empty()
        }
        Step::Advance(_) => true,
    });
    each_ask(&mut plan, |ask| ask.secret -= usize::from(ask.secret > number));
    Some(plan)
}

/// The plan with one thing less said at the creation of its secrets: the n-th.
fn plainer_secrets(plan: &Plan, number: usize) -> Option<Plan> {
    let mut plan = plan.clone();
    let mut left = number;
    for planted in &mut plan.secrets {
        if left < planted.with.len() {
            planted.with.remove(left);
            return Some(plan);
        }
        left -= planted.with.len();
    }
    None
}

fn each_ask(plan: &mut Plan, mut change: impl FnMut(&mut crate::generate::Ask)) {
    for step in &mut plan.steps {
        match step {
            Step::Call(ask) | Step::Often(ask, _) | Step::Pages(ask) => change(ask),
            Step::Together(asks) => asks.iter_mut().for_each(&mut change),
            Step::Advance(_) => {}
        }
    }
}

/// The plan with one thing less out of the ordinary, or one parameter less: the n-th.
fn simpler_calls(plan: &Plan, number: usize) -> Option<Plan> {
    let mut plan = plan.clone();
    let mut left = Some(number);
    each_ask(&mut plan, |ask| {
        let ways = 4 + ask.with.len();
        match left {
            Some(way) if way >= ways => left = Some(way - ways),
            Some(0) => (ask.leave, left) = (None, None),
            Some(1) => (ask.tamper, ask.scheme, left) = (None, None, None),
            Some(2) => (ask.foreign, left) = (false, None),
            Some(3) => (ask.manner, left) = (None, None),
            Some(way) => {
                ask.with.remove(way - 4);
                left = None;
            }
            None => {}
        }
    });
    left.is_none().then_some(plan)
}

/// The plan with one value plainer: the n-th.
fn plainer_values(plan: &Plan, number: usize) -> Option<Plan> {
    let mut plan = plan.clone();
    let mut left = Some(number);
    each_ask(&mut plan, |ask| {
        for argument in &mut ask.with {
            match left {
                Some(0) => {
                    left = None;
                    match &mut argument.value {
                        Given::Token(number) | Given::Value(number) | Given::Version(number) => *number /= 2,
                        Given::Like(given, _) => argument.value = (**given).clone(),
                        Given::Identifier => argument.value = Given::Name,
                        Given::Text(text) if argument.class == Class::Malformed && text.len() > 1 => {
                            let half = text.chars().count() / 2;
                            *text = text.chars().take(half).collect();
                        }
                        _ => {}
                    }
                }
                Some(more) => left = Some(more - 1),
                None => {}
            }
        }
    });
    left.is_none().then_some(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_shows_it_is_left() {
        let vendor = crate::spec::embedded("alibaba").unwrap();
        let mut rng = fastrand::Rng::with_seed(3);
        let wanted = |plan: &Plan| {
            let mut counts = [0; 3];
            let mut copy = plan.clone();
            each_ask(&mut copy, |ask| counts[ask.secret] += usize::from(ask.operation == "RotateSecret"));
            counts.iter().any(|count| *count >= 2)
        };
        let mut tried = 0;
        for _ in 0..200 {
            let bytes: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(300).collect();
            let plan = Plan::decode(&vendor, &bytes);
            if wanted(&plan) {
                tried += 1;
                let small = shrink(&plan, 2_000, wanted);
                assert_eq!((small.calls(), small.secrets.len()), (2, 1), "{small:?}");
            }
        }
        assert!(tried > 20);
    }
}

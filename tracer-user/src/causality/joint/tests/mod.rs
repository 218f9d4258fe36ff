//! Processes that are made up, with truth.

use std::collections::HashMap;

use fastrand::Rng;

use super::{Budget, Call, Hint, Joint, Request};

mod shapes;

const MS: u64 = 1_000_000;

/// What is told, by the time at which it is known.
enum Told {
    Request(Request),
    Call(Call),
}

/// What a process does: requests of two routes, each handled after sleeps of up to 2 ms. The first
/// asks 10 and then 11, the second 10 or, as often, nobody. Besides, a poll asks 12 twice a second.
struct Process {
    told: Vec<(u64, Told)>,
    truth: HashMap<u64, Option<u64>>,
}

fn process(requests: u64, every: u64, seed: u64) -> Process {
    let mut rng = Rng::with_seed(seed);
    let (mut told, mut truth) = (vec![], HashMap::new());
    let mut now = 1000 * MS;
    let call = |told: &mut Vec<(u64, Told)>, id, key, started, ended| {
        let (peer, hint) = (None, Hint::None);
        let call = Call { id, key, started, ended: Some(ended), peer, hint };
        told.push((ended, Told::Call(call)));
    };
    for id in 0..requests {
        now += rng.u64(..2 * every);
        let (started, route) = (now, id % 2);
        let mut at = started;
        let keys: &[u64] = match (route, rng.bool()) {
            (0, _) => &[10, 11],
            (_, true) => &[10],
            (_, false) => &[],
        };
        for (nth, &key) in keys.iter().enumerate() {
            at += if nth == 0 { rng.u64(MS..2 * MS) } else { rng.u64(20_000..80_000) };
            let ended = at + rng.u64(MS..3 * MS);
            let number = 1_000_000 + 2 * id + nth as u64;
            truth.insert(number, Some(id));
            call(&mut told, number, key, at, ended);
            at = ended;
        }
        let ended = at + rng.u64(300_000..900_000);
        let open = Request { id, route, started, replied: None, ended: None };
        let over = Request { replied: Some(ended), ended: Some(ended), ..open.clone() };
        told.push((started, Told::Request(open)));
        told.push((ended, Told::Request(over)));
    }
    for nth in 0..(now / (500 * MS)) {
        let started = nth * 500 * MS + rng.u64(..MS);
        truth.insert(2_000_000 + nth, None);
        call(&mut told, 2_000_000 + nth, 12, started, started + MS);
    }
    told.sort_by_key(|told| told.0);
    Process { told, truth }
}

/// Best guess of each call and its probability; `None` stands for nobody.
fn play(process: Process) -> Vec<(u64, Option<u64>, f32)> {
    let mut joint = Joint::default();
    let (mut next, mut posteriors) = (0, vec![]);
    for (time, told) in process.told {
        while time > next {
            let before = next.saturating_sub(200 * MS);
            let hold = before.saturating_sub(1000 * MS);
            posteriors.extend(joint.decide(next, before, hold, &mut Budget::unbounded()));
            next += 250 * MS;
        }
        match told {
            Told::Request(request) => joint.request(request),
            Told::Call(call) => assert!(joint.call(call)),
        }
    }
    posteriors.extend(joint.decide(next, next, next, &mut Budget::unbounded()));
    assert!(joint.remembered() < 200, "{}", joint.remembered());
    let best = |posterior: &super::Posterior| match posterior.owners.first() {
        Some(best) if best.chance > posterior.nobody => {
            (posterior.call, Some(best.request), best.borne)
        }
        _ => (posterior.call, None, posterior.nobody),
    };
    posteriors.iter().map(best).collect()
}

#[test]
fn shares_are_what_they_say() {
    let (mut sure, mut sure_right, mut right, mut all) = (0, 0, 0, 0);
    for seed in 0..3 {
        let process = process(700, 2 * MS, seed);
        let truth = process.truth.clone();
        let guesses = play(process);
        assert_eq!(guesses.len(), truth.len(), "each call is decided once");
        for (call, owner, chance) in guesses {
            let hit = truth[&call] == owner;
            all += 1;
            right += usize::from(hit);
            if owner.is_some() && chance >= 0.9 {
                sure += 1;
                sure_right += usize::from(hit);
            }
        }
    }
    assert!(right * 100 >= all * 80, "{right} of {all}");
    assert!(sure * 4 >= all && sure_right * 100 >= sure * 97, "{sure_right} of {sure}");
}

#[test]
fn a_poll_belongs_to_nobody() {
    let process = process(1500, 4 * MS, 7);
    let truth = process.truth.clone();
    let late = 2_000_000 + truth.keys().filter(|&&call| call >= 2_000_000).count() as u64 / 2;
    let polls: Vec<_> = play(process).into_iter().filter(|guess| guess.0 >= late).collect();
    assert!(polls.len() >= 5);
    assert!(polls.iter().all(|&(_, owner, chance)| owner.is_none() || chance < 0.9), "{polls:?}");
}

#[test]
fn the_same_input_gives_the_same_answer() {
    assert_eq!(play(process(300, 2 * MS, 3)), play(process(300, 2 * MS, 3)));
}

#[test]
fn odds_of_other_evidence_count_and_no_call_goes_where_it_may_not() {
    let mut joint = Joint::default();
    let request = |id, started| {
        let (replied, ended) = (Some(started + 10 * MS), Some(started + 10 * MS));
        Request { id, route: 1, started, replied, ended }
    };
    joint.request(request(1, MS));
    joint.request(request(2, 2 * MS));
    let call =
        |id, hint, peer| Call { id, key: 5, started: 4 * MS, ended: Some(5 * MS), peer, hint };
    let odds = vec![(2, 6.0)];
    assert!(joint.call(call(10, Hint::Leaning { odds, among: false }, None)));
    let odds = vec![(1, 0.0)];
    assert!(joint.call(call(11, Hint::Leaning { odds, among: true }, None)));
    assert!(joint.call(call(12, Hint::None, Some(1))));
    let posteriors = joint.decide(100 * MS, 90 * MS, 0, &mut Budget::unbounded());
    let owners = |id| {
        let posterior = posteriors.iter().find(|posterior| posterior.call == id);
        posterior
            .map(|posterior| posterior.owners.iter().map(|owner| owner.request).collect::<Vec<_>>())
    };
    assert_eq!(owners(10).and_then(|owners| owners.first().copied()), Some(2));
    assert_eq!((owners(11), owners(12)), (Some(vec![1]), Some(vec![2])));
}

#[test]
fn what_is_too_much_is_not_decided_and_not_kept() {
    let mut joint = Joint::default();
    for id in 0..20_000 {
        let (started, ended) = (id * MS, Some(id * MS + 1));
        joint.request(Request { id, route: id, started, replied: ended, ended });
        let (peer, hint) = (None, Hint::None);
        joint.call(Call { id: 100_000 + id, key: id, started, ended, peer, hint });
    }
    assert!(joint.remembered() <= 2 * 4096, "{}", joint.remembered());
}

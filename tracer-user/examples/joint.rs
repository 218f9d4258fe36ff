//! Scores the joint decision by timing on what others recorded.
//!
//! `joint --cell FILE...`: one JSON array a line: process, "request" or "call", id, route or key,
//! start, reply, end (ns), parent id or null.
use std::collections::{BTreeMap, HashMap};
use std::io::BufRead;

use serde_json::Value;
use tracer_user::causality::joint::{Call, Hint, Joint, Posterior, Request};

fn main() {
    for file in std::env::args().skip(1) {
        cell(&file);
    }
}

enum Item {
    Request(Request),
    Call(Call),
}

fn cell(file: &str) {
    let text = std::io::BufReader::new(std::fs::File::open(file).expect("file"));
    let mut processes: BTreeMap<u64, Vec<(u64, Item)>> = BTreeMap::new();
    let mut truth: HashMap<u64, Option<u64>> = HashMap::new();
    for line in text.lines() {
        let v: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let n = |i: usize| v[i].as_u64();
        let (process, id, key) = (n(0).unwrap(), n(2).unwrap(), n(3).unwrap());
        let (started, replied, ended) = (n(4).unwrap(), n(5), n(6));
        let item = if v[1] == "request" {
            Item::Request(Request { id, route: key, started, replied, ended })
        } else {
            truth.insert(id, n(7));
            Item::Call(Call { id, key, started, ended, peer: None, hint: Hint::None })
        };
        processes.entry(process).or_default().push((ended.unwrap_or(started), item));
    }
    let (mut right, mut all, mut took, mut undecided) = (0, 0, 0.0, 0);
    let mut bands = [(0usize, 0usize, 0.0f64); 10];
    let mut made = (0, 0);
    for (pid, mut items) in processes {
        let (right0, all0) = (right, all);
        items.sort_by_key(|item| item.0);
        let mut joint = Joint::default();
        let mut next = items.first().map_or(0, |item| item.0) + STEP;
        let last = items.last().map_or(0, |item| item.0);
        let clock = cpu();
        let mut posteriors: Vec<Posterior> = vec![];
        for (time, item) in items {
            while time > next {
                posteriors.extend(joint.decide(next - SETTLE, next.saturating_sub(20 * SETTLE)));
                next += STEP;
            }
            match item {
                Item::Request(request) => joint.request(request),
                Item::Call(call) => joint.call(call),
            }
        }
        posteriors.extend(joint.decide(last + SETTLE, last + SETTLE));
        took += cpu() - clock;
        undecided += joint.undecided();
        for posterior in posteriors {
            all += 1;
            let want = truth[&posterior.call];
            let nobody = 1.0 - posterior.owners.iter().map(|owner| owner.1).sum::<f32>();
            let best = posterior.owners.first().copied();
            let (got, p) = match best {
                Some((id, p)) if p >= nobody => (Some(id), p),
                _ => (None, nobody),
            };
            let ok = got == want;
            right += usize::from(ok);
            if got.is_some() {
                let band = &mut bands[((p * 10.0) as usize).min(9)];
                band.0 += 1;
                band.1 += usize::from(ok);
                band.2 += f64::from(p);
                if p >= 0.9 {
                    made.0 += usize::from(ok);
                    made.1 += 1;
                }
            }
        }
        if std::env::var_os("PIDS").is_some() && all > all0 {
            println!("  {pid}: {:.1}% of {}", 100.0 * (right - right0) as f64 / (all - all0) as f64, all - all0);
        }
    }
    print!("{:34} {:6.2}% of {all} undecided {undecided} {:.1} us/call; >=.9: {:.1}% made {:.1}% right |",
        file.rsplit('/').next().unwrap(), 100.0 * right as f64 / all as f64, took * 1e6 / all as f64,
        100.0 * f64::from(made.1 as u32) / all as f64, 100.0 * made.0 as f64 / made.1.max(1) as f64);
    for (n, ok, p) in bands {
        if n >= 20 {
            print!(" {:.0}:{:.0}({n})", 100.0 * p / n as f64, 100.0 * ok as f64 / n as f64);
        }
    }
    println!();
}

const STEP: u64 = 250_000_000;
const SETTLE: u64 = 500_000_000;

/// Seconds that this process has run.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() * 1e-9
}

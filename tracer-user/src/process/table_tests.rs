//! A table over a made-up host whose processes come and go.

use std::num::NonZeroUsize;

use super::ProcessTable;
use crate::process::fake::Fake;
use crate::process::{Host, NameSource, Rule, Rules};

const SECOND: u64 = 1_000_000_000;

fn table(fake: &Fake, capacity: usize) -> ProcessTable {
    ruled(fake, capacity, vec![])
}

fn ruled(fake: &Fake, capacity: usize, rules: Vec<Rule>) -> ProcessTable {
    let capacity = NonZeroUsize::new(capacity).unwrap();
    ProcessTable::new(fake.host(), Rules::new(rules), vec![], capacity)
}

fn name(table: &mut ProcessTable, pid: u32, now: u64) -> String {
    table.get(pid, now).service().to_string()
}

#[test]
fn the_live_process_is_known_and_kept() {
    let capacity = NonZeroUsize::new(4).unwrap();
    let mut table = ProcessTable::new(Host::live(), Rules::default(), vec![], capacity);
    let pid = std::process::id();
    let first = table.get(pid, 0);
    assert!(std::sync::Arc::ptr_eq(&first, &table.get(pid, 60 * SECOND)));
    assert_eq!(table.stats().read, 1);
    assert!(table.pids().contains(&pid));
}

#[test]
fn a_name_outlives_its_process_for_a_while() {
    let fake = Fake::new();
    fake.process(7).exe("/bin/cart").write();
    let mut table = table(&fake, 4);
    assert_eq!(name(&mut table, 7, SECOND), "cart");
    fake.end(7);
    table.exit(7, 2 * SECOND);
    assert_eq!(name(&mut table, 7, 40 * SECOND), "cart");
    assert_eq!(name(&mut table, 7, 70 * SECOND), "unknown_service");
    assert_eq!((table.stats().read, table.stats().gone), (1, 1));
}

#[test]
fn a_child_that_is_gone_is_known_as_its_parent() {
    let fake = Fake::new();
    fake.process(7).exe("/bin/cart").write();
    fake.process(9).exe("/bin/pay").write();
    let mut table = table(&fake, 8);
    table.get(7, SECOND);
    for pid in [8, 9] {
        table.inherits(pid, 7);
    }
    let child = table.get(8, SECOND);
    assert_eq!(
        (&**child.service(), child.pid, child.exe.as_deref()),
        ("cart", 8, Some("/bin/cart".as_ref()))
    );
    let said = child.resource.attributes.iter().find(|(name, _)| name == "process.pid");
    assert_eq!(said.map(|(_, value)| value.clone()), Some(8_i64.into()));
    assert_eq!(name(&mut table, 9, SECOND), "pay", "what can be read goes before");
}

#[test]
fn a_number_given_away_is_another_process_but_not_for_late_events() {
    let fake = Fake::new();
    fake.process(7).exe("/bin/cart").start_time(100).write();
    let mut table = table(&fake, 4);
    name(&mut table, 7, SECOND);
    table.exit(7, 2 * SECOND);
    fake.process(7).exe("/bin/pay").start_time(200).write();
    assert_eq!(name(&mut table, 7, 2 * SECOND - 1), "cart", "an event from before its end");
    assert_eq!(name(&mut table, 7, 5 * SECOND), "pay");
}

#[test]
fn a_lost_exit_is_noticed() {
    let fake = Fake::new();
    fake.process(7).exe("/bin/cart").start_time(100).write();
    let mut table = table(&fake, 4);
    name(&mut table, 7, SECOND);
    fake.process(7).exe("/bin/pay").start_time(200).write();
    assert_eq!(name(&mut table, 7, 2 * SECOND), "cart");
    assert_eq!(name(&mut table, 7, 20 * SECOND), "pay");
}

#[test]
fn exec_is_read_again() {
    let fake = Fake::new();
    fake.process(7).exe("/bin/dash").command(&["sh"]).write();
    let mut table = table(&fake, 4);
    assert_eq!(name(&mut table, 7, 1), "dash");
    fake.process(7).exe("/bin/cart").write();
    assert_eq!(name(&mut table, 7, 2), "dash");
    table.exec(7);
    assert_eq!(name(&mut table, 7, 3), "cart");
}

#[test]
fn one_gone_before_it_was_read_has_its_thread_s_name() {
    let fake = Fake::new();
    let mut table = table(&fake, 4);
    table.hint(7, "curl");
    let gone = table.get(7, 1);
    assert_eq!((&**gone.service(), gone.source), ("curl", NameSource::Thread));
    assert_eq!(name(&mut table, 8, 1), "unknown_service");
    table.hint(9, "sh");
    table.exec(9);
    assert_eq!(
        name(&mut table, 9, 1),
        "unknown_service",
        "a name from before exec is of another program"
    );
    assert_eq!(table.stats().gone, 3);
}

#[test]
fn a_served_port_can_name_a_process() {
    let fake = Fake::new();
    fake.process(7).exe("/bin/cart").write();
    let rule = Rule { name: "front".into(), pid: None, port: Some(80), cmdline: None };
    let mut table = ruled(&fake, 4, vec![rule]);
    assert!(!table.serves(7, 80), "nobody asked for it yet");
    assert_eq!(name(&mut table, 7, 1), "cart");
    assert!(!table.serves(7, 81));
    assert!(table.serves(7, 80) && !table.serves(7, 80));
    let named = table.get(7, 2);
    assert_eq!((&**named.service(), named.source), ("front", NameSource::Rule));
}

#[test]
fn memory_is_bounded_and_losses_are_counted() {
    let fake = Fake::new();
    let mut table = table(&fake, 2);
    for pid in 10..15 {
        table.hint(pid, "x");
        table.get(pid, 1);
    }
    assert_eq!(table.entries.len(), 2);
    assert_eq!(table.stats().evicted, 3);
    for pid in 0..10_000 {
        table.hint(100 + pid, "x");
    }
    assert!(table.hints.len() <= super::MAX_HINTS.get());
}

#[test]
fn what_ended_long_ago_makes_room_without_being_counted() {
    let fake = Fake::new();
    let mut table = table(&fake, 2);
    table.get(7, 1);
    table.get(8, 1);
    table.get(9, 100 * SECOND);
    assert_eq!((table.entries.len(), table.stats().evicted), (1, 0));
}

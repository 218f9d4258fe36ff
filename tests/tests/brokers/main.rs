//! What unmodified services send to real brokers, and take from them. Brokers are started once.

mod asked;
mod clients;
#[path = "../served/mod.rs"]
mod served;

use tests::brokers::Brokers;

const TESTS: &[served::Test<Brokers>] = &[
    ("kafka_from_python", clients::kafka_from_python),
    ("kafka_from_go", clients::kafka_from_go),
    ("rabbitmq_from_python", clients::rabbitmq_from_python),
    ("rabbitmq_from_go", clients::rabbitmq_from_go),
];

fn main() -> anyhow::Result<()> {
    served::run(TESTS, Brokers::start)
}

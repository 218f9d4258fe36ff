//! What a broker says of the records that it keeps in order.

/// A topic's number, which no other topic of any broker has.
pub type TopicId = [u8; 16];

/// Most things of a kind that are told of one answer.
pub(super) const MAX_TOLD: usize = 16;
/// Most topics whose names one answer tells.
pub(super) const MAX_TOPICS: usize = 256;

/// What an answer tells of records: Kafka's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// Batches that were written or have come, the first [`MAX_TOLD`] of those that were seen.
    pub batches: Vec<RecordBatch>,
    /// How many records have come; `None` if not all of them were seen.
    pub count: Option<u32>,
    /// Which spans have sent records that have come, in the words of their headers: `traceparent`.
    pub senders: Vec<String>,
    /// Names of topics.
    pub topics: Vec<(TopicId, String)>,
}

impl Log {
    /// Takes in what another answer of the same batch of calls tells.
    pub(super) fn join(&mut self, more: Log) {
        fn extend<T>(to: &mut Vec<T>, more: Vec<T>, most: usize) {
            let room = most.saturating_sub(to.len());
            to.extend(more.into_iter().take(room));
        }
        extend(&mut self.batches, more.batches, MAX_TOLD);
        extend(&mut self.senders, more.senders, MAX_TOLD);
        extend(&mut self.topics, more.topics, MAX_TOPICS);
        self.count = self.count.zip(more.count).map(|(count, more)| count.saturating_add(more));
    }
}

/// Records that were written together: what no other batch has is where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordBatch {
    /// Their topic.
    pub topic: Topic,
    /// Its partition.
    pub partition: i32,
    /// Offset of the first record.
    pub offset: i64,
}

/// A topic as messages call it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// By its name, which is unique in a cluster.
    Name(String),
    /// By its number.
    Id(TopicId),
}

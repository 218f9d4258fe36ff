//! What an answer says: <https://kafka.apache.org/protocol#protocol_messages>.

use super::api::{Api, FETCH, METADATA, PRODUCE};
use super::batch;
use super::cursor::Cursor;
use super::request::name;
use crate::protocol::backing::log::{MAX_TOLD, MAX_TOPICS};
use crate::protocol::backing::{Failure, Log, RecordBatch, Topic};

/// What the request was that this, without its size, answers.
pub(super) fn correlation(bytes: &[u8]) -> Option<i32> {
    Cursor::new(bytes).int32()
}

/// An answer, as far as it can be read.
#[derive(Debug, Default)]
pub(super) struct Response {
    /// The first thing that went wrong: with all of it, or with a partition.
    pub(super) failure: Option<Failure>,
    pub(super) log: Option<Box<Log>>,
}

impl Response {
    /// Of its bytes without the size.
    pub(super) fn read(api: Api, bytes: &[u8]) -> Self {
        let mut read = Reading { api, error: 0, log: Log::default() };
        // What is not there was not copied, and is not told.
        let whole = match api.key {
            _ if !api.is_readable() => None,
            PRODUCE => read.body(bytes).and_then(|mut body| read.produced(&mut body)),
            FETCH => read.body(bytes).and_then(|mut body| read.fetched(&mut body)),
            METADATA => read.body(bytes).and_then(|mut body| read.metadata(&mut body)),
            _ => None,
        };
        let Reading { error, mut log, .. } = read;
        log.count = log.count.filter(|_| whole.is_some());
        Self {
            failure: (error != 0).then(|| Failure { code: error.to_string() }),
            log: (log != Log::default()).then(|| Box::new(log)),
        }
    }
}

/// What was read so far.
struct Reading {
    api: Api,
    error: i16,
    log: Log,
}

impl Reading {
    /// What follows the header.
    fn body<'a>(&self, bytes: &'a [u8]) -> Option<Cursor<'a>> {
        let mut body = Cursor::new(bytes);
        body.int32()?;
        body.flexible = self.api.is_flexible();
        body.tags()?;
        Some(body)
    }

    fn since(&self, version: i16) -> bool {
        self.api.version >= version
    }

    fn error(&mut self, error: i16) {
        if self.error == 0 {
            self.error = error;
        }
    }

    fn tell(&mut self, batch: RecordBatch) {
        if self.log.batches.len() < MAX_TOLD {
            self.log.batches.push(batch);
        }
    }

    fn topic(&self, body: &mut Cursor<'_>) -> Option<Topic> {
        Some(match self.api.has_topic_ids() {
            true => Topic::Id(body.uuid()?),
            false => Topic::Name(name(body.string()?.unwrap_or_default())),
        })
    }

    /// Where the records stand that were sent.
    fn produced(&mut self, body: &mut Cursor<'_>) -> Option<()> {
        for _ in 0..body.array()? {
            let topic = self.topic(body)?;
            for _ in 0..body.array()? {
                let (partition, error) = (body.int32()?, body.int16()?);
                self.error(error);
                let offset = body.int64()?;
                if error == 0 && offset >= 0 {
                    self.tell(RecordBatch { topic: topic.clone(), partition, offset });
                }
                // When it was appended, and where the log begins.
                body.take(8 * (usize::from(self.since(2)) + usize::from(self.since(5))))?;
                if self.since(8) {
                    for _ in 0..body.array()? {
                        body.int32()?;
                        body.string()?;
                        body.tags()?;
                    }
                    body.string()?;
                }
                body.tags()?;
            }
            body.tags()?;
        }
        Some(())
    }

    /// What has come.
    fn fetched(&mut self, body: &mut Cursor<'_>) -> Option<()> {
        self.log.count = Some(0);
        if self.since(1) {
            body.int32()?;
        }
        if self.since(7) {
            let error = body.int16()?;
            self.error(error);
            body.int32()?;
        }
        for _ in 0..body.array()? {
            let topic = self.topic(body)?;
            for _ in 0..body.array()? {
                let (partition, error) = (body.int32()?, body.int16()?);
                self.error(error);
                // Where the log ends, where it is stable, and where it begins.
                body.take(8 * (1 + usize::from(self.since(4)) + usize::from(self.since(5))))?;
                if self.since(4) {
                    // Transactions that were given up.
                    for _ in 0..body.array()? {
                        body.take(16)?;
                        body.tags()?;
                    }
                }
                if self.since(11) {
                    body.int32()?;
                }
                let (records, whole) = body.records()?;
                self.batches(&topic, partition, records, whole);
                whole.then_some(())?;
                body.tags()?;
            }
            body.tags()?;
        }
        Some(())
    }

    /// `whole`: all of them are there, so that what is cut was cut by the broker: clients ask for it anew.
    fn batches(&mut self, topic: &Topic, partition: i32, records: &[u8], whole: bool) {
        if batch::is_older(records) {
            self.log.count = None;
        }
        let came = |batch: &batch::Batch<'_>| !(batch.is_control() || whole && batch.is_cut);
        for batch in batch::all(records).filter(came) {
            self.log.count = self.log.count.map(|sum| sum.saturating_add(batch.count));
            let offset = batch.offset;
            self.tell(RecordBatch { topic: topic.clone(), partition, offset });
            for sender in batch.senders() {
                let known = self.log.senders.iter().any(|known| known == sender);
                if !known && self.log.senders.len() < MAX_TOLD {
                    self.log.senders.push(sender.to_owned());
                }
            }
        }
    }

    /// How topics are called.
    fn metadata(&mut self, body: &mut Cursor<'_>) -> Option<()> {
        if self.since(3) {
            body.int32()?;
        }
        for _ in 0..body.array()? {
            body.int32()?;
            body.string()?;
            body.int32()?;
            if self.since(1) {
                body.string()?;
            }
            body.tags()?;
        }
        if self.since(2) {
            body.string()?;
        }
        if self.since(1) {
            body.int32()?;
        }
        for _ in 0..body.array()? {
            let error = body.int16()?;
            let called = body.string()?;
            let id = if self.since(10) { Some(body.uuid()?) } else { None };
            if let (0, Some(called), Some(id)) = (error, called, id)
                && self.log.topics.len() < MAX_TOPICS
            {
                self.log.topics.push((id, name(called)));
            }
            if self.since(1) {
                body.take(1)?;
            }
            for _ in 0..body.array()? {
                // Error, number, leader and its epoch; then brokers that have copies.
                body.take(10 + 4 * usize::from(self.since(7)))?;
                for _ in 0..2 + usize::from(self.since(5)) {
                    body.skip_array(4)?;
                }
                body.tags()?;
            }
            if self.since(8) {
                body.int32()?;
            }
            body.tags()?;
        }
        Some(())
    }
}

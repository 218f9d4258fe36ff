//! What a request asks for: <https://kafka.apache.org/protocol#protocol_messages>.

use super::api::{
    Api, CONTROLLED_SHUTDOWN, FETCH, HEARTBEAT, JOIN_GROUP, LEAVE_GROUP, OFFSET_COMMIT, PRODUCE,
    SYNC_GROUP,
};
use super::batch;
use super::cursor::Cursor;
use crate::protocol::backing::{Call, System, TopicId};
use std::borrow::Cow;

/// Longest name that is told of a client, a group or a topic; Kafka's own limit for topics is 249.
const MAX_NAME: usize = 255;

/// A request, as far as it can be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub(super) api: Api,
    /// What the answer begins with.
    pub(super) correlation: i32,
    client: Option<&'a [u8]>,
    /// What follows the header.
    body: Option<Cursor<'a>>,
}

/// The topics of a request.
#[derive(Debug, Default)]
struct Topics<'a> {
    topics: usize,
    /// The first one's name.
    name: Option<&'a [u8]>,
    /// Or its number.
    id: Option<TopicId>,
    partitions: usize,
    /// The first one.
    partition: Option<i32>,
    /// How many there are in all partitions; `None` if it is not known.
    records: Option<u32>,
}

pub(super) fn name(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..MAX_NAME).unwrap_or(bytes)).into_owned()
}

impl<'a> Request<'a> {
    /// Of a message with the bytes of its size; `None` if it is none.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes.get(4..)?);
        let api = Api { key: cursor.int16()?, version: cursor.int16()? };
        api.name()?;
        let correlation = cursor.int32()?;
        if api == (Api { key: CONTROLLED_SHUTDOWN, version: 0 }) {
            return Some(Self { api, correlation, client: None, body: None });
        }
        let mut body = Some(cursor).filter(|_| api.is_readable());
        let client = cursor.string().flatten();
        if let Some(cursor) = &mut body {
            let _ = cursor.string();
            cursor.flexible = api.is_flexible();
            let _ = cursor.tags();
        }
        Some(Self { api, correlation, client, body })
    }

    /// A producer does not want to know whether it was taken.
    pub(super) fn is_silent(&self) -> bool {
        let acknowledged = || {
            let mut body = self.body?;
            if self.api.version >= 3 {
                body.string()?;
            }
            body.int16()
        };
        self.api.key == PRODUCE && acknowledged() == Some(0)
    }

    /// What it asks for.
    pub(super) fn call(&self) -> Call {
        let mut call = Call::new(System::Kafka);
        let operation = match self.api.key {
            PRODUCE => "send",
            FETCH => "poll",
            _ => self.api.name().unwrap_or("unknown"),
        };
        call.operation = Some(Cow::Borrowed(operation));
        if let Some(client) = self.client {
            call.attributes.push(("messaging.client.id", name(client)));
        }
        let group = matches!(
            self.api.key,
            OFFSET_COMMIT | JOIN_GROUP | HEARTBEAT | LEAVE_GROUP | SYNC_GROUP
        );
        if group && let Some(Some(group)) = self.body.and_then(|mut body| body.string()) {
            call.attributes.push(("messaging.consumer.group.name", name(group)));
        }
        self.topics(&mut call);
        call.text.summary = Some(match &call.collection {
            Some(topic) => format!("{operation} {topic}"),
            None => operation.to_owned(),
        });
        call
    }

    fn topics(&self, call: &mut Call) {
        let Some(body) = self.body else { return };
        let (kind, topics) = match self.api.key {
            PRODUCE => ("send", self.produced(body)),
            FETCH => ("receive", self.fetched(body)),
            _ => return,
        };
        call.attributes.push(("messaging.operation.type", kind.to_owned()));
        if let Some(records) = topics.records.filter(|records| *records > 0) {
            call.batch = records;
        }
        if topics.topics != 1 {
            return;
        }
        (call.collection, call.topic) = (topics.name.map(name), topics.id);
        if let (1, Some(partition)) = (topics.partitions, topics.partition) {
            call.attributes.push(("messaging.destination.partition.id", partition.to_string()));
        }
    }

    fn produced(&self, mut body: Cursor<'a>) -> Topics<'a> {
        let mut topics = Topics { records: Some(0), ..Topics::default() };
        let whole = (|| {
            if self.api.version >= 3 {
                body.string()?;
            }
            body.take(6)?;
            self.each(&mut body, &mut topics, |body, topics| {
                let counted = batch::count(body.records()?.0);
                topics.records =
                    topics.records.zip(counted).map(|(sum, more)| sum.saturating_add(more));
                body.tags()
            })
        })();
        // A large batch is not all there, but its header is.
        let single = topics.topics == 1 && topics.partitions == 1;
        topics.records = topics.records.filter(|_| single || whole.is_some());
        topics
    }

    fn fetched(&self, mut body: Cursor<'a>) -> Topics<'a> {
        let version = self.api.version;
        let field = |since: i16, bytes: usize| if version >= since { bytes } else { 0 };
        let mut topics = Topics::default();
        // Who fetches, how long it waits, least and most bytes, isolation, session.
        let before = 8 + (4 - field(15, 4)) + field(3, 4) + field(4, 1) + field(7, 8);
        // Offset, epoch of the leader, of the last one fetched, beginning of the log, most bytes.
        let partition = 12 + field(9, 4) + field(12, 4) + field(5, 8);
        // What was not read is not told of.
        let _ = body.take(before).and_then(|_| {
            self.each(&mut body, &mut topics, |body, _| {
                body.take(partition)?;
                body.tags()
            })
        });
        topics
    }

    /// Reads topics, and with `partition` what follows the number of each of their partitions.
    fn each(
        &self,
        body: &mut Cursor<'a>,
        topics: &mut Topics<'a>,
        partition: impl Fn(&mut Cursor<'a>, &mut Topics<'a>) -> Option<()>,
    ) -> Option<()> {
        let count = body.array()?;
        topics.topics = count;
        for index in 0..count {
            let (name, id) = match self.api.has_topic_ids() {
                true => (None, Some(body.uuid()?)),
                false => (body.string()?, None),
            };
            if index == 0 {
                (topics.name, topics.id) = (name, id);
            }
            let partitions = body.array()?;
            topics.partitions = topics.partitions.saturating_add(partitions);
            for _ in 0..partitions {
                let number = body.int32()?;
                topics.partition.get_or_insert(number);
                partition(body, topics)?;
            }
            body.tags()?;
        }
        Some(())
    }
}

//! Kinds of requests: <https://kafka.apache.org/protocol#protocol_api_keys>.

pub(super) const PRODUCE: i16 = 0;
pub(super) const FETCH: i16 = 1;
pub(super) const METADATA: i16 = 3;
pub(super) const CONTROLLED_SHUTDOWN: i16 = 7;
pub(super) const OFFSET_COMMIT: i16 = 8;
pub(super) const JOIN_GROUP: i16 = 11;
pub(super) const HEARTBEAT: i16 = 12;
pub(super) const LEAVE_GROUP: i16 = 13;
pub(super) const SYNC_GROUP: i16 = 14;
pub(super) const SASL_HANDSHAKE: i16 = 17;
pub(super) const API_VERSIONS: i16 = 18;

/// More than any request's version.
const VERSIONS: i16 = 32;

/// By their keys.
#[rustfmt::skip]
const NAMES: &[&str] = &[
    "Produce", "Fetch", "ListOffsets", "Metadata", "LeaderAndIsr", "StopReplica", "UpdateMetadata",
    "ControlledShutdown", "OffsetCommit", "OffsetFetch", "FindCoordinator", "JoinGroup", "Heartbeat",
    "LeaveGroup", "SyncGroup", "DescribeGroups", "ListGroups", "SaslHandshake", "ApiVersions",
    "CreateTopics", "DeleteTopics", "DeleteRecords", "InitProducerId", "OffsetForLeaderEpoch",
    "AddPartitionsToTxn", "AddOffsetsToTxn", "EndTxn", "WriteTxnMarkers", "TxnOffsetCommit",
    "DescribeAcls", "CreateAcls", "DeleteAcls", "DescribeConfigs", "AlterConfigs",
    "AlterReplicaLogDirs", "DescribeLogDirs", "SaslAuthenticate", "CreatePartitions",
    "CreateDelegationToken", "RenewDelegationToken", "ExpireDelegationToken",
    "DescribeDelegationToken", "DeleteGroups", "ElectLeaders", "IncrementalAlterConfigs",
    "AlterPartitionReassignments", "ListPartitionReassignments", "OffsetDelete",
    "DescribeClientQuotas", "AlterClientQuotas", "DescribeUserScramCredentials",
    "AlterUserScramCredentials", "Vote", "BeginQuorumEpoch", "EndQuorumEpoch", "DescribeQuorum",
    "AlterPartition", "UpdateFeatures", "Envelope", "FetchSnapshot", "DescribeCluster",
    "DescribeProducers", "BrokerRegistration", "BrokerHeartbeat", "UnregisterBroker",
    "DescribeTransactions", "ListTransactions", "AllocateProducerIds", "ConsumerGroupHeartbeat",
    "ConsumerGroupDescribe", "ControllerRegistration", "GetTelemetrySubscriptions",
    "PushTelemetry", "AssignReplicasToDirs", "ListConfigResources", "DescribeTopicPartitions",
    "ShareGroupHeartbeat", "ShareGroupDescribe", "ShareFetch", "ShareAcknowledge", "AddRaftVoter",
    "RemoveRaftVoter", "UpdateRaftVoter", "InitializeShareGroupState", "ReadShareGroupState",
    "WriteShareGroupState", "DeleteShareGroupState", "ReadShareGroupStateSummary",
    "StreamsGroupHeartbeat", "StreamsGroupDescribe", "DescribeShareGroupOffsets",
    "AlterShareGroupOffsets", "DeleteShareGroupOffsets",
];

/// A request's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Api {
    pub(super) key: i16,
    pub(super) version: i16,
}

impl Api {
    /// Its name; `None` if there is none such.
    pub(super) fn name(self) -> Option<&'static str> {
        let named = usize::try_from(self.key).ok().and_then(|key| NAMES.get(key).copied());
        named.filter(|_| (0..VERSIONS).contains(&self.version))
    }

    /// Whether clients begin with it, of themselves: they ask what the broker can do, and log in.
    pub(super) fn greets(self) -> bool {
        match self.key {
            METADATA => self.version < 16,
            API_VERSIONS => self.version < 8,
            SASL_HANDSHAKE => self.version < 2,
            _ => false,
        }
    }

    /// The newest version whose fields are known; those of others are not read.
    pub(super) fn is_readable(self) -> bool {
        self.version
            <= match self.key {
                PRODUCE => 13,
                FETCH => 18,
                METADATA => 13,
                OFFSET_COMMIT => 10,
                JOIN_GROUP => 9,
                HEARTBEAT => 4,
                LEAVE_GROUP | SYNC_GROUP => 5,
                _ => -1,
            }
    }

    /// Whether it is written with compact lengths and tagged fields; of those that can be read.
    pub(super) fn is_flexible(self) -> bool {
        self.version
            >= match self.key {
                PRODUCE => 9,
                FETCH => 12,
                METADATA => 9,
                OFFSET_COMMIT => 8,
                JOIN_GROUP => 6,
                HEARTBEAT | LEAVE_GROUP | SYNC_GROUP => 4,
                _ => return false,
            }
    }

    /// Whether topics are told by their identifiers.
    pub(super) fn has_topic_ids(self) -> bool {
        matches!(self.key, PRODUCE | FETCH) && self.version >= 13
    }
}

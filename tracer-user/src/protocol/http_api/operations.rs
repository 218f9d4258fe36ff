//! S3's operations by method, what they are about and what they have in the query.

/// What an operation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Service,
    Bucket,
    Object,
}

/// An operation.
pub(super) struct Row {
    pub(super) method: &'static str,
    pub(super) subject: Subject,
    /// Parameters, some with a value, all of which the query has.
    pub(super) marks: &'static [&'static str],
    /// It has `X-Amz-Copy-Source`.
    pub(super) copies: bool,
    pub(super) operation: &'static str,
}

use Subject::{Bucket, Object, Service};

const fn row(
    method: &'static str,
    subject: Subject,
    marks: &'static [&'static str],
    operation: &'static str,
) -> Row {
    Row { method, subject, marks, copies: false, operation }
}

const fn copy(marks: &'static [&'static str], operation: &'static str) -> Row {
    Row { copies: true, ..row("PUT", Object, marks, operation) }
}

/// The first one that fits counts: what is marked goes before what is not.
pub(super) const OPERATIONS: &[Row] = &[
    row("GET", Service, &[], "ListBuckets"),
    // Objects.
    row("GET", Object, &["uploadId"], "ListParts"),
    row("GET", Object, &["acl"], "GetObjectAcl"),
    row("GET", Object, &["attributes"], "GetObjectAttributes"),
    row("GET", Object, &["legal-hold"], "GetObjectLegalHold"),
    row("GET", Object, &["retention"], "GetObjectRetention"),
    row("GET", Object, &["tagging"], "GetObjectTagging"),
    row("GET", Object, &["torrent"], "GetObjectTorrent"),
    row("GET", Object, &[], "GetObject"),
    row("HEAD", Object, &[], "HeadObject"),
    copy(&["partNumber", "uploadId"], "UploadPartCopy"),
    row("PUT", Object, &["partNumber", "uploadId"], "UploadPart"),
    row("PUT", Object, &["acl"], "PutObjectAcl"),
    row("PUT", Object, &["legal-hold"], "PutObjectLegalHold"),
    row("PUT", Object, &["renameObject"], "RenameObject"),
    row("PUT", Object, &["retention"], "PutObjectRetention"),
    row("PUT", Object, &["tagging"], "PutObjectTagging"),
    copy(&[], "CopyObject"),
    row("PUT", Object, &[], "PutObject"),
    row("POST", Object, &["uploads"], "CreateMultipartUpload"),
    row("POST", Object, &["uploadId"], "CompleteMultipartUpload"),
    row("POST", Object, &["restore"], "RestoreObject"),
    row("POST", Object, &["select"], "SelectObjectContent"),
    row("DELETE", Object, &["uploadId"], "AbortMultipartUpload"),
    row("DELETE", Object, &["tagging"], "DeleteObjectTagging"),
    row("DELETE", Object, &[], "DeleteObject"),
    // Buckets.
    row("GET", Bucket, &["list-type=2"], "ListObjectsV2"),
    row("GET", Bucket, &["accelerate"], "GetBucketAccelerateConfiguration"),
    row("GET", Bucket, &["acl"], "GetBucketAcl"),
    row("GET", Bucket, &["analytics", "id"], "GetBucketAnalyticsConfiguration"),
    row("GET", Bucket, &["analytics"], "ListBucketAnalyticsConfigurations"),
    row("GET", Bucket, &["cors"], "GetBucketCors"),
    row("GET", Bucket, &["encryption"], "GetBucketEncryption"),
    row("GET", Bucket, &["intelligent-tiering", "id"], "GetBucketIntelligentTieringConfiguration"),
    row("GET", Bucket, &["intelligent-tiering"], "ListBucketIntelligentTieringConfigurations"),
    row("GET", Bucket, &["inventory", "id"], "GetBucketInventoryConfiguration"),
    row("GET", Bucket, &["inventory"], "ListBucketInventoryConfigurations"),
    row("GET", Bucket, &["lifecycle"], "GetBucketLifecycleConfiguration"),
    row("GET", Bucket, &["location"], "GetBucketLocation"),
    row("GET", Bucket, &["logging"], "GetBucketLogging"),
    row("GET", Bucket, &["metrics", "id"], "GetBucketMetricsConfiguration"),
    row("GET", Bucket, &["metrics"], "ListBucketMetricsConfigurations"),
    row("GET", Bucket, &["notification"], "GetBucketNotificationConfiguration"),
    row("GET", Bucket, &["object-lock"], "GetObjectLockConfiguration"),
    row("GET", Bucket, &["ownershipControls"], "GetBucketOwnershipControls"),
    row("GET", Bucket, &["policy"], "GetBucketPolicy"),
    row("GET", Bucket, &["policyStatus"], "GetBucketPolicyStatus"),
    row("GET", Bucket, &["publicAccessBlock"], "GetPublicAccessBlock"),
    row("GET", Bucket, &["replication"], "GetBucketReplication"),
    row("GET", Bucket, &["requestPayment"], "GetBucketRequestPayment"),
    row("GET", Bucket, &["session"], "CreateSession"),
    row("GET", Bucket, &["tagging"], "GetBucketTagging"),
    row("GET", Bucket, &["uploads"], "ListMultipartUploads"),
    row("GET", Bucket, &["versioning"], "GetBucketVersioning"),
    row("GET", Bucket, &["versions"], "ListObjectVersions"),
    row("GET", Bucket, &["website"], "GetBucketWebsite"),
    row("GET", Bucket, &[], "ListObjects"),
    row("HEAD", Bucket, &[], "HeadBucket"),
    row("PUT", Bucket, &["accelerate"], "PutBucketAccelerateConfiguration"),
    row("PUT", Bucket, &["acl"], "PutBucketAcl"),
    row("PUT", Bucket, &["analytics"], "PutBucketAnalyticsConfiguration"),
    row("PUT", Bucket, &["cors"], "PutBucketCors"),
    row("PUT", Bucket, &["encryption"], "PutBucketEncryption"),
    row("PUT", Bucket, &["intelligent-tiering"], "PutBucketIntelligentTieringConfiguration"),
    row("PUT", Bucket, &["inventory"], "PutBucketInventoryConfiguration"),
    row("PUT", Bucket, &["lifecycle"], "PutBucketLifecycleConfiguration"),
    row("PUT", Bucket, &["logging"], "PutBucketLogging"),
    row("PUT", Bucket, &["metrics"], "PutBucketMetricsConfiguration"),
    row("PUT", Bucket, &["notification"], "PutBucketNotificationConfiguration"),
    row("PUT", Bucket, &["object-lock"], "PutObjectLockConfiguration"),
    row("PUT", Bucket, &["ownershipControls"], "PutBucketOwnershipControls"),
    row("PUT", Bucket, &["policy"], "PutBucketPolicy"),
    row("PUT", Bucket, &["publicAccessBlock"], "PutPublicAccessBlock"),
    row("PUT", Bucket, &["replication"], "PutBucketReplication"),
    row("PUT", Bucket, &["requestPayment"], "PutBucketRequestPayment"),
    row("PUT", Bucket, &["tagging"], "PutBucketTagging"),
    row("PUT", Bucket, &["versioning"], "PutBucketVersioning"),
    row("PUT", Bucket, &["website"], "PutBucketWebsite"),
    row("PUT", Bucket, &[], "CreateBucket"),
    row("POST", Bucket, &["delete"], "DeleteObjects"),
    row("DELETE", Bucket, &["analytics"], "DeleteBucketAnalyticsConfiguration"),
    row("DELETE", Bucket, &["cors"], "DeleteBucketCors"),
    row("DELETE", Bucket, &["encryption"], "DeleteBucketEncryption"),
    row("DELETE", Bucket, &["intelligent-tiering"], "DeleteBucketIntelligentTieringConfiguration"),
    row("DELETE", Bucket, &["inventory"], "DeleteBucketInventoryConfiguration"),
    row("DELETE", Bucket, &["lifecycle"], "DeleteBucketLifecycle"),
    row("DELETE", Bucket, &["metrics"], "DeleteBucketMetricsConfiguration"),
    row("DELETE", Bucket, &["ownershipControls"], "DeleteBucketOwnershipControls"),
    row("DELETE", Bucket, &["policy"], "DeleteBucketPolicy"),
    row("DELETE", Bucket, &["publicAccessBlock"], "DeletePublicAccessBlock"),
    row("DELETE", Bucket, &["replication"], "DeleteBucketReplication"),
    row("DELETE", Bucket, &["tagging"], "DeleteBucketTagging"),
    row("DELETE", Bucket, &["website"], "DeleteBucketWebsite"),
    row("DELETE", Bucket, &[], "DeleteBucket"),
];

//! What the name of a host says of S3.

/// A host of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host<'a> {
    /// Of S3; with the bucket, if it names one.
    S3(Option<&'a str>),
    /// Of another service.
    OtherOfAws,
}

const AWS: [&str; 2] = [".amazonaws.com", ".amazonaws.com.cn"];
/// What begins like S3's own label and is something else: another API, and pages for browsers.
const OTHERS: [&str; 2] = ["s3-control", "s3-website"];
/// Who else gives buckets hosts of their own: before these endings, and so many labels.
const ELSEWHERE: [(&str, usize); 3] = [
    (".digitaloceanspaces.com", 1),
    (".r2.cloudflarestorage.com", 1),
    (".storage.googleapis.com", 0),
];
/// Who does it as AWS does: `bucket.s3.region.example.com`.
const LIKE_AWS: [&str; 5] =
    [".wasabisys.com", ".backblazeb2.com", ".scw.cloud", ".cloud.ovh.net", ".localstack.cloud"];

/// A host of AWS; `None` if it is another's. `host`: with its port, if it has one.
pub(super) fn host(host: &str) -> Option<Host<'_>> {
    let name = without_port(host);
    let inner = AWS.iter().find_map(|aws| name.strip_suffix(aws))?;
    let own = |label: &str| {
        let is_s3 = label == "s3" || label.starts_with("s3-") || label.starts_with("s3express-");
        is_s3 && OTHERS.iter().all(|other| !label.starts_with(other))
    };
    let found = labels(inner).filter(|(_, label, behind)| own(label) && is_place(behind)).last();
    Some(found.map_or(Host::OtherOfAws, |(before, ..)| Host::S3(bucket(before))))
}

/// The bucket that a host names which is known to be S3's.
pub(super) fn bucket_of(named: &str) -> Option<&str> {
    if let Some(Host::S3(bucket)) = host(named) {
        return bucket;
    }
    let name = without_port(named);
    let elsewhere = ELSEWHERE.iter().find_map(|(ending, labels)| {
        (0..*labels).try_fold(name.strip_suffix(ending)?, |rest, _| Some(rest.rsplit_once('.')?.0))
    });
    let like_aws = || {
        let inner = LIKE_AWS.iter().find_map(|ending| name.strip_suffix(ending))?;
        labels(inner).filter(|(_, label, _)| *label == "s3").last().and_then(|it| bucket(it.0))
    };
    elsewhere.or_else(like_aws)
}

fn without_port(host: &str) -> &str {
    let name = host.trim_end_matches(|end: char| end.is_ascii_digit());
    name.strip_suffix(':').unwrap_or(host)
}

/// Each label with what is before and behind it, without the dots.
fn labels(name: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let mut at = 0;
    name.split('.').map(move |label| {
        let before = name.get(..at.max(1) - 1).unwrap_or_default();
        at += label.len() + 1;
        (before, label, name.get(at..).unwrap_or_default())
    })
}

/// What is behind S3's label: other names there belong to other services.
fn is_place(behind: &str) -> bool {
    let region = behind.strip_prefix("dualstack.").or(behind.strip_suffix(".vpce"));
    let region = region.unwrap_or(behind);
    let ends_in_digit = region.bytes().last().is_some_and(|byte| byte.is_ascii_digit());
    behind.is_empty() || (ends_in_digit && region.contains('-') && !region.contains('.'))
}

/// What comes before S3's label. An endpoint in a VPC has labels of its own there
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/privatelink-interface-endpoints.html>).
fn bucket(before: &str) -> Option<&str> {
    let (outer, last) = before.rsplit_once('.').unwrap_or(("", before));
    let bucket = match last.starts_with("vpce-") {
        true => outer.rsplit_once('.').map_or("", |(bucket, _)| bucket),
        false => before,
    };
    (!bucket.is_empty()).then_some(bucket)
}

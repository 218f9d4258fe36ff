//! What is recognised, and what is not.

use super::s3::{Asked, Call, call};
use super::search::endpoint;
use super::{Api, Marks, product};

const S3: Option<Api> = Some(Api::S3 { copies: false });
const ELASTICSEARCH: Option<Api> = Some(Api::Elasticsearch);
const OPENSEARCH: Option<Api> = Some(Api::OpenSearch);

/// Of a request with these lines of fields.
fn marked(target: &str, host: &str, fields: &[&str]) -> Option<Api> {
    let mut marks = Marks::default();
    for field in fields {
        let (name, value) = field.split_once(": ").unwrap();
        marks.add(name, value.as_bytes());
    }
    marks.api(target, Some(host))
}

fn signed(scope: &str) -> String {
    format!("Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=a/b")
}

#[test]
fn clients_of_elasticsearch_are_told_by_their_marks() {
    for (field, api) in [
        ("User-Agent: elasticsearch-py/8.12.0 (Python/3.11.2)", ELASTICSEARCH),
        ("user-agent: elasticsearch-py/7.13.0 (Python 3.9.2)", ELASTICSEARCH),
        ("User-Agent: elastic-java/8.4.1 (Java/17.0.1)", ELASTICSEARCH),
        ("User-Agent: elasticsearch-java/7.17.0 (Java/11)", ELASTICSEARCH),
        ("User-Agent: go-elasticsearch/8.11.1 (linux amd64; Go 1.21)", ELASTICSEARCH),
        ("User-Agent: elasticsearch-js/8.10.0 (linux x64; Node.js v20)", ELASTICSEARCH),
        ("User-Agent: elastic-transport-ruby/8.0.0", ELASTICSEARCH),
        ("User-Agent: elastic-transport-python/8.1.0", ELASTICSEARCH),
        ("User-Agent: elasticsearch-php/8.0.0", ELASTICSEARCH),
        ("x-elastic-client-meta: es=8.12.0,py=3.11.2,t=8.12.0,ur=1.26", ELASTICSEARCH),
        ("X-Elastic-Client-Meta: esv=0.1.0,js=20.0.0", ELASTICSEARCH),
        ("Accept: application/vnd.elasticsearch+json; compatible-with=8", ELASTICSEARCH),
        ("content-type: application/vnd.elasticsearch+x-ndjson;compatible-with=8", ELASTICSEARCH),
        ("User-Agent: opensearch-py/2.4.2 (Python 3.11.2)", OPENSEARCH),
        ("User-Agent: opensearch-go/2.3.0 (linux amd64; Go 1.21)", OPENSEARCH),
        ("User-Agent: opensearch-js/2.5.0", OPENSEARCH),
        ("User-Agent: opensearch-java", OPENSEARCH),
    ] {
        assert_eq!(marked("/", "search:9200", &[field]), api, "{field}");
    }
    assert_eq!(product("X-elastic-product", b"Elasticsearch"), ELASTICSEARCH);
    assert_eq!(product("x-elastic-product", b"Kibana"), None);
    assert_eq!(product("x-product", b"Elasticsearch"), None);
}

#[test]
fn requests_of_s3_are_told_by_their_marks() {
    let scope = signed("AKIAX/20130524/us-east-1/s3/aws4_request");
    let regionless = signed("AKIAX/20130524/s3/aws4_request");
    let masked = "Authorization: ****************************/****/***/s3/aws4_request,***";
    for (target, host, fields) in [
        ("/b/k", "minio:9000", &[&*scope][..]),
        ("/b/k", "minio:9000", &[&regionless]),
        ("/b/k", "127.0.0.1:9000", &[masked]),
        ("/b/k", "minio", &["Authorization: *", "x-amz-content-sha256: *", "X-Amz-Date: *"]),
        ("/b/k", "minio", &["X-Amz-Content-SHA256: *", "Date: *"]),
        ("/b/k?X-Amz-Credential=A%2F2013%2Fus-east-1%2Fs3%2Faws4_request", "minio", &[]),
        ("/b/k?a=b&X-Amz-Credential=A/2013/us-east-1/s3/aws4_request&c=d", "minio", &[]),
        ("/", "s3.amazonaws.com", &[]),
        ("/", "s3.us-west-2.amazonaws.com:443", &[]),
        ("/", "s3-us-west-2.amazonaws.com", &[]),
        ("/k", "bucket.s3.amazonaws.com", &[]),
        ("/k", "bucket.s3.us-west-2.amazonaws.com", &[]),
        ("/k", "my.s3.bucket.s3-us-west-2.amazonaws.com", &[]),
        ("/k", "bucket.s3.dualstack.us-west-2.amazonaws.com", &[]),
        ("/k", "bucket.s3-accelerate.amazonaws.com", &[]),
        ("/k", "bucket.s3.cn-north-1.amazonaws.com.cn", &[]),
        ("/k", "b--x-s3.s3express-use1-az4.us-east-1.amazonaws.com", &[]),
        ("/k", "b.bucket.vpce-1a-5e.s3.us-east-1.vpce.amazonaws.com", &[]),
    ] {
        assert_eq!(marked(target, host, fields), S3, "{target} {host} {fields:?}");
    }
    let copies = marked("/b/k", "s3.amazonaws.com", &["x-amz-copy-source: /b/other"]);
    assert_eq!(copies, Some(Api::S3 { copies: true }));
}

#[test]
fn other_requests_are_none() {
    let [dynamo, lambda] = ["dynamodb", "lambda"]
        .map(|of| signed(&format!("AKIAX/20130524/us-east-1/{of}/aws4_request")));
    let hashed = ["x-amz-content-sha256: a", "x-amz-date: b"];
    let [hash, date] = hashed;
    for (target, host, fields) in [
        ("/users/_search", "api:8080", &[][..]),
        ("/users/_search", "api", &["Accept: application/json"]),
        ("/", "api", &["Accept: application/vnd.github+json"]),
        ("/", "api", &["User-Agent: curl/8.0"]),
        ("/", "api", &["User-Agent: elasticsearch-proxy/1.0"]),
        ("/", "api", &["User-Agent: opensearch"]),
        ("/", "api", &["User-Agent: opensearch-dashboards/2.0"]),
        ("/", "api", &["User-Agent: my-elasticsearch-py/1.0"]),
        ("/", "api", &["User-Agent: elasticsearch-pyre/1.0"]),
        ("/", "api", &["X-Elastic-Client-Meta: ent=8.1.0,py=3.10"]),
        ("/", "api", &["X-Client-Meta: es=8.1.0"]),
        ("/?agent=elasticsearch-py/8.0", "elasticsearch-py", &[]),
        ("/s3/aws4_request", "api", &[]),
        ("/b/k", "s3.example.com", &[]),
        ("/b/k", "amazonaws.com", &[]),
        ("/b/k", "s3.amazonaws.com.example.com", &[]),
        ("/b/k", "fakes3.amazonaws.com", &[]),
        ("/b/k", "bucket.s3-website-us-east-1.amazonaws.com", &[]),
        ("/b/k", "1234.s3-control.us-east-1.amazonaws.com", &hashed),
        ("/b/k", "s3-proxy-1234.us-east-1.elb.amazonaws.com", &[]),
        ("/b/k", "s3.eu-1.elasticbeanstalk.amazonaws.com", &[]),
        ("/2015/functions", "lambda.us-east-1.amazonaws.com", &hashed),
        ("/2015/functions", "localhost:4566", &[&*lambda, hash, date]),
        ("/", "localhost:4566", &[&*dynamo, hash, date]),
        ("/", "localhost:4566", &["X-Amz-Target: DynamoDB_20120810.GetItem", hash, date]),
        ("/", "api", &[hash]),
        ("/", "api", &[date]),
        ("/", "api", &["Authorization: Bearer s3/aws4_request.x"]),
        ("/", "api", &["Authorization: Basic eA=="]),
        ("/", "api", &["Authorization: aws4_request"]),
        ("/", "api", &["Authorization: A/2013/us-east-1/xs3/aws4_request"]),
        ("/?X-Amz-Credential=A%2F2013%2Fus-east-1%2Fsqs%2Faws4_request", "api", &[]),
        ("/?X-Amz-Credential=****", "api", &[]),
    ] {
        assert_eq!(marked(target, host, fields), None, "{target} {host} {fields:?}");
    }
}

#[test]
fn endpoints_have_their_ids() {
    for (request, operation, index) in [
        ("GET /", "info", None),
        ("HEAD /", "ping", None),
        ("POST /products/_search", "search", Some("products")),
        ("GET /products/_search/", "search", Some("products")),
        ("POST /_search", "search", None),
        ("POST /a,b/_search", "search", None),
        ("POST /a%2Cb/_search", "search", None),
        ("POST /logs-*/_search", "search", None),
        ("POST /_all/_count", "count", None),
        ("GET /%3Clogs-%7Bnow%2Fd%7D%3E/_search", "search", None),
        ("POST /remote:logs/_search", "search", Some("remote:logs")),
        ("POST /_search/scroll", "scroll", None),
        ("DELETE /_search/scroll", "clear_scroll", None),
        ("POST /_msearch", "msearch", None),
        ("POST /_bulk", "bulk", None),
        ("PUT /orders/_bulk", "bulk", Some("orders")),
        ("POST /orders/_doc", "index", Some("orders")),
        ("PUT /orders/_doc/1", "index", Some("orders")),
        ("PUT /orders/_create/1", "create", Some("orders")),
        ("GET /orders/_doc/1", "get", Some("orders")),
        ("HEAD /orders/_doc/1", "exists", Some("orders")),
        ("DELETE /orders/_doc/a%2Fb", "delete", Some("orders")),
        ("POST /orders/_update/1", "update", Some("orders")),
        ("POST /orders/_mget", "mget", Some("orders")),
        ("POST /orders/_delete_by_query", "delete_by_query", Some("orders")),
        ("PUT /orders", "indices.create", Some("orders")),
        ("HEAD /orders", "indices.exists", Some("orders")),
        ("DELETE /orders", "indices.delete", Some("orders")),
        ("POST /orders/_refresh", "indices.refresh", Some("orders")),
        ("PUT /orders/_mapping", "indices.put_mapping", Some("orders")),
        ("GET /_cluster/health", "cluster.health", None),
        ("GET /_cat/indices", "cat.indices", None),
        ("GET /_cat/indices/orders", "cat.indices", Some("orders")),
        ("GET /_nodes/_all/http", "nodes.info", None),
        ("GET /_nodes/stats/jvm", "nodes.stats", None),
        ("PUT /_index_template/logs", "indices.put_index_template", None),
        ("POST /_query", "esql.query", None),
    ] {
        let (method, path) = request.split_once(' ').unwrap();
        let found = endpoint(method, path).unwrap();
        assert_eq!((found.operation, found.index.as_deref()), (operation, index), "{request}");
    }
}

#[test]
fn other_paths_are_no_endpoints_of_their_own() {
    let paths = [
        "GET /users",
        "PUT /users",
        "DELETE /users",
        "HEAD /users",
        "GET /",
        "GET /search",
        "GET /users/search",
        "POST /users/1/_search",
        "DELETE /users/_search",
        "POST /api/users/_search",
        "POST /users/_searches",
        "POST /users/_search/1/2",
        "GET /_bulk",
        "POST /_doc",
        "PATCH /users/_doc/1",
        "GET /users/_doc/",
        "GET /_next/static",
        "GET /_health",
        "GET /_cat/dogs",
        "GET /users/_id",
        "get /users/_search",
        "POST //_search",
        "GET",
    ];
    for request in paths {
        let (method, path) = request.split_once(' ').unwrap_or((request, ""));
        assert!(endpoint(method, path).is_none_or(|found| !found.own), "{request}");
    }
    assert!(endpoint("POST", "/users/_search").unwrap().own);
}

fn asked(request: &str, host: &str, copies: bool) -> Call {
    let (method, target) = request.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').map_or((target, None), |(a, b)| (a, Some(b)));
    call(Asked { method, host: Some(host), path, query, copies })
}

#[test]
fn operations_of_s3_have_their_names() {
    const VIRTUAL: &str = "b.s3.us-east-1.amazonaws.com";
    const PATHS: &str = "minio:9000";
    for (request, host, operation) in [
        ("GET /", PATHS, "ListBuckets"),
        ("GET /?x-id=ListBuckets", "s3.us-east-1.amazonaws.com", "ListBuckets"),
        ("GET /b", PATHS, "ListObjects"),
        ("GET /b/?list-type=2&prefix=a", PATHS, "ListObjectsV2"),
        ("GET /?list-type=2", VIRTUAL, "ListObjectsV2"),
        ("GET /b?location", PATHS, "GetBucketLocation"),
        ("GET /b?location=", PATHS, "GetBucketLocation"),
        ("GET /?uploads", VIRTUAL, "ListMultipartUploads"),
        ("GET /?versions", VIRTUAL, "ListObjectVersions"),
        ("GET /?metrics&id=1", VIRTUAL, "GetBucketMetricsConfiguration"),
        ("PUT /b", PATHS, "CreateBucket"),
        ("PUT /", VIRTUAL, "CreateBucket"),
        ("PUT /?policy", VIRTUAL, "PutBucketPolicy"),
        ("HEAD /b", PATHS, "HeadBucket"),
        ("DELETE /b", PATHS, "DeleteBucket"),
        ("POST /b?delete", PATHS, "DeleteObjects"),
        ("GET /b/k", PATHS, "GetObject"),
        ("GET /k?x-id=GetObject", VIRTUAL, "GetObject"),
        ("GET /b/k?versionId=3&response-content-type=acl", PATHS, "GetObject"),
        ("GET /k?uploadId=3", VIRTUAL, "ListParts"),
        ("GET /k?tagging", VIRTUAL, "GetObjectTagging"),
        ("HEAD /k", VIRTUAL, "HeadObject"),
        ("PUT /b/k", PATHS, "PutObject"),
        ("PUT /k?partNumber=2&uploadId=3", VIRTUAL, "UploadPart"),
        ("POST /k?uploads", VIRTUAL, "CreateMultipartUpload"),
        ("POST /k?uploadId=3", VIRTUAL, "CompleteMultipartUpload"),
        ("DELETE /k?uploadId=3", VIRTUAL, "AbortMultipartUpload"),
        ("DELETE /b/k", PATHS, "DeleteObject"),
        ("POST /k?select&select-type=2", VIRTUAL, "SelectObjectContent"),
    ] {
        let found = asked(request, host, false);
        assert_eq!(found.operation, Some(operation), "{request} {host}");
        let bucket = if operation == "ListBuckets" { None } else { Some("b") };
        assert_eq!(found.bucket.as_deref(), bucket, "{request} {host}");
    }
    for (request, operation) in
        [("PUT /b/k", "CopyObject"), ("PUT /b/k?partNumber=1&uploadId=2", "UploadPartCopy")]
    {
        assert_eq!(asked(request, PATHS, true).operation, Some(operation));
    }
    for request in ["POST /", "PUT /", "DELETE /", "POST /b", "POST /b/k", "PATCH /b/k"] {
        assert_eq!(asked(request, PATHS, false).operation, None, "{request}");
    }
}

#[test]
fn buckets_and_keys_are_found_in_paths_and_hosts() {
    for (target, host, bucket, key) in [
        ("/b/a/b%20c.txt", "minio", Some("b"), Some("a/b c.txt")),
        ("/b/", "10.0.0.1:9000", Some("b"), None),
        ("/", "s3.amazonaws.com", None, None),
        ("/b/k", "[::1]:9000", Some("b"), Some("k")),
        ("/b/k", "minio.s3.svc.cluster.local:9000", Some("b"), Some("k")),
        ("/a/k", "my.s3.bucket.s3.eu-west-1.amazonaws.com", Some("my.s3.bucket"), Some("a/k")),
        ("/k", "b.bucket.vpce-1a-5e.s3.us-east-1.vpce.amazonaws.com", Some("b"), Some("k")),
        ("/b/k", "bucket.vpce-1a.s3.us-east-1.vpce.amazonaws.com", Some("b"), Some("k")),
        ("/k", "b.nyc3.digitaloceanspaces.com", Some("b"), Some("k")),
        ("/b/k", "nyc3.digitaloceanspaces.com", Some("b"), Some("k")),
        ("/b/k", "account.r2.cloudflarestorage.com", Some("b"), Some("k")),
        ("/k", "b.storage.googleapis.com", Some("b"), Some("k")),
        ("/k", "b.s3.eu-central-1.wasabisys.com", Some("b"), Some("k")),
        ("/b/k", "s3.wasabisys.com", Some("b"), Some("k")),
        ("/k", "b.s3.localhost.localstack.cloud:4566", Some("b"), Some("k")),
    ] {
        let found = asked(&format!("GET {target}"), host, false);
        assert_eq!((found.bucket.as_deref(), found.key.as_deref()), (bucket, key), "{host}");
    }
    let part = asked("PUT /b/k?partNumber=7&uploadId=a%2Bb", "minio", false);
    assert_eq!((part.part_number, part.upload.as_deref()), (Some(7), Some("a+b")));
}

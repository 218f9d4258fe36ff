use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{Context, Found, Headers, hash, span_id, wide};

fn read(value: &str) -> Found {
    let mut headers = Headers::default();
    headers.add("SW8", value.as_bytes());
    headers.read()
}

fn header(sample: &str, trace: &str, segment: &str, span: &str) -> String {
    let [trace, segment] = [trace, segment].map(|id| BASE64_STANDARD.encode(id));
    let rest = ["shop", "shop-1", "/order", "10.0.0.1:80"].map(|text| BASE64_STANDARD.encode(text));
    format!("{sample}-{trace}-{segment}-{span}-{}", rest.join("-"))
}

fn context(value: &str) -> Context {
    let Found::Context(context) = read(value) else { panic!("{value}") };
    context
}

const JAVA: &str = "a4ec6fc8ccab4bb4b682064698cc97e6.74.16218381104550009";

/// A header of the Java agent, as an article on the protocol shows it
/// (<https://juejin.cn/post/7065560196461887502>).
#[test]
fn a_java_agents_header() {
    let real = context(
        "1-YTRlYzZmYzhjY2FiNGJiNGI2ODIwNjQ2OThjYzk3ZTYuNzQuMTYyMTgzODExMDQ1NTAwMDk=-\
         YTRlYzZmYzhjY2FiNGJiNGI2ODIwNjQ2OThjYzk3ZTYuNzQuMTYyMTgzODExMDQ1NTAwMDg=-2-\
         b25lbW9yZS1h-ZTFkMmZiYjYzYmJhNDMwNDk5YWY4OTVjMDQwZTMyZmVAMTkyLjE2OC4xLjEwMQ==-\
         L29uZW1vcmUtYS9nZXQ=-MTkyLjE2OC4xLjEwMjo4MA==",
    );
    assert_eq!(real.name.as_deref(), Some(JAVA));
    assert_eq!(real.sampled, Some(true));
    // 74 is 0x4a; 16218381104550009 is 0x399e881c919079.
    let uuid = 0xa4ec_6fc8_ccab_4bb4_b682_0646_98cc_97e6_u128;
    let mask = (0x4a00_0000_u128 << 64) | 0x7990_911c_889e_3900;
    assert_eq!(u128::from_be_bytes(real.trace_id), uuid ^ mask);
    let segment = uuid ^ (0x4a00_0000_u128 << 64) ^ 0x7890_911c_889e_3900 ^ (0x0200_0000 << 96);
    let folded = (segment >> 64) as u64 ^ segment as u64;
    assert_eq!(real.span_id, Some(folded.to_be_bytes()));
}

/// A header of the Python agent (apache-skywalking 1.2.0), as it sent it.
#[test]
fn a_python_agents_header() {
    let real = context(
        "1-M2MwM2QxOTJlNWNlMTFmMThhMWQwMmZjMDAwMDAwMDE=-\
         M2MwM2NmNzZlNWNlMTFmMThhMWQwMmZjMDAwMDAwMDE=-1-c2hvcA==-c2hvcC0x-L3N3-\
         MTI3LjAuMC4xOjI0Nzkw",
    );
    let (trace, segment) = ("3c03d192e5ce11f18a1d02fc00000001", "3c03cf76e5ce11f18a1d02fc00000001");
    assert_eq!(real.name.as_deref(), Some(trace));
    assert_eq!(u128::from_be_bytes(real.trace_id), u128::from_str_radix(trace, 16).unwrap());
    assert_eq!(real.span_id, Some(span_id(segment, 1)));
}

#[test]
fn ids_of_other_agents() {
    let plain = "de5980b8fce34a37aab9b4ac3af7eedd";
    let dashed = "de5980b8-fce3-4a37-aab9-b4ac3af7eedd";
    assert_eq!(u128::from_be_bytes(wide(plain)), 0xde59_80b8_fce3_4a37_aab9_b4ac_3af7_eedd);
    assert_eq!(wide(dashed), wide(plain));
    assert_ne!(span_id(plain, 0), span_id(plain, 1));
    // Rust's agent writes a number; and anything may stand there.
    for text in
        ["295435614623478295843752834752834752345", "order 7", "x.1.2", JAVA.trim_end_matches('9')]
    {
        assert_ne!(wide(text), [0; 16]);
    }
    assert_eq!(wide("x.1.2"), hash(b"x.1.2"));
    // The draft's test vector of "foobar".
    assert_eq!(u128::from_be_bytes(hash(b"foobar")), 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18);
}

#[test]
fn sampling() {
    assert_eq!(context(&header("0", JAVA, JAVA, "0")).sampled, Some(false));
    assert_eq!(read(&header("2", JAVA, JAVA, "0")), Found::Malformed);
}

#[test]
fn malformed() {
    let long = "x".repeat(257);
    let whole = header("1", JAVA, JAVA, "0");
    for value in [
        "",
        "1",
        "1-a",
        &header("1", "", JAVA, "0"),
        &header("1", JAVA, "", "0"),
        &header("1", JAVA, JAVA, ""),
        &header("1", JAVA, JAVA, "-1"),
        &header("1", JAVA, JAVA, "4294967296"),
        &header("1", "a b", JAVA, "0"),
        &header("1", &long, JAVA, "0"),
        &header("1", &"0".repeat(32), JAVA, "0"),
        &format!("{whole}-x"),
        whole.rsplit_once('-').unwrap().0,
        &whole.replace('=', "?"),
        &format!("{whole}{}", "x".repeat(2048)),
    ] {
        assert_eq!(read(value), Found::Malformed, "{value}");
    }
    assert_eq!(context(&whole.replace('=', "")).name.as_deref(), Some(JAVA));
    let mut twice = Headers::default();
    (0..2).for_each(|_| twice.add("sw8", whole.as_bytes()));
    assert_eq!(twice.read(), Found::Malformed);
}

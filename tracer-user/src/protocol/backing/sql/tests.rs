//! Statements by others and our own, and what is no statement at all.

use std::path::PathBuf;

use super::{Described, Quotes, describe, readable};
use crate::protocol::backing::Text;
use crate::protocol::backing::call::MAX_TEXT;

fn mysql(sql: &str) -> Described {
    describe(sql, Quotes::Strings, false, Text::Redacted)
}

fn standard(sql: &str) -> Described {
    describe(sql, Quotes::Identifiers, false, Text::Redacted)
}

fn text(described: &Described) -> &str {
    described.text.text.as_deref().expect("a text")
}

fn summary(described: &Described) -> &str {
    described.text.summary.as_deref().unwrap_or_default()
}

/// What OpenTelemetry's instrumentation of Java makes of statements, as its tests have it: what comes
/// out differently here, by its text.
const DIFFERENT: [&str; 2] = [
    // There, the rest of a list is not read if it begins with a union in parentheses.
    "SELECT * FROM (t UNION SELECT * FROM t2), t3",
    // A number in a comment may be a value that was commented out.
    "SELECT --83",
];

#[test]
fn statements_come_out_as_those_of_opentelemetry_java() {
    let folder = std::env::var_os("TRACER_CORPORA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/corpora")),
        PathBuf::from,
    );
    let path = folder.join("facts_otel_java.jsonl");
    let lines = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let (mut cases, mut different) = (0, vec![]);
    for line in lines.lines() {
        let fact: serde_json::Value = serde_json::from_str(line).expect("JSON");
        if !fact["area"].as_str().is_some_and(|area| area.starts_with("sql")) {
            continue;
        }
        cases += 1;
        let (input, expected) = (fact["input"].as_str().unwrap_or_default(), &fact["expected"]);
        // To MySQL, a comment begins with `--` only before white space.
        let described = if input.contains("--") { standard(input) } else { mysql(input) };
        let procedure = &expected["stored_procedure"];
        let (query, short) = match procedure.is_null() {
            true => (expected["query_text"].as_str(), expected["summary"].as_str()),
            false => (Some(input), procedure[3].as_str()),
        };
        let query = if fact["input"].is_null() { Some("") } else { query };
        if (query, short) != (described.text.text.as_deref(), described.text.summary.as_deref()) {
            println!("{input}\n  {query:?} {short:?}\n  {described:?}");
            different.push(input.to_owned());
        }
    }
    println!("{cases} cases, {} different", different.len());
    assert!(cases > 200);
    assert_eq!(different, DIFFERENT);
}

#[test]
fn quotes_are_those_of_the_dialect() {
    let described =
        standard(r#"SELECT "a b" FROM "T" WHERE x = 'it''s' AND y = '\' AND z = E'\'z'"#);
    assert_eq!(text(&described), r#"SELECT "a b" FROM "T" WHERE x = ? AND y = ? AND z = ?"#);
    assert_eq!(described.collection.as_deref(), Some(r#""T""#));
    let described =
        mysql("SELECT `a` FROM t WHERE x = \"it's\" AND y = '\\' z' # it's\n AND k = 1");
    assert_eq!(text(&described), "SELECT `a` FROM t WHERE x = ? AND y = ? ? AND k = ?");
    assert_eq!(
        text(&standard("SELECT a #> '{1}', b[1], ARRAY[x, 2]")),
        "SELECT a #> ?, b[?], ARRAY[x, ?]"
    );
    assert_eq!(text(&mysql("/*!40101 SET NAMES 'x' */")), "/*!40101 SET NAMES ? */");
    assert_eq!(text(&mysql("/*M!100101 SET NAMES 'x' */")), "/*M!100101 SET NAMES ? */");
    assert_eq!(
        text(&standard("SELECT $f$ it's $$ $f$, $1, :name, x::int - 1")),
        "SELECT ?, $1, :name, x::int - ?"
    );
}

#[test]
fn settings_say_whether_a_backslash_escapes() {
    let sql = r"SELECT 'C:\' AND x = 'secret' -- '";
    for (quotes, expected) in [
        (Quotes::Identifiers, "SELECT ? AND x = ? ?"),
        (Quotes::StringsUnescaped, "SELECT ? AND x = ? ?"),
    ] {
        assert_eq!(text(&describe(sql, quotes, false, Text::Redacted)), expected);
    }
    let sql = r"SELECT 'it\'s', 'secret'";
    for quotes in [Quotes::IdentifiersEscaped, Quotes::Strings] {
        assert_eq!(text(&describe(sql, quotes, false, Text::Redacted)), "SELECT ?, ?");
    }
}

#[test]
fn comments_end_where_the_server_ends_them() {
    assert_eq!(text(&mysql("SET a=bal--5, name='secret'")), "SET a=bal-?, name=?");
    assert_eq!(text(&mysql("SELECT 1 --\t'\n, 'x' --")), "SELECT ? ? , ? --");
    assert_eq!(text(&standard("SELECT /* a /* b */ c */ 'x'")), "SELECT /* a /* b */ c */ ?");
    assert_eq!(text(&mysql("SELECT /* a /* b */ 'x'")), "SELECT /* a /* b */ ?");
    assert_eq!(text(&standard("SELECT -- a\r'x'")), "SELECT -- a ?");
    assert_eq!(text(&standard("/*! it's */ SELECT 'x'")), "/* ? */ SELECT ?");
}

#[test]
fn comments_with_values_are_not_told() {
    for (sql, expected) in [
        ("SELECT 1 /* traceparent='00-1' */", "SELECT ? /* ? */"),
        ("SELECT 1 -- user=bob", "SELECT ? /* ? */"),
        ("SELECT 1 -- for 12345", "SELECT ? -- for ?"),
        ("SELECT 1 -- 2024.4.7, A-12.", "SELECT ? -- ?.?, A-?."),
        ("SELECT 1 /* from table2 */", "SELECT ? /* from table2 */"),
        ("SELECT 1 /*1*/", "SELECT ? /*?*/"),
    ] {
        assert_eq!((text(&standard(sql)), text(&mysql(sql))), (expected, expected));
    }
}

#[test]
fn a_string_with_escapes_keeps_them_on_further_lines() {
    for between in ["\n", " \r\n\t", "\n -- it's\n"] {
        let sql = format!(r"SELECT E'a'{between}'b\'c', 'secret'");
        assert_eq!(text(&standard(&sql)), "SELECT ?, ?");
    }
    assert_eq!(text(&standard(r"SELECT E'a' 'b\', 'x'")), "SELECT ? ?, ?");
}

#[test]
fn what_may_be_no_utf8_is_hidden_from_the_first_quote_on() {
    // GBK: two bytes are a character, of which the second one is a backslash, a backtick.
    for sql in [&b"select a, '\xd5\x5c', 'secret'"[..], b"select a, '\xc4\x60', 'secret', '`'"] {
        for quotes in [Quotes::Strings, Quotes::IdentifiersEscaped] {
            let described = describe(&readable(sql), quotes, false, Text::Redacted);
            assert_eq!(text(&described), "select a, ?");
        }
    }
    assert_eq!(readable(b"select '\xd5\xd5', '\\'"), "select '\u{fffd}\u{fffd}', '\\'");
}

#[test]
fn passwords_are_never_told() {
    for sql in [
        "CREATE USER bob IDENTIFIED BY 'secret'",
        "ALTER ROLE bob PASSWORD 'secret'",
        "SET PASSWORD FOR bob = 'secret'",
        "SELECT 1; GRANT ALL ON *.* TO bob IDENTIFIED BY 'secret'",
        "CHANGE MASTER TO MASTER_USER='bob', MASTER_PASSWORD='secret'",
        "SELECT * FROM users WHERE `password` = 'secret'",
        "CREATE USER MAPPING FOR bob SERVER s OPTIONS (user 'bob', password 'secret')",
    ] {
        for quotes in [Quotes::Strings, Quotes::Identifiers] {
            let described = describe(sql, quotes, false, Text::Full);
            assert!(!text(&described).contains("secret"), "{described:?}");
        }
    }
    let sql = "SELECT password FROM users WHERE name = 'bob' -- 1";
    assert_eq!(text(&describe(sql, Quotes::Strings, false, Text::Full)), sql);
}

#[test]
fn lists_of_values_become_one() {
    assert_eq!(text(&standard("x IN (?, ?,?) AND y in (1)")), "x IN (?) AND y in (?)");
    assert_eq!(text(&standard("x IN ($1, $2) OR y IN (a, 1)")), "x IN ($1, $2) OR y IN (a, ?)");
    let cut = describe("x IN (1, 2, 3", Quotes::Identifiers, true, Text::Redacted);
    assert_eq!(text(&cut), "x IN (? ...");
}

#[test]
fn what_was_cut_keeps_no_half_value_and_no_half_name() {
    for (sql, expected, short) in [
        (
            "SELECT * FROM users WHERE name = 'Mau",
            "SELECT * FROM users WHERE name = ? ...",
            "SELECT users",
        ),
        ("SELECT * FROM use", "SELECT * FROM use ...", "SELECT"),
        ("SELECT $a$ Mau $a", "SELECT ? ...", "SELECT"),
        ("SELECT \"Mau", "SELECT ? ...", "SELECT"),
    ] {
        for quotes in [Quotes::Identifiers, Quotes::Strings] {
            let described = describe(sql, quotes, true, Text::Redacted);
            assert_eq!((text(&described), summary(&described)), (expected, short), "{quotes:?}");
        }
    }
    let long = format!("SELECT '{}'", "ä".repeat(MAX_TEXT));
    let full = describe(&long, Quotes::Strings, false, Text::Full);
    assert!(text(&full).len() <= MAX_TEXT + 4 && text(&full).ends_with("ä ..."));
    assert_eq!(text(&mysql(&long)), "SELECT ?");
    let off = describe("SELECT 1 FROM t", Quotes::Strings, false, Text::Off);
    assert_eq!((off.text.text.as_deref(), summary(&off)), (None, "SELECT t"));
}

#[test]
fn summaries_name_what_is_done_to_which_tables() {
    for (sql, short, operation, collection) in [
        ("UPDATE a SET x = 1 FROM b WHERE TRIM(y FROM z) = 'q'", "UPDATE a b", "UPDATE", None),
        (
            "SELECT EXTRACT(YEAR FROM t) FROM x WHERE a IS DISTINCT FROM b",
            "SELECT x",
            "SELECT",
            Some("x"),
        ),
        ("SELECT a IS DISTINCT FROM b FROM s.x y", "SELECT s.x", "SELECT", Some("s.x")),
        ("select * from generate_series(1, 2) g, t", "select t", "SELECT", Some("t")),
        ("DELETE FROM a USING b WHERE a.x = b.x", "DELETE a b", "DELETE", None),
        ("SELECT * FROM a JOIN a USING (id)", "SELECT a a", "SELECT", Some("a")),
        ("CREATE UNIQUE INDEX CONCURRENTLY i ON t (x)", "CREATE INDEX i", "CREATE", None),
        ("COPY t (a, b) FROM STDIN", "COPY t", "COPY", Some("t")),
        ("SET NAMES utf8", "SET", "SET", None),
        (
            "INSERT INTO t WITH x AS (SELECT 1 FROM u) SELECT * FROM x",
            "INSERT t SELECT u SELECT",
            "INSERT",
            None,
        ),
        (
            "INSERT INTO t (a) VALUES (1) ON CONFLICT DO UPDATE SET a = 2",
            "INSERT t",
            "INSERT",
            Some("t"),
        ),
        ("EXPLAIN (ANALYZE, BUFFERS) DELETE FROM t", "EXPLAIN DELETE t", "EXPLAIN", Some("t")),
        ("(SELECT a FROM t) UNION (SELECT a FROM u)", "SELECT t SELECT u", "SELECT", None),
        ("ALTER USER 'bob'@'%' IDENTIFIED WITH x BY 'y'", "ALTER USER", "ALTER", None),
    ] {
        for described in [standard(sql), mysql(sql)] {
            assert_eq!(summary(&described), short, "{sql}");
            assert_eq!(described.operation.as_deref(), Some(operation), "{sql}");
            assert_eq!(described.collection.as_deref(), collection, "{sql}");
        }
    }
    let tables: Vec<_> = (0..100).map(|table| format!("table_{table}")).collect();
    let described = standard(&format!("SELECT * FROM {}", tables.join(", ")));
    let short = summary(&described);
    assert!(
        (240..=255).contains(&short.len()) && tables.iter().any(|table| short.ends_with(table))
    );
}

/// Draws numbers by a fixed rule.
struct Draw(u64);

impl Draw {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap_or_default() % below
    }
}

#[test]
fn whatever_comes_is_described_soon_and_without_growing() {
    const PIECES: [&str; 41] = [
        "SELECT",
        "FROM",
        "(",
        ")",
        "IN",
        "IN (",
        "'",
        "\"",
        "`",
        "$$",
        "$a$",
        "$",
        "--",
        "/*",
        "*/",
        "\n",
        " ",
        ",",
        ";",
        "1",
        "-",
        ".",
        "e'",
        "[",
        "]",
        "\\",
        "ä",
        "©",
        "#",
        "t",
        "@",
        "PASSWORD",
        "CREATE USER",
        "IDENTIFIED BY",
        "WITH",
        "AS",
        "JOIN",
        "/*!",
        "=",
        "0x",
        ":1",
    ];
    let mut draw = Draw(7);
    for _ in 0..20_000 {
        let length = draw.next(30);
        let sql: String = (0..length).map(|_| PIECES[draw.next(PIECES.len())]).collect();
        for quotes in [Quotes::Identifiers, Quotes::Strings] {
            let described = describe(&sql, quotes, draw.next(2) == 0, Text::Redacted);
            assert!(text(&described).len() <= sql.len() + 4, "{sql:?}: {described:?}");
        }
    }
    for piece in PIECES {
        let long = piece.repeat(100_000 / piece.len());
        let begin = std::time::Instant::now();
        let _ = (standard(&long), mysql(&long));
        assert!(begin.elapsed().as_secs() < 2, "{piece}");
    }
}

#[test]
fn every_beginning_of_a_statement_keeps_its_values_to_itself() {
    let sql = "INSERT INTO t VALUES ('SECRET', \"SECRET\", $$SECRET$$, E'a\\'SECRET', 'x''SECRET')";
    for end in 0..=sql.len() {
        let described = describe(&sql[..end], Quotes::Strings, true, Text::Redacted);
        assert!(!text(&described).contains("SECRET"), "{described:?}");
    }
}

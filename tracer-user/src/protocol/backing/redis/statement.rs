//! A command's text, written while its arguments pass.

use super::rules::{Rule, known};
use super::stream::Place;
use crate::protocol::backing::call::MAX_TEXT;
use crate::protocol::backing::{Call, CallText, System, Text};
use std::borrow::Cow;

/// Longest name of a command.
pub(super) const MAX_NAME: usize = 32;

/// As much of the first arguments as tells what a command does to the connection.
const MAX_WORD: usize = 16;

/// Whether a command may be called this.
pub(super) fn is_name(name: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    (1..=MAX_NAME).contains(&name.len()) && name.iter().all(plain)
}

/// A command as far as it has passed.
#[derive(Debug)]
pub(super) struct Statement {
    how: Text,
    name: Cow<'static, str>,
    rule: Rule,
    /// Arguments that have come.
    come: u32,
    /// The first of them, in upper case; of those commands that are looked into.
    words: [String; 2],
    /// So many arguments to come are secrets.
    secrets: u32,
    /// How many keys a script gets.
    keys: u32,
    /// What the next argument of `XADD` is.
    place: Place,
    text: String,
    cut: bool,
}

impl Statement {
    /// By this name, if it can be one.
    pub(super) fn new(name: &[u8], how: Text) -> Option<Self> {
        let upper = std::str::from_utf8(name).ok().filter(|_| is_name(name))?.to_ascii_uppercase();
        let (name, rule) = match known(&upper) {
            Some((name, rule)) => (Cow::Borrowed(name), rule),
            None => (Cow::Owned(upper), Rule::First(0)),
        };
        let text = name.to_string();
        let words = [const { String::new() }; 2];
        Some(Self {
            how,
            name,
            rule,
            come: 0,
            words,
            secrets: 0,
            keys: 0,
            place: Place::default(),
            text,
            cut: false,
        })
    }

    /// In upper case.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Its first two arguments, in upper case, and cut if they are long: of commands that change what
    /// those behind them mean.
    pub(super) fn words(&self) -> [&str; 2] {
        self.words.each_ref().map(String::as_str)
    }

    /// How many arguments have come.
    pub(super) fn arguments(&self) -> u32 {
        self.come
    }

    /// The next argument, of which `value` is what is known.
    pub(super) fn argument(&mut self, value: &[u8], whole: bool) {
        let index = self.come;
        self.come = index.saturating_add(1);
        if matches!(self.name.as_ref(), "ACL" | "CLIENT" | "CONFIG" | "SELECT")
            && let Some(word) = self.words.get_mut(index as usize)
        {
            let value = value.get(..MAX_WORD).unwrap_or(value);
            *word = String::from_utf8_lossy(value).to_ascii_uppercase();
        }
        let secret = self.is_secret(index, value);
        if self.how == Text::Off || self.cut {
            return;
        }
        self.write(' ');
        if secret || self.how == Text::Redacted && !self.is_kept(index, value) {
            self.write('?');
            return;
        }
        for part in value.utf8_chunks() {
            part.valid().chars().for_each(|c| self.write(c));
            part.invalid().iter().for_each(|byte| self.escape(*byte));
        }
        self.cut |= !whole;
    }

    /// Whether it is one, whatever else may be told.
    fn is_secret(&mut self, index: u32, value: &[u8]) -> bool {
        if self.secrets > 0 {
            self.secrets -= 1;
            return true;
        }
        let first = self.words().first().copied().unwrap_or_default();
        match self.name.as_ref() {
            "AUTH" => true,
            "ACL" => first == "SETUSER" && index > 1,
            "CONFIG" => first == "SET" && index > 1 && index.is_multiple_of(2),
            "SENTINEL" => index > 2,
            "HELLO" if value.eq_ignore_ascii_case(b"AUTH") => {
                self.secrets = 2;
                false
            }
            "MIGRATE" if index > 4 => {
                let words = [&b""[..], b"AUTH", b"AUTH2"];
                let which = words.iter().position(|word| value.eq_ignore_ascii_case(word));
                self.secrets = which.unwrap_or_default() as u32;
                false
            }
            _ => false,
        }
    }

    fn is_kept(&mut self, index: u32, value: &[u8]) -> bool {
        match self.rule {
            Rule::All => true,
            Rule::First(kept) => index < kept,
            Rule::Pairs(kept) => index < kept || (index - kept).is_multiple_of(2),
            Rule::Script => {
                if index == 1 {
                    let keys = std::str::from_utf8(value).ok().and_then(|keys| keys.parse().ok());
                    self.keys = keys.unwrap_or(0);
                }
                index < self.keys.saturating_add(2)
            }
            Rule::Stream => {
                let (kept, next) = self.place.take(value);
                self.place = next;
                kept
            }
            // The second argument is a flag, or the first number.
            Rule::Places => match index {
                0 => true,
                1 => std::str::from_utf8(value).is_ok_and(|text| text.parse::<f64>().is_err()),
                _ => [&b"NX"[..], b"XX", b"CH"].iter().any(|flag| value.eq_ignore_ascii_case(flag)),
            },
            Rule::Range => !matches!(value.first(), Some(b'[' | b'(')),
        }
    }

    /// The rest of it was not seen.
    pub(super) fn cut(&mut self) {
        self.cut = true;
    }

    fn write(&mut self, c: char) {
        if c.is_control() && c.is_ascii() {
            self.escape(c as u8);
        } else if self.text.len() + c.len_utf8() > MAX_TEXT {
            self.cut = true;
        } else if !self.cut {
            self.text.push(c);
        }
    }

    fn escape(&mut self, byte: u8) {
        let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('?');
        ['\\', 'x', digit(byte >> 4), digit(byte & 15)].into_iter().for_each(|c| self.write(c));
    }

    /// All of it has passed.
    pub(super) fn call(self, namespace: Option<String>) -> Call {
        let mark = if self.cut { "..." } else { "" };
        let text = (self.how != Text::Off).then(|| self.text + mark);
        let text = CallText { text, summary: Some(self.name.to_string()) };
        Call { operation: Some(self.name), text, namespace, ..Call::new(System::Redis) }
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_TEXT, Statement, is_name};
    use crate::protocol::backing::Text;

    fn text(how: Text, words: &[&str]) -> Option<String> {
        let (name, arguments) = words.split_first()?;
        let mut statement = Statement::new(name.as_bytes(), how)?;
        arguments.iter().for_each(|argument| statement.argument(argument.as_bytes(), true));
        statement.call(None).text.text
    }

    /// Cases by the tests of OpenTelemetry's Java agent.
    #[test]
    fn commands_are_redacted_as_opentelemetrys_java_agent_does() {
        let folder = std::env::var("TRACER_CORPORA").unwrap_or_else(|_| {
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/corpora").to_owned()
        });
        let path = format!("{folder}/facts_otel_java.jsonl");
        let facts = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        let (mut cases, mut differ) = (0, vec![]);
        for line in facts.lines() {
            let fact: serde_json::Value = serde_json::from_str(line).expect("JSON");
            if fact["area"] != "redis_redact" {
                continue;
            }
            let input = fact["input"].as_array().expect("words");
            let words: Vec<_> = input.iter().filter_map(|word| word.as_str()).collect();
            let ours = text(Text::Redacted, &words).unwrap_or_default();
            cases += 1;
            if fact["expected"] != ours.as_str() {
                differ.push(format!("{ours} is not {}", fact["expected"]));
            }
        }
        println!("{cases} cases, {} differ: {differ:#?}", differ.len());
        assert!(cases > 0 && differ.len() * 50 <= cases, "{differ:#?}");
    }

    #[test]
    fn secrets_are_never_told() {
        for (words, expected) in [
            (&["auth", "user", "password"][..], "AUTH ? ?"),
            (&["HELLO", "3", "auth", "u", "p", "SETNAME", "n"], "HELLO 3 auth ? ? SETNAME n"),
            (&["ACL", "SETUSER", "alice", "on", ">secret"], "ACL SETUSER alice ? ?"),
            (
                &["CONFIG", "set", "requirepass", "x", "maxmemory", "1"],
                "CONFIG set requirepass ? maxmemory ?",
            ),
            (&["CONFIG", "GET", "a", "b"], "CONFIG GET a b"),
            (
                &["MIGRATE", "h", "1", "", "0", "5", "COPY", "AUTH2", "u", "p", "KEYS", "k"],
                "MIGRATE h 1  0 5 COPY AUTH2 ? ? KEYS k",
            ),
            (&["MIGRATE", "h", "1", "k", "0", "5", "AUTH", "p"], "MIGRATE h 1 k 0 5 AUTH ?"),
        ] {
            assert_eq!(text(Text::Full, words).as_deref(), Some(expected));
        }
        assert_eq!(text(Text::Full, &["SET", "k", "v"]).as_deref(), Some("SET k v"));
        assert_eq!(text(Text::Off, &["SET", "k", "v"]), None);
    }

    #[test]
    fn values_are_hidden_behind_options() {
        for (words, expected) in [
            (
                &["XADD", "s", "MAXLEN", "~", "1000", "*", "f", "secret"][..],
                "XADD s MAXLEN ~ 1000 * f ?",
            ),
            (&["GEOADD", "k", "NX", "CH", "1.5", "2", "secret"], "GEOADD k NX CH ? ? ?"),
            (&["GEOADD", "k", "1.5", "2", "secret"], "GEOADD k ? ? ?"),
            (&["BITFIELD", "k", "SET", "u8", "0", "255"], "BITFIELD k SET ? ? ?"),
            (&["ZADD", "k", "NX", "1", "secret"], "ZADD k ? ? ?"),
            (&["ZRANGE", "k", "[secret", "+", "BYLEX"], "ZRANGE k ? + BYLEX"),
            (&["COMMAND", "GETKEYS", "SET", "k", "secret"], "COMMAND GETKEYS SET ? ?"),
            (&["HSETEX", "k", "EX", "9", "FIELDS", "1", "f", "secret"], "HSETEX k ? ? ? ? ? ?"),
            (&["JSON.SET", "k", "$", "secret"], "JSON.SET k ? ?"),
            (&["MODULE", "LOAD", "path", "secret"], "MODULE LOAD path ?"),
        ] {
            assert_eq!(text(Text::Redacted, words).as_deref(), Some(expected));
        }
    }

    #[test]
    fn text_is_bounded() {
        let long = "ä".repeat(5000);
        let text = text(Text::Full, &["GET", &long, &long]).expect("text");
        assert!(text.len() <= MAX_TEXT + 3 && text.ends_with("ä..."));
        let mut statement = Statement::new(b"get", Text::Redacted).expect("a name");
        statement.argument(b"a\x00\xffb", false);
        assert_eq!(statement.call(None).text.text.as_deref(), Some("GET a\\x00\\xffb..."));
        assert!(is_name(b"JSON.SET") && !is_name(b"") && !is_name(b"a b") && !is_name(&[b'a'; 33]));
    }
}

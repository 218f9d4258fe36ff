//! Header blocks of several encoders, see `stories/README.md`.

use std::fmt;
use std::io::Read as _;

use flate2::read::GzDecoder;
use serde::Deserialize;

use super::{Decoder, Field};

#[derive(Deserialize)]
pub(super) struct Story {
    encoder: String,
    story: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    wire: String,
    headers: Vec<(String, String)>,
    header_table_size: Option<usize>,
}

impl Story {
    /// With the table size that the story begins with.
    pub(super) fn decoder(&self) -> Decoder {
        let size = self.cases.first().and_then(|case| case.header_table_size).unwrap_or(4096);
        Decoder::for_story(size)
    }

    /// Each block with its fields.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (Vec<u8>, &[(String, String)])> {
        self.cases.iter().map(|case| (bytes(&case.wire), &case.headers[..]))
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.encoder, self.story)
    }
}

pub(super) fn stories() -> Vec<Story> {
    let packed = match std::env::var_os("HPACK_STORIES") {
        Some(path) => std::fs::read(path).unwrap(),
        None => include_bytes!("stories/stories.jsonl.gz").to_vec(),
    };
    let mut text = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn text(field: &Field) -> Option<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some((text(field.name.as_ref()?), text(field.value.as_ref()?)))
}

#[test]
fn every_story_is_read_as_it_was_meant() {
    let stories = stories();
    assert!(stories.len() >= 14, "{}", stories.len());
    for story in stories {
        let mut decoder = story.decoder();
        for (number, (block, headers)) in story.blocks().enumerate() {
            let (fields, whole) = decoder.decode(&block, 1000);
            assert!(whole, "{story}");
            let read: Vec<_> = fields.iter().filter_map(text).collect();
            assert_eq!(read, headers, "{story} {number}");
        }
    }
}

/// Whoever comes late knows less, and nothing wrong.
#[test]
fn a_table_met_in_the_middle_is_never_guessed() {
    let (mut known, mut unknown) = (0, 0);
    for Story { encoder, story, cases } in stories() {
        for from in 1..cases.len().min(20) {
            let mut decoder = Decoder::new(false);
            for case in &cases[from..] {
                let (fields, whole) = decoder.decode(&bytes(&case.wire), 1000);
                assert!(whole, "{encoder} {story}");
                assert_eq!(fields.len(), case.headers.len(), "{encoder} {story} {from}");
                for (Field { name, value }, (true_name, true_value)) in
                    fields.iter().zip(&case.headers)
                {
                    let right = |read: &Option<bytes::Bytes>, truth: &str| {
                        read.as_ref().is_none_or(|read| read == truth.as_bytes())
                    };
                    let secret = value.is_none() || right(value, true_value);
                    assert!(right(name, true_name) && secret, "{encoder} {story} {from}");
                    known += u32::from(value.is_some());
                    unknown += u32::from(value.is_none());
                }
            }
        }
    }
    assert!(known > unknown && unknown > 0, "{known} {unknown}");
}

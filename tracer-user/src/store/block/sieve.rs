//! Which rows of a block are worth making spans of: those whose texts and attributes, each looked at
//! once, have all that a search asks for.

use super::filter::{of_word, words};
use super::rows::{Row, Stored};
use crate::store::query::Query;

/// What one asked-for attribute or word is to a row: a bit. Further ones are left to the span.
const MOST: usize = 64;

/// Bits that the things of a block's dictionary fulfil.
pub(super) struct Sieve<'a> {
    stored: &'a Stored,
    all: u64,
    /// Of failed rows: what may be asked of the attribute `error`.
    failed: u64,
    texts: Vec<u64>,
    pairs: Vec<u64>,
    resources: Vec<u64>,
}

fn bit(at: usize) -> u64 {
    if at < MOST { 1 << at } else { 0 }
}

fn bits(numbers: &[u32], of: &[u64]) -> u64 {
    numbers.iter().fold(0, |all, number| all | of.get(*number as usize).unwrap_or(&0))
}

impl<'a> Sieve<'a> {
    pub(super) fn new(stored: &'a Stored, query: &Query) -> Self {
        let words_asked: Vec<u64> = query.words().map(of_word).collect();
        let asked = query.attributes.len();
        let said = |text: &str| {
            if words_asked.is_empty() {
                return 0;
            }
            let found = words(text).map(of_word).map(|word| {
                let places = words_asked.iter().enumerate().filter(|(_, asked)| **asked == word);
                places.fold(0, |all, (at, _)| all | bit(asked + at))
            });
            found.fold(0, |all, bits| all | bits)
        };
        // An event of this name stands for an attribute of any value.
        let texts = stored.texts.iter().map(|text| {
            let attributes = query.attributes.iter().enumerate();
            let events = attributes.filter(|(_, (key, value))| value.is_none() && key == text);
            events.fold(said(text), |all, (at, _)| all | bit(at))
        });
        let texts = texts.collect();
        let pairs = stored.pairs.iter().map(|(key, value)| {
            let key = stored.texts.get(*key as usize).map_or("", String::as_str);
            let text = value.text();
            let attributes = query.attributes.iter().enumerate();
            let attributes = attributes.filter(|(_, (asked, value))| {
                asked == key && value.as_ref().is_none_or(|value| *value == text)
            });
            attributes.fold(said(&text), |all, (at, _)| all | bit(at))
        });
        let pairs: Vec<u64> = pairs.collect();
        let resources = stored.resources.iter().map(|(_, of)| bits(of, &pairs)).collect();
        let errors = query.attributes.iter().enumerate().filter(|(_, (key, _))| key == "error");
        let failed = errors.fold(0, |all, (at, _)| all | bit(at));
        let all = (0..asked + words_asked.len()).fold(0, |all, at| all | bit(at));
        Self { stored, all, failed, texts, pairs, resources }
    }

    /// `false` is sure.
    pub(super) fn may_fit(&self, row: &Row) -> bool {
        let service = self.stored.resources.get(row.resource as usize).map(|(service, _)| *service);
        let named = [Some(row.name), service, row.remote.service];
        let named = named.into_iter().flatten().chain(row.events.iter().map(|(_, name, _)| *name));
        let texts = named.fold(0, |all, number| all | bits(&[number], &self.texts));
        let resource = bits(&[row.resource], &self.resources);
        let failed = if row.error.is_some() { self.failed } else { 0 };
        (texts | resource | failed | bits(&row.pairs, &self.pairs)) == self.all
    }
}

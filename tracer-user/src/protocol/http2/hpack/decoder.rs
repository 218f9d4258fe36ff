//! Header blocks to fields (RFC 7541 sections 3 and 6).

use bytes::Bytes;

use super::fixed::{FIXED, fixed};
use super::string::Input;
use super::table::{Entry, Table};

/// A block that no encoder writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// A field of a header block; `None` is a name or a value that only the dynamic table tells, which
/// is not known there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name, as it was sent.
    pub name: Option<Bytes>,
    /// The value.
    pub value: Option<Bytes>,
}

/// Whether a string is Huffman-coded, and how many bytes that takes.
pub(super) type Coded = (bool, usize);

/// Where a value is in a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Literal {
    pub(super) coded: bool,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Fields whose values are not kept in the table.
const SECRET: [&[u8]; 4] = [b"authorization", b"cookie", b"proxy-authorization", b"set-cookie"];

/// Follows the header blocks of one direction of a connection.
///
/// Of the crates at hand fluke-hpack, loona-hpack, hpack and httlib-hpack decode with a whole table
/// only: what a connection that is met in the middle refers to is an error there, or, worse, another
/// entry; h2's own decoder is private.
#[derive(Clone, Debug)]
pub struct Decoder {
    table: Table,
    /// The table keeps secrets.
    #[cfg(test)]
    indiscreet: bool,
}

impl Decoder {
    /// `fresh`: no block came before. Otherwise what the dynamic table holds is not known.
    #[must_use]
    pub fn new(fresh: bool) -> Self {
        Self {
            table: Table::new(fresh),
            #[cfg(test)]
            indiscreet: false,
        }
    }

    /// One that begins with another table size and keeps all that it is told.
    #[cfg(test)]
    pub(super) fn for_story(limit: usize) -> Self {
        let mut decoder = Self::new(true);
        decoder.table.begin_with(limit);
        decoder.indiscreet = true;
        decoder
    }

    /// Blocks were missed, or one of them in part.
    pub fn lose(&mut self) {
        self.table.forget();
    }

    /// Reads a block as [`Self::decode`] does, and tells each field, and where its value is if it is in the
    /// block. Whether all could be read, and how many bytes that was.
    pub(super) fn values(
        &mut self,
        block: &[u8],
        mut each: impl FnMut(Field, Option<Literal>),
    ) -> (bool, usize) {
        let mut input = Input(block);
        while let Some(first) = input.peek() {
            let begin = block.len() - input.0.len();
            match self.step(first, &mut input) {
                Ok(Some((field, coded))) => {
                    let end = block.len() - input.0.len();
                    let literal = |(coded, length)| Literal { coded, start: end - length, end };
                    each(field, coded.map(literal));
                }
                Ok(None) => {}
                Err(Malformed) => {
                    self.lose();
                    return (false, begin);
                }
            }
        }
        (true, block.len())
    }

    /// Reads a whole block. At most `limit` fields are returned; the others are read as well, for
    /// the table's sake. With the fields that could be read comes whether all could be; after an
    /// error nothing is known of the table.
    pub fn decode(&mut self, block: &[u8], limit: usize) -> (Vec<Field>, bool) {
        let mut input = Input(block);
        let mut fields = vec![];
        while let Some(first) = input.peek() {
            match self.step(first, &mut input) {
                Ok(Some((field, _))) if fields.len() < limit => fields.push(field),
                Ok(_) => {}
                Err(Malformed) => {
                    self.lose();
                    return (fields, false);
                }
            }
        }
        (fields, true)
    }

    fn step(
        &mut self,
        first: u8,
        input: &mut Input<'_>,
    ) -> Result<Option<(Field, Option<Coded>)>, Malformed> {
        match first {
            0x80.. => {
                let (name, value) = self.entry(input.integer(7)?)?;
                Ok(Some((Field { name, value }, None)))
            }
            0x40.. => {
                let (field, size, coded) = self.literal(input, 6)?;
                let kept = self.keep(&field);
                self.table.add(kept, size);
                Ok(Some((field, Some(coded))))
            }
            0x20.. => {
                self.table.resize(input.integer(5)?);
                Ok(None)
            }
            // Without indexing, or never to be indexed.
            _ => {
                let (field, _, coded) = self.literal(input, 4)?;
                Ok(Some((field, Some(coded))))
            }
        }
    }

    /// A field with the size of its name and value, if that is known, and how the value was coded.
    fn literal(
        &self,
        input: &mut Input<'_>,
        prefix: u32,
    ) -> Result<(Field, Option<usize>, Coded), Malformed> {
        let name = match input.integer(prefix)? {
            0 => Some(Bytes::from(input.string()?.0)),
            index => self.entry(index)?.0,
        };
        let (value, coded) = input.string()?;
        let value = Bytes::from(value);
        let size = name.as_ref().map(|name| name.len() + value.len());
        Ok((Field { name, value: Some(value) }, size, coded))
    }

    fn entry(&self, index: usize) -> Result<Entry, Malformed> {
        if index == 0 {
            return Err(Malformed);
        }
        if let Some((name, value)) = fixed(index) {
            let bytes = |text: &'static str| Some(Bytes::from_static(text.as_bytes()));
            return Ok((bytes(name), bytes(value)));
        }
        match self.table.get(index - FIXED.len() - 1) {
            Some(entry) => Ok(entry.clone()),
            None if self.table.is_whole() => Err(Malformed),
            None => Ok((None, None)),
        }
    }

    fn keep(&self, field: &Field) -> Entry {
        let secret = field.name.as_ref().is_some_and(|name| SECRET.contains(&&**name));
        #[cfg(test)]
        let secret = secret && !self.indiscreet;
        (field.name.clone(), field.value.clone().filter(|_| !secret))
    }
}

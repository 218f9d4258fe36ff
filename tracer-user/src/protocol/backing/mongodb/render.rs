//! A command's document as text, in the manner of MongoDB's relaxed JSON.

use super::bson::{
    ARRAY, BOOLEAN, DATE, DOCUMENT, DOUBLE, Element, Elements, INT32, INT64, NULL, OBJECT_ID,
    STRING,
};
use crate::protocol::backing::call::MAX_TEXT;

/// Deepest document that is written.
const MAX_DEPTH: usize = 10;
/// Most elements of an array that are.
const MAX_ELEMENTS: usize = 16;
/// Parts of a command that say nothing of what it asks for.
const LEFT_OUT: &[&[u8]] = &[b"$db", b"lsid", b"$clusterTime", b"$readPreference", b"txnNumber"];

/// Writes documents up to [`MAX_TEXT`] bytes.
#[derive(Debug)]
pub(super) struct Writer {
    text: String,
    cut: bool,
    /// Values are told.
    full: bool,
}

impl Writer {
    pub(super) fn new(full: bool) -> Self {
        Self { text: String::new(), cut: false, full }
    }

    /// A command, of which further documents came besides, by the names that they would have in it.
    /// `named`: its first value is a name, and told.
    pub(super) fn command<'a>(
        mut self,
        document: &Elements<'_>,
        named: bool,
        others: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> String {
        self.write("{");
        let mut any = false;
        for (index, element) in document.clone().enumerate() {
            if LEFT_OUT.contains(&element.name) {
                continue;
            }
            self.name(element.name, any);
            any = true;
            match element.text().filter(|_| named && index == 0) {
                Some(collection) => self.quoted(collection),
                None => self.value(&element, 1),
            }
        }
        for (name, documents) in others {
            self.name(name, any);
            any = true;
            let (first, rest) = Elements::of(documents);
            self.write("[");
            self.document(first, 2);
            self.write(if rest.is_empty() { "]" } else { ", ...]" });
        }
        self.write("}");
        self.finish()
    }

    /// A query without the command that it belongs to.
    pub(super) fn query(mut self, document: Elements<'_>) -> String {
        self.document(document, 1);
        self.finish()
    }

    fn finish(mut self) -> String {
        if self.cut {
            self.text.push_str("...");
        }
        self.text
    }

    fn write(&mut self, part: &str) {
        self.cut |= self.text.len() + part.len() > MAX_TEXT;
        if !self.cut {
            self.text.push_str(part);
        }
    }

    fn quoted(&mut self, bytes: &[u8]) {
        self.write("\"");
        for c in String::from_utf8_lossy(bytes).chars() {
            match c {
                '"' => self.write("\\\""),
                '\\' => self.write("\\\\"),
                c if c.is_control() => self.write(&c.escape_unicode().to_string()),
                c => self.write(c.encode_utf8(&mut [0; 4])),
            }
            if self.cut {
                return;
            }
        }
        self.write("\"");
    }

    fn name(&mut self, name: &[u8], behind: bool) {
        if behind {
            self.write(", ");
        }
        self.quoted(name);
        self.write(": ");
    }

    fn document(&mut self, elements: Elements<'_>, depth: usize) {
        if depth > MAX_DEPTH {
            return self.write("{...}");
        }
        self.write("{");
        for (index, element) in elements.enumerate() {
            if self.cut {
                return;
            }
            self.name(element.name, index > 0);
            self.value(&element, depth);
        }
        self.write("}");
    }

    /// Values one after the other are one: how many there are is of no interest.
    fn array(&mut self, elements: Elements<'_>, depth: usize) {
        self.write("[");
        let (mut hidden, mut any) = (false, false);
        for (index, element) in elements.enumerate() {
            if self.cut {
                return;
            }
            let hides = !self.full && !matches!(element.kind, DOCUMENT | ARRAY);
            if hides && hidden {
                continue;
            }
            hidden = hides;
            if std::mem::replace(&mut any, true) {
                self.write(", ");
            }
            if index >= MAX_ELEMENTS {
                self.write("...");
                break;
            }
            self.value(&element, depth);
        }
        self.write("]");
    }

    fn value(&mut self, element: &Element<'_>, depth: usize) {
        match (element.kind, element.elements()) {
            (_, Some(_)) if depth >= MAX_DEPTH => self.write("{...}"),
            (ARRAY, Some(elements)) => self.array(elements, depth + 1),
            (_, Some(elements)) => self.document(elements, depth + 1),
            (kind, None) if self.full => self.scalar(kind, element),
            _ => self.write("?"),
        }
    }

    fn scalar(&mut self, kind: u8, element: &Element<'_>) {
        let number = element.number().unwrap_or_default();
        match kind {
            STRING => self.quoted(element.text().unwrap_or_default()),
            DOUBLE => self.write(&element.double().unwrap_or_default().to_string()),
            INT32 | INT64 => self.write(&number.to_string()),
            BOOLEAN => self.write(if number == 0 { "false" } else { "true" }),
            NULL => self.write("null"),
            DATE => self.write(&format!("Date({number})")),
            OBJECT_ID => {
                let hex: String =
                    element.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
                self.write(&format!("ObjectId(\"{hex}\")"));
            }
            _ => self.write("?"),
        }
    }
}

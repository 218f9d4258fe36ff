//! Where in a statement a word may be, and what it leads to.

use super::words::BEGINNINGS;

/// What is done, where it matters for what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Select,
    Insert,
    Update,
    Delete,
    Merge,
    Define,
    Other,
}

impl Operation {
    /// Whether tables come behind its `FROM`.
    pub(super) fn has_sources(self) -> bool {
        matches!(self, Operation::Select | Operation::Delete | Operation::Update)
    }
}

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A statement.
    Start,
    /// The statement that is to be explained.
    Explained,
    /// In parentheses: a query, or else nothing of interest.
    Nested,
    /// What is selected, and then `FROM`.
    Columns,
    /// A table, or a query in parentheses.
    Source,
    /// Behind one: another may come.
    Sources,
    /// `INTO`.
    Into,
    /// The only table.
    Target,
    /// What kind of object is defined.
    ObjectKind,
    /// A name, of a table or of something else.
    Object { table: bool },
    /// `FOR`, and a sequence's name.
    NextValue,
    /// The word `TRANSACTION`.
    Transaction,
    /// A common table expression's name.
    With,
    /// Its `AS`.
    WithAs,
    /// It, in parentheses.
    WithQuery,
    /// Nothing but a query.
    Rest,
    /// Nothing.
    Opaque,
}

impl Place {
    pub(super) fn behind_name(self) -> Self {
        match self {
            Place::Source => Place::Sources,
            Place::Target | Place::Object { .. } => Place::Rest,
            Place::With => Place::WithAs,
            Place::Start => Place::Opaque,
            Place::Nested => Place::Rest,
            place => place,
        }
    }

    pub(super) fn behind_value(self) -> Self {
        match self {
            Place::Source => Place::Sources,
            Place::Target | Place::Object { .. } | Place::Nested => Place::Rest,
            place => place,
        }
    }
}

/// A word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a>(pub(super) &'a str);

impl<'a> Word<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self(text)
    }

    pub(super) fn is(self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }

    /// Whether a statement that reads or changes tables begins with this.
    pub(super) fn begins(self) -> bool {
        self.is_one(&BEGINNINGS)
    }

    pub(super) fn is_one(self, of: &[&str]) -> bool {
        of.iter().any(|other| self.is(other))
    }
}

/// What a word leads to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'a> {
    /// It was a keyword.
    pub(super) taken: bool,
    /// This goes into the summary.
    pub(super) write: Option<&'a str>,
    /// A statement begins, that does this.
    pub(super) operation: Option<&'a str>,
}

impl<'a> Step<'a> {
    pub(super) const TAKEN: Step<'static> = Step { taken: true, write: None, operation: None };
    pub(super) const NAME: Step<'static> = Step { taken: false, write: None, operation: None };

    pub(super) fn write(word: &'a str) -> Self {
        Step { write: Some(word), ..Step::TAKEN }
    }

    pub(super) fn begins(word: &'a str) -> Self {
        Step { write: Some(word), operation: Some(word), ..Step::TAKEN }
    }
}

//! How far a statement has come, outside of parentheses or within one of them.

use super::place::{Operation, Place, Step, Word};
use super::words::{BEFORE_KIND, BEHIND_SOURCES, NAMED, PLAIN};

/// A statement, or what of it is in a pair of parentheses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    pub(super) place: Place,
    operation: Operation,
    /// `DISTINCT` was the last word: a `FROM` compares.
    distinct: bool,
}

impl Scope {
    pub(super) fn at(place: Place) -> Self {
        Self { place, operation: Operation::Other, distinct: false }
    }

    /// A parenthesis opens: what is in it.
    pub(super) fn open(&mut self) -> Scope {
        let (own, within) = match self.place {
            Place::Start => (Place::Rest, Place::Start),
            Place::Explained => (Place::Explained, Place::Opaque),
            Place::Source => (Place::Sources, Place::Source),
            Place::Target | Place::Object { .. } => (Place::Rest, Place::Nested),
            Place::WithQuery => (Place::WithQuery, Place::Start),
            Place::Opaque => (Place::Opaque, Place::Opaque),
            place => (place.behind_value(), Place::Nested),
        };
        self.place = own;
        let operation = if within == Place::Source { self.operation } else { Operation::Other };
        Scope { operation, ..Scope::at(within) }
    }

    pub(super) fn comma(&mut self) {
        self.place = match self.place {
            Place::Sources => Place::Source,
            Place::WithQuery => Place::With,
            place => place.behind_value(),
        };
    }

    /// A word. `nested`: in parentheses; `parenthesis`: one opens behind it.
    pub(super) fn keyword<'a>(
        &mut self,
        word: Word<'a>,
        nested: bool,
        parenthesis: bool,
    ) -> Step<'a> {
        let distinct = std::mem::replace(&mut self.distinct, word.is("DISTINCT"));
        let query = word.is_one(&["SELECT", "WITH"]);
        let from = word.is("FROM") && !distinct && self.operation.has_sources();
        match self.place {
            Place::Start => self.begin(word, nested),
            Place::Explained if word.begins() => self.begin(word, nested),
            Place::Nested if query => self.begin(word, nested),
            Place::Nested => self.go(Place::Rest),
            Place::Source if word.is_one(&["SELECT", "WITH", "VALUES"]) => self.begin(word, true),
            Place::Source if word.is_one(&["ONLY", "LATERAL"]) => Step::TAKEN,
            Place::Source
                if self.operation == Operation::Update
                    && word.is_one(&["LOW_PRIORITY", "IGNORE"]) =>
            {
                Step::TAKEN
            }
            Place::Sources if word.is_one(&["JOIN", "APPLY", "STRAIGHT_JOIN"]) => {
                self.go(Place::Source)
            }
            Place::Sources
                if word.is("USING") && self.operation == Operation::Delete && !parenthesis =>
            {
                self.go(Place::Source)
            }
            Place::Sources if word.is_one(&BEHIND_SOURCES) => self.go(Place::Rest),
            Place::Columns if from => self.go(Place::Source),
            Place::Rest if from && self.operation == Operation::Update => self.go(Place::Source),
            Place::Rest if word.is("USING") && self.operation == Operation::Merge => {
                self.go(Place::Source)
            }
            Place::Rest
                if word.is("WITH")
                    && matches!(self.operation, Operation::Insert | Operation::Define) =>
            {
                self.go(Place::With)
            }
            Place::Columns | Place::Sources | Place::Rest | Place::Into if word.is("SELECT") => {
                self.begin(word, nested)
            }
            Place::Into if word.is("INTO") => self.go(Place::Target),
            Place::Target if word.is("INTO") => Step::TAKEN,
            Place::Target if word.is_one(&["IGNORE", "DELAYED", "LOW_PRIORITY"]) => Step::TAKEN,
            Place::ObjectKind if word.is_one(&BEFORE_KIND) => Step::TAKEN,
            Place::ObjectKind => {
                let object = Place::Object { table: word.is("TABLE") };
                self.place = if word.is_one(&NAMED) { object } else { Place::Rest };
                Step::write(word.0)
            }
            Place::Object { table: true } if word.is_one(&["TABLE", "TABLES"]) => {
                // Of `CREATE TABLE`, `TABLE` was taken above, so that this is a name.
                if self.operation == Operation::Define {
                    return Step::NAME;
                }
                self.place = Place::Target;
                Step::write(word.0)
            }
            Place::Object { .. }
                if word.is_one(&["IF", "NOT", "EXISTS", "CONCURRENTLY", "ONLY"]) =>
            {
                Step::TAKEN
            }
            Place::Object { .. } if word.is("ON") => self.go(Place::Rest),
            Place::Object { table: false } if word.is("NEXT") && !parenthesis => {
                self.go(Place::NextValue)
            }
            Place::NextValue if word.is("FOR") => self.go(Place::Object { table: false }),
            Place::Transaction if word.is("TRANSACTION") => {
                self.place = Place::Opaque;
                Step::write(word.0)
            }
            Place::With if word.is("RECURSIVE") => Step::TAKEN,
            Place::WithAs if word.is("AS") => self.go(Place::WithQuery),
            Place::WithAs => self.go(Place::Rest),
            Place::WithQuery if word.begins() => self.begin(word, nested),
            _ => Step::NAME,
        }
    }

    fn go(&mut self, place: Place) -> Step<'static> {
        self.place = place;
        Step::TAKEN
    }

    /// A statement's first word.
    fn begin<'a>(&mut self, word: Word<'a>, nested: bool) -> Step<'a> {
        let object = Place::Object { table: false };
        let (operation, place) = match () {
            () if word.is("WITH") => return self.go(Place::With),
            () if word.is("SELECT") || word.is("FROM") => (Operation::Select, Place::Columns),
            () if word.is("INSERT") => (Operation::Insert, Place::Into),
            () if word.is("REPLACE") => (Operation::Insert, Place::Target),
            () if word.is("DELETE") => (Operation::Delete, Place::Columns),
            () if word.is("UPDATE") => (Operation::Update, Place::Source),
            () if word.is("MERGE") => (Operation::Merge, Place::Target),
            () if word.is_one(&["CALL", "EXEC", "EXECUTE"]) => (Operation::Other, object),
            () if word.is("EXPLAIN") => (Operation::Other, Place::Explained),
            // In parentheses it is a value of no table's, as any other.
            () if word.is("VALUES") && nested => return self.go(Place::Rest),
            () if word.is("VALUES") => (Operation::Other, Place::Rest),
            () if word.is_one(&["CREATE", "ALTER", "DROP"]) => {
                (Operation::Define, Place::ObjectKind)
            }
            () if word.is_one(&["TRUNCATE", "LOCK"]) => {
                (Operation::Other, Place::Object { table: true })
            }
            () if word.is_one(&["BEGIN", "COMMIT", "ROLLBACK", "START", "END", "ABORT"]) => {
                (Operation::Other, Place::Transaction)
            }
            () if word.is("USE") => (Operation::Other, object),
            () if word.is("COPY") => (Operation::Other, Place::Target),
            () if word.is_one(&PLAIN) => (Operation::Other, Place::Opaque),
            () => return self.go(Place::Opaque),
        };
        (self.operation, self.place) = (operation, place);
        // Hibernate's language leaves the first word out.
        if word.is("FROM") {
            self.place = Place::Source;
            return Step::begins(if word.0.starts_with('f') { "select" } else { "SELECT" });
        }
        Step::begins(word.0)
    }
}

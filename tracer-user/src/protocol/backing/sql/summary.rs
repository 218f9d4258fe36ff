//! What statements do, and to which tables, in a few words.

use super::lexer::{Kind, Lexer, Token};
use super::place::{Place, Word};
use super::scope::Scope;
use super::{MAX_SUMMARY, Quotes};

/// Most parentheses within each other that are told apart.
const MAX_DEPTH: usize = 64;

/// Most names of common table expressions that are remembered.
const MAX_EXPRESSIONS: usize = 32;

/// What was found out.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) text: Option<String>,
    /// What the first statement does.
    pub(super) operation: Option<String>,
    /// The table, if there is one.
    pub(super) collection: Option<String>,
}

#[derive(Debug)]
struct Writer<'a> {
    text: String,
    /// Nothing more has room.
    full: bool,
    /// A statement was written, and has ended.
    ended: bool,
    operation: Option<String>,
    table: Option<&'a str>,
    tables: bool,
    expressions: Vec<&'a str>,
    scope: Scope,
    /// What is around its parentheses.
    outer: Vec<Scope>,
    /// Parentheses beyond those.
    deeper: usize,
}

/// Reads statements. `cut`: a name at the end may not be all of it.
pub(super) fn summarize(sql: &str, quotes: Quotes, cut: bool) -> Summary {
    let mut writer = Writer {
        text: String::new(),
        full: false,
        ended: false,
        operation: None,
        table: None,
        tables: false,
        expressions: vec![],
        scope: Scope::at(Place::Start),
        outer: vec![],
        deeper: 0,
    };
    let mut tokens = Lexer::new(sql, quotes);
    while let Some(token) = tokens.next() {
        let whole = |end: usize| !cut || end < sql.len();
        match token.kind {
            Kind::Space | Kind::Comment => {}
            Kind::Word => {
                let word = Word::of(tokens.text(token));
                if !whole(token.end) {
                    break;
                }
                if writer.keyword(word, &tokens) {
                    continue;
                }
                let name = name(sql, &mut tokens, token);
                if whole(token.start + name.len()) {
                    writer.name(name, tokens.peek() == Some(b'('), false);
                }
            }
            Kind::Quoted | Kind::Text { double: true } => {
                let name = name(sql, &mut tokens, token);
                if whole(token.start + name.len()) {
                    let text = matches!(token.kind, Kind::Text { .. });
                    writer.name(name, tokens.peek() == Some(b'('), text);
                }
            }
            Kind::Symbol(symbol) => writer.symbol(symbol),
            Kind::Text { .. } | Kind::Number | Kind::Placeholder => writer.value(),
        }
    }
    Summary {
        text: Some(writer.text).filter(|text| !text.is_empty()),
        operation: writer.operation,
        collection: writer.table.filter(|_| !writer.tables).map(str::to_owned),
    }
}

/// The whole of a name that begins with this token: `a.b@c`.
fn name<'a>(sql: &'a str, tokens: &mut Lexer<'_>, first: Token) -> &'a str {
    let mut end = first.end;
    loop {
        let mut ahead = tokens.clone();
        let (joint, next) = (ahead.next(), ahead.next());
        let joined = joint.is_some_and(|joint| matches!(joint.kind, Kind::Symbol(b'.' | b'@')));
        match next {
            Some(Token { kind: Kind::Word | Kind::Quoted, end: behind, .. }) if joined => {
                (end, *tokens) = (behind, ahead);
            }
            _ => return sql.get(first.start..end).unwrap_or_default(),
        }
    }
}

impl<'a> Writer<'a> {
    /// A word. Whether it was one of the language; otherwise it may be a name.
    fn keyword(&mut self, word: Word<'_>, tokens: &Lexer<'_>) -> bool {
        if self.deeper > 0 {
            return true;
        }
        let nested = !self.outer.is_empty();
        let parenthesis = tokens.peek() == Some(b'(');
        let step = self.scope.keyword(word, nested, parenthesis);
        if let Some(written) = step.write {
            self.write(written);
        }
        if let Some(operation) = step.operation {
            self.operation.get_or_insert_with(|| operation.to_ascii_uppercase());
        }
        step.taken
    }

    /// A name, perhaps of a table. `text`: it may be a string as well.
    fn name(&mut self, name: &'a str, parenthesis: bool, text: bool) {
        if self.deeper > 0 {
            return;
        }
        let place = self.scope.place;
        let is_table =
            matches!(place, Place::Source | Place::Target | Place::Object { table: true });
        if text && !is_table {
            return self.value();
        }
        self.scope.place = place.behind_name();
        match place {
            Place::With if self.expressions.len() < MAX_EXPRESSIONS => self.expressions.push(name),
            // A function that gives rows is no table.
            Place::Source if parenthesis => {}
            Place::Source if self.expressions.iter().any(|own| own.eq_ignore_ascii_case(name)) => {}
            Place::Source | Place::Target | Place::Object { table: true } => {
                self.tables |= self.table.is_some_and(|table| table != name);
                self.table.get_or_insert(name);
                self.write(name);
            }
            Place::Object { table: false } => self.write(name),
            _ => {}
        }
    }

    /// A string, a number or a placeholder.
    fn value(&mut self) {
        if self.deeper == 0 {
            self.scope.place = self.scope.place.behind_value();
        }
    }

    fn symbol(&mut self, symbol: u8) {
        match symbol {
            b';' => {
                self.scope = Scope::at(Place::Start);
                self.outer.clear();
                self.expressions.clear();
                self.deeper = 0;
                self.ended = !self.text.is_empty();
            }
            b'(' if self.deeper > 0 || self.outer.len() >= MAX_DEPTH => self.deeper += 1,
            b'(' => {
                let within = self.scope.open();
                self.outer.push(std::mem::replace(&mut self.scope, within));
            }
            b')' if self.deeper > 0 => self.deeper -= 1,
            b')' => {
                if let Some(outer) = self.outer.pop() {
                    self.scope = outer;
                }
            }
            _ if self.deeper > 0 => {}
            b',' => self.scope.comma(),
            _ => self.value(),
        }
    }

    /// Writes a word, if there is room for it and there was for all before.
    fn write(&mut self, word: &str) {
        let between = match (self.text.is_empty(), self.ended) {
            (true, _) => "",
            (false, true) => "; ",
            (false, false) => " ",
        };
        self.full |= self.text.len() + between.len() + word.len() > MAX_SUMMARY;
        if !self.full {
            self.text.push_str(between);
            self.text.push_str(word);
        }
        self.ended = false;
    }
}

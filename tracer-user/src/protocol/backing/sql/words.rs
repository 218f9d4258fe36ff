//! Words of the language.

/// Statements of which nothing but the first word is told.
pub(super) const PLAIN: [&str; 30] = [
    "GRANT",
    "REVOKE",
    "SHOW",
    "SET",
    "DESCRIBE",
    "DESC",
    "FETCH",
    "MOVE",
    "CLOSE",
    "DECLARE",
    "PREPARE",
    "DEALLOCATE",
    "DISCARD",
    "ANALYZE",
    "VACUUM",
    "LISTEN",
    "UNLISTEN",
    "NOTIFY",
    "KILL",
    "FLUSH",
    "LOAD",
    "SAVEPOINT",
    "RELEASE",
    "RESET",
    "CHECKPOINT",
    "REFRESH",
    "COMMENT",
    "DO",
    "OPTIMIZE",
    "UNLOCK",
];

/// What ends a list of tables.
pub(super) const BEHIND_SOURCES: [&str; 16] = [
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "SET",
    "WINDOW",
    "OFFSET",
    "FETCH",
    "FOR",
    "RETURNING",
    "VALUES",
    "UNION",
    "INTERSECT",
    "EXCEPT",
    "MINUS",
];

/// What is between `CREATE` and the kind of what is created.
pub(super) const BEFORE_KIND: [&str; 16] = [
    "OR",
    "REPLACE",
    "TEMPORARY",
    "TEMP",
    "UNIQUE",
    "GLOBAL",
    "LOCAL",
    "UNLOGGED",
    "MATERIALIZED",
    "FULLTEXT",
    "SPATIAL",
    "CLUSTERED",
    "NONCLUSTERED",
    "EXTERNAL",
    "FOREIGN",
    "RECURSIVE",
];

/// Kinds of objects whose names are told.
pub(super) const NAMED: [&str; 16] = [
    "TABLE",
    "INDEX",
    "VIEW",
    "PROCEDURE",
    "FUNCTION",
    "TRIGGER",
    "SEQUENCE",
    "SCHEMA",
    "DATABASE",
    "USER",
    "ROLE",
    "TYPE",
    "DOMAIN",
    "EXTENSION",
    "EVENT",
    "PUBLICATION",
];

/// What a statement begins with that reads or changes tables.
pub(super) const BEGINNINGS: [&str; 8] =
    ["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "VALUES", "WITH"];

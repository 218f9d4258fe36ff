//! What bytes are to the engine, so that what it need not know can be masked.

/// A stretch of an operation's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// They are passed over.
    Content,
    /// A message head from its first byte on.
    HeadStart,
    /// A head that began before, or what would be one but for its length.
    Head,
    /// No head, where one had to begin.
    Refused,
    /// The rest of what began like a head and is none.
    Malformed,
    /// A chunk's size, and line ends.
    Framing,
    /// A chunk's extensions up to the line's end.
    Extension,
    /// Trailer fields up to the final line's end.
    Trailer,
    /// A body whose end is looked for in it.
    Tail,
    /// The PROXY protocol's prefix.
    Prefix,
}

/// The parts of an operation in order, each with its length; nothing is said of bytes behind them.
pub(super) type Parts = Vec<(Part, u64)>;

/// Adds a stretch.
pub(super) fn push(parts: &mut Parts, part: Part, length: u64) {
    match parts.last_mut() {
        Some((Part::HeadStart, before)) if part == Part::Head => *before += length,
        Some((last, before)) if *last == part && part != Part::HeadStart => *before += length,
        _ => parts.push((part, length)),
    }
}

//! Lists of `name=value`, of which some values stay.

/// Follows one list byte by byte.
#[derive(Clone, Debug)]
pub(super) struct Pairs {
    separator: u8,
    /// Those that stay, with their equals signs.
    names: &'static [&'static [u8]],
    /// The pair's first bytes, as long as they may be one of these; else whether they were.
    start: Result<Vec<u8>, bool>,
}

impl Pairs {
    pub(super) fn new(separator: u8, names: &'static [&'static [u8]]) -> Self {
        Self { separator, names, start: Ok(vec![]) }
    }

    /// Whether the next byte stays. Of a name that does not, what it has in common with one that
    /// does may be shown.
    pub(super) fn shows(&mut self, byte: u8) -> bool {
        if byte == self.separator {
            self.start = Ok(vec![]);
            return true;
        }
        match &mut self.start {
            Err(shown) => *shown,
            Ok(start) if start.is_empty() && byte == b' ' => true,
            Ok(start) => {
                start.push(byte);
                let may_be = self.names.iter().any(|name| name.starts_with(start));
                if !may_be {
                    self.start = Err(false);
                } else if self.names.contains(&&**start) {
                    self.start = Err(true);
                }
                may_be
            }
        }
    }
}

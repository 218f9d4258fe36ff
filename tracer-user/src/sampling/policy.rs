//! What is kept.

/// Which traces are kept; all that none of these chooses are not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// All in which a span failed.
    pub errors: bool,
    /// All that take longer than this share of the traces of their route; 1 for none.
    pub slow: f64,
    /// Of the others, so many a second of each route.
    pub rest: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { errors: true, slow: 0.99, rest: 1.0 }
    }
}

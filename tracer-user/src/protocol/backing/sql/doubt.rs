//! Whether answers can be told apart, once some of those to several requests were not seen.

/// How it stands.
///
/// ```text
///          request           as many answers          request
/// Unsure ---------> Asked -------------------> Serial ---------> Trusted
///    ^                                            |                 |
///    +----------- an answer to nothing -----------+-----------------+
/// ```
///
/// A client that sends some requests, and waits for as many answers before it sends others, waits for
/// nothing else. Until it is seen to do so, no answer is given to any request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::protocol) enum Doubt {
    #[default]
    None,
    Unsure,
    Asked,
    Serial,
    Trusted,
}

impl Doubt {
    /// Answers are not to be believed.
    pub(in crate::protocol) fn is_some(self) -> bool {
        !matches!(self, Doubt::None | Doubt::Trusted)
    }

    /// A request begins.
    pub(in crate::protocol) fn ask(&mut self) {
        *self = match self {
            Doubt::None => Doubt::None,
            Doubt::Serial | Doubt::Trusted => Doubt::Trusted,
            Doubt::Unsure | Doubt::Asked => Doubt::Asked,
        };
    }

    /// An answer has come to its end, and was the last one that is waited for.
    pub(in crate::protocol) fn answer(&mut self) {
        if let Doubt::Asked = self {
            *self = Doubt::Serial;
        }
    }

    /// An answer has come, or its end has, and nothing was waited for. To who was never in doubt, that
    /// is one to a request that was not seen.
    pub(in crate::protocol) fn unasked(&mut self) {
        if *self != Doubt::None {
            *self = Doubt::Unsure;
        }
    }
}

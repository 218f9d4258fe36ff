//! The socket of the web page, taken before anything else starts.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::Result;

use crate::serve::{Listener, Page, Token};

/// `None` if it is the default address and that is taken: tracing goes on without a page. An address
/// that somebody chose must be had.
///
/// # Errors
/// The address can't be had, or there is no randomness for a token.
pub(super) fn listen(page: &Page, directory: &Path) -> Result<Option<Listener>> {
    let token = if page.open { None } else { Some(token(directory)?) };
    match Listener::bind(page, token, directory) {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if !page.chosen && error.source.kind() == ErrorKind::AddrInUse => {
            eprintln!(
                "no web page: {} is taken, by another tracer perhaps; --ui ADDR serves it \
                 elsewhere, --ui off does without",
                page.address
            );
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// One that lasts as long as the run, if none can be kept.
fn token(directory: &Path) -> Result<Token> {
    Token::kept(directory).or_else(|error| {
        eprintln!("the web page's token is for this run only: cannot keep it in {error}");
        Ok(Token::random()?)
    })
}

//! What a direction's bytes do to its state.

use super::body::Course;
use super::engine::Limits;
use super::event::Fault;
use super::opening::{Opening, Outcome};
use super::part::Part;
use super::proxy::Verdict;
use super::reader::{Head, Reader, State, Step};
use super::window::Window;
use crate::connection::Moment;
use tracer_common::head::{Start, look_at};

impl Reader {
    /// The next thing that happens in this window; `None` if it is used up.
    pub(super) fn step<H: Head>(
        &mut self,
        window: &mut Window<'_>,
        limits: &Limits,
    ) -> Option<Step<H>> {
        let at = self.now;
        loop {
            window.mark(Part::Content);
            match &mut self.state {
                _ if window.is_empty() => return None,
                State::Closed => window.finish(),
                State::Held { clean } => {
                    *clean = false;
                    window.finish();
                }
                State::Seeking => self.find::<H>(window, at),
                State::Prefix(prefix, first) => {
                    let first = *first;
                    window.mark(Part::Prefix);
                    let verdict = prefix.advance(window);
                    if let Some(step) = self.after_prefix::<H>(verdict, window, first, at) {
                        return Some(step);
                    }
                }
                State::Between { .. } | State::Parsed => match window.known().first() {
                    None => return Some(self.broken(unseen(window), None, true, None, window)),
                    Some(b'\r' | b'\n') => {
                        window.mark(Part::Framing);
                        window.skip(1);
                    }
                    Some(_) => {
                        self.state = State::Head(Opening::new(at, window.position(), true));
                    }
                },
                State::Head(opening) => match opening.advance(window, limits) {
                    Outcome::More => {}
                    Outcome::Announce => {
                        return Some(Step::Started {
                            at: opening.first,
                            position: opening.position,
                        });
                    }
                    Outcome::Complete(head, lengths) => {
                        let first = opening.first;
                        self.state = State::Parsed;
                        return Some(Step::Head { head, lengths, first });
                    }
                    Outcome::Nothing => {
                        self.state = State::Seeking;
                        window.mark(Part::Content);
                        window.finish();
                    }
                    Outcome::Broken(fault) => {
                        let (open, synced) = (opening.announced.then_some(0), opening.synced);
                        let told = fault != H::MALFORMED;
                        let cut = fault == Fault::HeadTooLong;
                        let head = told.then(|| opening.beginning(limits, cut)).flatten();
                        let head = head.map(|head| (head, opening.first));
                        return Some(self.broken(fault, open, synced, head, window));
                    }
                },
                State::Body(body) => {
                    let missing = window.is_missing();
                    let course = body.advance(window, |bytes| H::is_start(look_at(bytes)));
                    let (size, reported, in_tail) = (body.size, body.reported, body.in_tail());
                    if missing && in_tail {
                        body.fault = Some(Fault::Gap);
                    }
                    let fault = body.fault;
                    match course {
                        Course::Open if missing && in_tail => {
                            return Some(Step::Fault(Fault::Gap));
                        }
                        Course::Open => {}
                        Course::Over { likely } => {
                            self.state = State::Between { doubt: likely.then_some(size) };
                            return Some(if reported {
                                Step::Extended { body: size }
                            } else {
                                Step::Ended { body: size, complete: true, fault }
                            });
                        }
                        Course::Broken => {
                            let open = (!reported).then_some(size);
                            return Some(self.broken(Fault::Chunk, open, true, None, window));
                        }
                    }
                }
            }
        }
    }

    fn find<H: Head>(&mut self, window: &mut Window<'_>, at: Moment) {
        let start = look_at(window.known());
        let here = window.at_start() && (H::is_start(start) || start == Start::Partial);
        if here && !window.known().is_empty() {
            self.state = State::Head(Opening::new(at, window.position(), false));
        } else {
            window.finish();
        }
    }

    fn after_prefix<H: Head>(
        &mut self,
        verdict: Verdict,
        window: &mut Window<'_>,
        first: Moment,
        at: Moment,
    ) -> Option<Step<H>> {
        match verdict {
            Verdict::More => {}
            Verdict::Over => self.state = State::Between { doubt: None },
            Verdict::Broken => {
                return Some(self.broken(Fault::ProxyPrefix, None, false, None, window));
            }
            Verdict::Other(bytes) => {
                let blank = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
                let rest = bytes.get(blank..).unwrap_or_default();
                self.state = State::Between { doubt: None };
                if !rest.is_empty() {
                    // Blank lines are left before the byte that shows that this is no prefix.
                    let first = if blank > 0 { at } else { first };
                    let position = window.position().saturating_sub(rest.len() as u64);
                    let mut opening = Opening::with(rest.to_vec(), first, position);
                    let announce = opening.announces::<H>();
                    self.state = State::Head(opening);
                    return announce.then_some(Step::Started { at: first, position });
                }
            }
        }
        None
    }

    fn broken<H>(
        &mut self,
        fault: Fault,
        open: Option<u64>,
        synced: bool,
        head: Option<(Box<H>, Moment)>,
        window: &mut Window<'_>,
    ) -> Step<H> {
        self.state = State::Seeking;
        match fault {
            Fault::RequestHead | Fault::ResponseHead => window.mark_malformed(),
            // A head all the same.
            Fault::HeadTooLong | Fault::TooManyHeaders => {}
            _ => window.mark(Part::Content),
        }
        window.finish();
        Step::Broken { fault, open, synced, head }
    }
}

fn unseen(window: &Window<'_>) -> Fault {
    if window.is_missing() { Fault::Gap } else { Fault::MessageStartUnseen }
}

//! Rewrites a message in one pass: the header section, and nothing behind it.

use super::edit::PlanWriter;
use super::error::Error;
use super::forward::Rules;
use super::line_breaks::LineBreakWatch;
use super::reader::HeaderReader;

/// Octets of the header section before and after the rewrite, the empty line included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderOctets {
    /// As the message came.
    pub before: u64,
    /// As it is written.
    pub after: u64,
}

/// Rewrites one message, chunk by chunk, by [`Rules`]. It holds the header section, and none of the body. Only the header section
/// is changed: for edits of parts see [`Rules::plan_with_parts`].
///
/// ```
/// use readdress::header::mailbox::Address;
/// use readdress::rewrite::{Rewriter, Rules};
///
/// let rules = Rules::new(Address::parse("shop@example.com")?, vec![Address::parse("owner@example.net")?]);
/// let mut rewriter = Rewriter::new(rules);
/// let mut out = Vec::new();
/// let mut sink = |octets: &[u8]| out.extend_from_slice(octets);
/// rewriter.write(b"From: jane@example.org\r\n\r", &mut sink)?;
/// // The empty line may go on, so that nothing is known yet.
/// assert!(rewriter.header_octets().is_none());
/// rewriter.write(b"\nHello", &mut sink)?;
/// let octets = rewriter.header_octets().expect("the header section has ended");
/// rewriter.end(&mut sink)?;
/// assert_eq!(out.len() as u64, octets.after + 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Termination
/// [`Rewriter::end`] must be called: a message that ends inside its header section is written only then.
///
/// # Errors
/// After an error every further call returns it again. Throw away the output that was written before it.
#[derive(Clone, Debug)]
pub struct Rewriter {
    rules: Rules,
    state: State,
    watch: LineBreakWatch,
}

#[derive(Clone, Debug)]
enum State {
    Header(Box<HeaderReader>),
    Body(Box<PlanWriter>, HeaderOctets),
    Failed(Error),
}

impl Rewriter {
    /// A rewriter at the start of a message.
    pub fn new(rules: Rules) -> Self {
        Rewriter {
            rules,
            state: State::Header(Box::default()),
            watch: LineBreakWatch::Seen,
        }
    }

    /// The size of the header section before and after, known as soon as the header section has ended. The
    /// output is `after - before` octets longer than the input.
    pub fn header_octets(&self) -> Option<HeaderOctets> {
        match self.state {
            State::Body(_, octets) => Some(octets),
            State::Header(_) | State::Failed(_) => None,
        }
    }

    /// Takes the next bytes of the message and passes those of the output to `sink`. Body bytes are passed through without a copy.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn write(&mut self, chunk: &[u8], sink: &mut impl FnMut(&[u8])) -> Result<(), Error> {
        self.advance(chunk, false, sink)
    }

    /// Ends the message, and returns the size of its header section before and after.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn end(mut self, sink: &mut impl FnMut(&[u8])) -> Result<HeaderOctets, Error> {
        self.advance(&[], true, sink)?;
        self.watch.finish()?;
        match self.state {
            State::Body(writer, octets) => {
                writer.end(sink);
                Ok(octets)
            }
            State::Failed(error) => Err(error),
            State::Header(_) => unreachable!("the last read returns the head or an error"),
        }
    }

    fn advance(&mut self, mut chunk: &[u8], last: bool, sink: &mut impl FnMut(&[u8])) -> Result<(), Error> {
        match &mut self.state {
            State::Failed(error) => return Err(*error),
            State::Body(writer, _) => {
                self.watch.see(chunk);
                writer.write(chunk, sink);
            }
            State::Header(reader) => match reader.read(&mut chunk, last) {
                Ok(None) => {}
                Ok(Some(head)) => {
                    let plan = self.rules.plan(&head);
                    let before = head.header.octets() as u64;
                    let after = plan.outgoing_octets(before);
                    let mut writer = PlanWriter::new(plan, 0);
                    self.watch = LineBreakWatch::new(&head);
                    self.watch.see(chunk);
                    for piece in [head.header.raw(), &head.body, chunk] {
                        writer.write(piece, sink);
                    }
                    self.state = State::Body(Box::new(writer), HeaderOctets { before, after });
                }
                Err(error) => {
                    self.state = State::Failed(error);
                    return Err(error);
                }
            },
        }
        Ok(())
    }
}

//! No outbox: what would go out is read as if it were sent, and looked at as SES would look at it.

use std::io;

use super::message::{BodyReader, Outgoing};
use crate::preflight::{Checker, Report};
use crate::rewrite::PlanWriter;

/// A message that is ready and goes to nobody.
#[derive(Debug)]
pub struct Sending {
    pub(super) octets: u64,
    /// Why SES would refuse it all the same.
    pub(crate) report: Report,
}

pub(super) async fn begin(outgoing: &Outgoing, body: &mut BodyReader) -> io::Result<Sending> {
    let mut checker = Checker::default();
    let mut octets = 0;
    let mut write = |written: &[u8]| {
        octets += written.len() as u64;
        checker.write(written);
    };
    let mut writer = PlanWriter::new(&*outgoing.content.plan, body.from());
    while let Some(chunk) = body.next().await? {
        writer.write(chunk, &mut write);
    }
    writer.end(&mut write);
    let report = checker.finish();
    Ok(Sending { octets, report })
}

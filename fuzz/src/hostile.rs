//! Header sections made of what readers disagree about: bare CR, controls, folds, blanks, and names that must not go out.

use readdress::header::mailbox::Address;
use readdress::rewrite::{Rewriter, Rules};

use super::sealed;

/// Each octet of an input stands for one of these, so that a short random input is a whole header section.
const PIECES: [&[u8]; 80] = [
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\r",
    b"\r\r\n",
    b"\n\r",
    b"\r\n ",
    b"\r\n\t",
    b"\n ",
    b" ",
    b"\t",
    b"\0",
    b"\x01",
    b"\x08",
    b"\x0b",
    b"\x0c",
    b"\x1b",
    b"\x1b$B",
    b"\x1b(B",
    b"\x1b(J",
    b"\x1f",
    b"\x7f",
    b":",
    b": ",
    b" : ",
    b"\r\nX-Foo: a",
    b"\nX-Foo: a",
    b"\rX-Foo: a",
    b"X-SES-CONFIGURATION-SET",
    b"x-ses-from-arn: a",
    b"X-SES-",
    b"X-S\xc5\xbfES-A: b",
    b"X-SE\xc5\xbf-A",
    b"\xe2\x84\xaa",
    b"X-Readdress-A: b",
    b"Return-Path: <a@example.org>",
    b"Sender: a@example.org",
    b"Bcc: a@example.org",
    b"Bcc",
    b"Resent-Bcc: a@example.org",
    b"From: a@example.org",
    b"From ",
    b">From ",
    b"From",
    b"To: a@example.org",
    b"Reply-To: shop@example.com",
    b"Reply-To: a@example.org",
    b"Subject: [shop] b",
    b"Date: Tue, 3 Nov 2026 11:00:00 +0100",
    b"Message-ID: <a@example.org>",
    b"References: <b@example.org>",
    b"X-Original-From: a@example.org",
    b"X-Original-Sender",
    b"X-Original-Date: b",
    b"X-Original-Message-ID: <c@x>",
    b"X-Original-To: shop@example.com",
    b"Disposition-Notification-To: a@x",
    b"Return-Receipt-To: a@x",
    b"X-Confirm-Reading-To: a@x",
    b"Generate-Delivery-Report: a",
    b"Delivered-To: a@x",
    b"Errors-To: a@x",
    b"Feedback-ID: a",
    b"DKIM-Signature: a",
    b"DomainKey-Signature: a",
    b"Content-Type: text/plain",
    b"Received: from a by b",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xc2\x85",
    b"\xe2\x80\xa8",
    b"\x80",
    b"a",
    b"$3$s",
    b"<",
    b">",
    b"\"",
    b",",
    b"(",
    b"--",
];

/// `input`: the indices of [`PIECES`].
pub fn hostile(input: &[u8]) {
    let pieces = input.iter().map(|&at| PIECES[usize::from(at) % PIECES.len()]);
    let message = pieces.collect::<Vec<_>>().concat();
    let alias = Address::parse("shop@example.com").expect("an address");
    let target = Address::parse("owner@example.net").expect("an address");
    let rules = Rules {
        subject_prefix: (input.len() % 2 == 1).then(|| "[shop] ".to_owned()),
        ..Rules::new(alias, vec![target])
    };
    let mut out = Vec::new();
    let mut sink = |bytes: &[u8]| out.extend_from_slice(bytes);
    let mut rewriter = Rewriter::new(rules);
    let written = rewriter.write(&message, &mut sink);
    if written.is_ok() && rewriter.end(&mut sink).is_ok() {
        sealed::assert_sealed("hostile", &message, &out);
    }
}

//! The engine's work, as programs that use it do it.

use std::hint::black_box;

use readdress::header::mailbox::Address;
use readdress::mime::Scanner;
use readdress::rewrite::{Rewriter, Rules};

pub fn address(text: &str) -> Address {
    Address::parse(text).expect("an address")
}

pub fn rules() -> Rules {
    Rules::new(address("shop@example.com"), vec![address("owner@example.net")])
}

/// Names every byte of a message; the number of events.
pub fn scan(message: &[u8], chunk: usize) -> usize {
    let mut events = 0;
    let mut scanner = Scanner::default();
    for mut chunk in message.chunks(chunk) {
        while let Some(event) = scanner.next(&mut chunk, false).expect("a message") {
            black_box(event.bytes);
            events += 1;
        }
    }
    while scanner.next(&mut &[][..], true).expect("a message").is_some() {
        events += 1;
    }
    events
}

/// Rewrites a message into `sink`. What the rules cost to clone is part of it, as it is of every mail.
pub fn rewrite(message: &[u8], chunk: usize, rules: &Rules, sink: &mut impl FnMut(&[u8])) {
    let mut rewriter = Rewriter::new(rules.clone());
    for chunk in message.chunks(chunk) {
        rewriter.write(black_box(chunk), sink).expect("a message");
    }
    rewriter.end(sink).expect("a message");
}

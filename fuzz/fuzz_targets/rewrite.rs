//! Law L4 and what every header section that goes out must be: sealed, one From, no smuggled line.
#![no_main]

use libfuzzer_sys::{arbitrary::Arbitrary, fuzz_target};
use readdress::header::mailbox::Address;
use readdress::rewrite::{FromFormat, Rewriter, Rules, ToHeader};

#[path = "../../tests/common/naive.rs"]
mod naive;
#[path = "../../tests/common/sealed.rs"]
mod sealed;
#[path = "../../tests/common/told.rs"]
mod told;
use told::{Told, tell};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    format: u8,
    chunk: u8,
    prefix: Option<&'a str>,
    message: &'a [u8],
}

fn rewrite(rules: &Rules, message: &[u8], chunk: usize) -> Result<Vec<u8>, readdress::rewrite::Error> {
    let mut out = Vec::new();
    let mut sink = |bytes: &[u8]| out.extend_from_slice(bytes);
    let mut rewriter = Rewriter::new(rules.clone());
    for chunk in message.chunks(chunk) {
        rewriter.write(chunk, &mut sink)?;
    }
    let octets = rewriter.end(&mut sink)?;
    assert_eq!(out.len() as u64 + octets.before, message.len() as u64 + octets.after, "the size is foretold");
    Ok(out)
}

fuzz_target!(|input: Input<'_>| {
    let address = |text| Address::parse(text).expect("an address");
    let formats = [FromFormat::Full, FromFormat::Name, FromFormat::Via, FromFormat::Alias];
    let rules = Rules {
        from_format: formats[usize::from(input.format % 4)],
        to_header: if input.format & 4 == 0 { ToHeader::Targets } else { ToHeader::Alias },
        subject_prefix: input.prefix.map(|prefix| prefix.chars().take(50).collect()),
        ..Rules::new(address("shop@example.com"), vec![address("owner@example.net")])
    };
    let whole = rewrite(&rules, input.message, usize::MAX);
    assert_eq!(rewrite(&rules, input.message, usize::from(input.chunk).max(1)), whole);
    if let Ok(out) = whole {
        sealed::assert_sealed("fuzz", input.message, &out);
    }
});

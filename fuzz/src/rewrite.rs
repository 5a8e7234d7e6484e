//! Law L4 and what every header section that goes out must be: sealed, one From, no smuggled line, the same parts.

use readdress::header::encoded_word::decode;
use readdress::header::mailbox::{Address, parse_address_list};
use readdress::mime::{ContentType, Part, Parts, Scanner};
use readdress::preflight::{Code, Finding, Rung, Source, Within, check, check_address_list};
use readdress::rewrite::{
    Error, FromFormat, HeaderOctets, HeaderReader, Rewriter, Rules, ToHeader, subject_prefix,
};

use super::{chunks, sealed};

/// `input`: an octet of options, four of cuts; a line each of subject prefix, alias and envelope sender, all three of
/// which may be empty; the message. Prefix and addresses are a stranger's too: behind a catch-all the alias is.
pub fn rewrite(input: &[u8]) {
    let Some((&[options, ref cuts @ ..], rest)) = input.split_first_chunk::<5>() else {
        return;
    };
    let mut lines = rest.splitn(4, |&b| b == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (prefix, alias, sender, message) = (line(), line(), line(), line());
    let rules = rules(options, prefix, alias, sender);

    let whole = rewritten(&rules, [message]);
    assert_eq!(rewritten(&rules, chunks(message, cuts)), whole, "L2");
    if let Ok((out, octets)) = whole {
        sealed::assert_sealed("fuzz", message, &out);
        is_taken_by_ses(&rules, &out);
        says_what_the_rules_say(&rules, &out);
        keeps_what_no_rule_changes(&rules, message, &out);
        // Controls in a Content-Type do not go out, and with them, perhaps, the boundary.
        let mut fields = sealed::split(message).fields.into_iter();
        if !fields.any(|(name, raw)| name.starts_with("content-") && sealed::cleaned(&raw) != Some(raw)) {
            has_the_same_parts(message, &out, octets);
        }
    }
}

/// The header section that goes out has nothing that SES is known to refuse, and nothing that would be repaired again.
fn is_taken_by_ses(rules: &Rules, out: &[u8]) {
    let ours = std::iter::once(&rules.alias).chain(&rules.targets);
    let mut ours = ours.map(|address| check_address_list(address.to_string().as_bytes()));
    if ours.any(|checked| checked.is_err()) {
        // The owner's own addresses go out as they are.
        return;
    }
    let report = check(out);
    // A boundary that is too long for a line, or has something else in it than RFC 2046 5.1.1 allows, cannot always be
    // written anew, and stands in the body too.
    let content_type = sealed::split(out)
        .fields
        .into_iter()
        .find(|(name, _)| name == "content-type");
    let is_odd = content_type.is_some_and(|(_, raw)| {
        let parsed = after_colon(&raw).and_then(ContentType::parse);
        let boundary = parsed.and_then(|parsed| parsed.boundary()).unwrap_or_default();
        raw.len() > 900 || !boundary.iter().all(u8::is_ascii_graphic)
    });
    let is_boundary = |finding: &Finding| {
        let of_boundary = matches!(finding.code, Code::LineTooLong | Code::ContentTypeSyntax);
        is_odd && of_boundary && finding.within == Within::Field("content-type".into())
    };
    let in_header =
        |finding: &&Finding| finding.part == 0 && finding.rung == Rung::Header && !is_boundary(finding);
    let found = report.findings.iter().filter(in_header);
    let found: Vec<_> = found
        .filter(|finding| finding.source > Source::Suspected)
        .collect();
    assert!(found.is_empty(), "{found:?}");
    let mut reader = HeaderReader::default();
    if let Ok(Some(head)) = reader.read(&mut &*out, true) {
        let again = rules.plan(&head);
        assert!(again.notes().is_empty(), "repaired again: {}", again.notes());
    }
}

fn rules(options: u8, prefix: &[u8], alias: &[u8], sender: &[u8]) -> Rules {
    let text = |line| std::str::from_utf8(line).ok();
    let address = |line| text(line).and_then(|text| Address::parse(text).ok());
    let known = |text: &str| Address::parse(text).expect("an address");
    let formats = [
        FromFormat::Full,
        FromFormat::Name,
        FromFormat::Via,
        FromFormat::Alias,
    ];
    let targets = if options & 16 == 0 { 1 } else { 50 };
    Rules {
        from_format: formats[usize::from(options % 4)],
        to_header: [
            ToHeader::Targets,
            ToHeader::Alias,
            ToHeader::Keep,
            ToHeader::Targets,
        ][usize::from(options / 4 % 4)],
        from_email: (options & 32 != 0).then(|| known("forwarder@example.com")),
        subject_prefix: text(prefix).and_then(|prefix| subject_prefix(prefix).ok()),
        envelope_sender: address(sender),
        ..Rules::new(
            address(alias).unwrap_or_else(|| known("shop@example.com")),
            (0..targets)
                .map(|n| known(&format!("owner{n}@example.net")))
                .collect(),
        )
    }
}

fn rewritten<'a>(
    rules: &Rules,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<u8>, HeaderOctets), Error> {
    let mut out = Vec::new();
    let mut came = 0;
    let mut sink = |bytes: &[u8]| out.extend_from_slice(bytes);
    let mut rewriter = Rewriter::new(rules.clone());
    for chunk in chunks {
        came += chunk.len() as u64;
        rewriter.write(chunk, &mut sink)?;
    }
    let foretold = rewriter.header_octets();
    let header_is_out = !out.is_empty();
    let mut sink = |bytes: &[u8]| out.extend_from_slice(bytes);
    let octets = rewriter.end(&mut sink)?;
    let expected = header_is_out.then_some(octets);
    assert_eq!(foretold, expected, "the size is foretold with the header section");
    assert_eq!(
        out.len() as u64 + octets.before,
        came + octets.after,
        "the size is foretold"
    );
    Ok((out, octets))
}

fn after_colon(raw: &[u8]) -> Option<&[u8]> {
    let colon = raw.iter().position(|&b| b == b':')?;
    Some(&raw[colon + 1..])
}

/// The fields that rules make, read as a mail program would.
fn says_what_the_rules_say(rules: &Rules, out: &[u8]) {
    let fields = sealed::split(out).fields;
    let body_of = |wanted: &str| {
        let raw = fields
            .iter()
            .rev()
            .find(|(name, _)| name == wanted)
            .map(|(_, raw)| raw)?;
        Some(after_colon(raw)?.trim_ascii())
    };
    let mailboxes = |name| body_of(name).map(parse_address_list).unwrap_or_default();
    let addresses = |name| -> Vec<String> {
        let list = mailboxes(name).into_iter();
        list.map(|mailbox| mailbox.address.to_string()).collect()
    };
    let alias = [rules.alias.to_string()];

    assert_eq!(addresses("from"), [rules.from_address().to_string()], "From");
    assert_eq!(addresses("x-original-to"), alias, "X-Original-To");
    match rules.to_header {
        ToHeader::Targets => {
            let targets: Vec<String> = rules.targets.iter().map(Address::to_string).collect();
            assert_eq!(addresses("to"), targets, "To");
        }
        ToHeader::Alias => assert_eq!(addresses("to"), alias, "To"),
        ToHeader::Keep => {}
    }
    assert!(
        body_of("reply-to").is_none() || !mailboxes("reply-to").is_empty(),
        "Reply-To without an address"
    );
    assert!(
        mailboxes("reply-to")
            .iter()
            .all(|mailbox| !is_alias(rules, &mailbox.address)),
        "answers come back to the alias"
    );
    let sender = rules.envelope_sender.as_ref();
    // SES would refuse it in a Reply-To.
    let is_refused = |sender: &Address| check_address_list(sender.to_string().as_bytes()).is_err();
    let is_of_no_use = |sender: &Address| is_alias(rules, sender) || is_refused(sender);
    assert!(
        sender.is_none_or(is_of_no_use) || body_of("reply-to").is_some(),
        "no Reply-To"
    );
    if let Some(prefix) = &rules.subject_prefix {
        // Runs of white space are not kept at any length, nor at the ends.
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let subject = words(&decode(body_of("subject").unwrap_or_default()));
        assert!(
            subject.contains(&words(prefix)),
            "{prefix:?} is not in {subject:?}"
        );
    }
}

/// Is this the alias, under whatever `+tag`?
fn is_alias(rules: &Rules, address: &Address) -> bool {
    let untagged = |address: &Address| {
        let local = address.local().split('+').next().unwrap_or_default();
        format!("{local}@{}", address.domain()).to_lowercase()
    };
    untagged(address) == untagged(&rules.alias)
}

/// The first of the fields that go out once, where no rule gives them another body.
fn keeps_what_no_rule_changes(rules: &Rules, message: &[u8], out: &[u8]) {
    let (before, after) = (sealed::split(message), sealed::split(out));
    let first = |split: &sealed::Split, wanted: &str| {
        let mut fields = split
            .fields
            .iter()
            .filter(|(name, _)| name == wanted)
            .map(|(_, raw)| raw);
        let speaks = |raw: &&&Vec<u8>| sealed::cleaned(raw).is_none_or(|raw| sealed::says_anything(&raw));
        let all: Vec<&Vec<u8>> = fields.by_ref().collect();
        all.iter().find(speaks).or(all.first()).map(|raw| (*raw).clone())
    };
    let mut kept = Vec::new();
    if rules.subject_prefix.is_none() {
        kept.push("subject");
    }
    let is_taken =
        |raw: &[u8]| raw.is_ascii() && after_colon(raw).is_some_and(|body| check_address_list(body).is_ok());
    let reply_to = first(&before, "reply-to")
        .and_then(|raw| sealed::cleaned(&raw))
        .filter(|raw| is_taken(raw));
    let reply_to = reply_to.as_deref().and_then(after_colon).map(parse_address_list);
    if reply_to.is_some_and(|list| {
        !list.is_empty() && list.len() < 50 && !list.iter().any(|mailbox| is_alias(rules, &mailbox.address))
    }) {
        kept.push("reply-to");
    }
    for name in kept {
        let (before, after) = (first(&before, name), first(&after, name));
        let clean = match &before {
            None => None,
            // It is folded.
            Some(raw) if sealed::is_long(raw) => continue,
            Some(raw) => match sealed::cleaned(raw) {
                Some(clean) => Some(clean.trim_ascii_end().to_vec()),
                // It holds ISO-2022-JP, and goes out as encoded-words.
                None => continue,
            },
        };
        assert_eq!(after.map(|raw| raw.trim_ascii_end().to_vec()), clean, "{name}");
    }
}

/// The output has the parts of the message, moved by what the header section has grown.
fn has_the_same_parts(message: &[u8], out: &[u8], octets: HeaderOctets) {
    let (before, mut after) = (parts(message), parts(out));
    let back = |at: u64| at + octets.before - octets.after;
    for part in &mut after {
        part.body.start = back(part.body.start);
        part.body.end = back(part.body.end);
        if part.depth == 0 {
            // A Content-Type that a strict parser does not read is written anew, as far as it can be.
            part.content_type.clone_from(&before[0].content_type);
            part.filename.clone_from(&before[0].filename);
        }
        if part.depth > 0 {
            part.header.start = back(part.header.start);
            part.header.end = back(part.header.end);
        } else {
            part.header = before[0].header;
        }
    }
    assert_eq!(after, before, "the parts");
}

fn parts(message: &[u8]) -> Vec<Part> {
    let mut scanner = Scanner::default();
    let mut parts = Parts::new();
    let mut rest = message;
    while let Ok(Some(event)) = scanner.next(&mut rest, true) {
        parts.push(&event);
    }
    parts.finish()
}

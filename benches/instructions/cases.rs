//! What is measured: the engine over messages and field bodies of many kinds.

use std::hint::black_box;

use readdress::header::encoded_word::{decode, encode_phrase, encode_unstructured};
use readdress::header::mailbox::parse_address_list;

use crate::common::engine::{rewrite, rules, scan};
use crate::common::fields::Work;
use crate::common::messages::{self, Make};

/// A case: its name, how to get ready for about so many octets, and how many.
pub type Case = (&'static str, fn(usize) -> Work, usize);

const CHUNK: usize = 64 << 10;

/// Those with a baseline, beside [`FIELDS`](crate::common::fields::FIELDS).
pub const FIXED: [Case; 20] = [
    (
        "rewrite a newsletter",
        |n| rewriting(messages::newsletter, n),
        10_000,
    ),
    (
        "rewrite attachments",
        |n| rewriting(messages::attachments, n),
        200_000,
    ),
    (
        "rewrite a header section of 30 kB",
        |n| rewriting(messages::long_header, n),
        30_000,
    ),
    (
        "rewrite a field of 200 kB",
        |n| rewriting(messages::long_field, n),
        200_000,
    ),
    ("scan a newsletter", |n| scanning(messages::newsletter, n), 10_000),
    (
        "scan attachments",
        |n| scanning(messages::attachments, n),
        200_000,
    ),
    (
        "scan attachments in chunks of 1 KiB",
        |n| scanning_in(messages::attachments, n, 1 << 10),
        200_000,
    ),
    ("scan 8-bit text", |n| scanning(messages::eight_bit, n), 200_000),
    ("scan one line", |n| scanning(messages::one_line, n), 200_000),
    ("scan 200 parts", |n| scanning(messages::many_parts, n), 200_000),
    ("scan 50 deep", |n| scanning(messages::nested, n), 200_000),
    ("scan dashes", |n| scanning(messages::dashes, n), 200_000),
    (
        "scan a header section of 30 kB",
        |n| scanning(messages::long_header, n),
        30_000,
    ),
    (
        "scan a field of 200 kB",
        |n| scanning(messages::long_field, n),
        200_000,
    ),
    (
        "scan near misses",
        |n| scanning(messages::near_misses, n),
        200_000,
    ),
    (
        "scan later misses",
        |n| scanning(messages::later_misses, n),
        200_000,
    ),
    (
        "scan long misses",
        |n| scanning(messages::long_misses, n),
        200_000,
    ),
    (
        "scan short lines",
        |n| scanning(messages::short_lines, n),
        200_000,
    ),
    (
        "scan nested boundaries",
        |n| scanning(messages::nested_boundaries, n),
        200_000,
    ),
    ("scan tiny parts", |n| scanning(messages::tiny_parts, n), 200_000),
];

/// Those that must not grow faster than their input.
pub const GROWING: [Case; 24] = [
    (
        "rewrite attachments",
        |n| rewriting(messages::attachments, n),
        SMALL,
    ),
    (
        "rewrite a long header section",
        |n| rewriting(messages::long_header, n),
        // The largest is then as large as a header section may be.
        60_000,
    ),
    (
        "rewrite a long field",
        |n| rewriting(messages::long_field, n),
        SMALL,
    ),
    ("rewrite bare CR", |n| rewriting(messages::bare_cr, n), SMALL),
    ("scan newsletters", |n| scanning(messages::newsletter, n), SMALL),
    ("scan attachments", |n| scanning(messages::attachments, n), SMALL),
    (
        "scan attachments in chunks of 1 octet",
        |n| scanning_in(messages::attachments, n, 1),
        SMALL,
    ),
    ("scan 8-bit text", |n| scanning(messages::eight_bit, n), SMALL),
    ("scan one line", |n| scanning(messages::one_line, n), SMALL),
    ("scan many parts", |n| scanning(messages::many_parts, n), SMALL),
    ("scan 50 deep", |n| scanning(messages::nested, n), SMALL),
    ("scan dashes", |n| scanning(messages::dashes, n), SMALL),
    (
        "scan a long header section",
        |n| scanning(messages::long_header, n),
        SMALL,
    ),
    ("scan a long field", |n| scanning(messages::long_field, n), SMALL),
    (
        "scan a long field in chunks of 1 octet",
        |n| scanning_in(messages::long_field, n, 1),
        SMALL,
    ),
    (
        "scan an unfolded field in chunks of 1 octet",
        |n| scanning_in(messages::unfolded, n, 1),
        SMALL,
    ),
    ("scan near misses", |n| scanning(messages::near_misses, n), SMALL),
    (
        "scan later misses",
        |n| scanning(messages::later_misses, n),
        SMALL,
    ),
    // The boundaries alone are some 50 kB.
    (
        "scan long misses",
        |n| scanning(messages::long_misses, n),
        10 * SMALL,
    ),
    (
        "scan short lines",
        |n| scanning(messages::short_lines, n),
        10 * SMALL,
    ),
    (
        "scan nested boundaries",
        |n| scanning(messages::nested_boundaries, n),
        SMALL,
    ),
    ("scan tiny parts", |n| scanning(messages::tiny_parts, n), SMALL),
    // Of many units, so that a body of each is long enough.
    ("parse hostile mailboxes", hostile_lists, 2 * SMALL),
    ("decode hostile encoded-words", hostile_words, 2 * SMALL),
];

/// Octets of the smallest input. What a message costs at all is no matter: increments are compared.
const SMALL: usize = 25_000;

fn scanning(make: Make, octets: usize) -> Work {
    scanning_in(make, octets, CHUNK)
}

fn scanning_in(make: Make, octets: usize, chunk: usize) -> Work {
    let message = make(octets);
    Box::new(move || {
        black_box(scan(&message, chunk));
    })
}

fn rewriting(make: Make, octets: usize) -> Work {
    let (message, rules) = (make(octets), rules());
    Box::new(move || {
        rewrite(&message, CHUNK, &rules, &mut |bytes| {
            black_box(bytes);
        });
    })
}

/// Openings without their ends, separated by spaces; `~` stands for a space. Repeated, each would take quadratic time in a
/// parser that searches for the missing end from every opening.
const LIST_UNITS: &str = "( ) < > , \" \\ @ : ; . [ a~ a, a@ a@, @, @,~ <@ <@a <a <@, @[ ((a) (\\ \"\\ .~ a@b~. a@b .~@~ .@ \
    a@b~ =? =?a?q? =?a?q?( \u{fc} a<b> a@x< a@x<~ a< a~ a.~ a.~@ a@x?< ' '' '@ `'a@x \"<\" \u{200b} \u{200b}~ \u{a0} \u{a0}a@b";

fn hostile_lists(octets: usize) -> Work {
    let bodies = repeated(LIST_UNITS, octets);
    Box::new(move || {
        for body in &bodies {
            black_box(parse_address_list(body.as_bytes()));
        }
    })
}

const WORD_UNITS: &str = "= ? =? ?= =?=?=?a?b? =?a?b? =?a?q? =?a?q?x~ =?utf-8?q?a?= =?utf-8?q?a?=~ =?utf-8?b? =?a?q?=?= \
    =?a?b?x?=~ =?a?q?\u{fc} =?cp932?b?x?=~ \u{fc}a ~ \r\n~";

fn hostile_words(octets: usize) -> Work {
    let bodies = repeated(WORD_UNITS, octets);
    Box::new(move || {
        for body in &bodies {
            let text = decode(body.as_bytes());
            for text in [body, &text] {
                black_box(encode_unstructured(text));
                black_box(encode_phrase(text));
            }
        }
    })
}

/// Each of the units over and over, together about so many octets.
fn repeated(units: &str, octets: usize) -> Vec<String> {
    let octets = octets / units.split(' ').count();
    let units = units.split(' ').map(|unit| unit.replace('~', " "));
    units.map(|unit| unit.repeat(octets / unit.len())).collect()
}

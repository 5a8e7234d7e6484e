//! The rules for the top-level header section: the faults of the fields that SES's reader sees there.

use super::address::{AddressList, check_address_list, trimmed};
use super::attachment::has_blocked_name;
use super::charset::has_unknown_charset;
use super::content_type::{check_content_disposition, check_content_type};
use super::fields::{self, ADDRESS_FIELDS, FROM, Known, REPLY_TO, RETURN_PATH, Role, SENDER};
use super::finding::{Code, Source};
use super::section::SeenField;
use crate::header::mailbox::MAX_MAILBOX;
use crate::mime::Span;

/// Addresses in To, Cc and the like that SES takes: it documents a limit of 50 recipients, and people report that addresses of
/// the header section count.
const MAX_ADDRESSES: usize = 50;

/// A fault of a field of the top-level header section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SectionFinding {
    pub(super) code: Code,
    pub(super) source: Source,
    pub(super) text: &'static str,
    pub(super) name: String,
    pub(super) span: Span,
}

/// A field that is in the table, and how often it was seen.
#[derive(Clone, Debug)]
struct Seen {
    known: &'static Known,
    times: usize,
    first: Span,
    second: Span,
}

/// The bodies of all address fields of a name, joined by commas, and where the first is.
#[derive(Clone, Debug, Default)]
struct Joined {
    body: Vec<u8>,
    span: Span,
    times: usize,
}

/// Takes the fields of a header section and gives its findings.
#[derive(Clone, Debug, Default)]
pub(super) struct SectionRules {
    seen: Vec<Seen>,
    joined: [Joined; ADDRESS_FIELDS.len()],
}

/// Where findings go.
pub(super) type Tell<'a> = &'a mut dyn FnMut(SectionFinding);

impl SectionRules {
    /// Takes the next field.
    pub(super) fn field(&mut self, field: &SeenField<'_>, tell: Tell<'_>) {
        let name = field.name();
        let mut say = |code, source, text| {
            tell(SectionFinding {
                code,
                source,
                text,
                name: printable_name(name),
                span: field.span,
            });
        };
        if name.is_empty() {
            say(
                Code::EmptyFieldName,
                Source::Reported,
                "Empty header names are illegal",
            );
            return;
        }
        if let Some(source) = order(name) {
            say(Code::OrderToSes, source, "SES takes orders from this field");
            return;
        }
        let Some(known) = fields::find(name) else {
            return;
        };
        let is_first = self.count(known, field.span);
        let body = field.body();
        if let Role::Address(which) = known.role {
            let joined = &mut self.joined[which];
            if joined.times > 0 {
                joined.body.push(b',');
            } else {
                joined.span = field.span;
            }
            joined.body.extend_from_slice(body);
            joined.times += 1;
        }
        if is_first {
            first_of_name(known, body, &mut say);
        }
    }

    /// Counts the field, and returns whether it is the first of its name.
    fn count(&mut self, known: &'static Known, span: Span) -> bool {
        let before = self.seen.iter_mut().find(|seen| std::ptr::eq(seen.known, known));
        let Some(seen) = before else {
            self.seen.push(Seen {
                known,
                times: 1,
                first: span,
                second: Span::default(),
            });
            return true;
        };
        seen.times += 1;
        if seen.times == 2 {
            seen.second = span;
        }
        false
    }

    /// Ends the section at the offset `end`, where missing fields are reported; none is known to be missing unless the section
    /// `is_whole`.
    pub(super) fn end(&mut self, end: u64, is_whole: bool, tell: Tell<'_>) {
        for seen in &self.seen {
            let mut say = |code, text, span| {
                tell(SectionFinding {
                    code,
                    source: Source::Documented,
                    text,
                    name: seen.known.name.to_owned(),
                    span,
                });
            };
            if seen.known.is_once && seen.times > 1 {
                say(Code::DuplicateField, "Duplicate header", seen.second);
            }
            if seen.known.is_removed {
                say(Code::MustNotGoOut, "a field that must not go out", seen.first);
            }
        }
        if is_whole && self.joined[FROM].times == 0 {
            tell(SectionFinding {
                code: Code::NoFrom,
                source: Source::Documented,
                text: "Missing required header 'From'",
                name: "from".to_owned(),
                span: Span { start: end, end },
            });
        }
        self.addresses(tell);
    }

    fn addresses(&self, tell: Tell<'_>) {
        let (mut recipients, mut latest) = (0, None);
        let present = self
            .joined
            .iter()
            .enumerate()
            .filter(|(_, joined)| joined.times > 0);
        for (which, joined) in present {
            if which == RETURN_PATH && trimmed(&joined.body) == b"<>" {
                continue;
            }
            let mut report = |code, source, text| {
                tell(SectionFinding {
                    code,
                    source,
                    text,
                    name: ADDRESS_FIELDS[which].to_owned(),
                    span: joined.span,
                });
            };
            if !joined.body.is_ascii() {
                report(Code::AddressNotAscii, Source::Documented, "addresses are 7-bit");
            }
            match check_address_list(&joined.body) {
                Err(fault) => report(Code::AddressSyntax, Source::Reported, fault.text()),
                Ok(list) => {
                    list_rules(which, list, &mut report);
                    if ![FROM, SENDER, REPLY_TO].contains(&which) {
                        recipients += list.mailboxes.max(list.entries);
                        latest = Some((which, joined.span));
                    }
                }
            }
        }
        if let Some((which, span)) = latest.filter(|_| recipients > MAX_ADDRESSES) {
            tell(SectionFinding {
                code: Code::TooManyAddresses,
                source: Source::Reported,
                text: "Recipient count exceeds 50",
                name: ADDRESS_FIELDS[which].to_owned(),
                span,
            });
        }
    }
}

/// The words for an attachment that SES does not send.
pub(super) const BLOCKED_TEXT: &str = "an attachment type that SES does not send";

type Say<'a> = &'a mut dyn FnMut(Code, Source, &'static str);

/// The rules that look at the first field of a name only, as SES's reader does.
fn first_of_name(known: &Known, body: &[u8], say: Say<'_>) {
    match known.role {
        Role::Address(FROM | REPLY_TO | fields::TO | fields::CC) if has_unknown_charset(body) => {
            say(Code::UnknownCharset, Source::Reported, "Unsupported encoding");
        }
        Role::Subject if has_unknown_charset(body) => {
            say(Code::UnknownCharset, Source::Suspected, "Unsupported encoding");
        }
        Role::ContentType => {
            if let Err(fault) = check_content_type(body) {
                say(Code::ContentTypeSyntax, Source::Reported, fault.text());
            }
            if has_blocked_name(body, false) {
                say(Code::BlockedAttachment, Source::Documented, BLOCKED_TEXT);
            }
        }
        Role::ContentDisposition => {
            if let Err(fault) = check_content_disposition(body) {
                say(Code::ContentDispositionSyntax, Source::Reported, fault.text());
            }
            if has_blocked_name(body, true) {
                say(Code::BlockedAttachment, Source::Documented, BLOCKED_TEXT);
            }
        }
        _ => {}
    }
}

fn list_rules(which: usize, list: AddressList, say: Say<'_>) {
    if which == FROM && list.entries == 0 {
        say(Code::NoFrom, Source::Documented, "From names no mailbox");
    } else if which == FROM && list.entries > 1 {
        say(
            Code::SeveralFromMailboxes,
            Source::Documented,
            "From names several mailboxes",
        );
    }
    if list.longest > MAX_MAILBOX {
        say(
            Code::AddressTooLong,
            Source::Documented,
            "Address length is more than 320 bytes long",
        );
    }
}

/// Returns how it is known that SES takes orders from a field of this name, if it does.
///
/// It is only suspected that a reader which decodes UTF-8 before comparing names takes a long s for an s.
fn order(name: &[u8]) -> Option<Source> {
    const PREFIX: &str = "x-ses-";
    if !matches!(name[0], b'x' | b'X') {
        return None;
    }
    let start = name.get(..PREFIX.len())?;
    if start.eq_ignore_ascii_case(PREFIX.as_bytes()) {
        return Some(Source::Documented);
    }
    if start.is_ascii() {
        return None;
    }
    let start = String::from_utf8_lossy(name);
    let folded = start.chars().take(PREFIX.len()).flat_map(char::to_uppercase);
    folded
        .eq(PREFIX.to_uppercase().chars())
        .then_some(Source::Suspected)
}

/// Octets of a name that are shown: those of a line as RFC 5322 2.1.1 would have it.
const MAX_SHOWN_NAME: usize = 76;

/// A name that strangers wrote, fit for a terminal and a line of JSON.
pub(super) fn printable_name(name: &[u8]) -> String {
    let shown = &name[..name.len().min(MAX_SHOWN_NAME)];
    let printable = |&b: &u8| {
        if b.is_ascii_graphic() {
            char::from(b.to_ascii_lowercase())
        } else {
            '?'
        }
    };
    shown.iter().map(printable).collect()
}

//! The findings of preflight, each with its code, its place, the source of its rule and its cure.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::mime::{Part, Span};

/// Findings of one message that are kept. Further findings are counted only. The limit equals
/// [`MAX_EDITS`](crate::rewrite::MAX_EDITS).
pub const MAX_FINDINGS: usize = 1000;

/// The kind of a finding. Its name, as [`Code::as_str`] gives it, is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Code {
    /// `address-not-ascii`: octets above 127 in an address field.
    AddressNotAscii,
    /// `address-syntax`: an address list that a strict parser does not read.
    AddressSyntax,
    /// `address-too-long`: a mailbox of more than 320 octets, its name included.
    AddressTooLong,
    /// `bare-cr`: a carriage return in the header section that no line feed follows.
    BareCr,
    /// `blocked-attachment`: a file name with an extension that SES does not send.
    BlockedAttachment,
    /// `content-disposition-syntax`: a Content-Disposition that a strict parser does not read.
    ContentDispositionSyntax,
    /// `content-type-syntax`: a Content-Type that a strict parser does not read.
    ContentTypeSyntax,
    /// `duplicate-field`: a second field of a name that SES takes only once.
    DuplicateField,
    /// `eight-bit`: octets above 127, or NULs, in a body or in a field of a part. SES takes them as far as is known, so only
    /// [`Preflight::strict`](super::Preflight::strict) reports it.
    EightBit,
    /// `empty-field-name`: a line with nothing before its colon, which SES reads as a field. For the
    /// [`Scanner`](crate::mime::Scanner) it is no field: the header section ends before it.
    EmptyFieldName,
    /// `header-too-large`: a header section of over 1 MiB.
    HeaderTooLarge,
    /// `line-too-long`: a line of more than 998 octets.
    LineTooLong,
    /// `must-not-go-out`: a field that SES writes or verifies itself, or that shows who else got the message.
    MustNotGoOut,
    /// `no-from`: no From, or none that names a mailbox.
    NoFrom,
    /// `no-reply-address`: answers go to the correspondent directly, from the private mailbox, since there are too many
    /// correspondents or the reply address would be too long. Not produced by preflight; set by the rewrite.
    NoReplyAddress,
    /// `no-start-boundary`: a multipart without a part.
    NoStartBoundary,
    /// `nul`: a NUL in the header section.
    Nul,
    /// `order-to-ses`: a field with which the sender would control our SES account.
    OrderToSes,
    /// `several-from-mailboxes`: a From that names more than one mailbox.
    SeveralFromMailboxes,
    /// `too-large`: a message over the limit.
    TooLarge,
    /// `too-many-addresses`: more than 50 addresses in the fields that SES may take for recipients.
    TooManyAddresses,
    /// `unforeseen`: a fault for which SES refuses the message though preflight found nothing. Not produced by preflight; set by
    /// the rewrite where [`Rules::strict`](crate::rewrite::Rules::strict) is.
    Unforeseen,
    /// `unknown-charset`: an encoded-word of a charset that SES does not know.
    UnknownCharset,
}

impl Code {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::AddressNotAscii => "address-not-ascii",
            Code::AddressSyntax => "address-syntax",
            Code::AddressTooLong => "address-too-long",
            Code::BareCr => "bare-cr",
            Code::BlockedAttachment => "blocked-attachment",
            Code::ContentDispositionSyntax => "content-disposition-syntax",
            Code::ContentTypeSyntax => "content-type-syntax",
            Code::DuplicateField => "duplicate-field",
            Code::EightBit => "eight-bit",
            Code::EmptyFieldName => "empty-field-name",
            Code::HeaderTooLarge => "header-too-large",
            Code::LineTooLong => "line-too-long",
            Code::MustNotGoOut => "must-not-go-out",
            Code::NoFrom => "no-from",
            Code::NoReplyAddress => "no-reply-address",
            Code::NoStartBoundary => "no-start-boundary",
            Code::Nul => "nul",
            Code::OrderToSes => "order-to-ses",
            Code::SeveralFromMailboxes => "several-from-mailboxes",
            Code::TooLarge => "too-large",
            Code::TooManyAddresses => "too-many-addresses",
            Code::Unforeseen => "unforeseen",
            Code::UnknownCharset => "unknown-charset",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The source from which a rule is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// No source settles it: it may pass.
    Suspected,
    /// People report the refusal publicly, with SES's words.
    Reported,
    /// SES's documentation says it.
    Documented,
}

impl Source {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Source::Suspected => "suspected",
            Source::Reported => "reported",
            Source::Documented => "documented",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The change that a message needs so that SES takes it: a rung of a ladder, the mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// The header section is repaired.
    Header,
    /// A part is written in another transfer encoding or replaced by a note, or the text between parts gets new line breaks. The
    /// header section is repaired too.
    Parts,
    /// The message cannot be repaired; a notice to its recipient is sent instead.
    Notice,
    /// Nothing is known to help. Its name in reports is `none`.
    #[serde(rename = "none")]
    Incurable,
}

impl Rung {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Rung::Header => "header",
            Rung::Parts => "parts",
            Rung::Notice => "notice",
            Rung::Incurable => "none",
        }
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why the octets of a part cannot be changed without harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seal {
    /// It is inside a multipart/signed (RFC 1847 2.1).
    Signed,
    /// It is inside a multipart/encrypted (RFC 1847 2.2).
    Encrypted,
    /// It is inside an attached message with a DKIM-Signature (RFC 6376), or is that message.
    Dkim,
    /// Its body is a message/* of a kind that is not taken apart, to which no other transfer encoding may be applied (RFC 2046
    /// 5.2).
    Message,
    /// Its body is a multipart that is not taken apart, to which no other transfer encoding may be applied (RFC 2045 6.4).
    Multipart,
    /// Its transfer encoding is unknown.
    Encoding,
}

impl Seal {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Seal::Signed => "signed",
            Seal::Encrypted => "encrypted",
            Seal::Dkim => "dkim",
            Seal::Message => "message",
            Seal::Multipart => "multipart",
            Seal::Encoding => "encoding",
        }
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where in its part a fault is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Within {
    /// A field of the part's header section, by its name in lower case, printable and cut to 76 octets. For a line that is no
    /// field, the name may be anything or empty.
    Field(String),
    /// The header section as a whole.
    Header,
    /// The part's body, which is not taken apart.
    Body,
    /// The part as a whole, its header section included.
    Part,
    /// The preamble: the text before the first part of a multipart.
    Preamble,
    /// A delimiter of a multipart.
    Delimiter,
    /// The epilogue: the text after the last part of a multipart.
    Epilogue,
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Within::Field(name) => name,
            Within::Header => "header section",
            Within::Body => "body",
            Within::Part => "part",
            Within::Preamble => "preamble",
            Within::Delimiter => "delimiter",
            Within::Epilogue => "epilogue",
        })
    }
}

/// The part that a fault is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AffectedPart {
    /// Its place in the tree, and its type.
    #[serde(flatten)]
    pub part: Part,
    /// Why nothing of it can be changed, neither its header section nor its body. `None`: no reason is known.
    pub seal: Option<Seal>,
    /// Why its body cannot be written in another transfer encoding. If `seal` is set, the body cannot be changed either.
    pub body_seal: Option<Seal>,
    /// The fields of its header section that are valid for the present encoding of its body only. Those of the message itself
    /// are left to whoever writes its header section.
    pub encoding_fields: EncodingFields,
}

/// The fields of a part that another transfer encoding changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EncodingFields {
    /// The first Content-Transfer-Encoding that says anything.
    pub encoding: Option<Span>,
    /// Further fields of that name, which would count if they were left.
    pub other_encodings: Vec<Span>,
    /// Content-MD5, Content-Length and Lines, which would no longer be true.
    pub stale: Vec<Span>,
}

/// A reason for which SES refuses the message, or may refuse it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// Its kind.
    pub code: Code,
    /// How the rule is known.
    pub source: Source,
    /// The change that cures it.
    pub rung: Rung,
    /// SES's words, where they are known. They quote nothing of the message.
    pub text: &'static str,
    /// The part that it is in: the index in [`Report::parts`], which has only the parts with a finding. It is not the number in
    /// [`PartChange`](crate::mime::PartChange), which counts all parts. See [`Report::part_of`].
    pub part: usize,
    /// The place in that part.
    pub within: Within,
    /// The offset at which the fault begins: of the field, or of the first line that is too long.
    pub offset: u64,
    /// The octets that an edit would replace: the field, the header section, the body, the part, the preamble or epilogue, or the
    /// excess padding of a delimiter.
    pub span: Span,
}

impl Finding {
    /// Whether an edit of a part is known to be needed, and to help; with `strict`, whether it may be needed.
    pub(crate) fn needs_edit_of_part(&self, strict: bool) -> bool {
        self.rung == Rung::Parts && (strict || self.source > Source::Suspected)
    }
}

/// All findings of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The first [`MAX_FINDINGS`], sorted by their offsets.
    pub findings: Vec<Finding>,
    /// The parts that they are in. The first is the message itself, also where it has no finding.
    pub parts: Vec<AffectedPart>,
    /// The number of findings that were not kept.
    pub more: u64,
    /// Octets of the message. Of one whose header section is over the limit ([`Code::HeaderTooLarge`], with [`Rung::Notice`]),
    /// only the fields before that are counted, and may be none.
    pub octets: u64,
    /// Whether a documented or reported rule is broken, by whichever finding.
    pub is_refused: bool,
}

impl Report {
    /// The part that a finding is in.
    pub fn part_of(&self, finding: &Finding) -> Option<&AffectedPart> {
        self.parts.get(finding.part)
    }

    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// The most drastic change that the findings need, counting only those that SES is known to refuse. `None`: the message can
    /// go as it is.
    pub fn rung(&self) -> Option<Rung> {
        let known = self
            .findings
            .iter()
            .filter(|finding| finding.source > Source::Suspected);
        known.map(|finding| finding.rung).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Catches a name in the text of a report that is not the one in its JSON.
    #[test]
    fn names_are_those_of_json() {
        let all = [Rung::Header, Rung::Parts, Rung::Notice, Rung::Incurable]
            .map(|rung| (rung.to_string(), serde_json::to_value(rung)));
        let sources = [Source::Suspected, Source::Reported, Source::Documented]
            .map(|source| (source.to_string(), serde_json::to_value(source)));
        let seals = [
            Seal::Signed,
            Seal::Encrypted,
            Seal::Dkim,
            Seal::Message,
            Seal::Multipart,
            Seal::Encoding,
        ]
        .map(|seal| (seal.to_string(), serde_json::to_value(seal)));
        for (name, json) in all.into_iter().chain(sources).chain(seals) {
            assert_eq!(json.unwrap(), name);
        }
    }
}

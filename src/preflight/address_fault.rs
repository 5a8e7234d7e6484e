//! Why SES refuses an address list.

use std::error::Error;
use std::fmt;

/// Why SES refuses an address list, in its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressFault {
    /// A comment is not closed.
    OpenComment,
    /// `)` without a comment.
    NoComment,
    /// `<` without `>`.
    OpenBracket,
    /// `>` without `<`.
    NoBracket,
    /// A quoted-string is not closed.
    OpenQuote,
    /// A domain literal is not closed.
    OpenLiteral,
    /// Two addresses in brackets without a comma between them.
    ExtraBracket,
    /// `;` that ends no group.
    Semicolon,
    /// `:` inside of a group.
    NestedGroup,
    /// Brackets with nothing in them.
    Empty,
    /// A source route (RFC 822 6.1) in which a domain has no `@`.
    Route,
    /// Something else than `@` behind the quoted-string of a local part.
    QuoteNotAtEnd,
    /// A quoted-string in the middle of a local part.
    QuoteNotAtStart,
    /// A quoted-string is not closed within its address.
    OpenQuoteInAddress,
    /// A carriage return by itself.
    BareCr,
    /// A line break that is no fold.
    LineBreak,
    /// The local part begins with a dot.
    LocalStartsWithDot,
    /// The local part has two dots in a row.
    LocalDotDot,
    /// The local part ends with a dot.
    LocalEndsWithDot,
    /// Nothing before the `@`.
    NoLocal,
    /// A space or control in the local part: mostly a name with a comma that is not quoted.
    LocalSpace,
    /// A special in the local part.
    LocalCharacter,
    /// There is no `@`.
    NoAt,
    /// Nothing behind the `@`.
    NoDomain,
    /// The domain begins with a dot.
    DomainStartsWithDot,
    /// The domain has two dots in a row.
    DomainDotDot,
    /// The domain ends with a dot.
    DomainEndsWithDot,
    /// A space or control in the domain.
    DomainSpace,
    /// Something else than letters, digits, hyphens and dots in the domain, such as an underscore.
    DomainCharacter,
    /// A domain literal behind other text.
    LiteralNotAtStart,
    /// Text behind a domain literal.
    LiteralNotAtEnd,
}

impl AddressFault {
    /// SES's words.
    pub const fn text(self) -> &'static str {
        match self {
            AddressFault::OpenComment => "Missing ')'",
            AddressFault::NoComment => "Missing '('",
            AddressFault::OpenBracket => "Missing '>'",
            AddressFault::NoBracket => "Missing '<'",
            AddressFault::OpenQuote => "Missing '\"'",
            AddressFault::OpenLiteral => "Missing ']'",
            AddressFault::ExtraBracket => "Extra route-addr",
            AddressFault::Semicolon => "Illegal semicolon, not in group",
            AddressFault::NestedGroup => "Nested group",
            AddressFault::Empty => "Empty address",
            AddressFault::Route => "Illegal route-addr",
            AddressFault::QuoteNotAtEnd => "Quote not at end of local address",
            AddressFault::QuoteNotAtStart => "Quote not at start of local address",
            AddressFault::OpenQuoteInAddress => "Unterminated quote",
            AddressFault::BareCr => "Quoted local address contains CR without LF",
            AddressFault::LineBreak => "Quoted local address contains newline without whitespace",
            AddressFault::LocalStartsWithDot => "Local address starts with dot",
            AddressFault::LocalDotDot => "Local address contains dot-dot",
            AddressFault::LocalEndsWithDot => "Local address ends with dot",
            AddressFault::NoLocal => "Missing local name",
            AddressFault::LocalSpace => "Local address contains control or whitespace",
            AddressFault::LocalCharacter => "Local address contains illegal character",
            AddressFault::NoAt => "Missing final '@domain'",
            AddressFault::NoDomain => "Missing domain",
            AddressFault::DomainStartsWithDot => "Domain starts with dot",
            AddressFault::DomainDotDot => "Domain contains dot-dot",
            AddressFault::DomainEndsWithDot => "Domain ends with dot",
            AddressFault::DomainSpace => "Domain contains control or whitespace",
            AddressFault::DomainCharacter => "Domain contains illegal character",
            AddressFault::LiteralNotAtStart => "Domain literal not at start of domain",
            AddressFault::LiteralNotAtEnd => "Domain literal end not at end of domain",
        }
    }
}

impl fmt::Display for AddressFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Error for AddressFault {}

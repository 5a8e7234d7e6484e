//! How much the scanner may hold.

/// Bounds on the scanner's memory.
///
/// A top-level header section over `header` is refused with [`Error::HeaderTooLong`](super::Error::HeaderTooLong). If another
/// limit is exceeded, the part is not taken apart: its rest comes as [`Kind::Body`](super::Kind::Body).
/// [`Scanner::parts_cut_off`](super::Scanner::parts_cut_off) counts such parts.
///
/// ```
/// use readdress::mime::{Error, Limits, Scanner};
///
/// let limits = Limits::default().with_header(16 << 10).with_depth(8);
/// let mut scanner = Scanner::new(limits);
/// let long = format!("Subject: {}", "x".repeat(limits.header));
/// assert_eq!(
///     scanner.next(&mut long.as_bytes(), false),
///     Err(Error::HeaderTooLong { limit: 16 << 10 })
/// );
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Octets of the top-level header section. Default 1 MiB: five times the largest seen in real mail
    /// (210 kB), and far more than SES sends.
    pub header: usize,
    /// Octets of one field below the top level. Default 256 KiB. The header section ends before a longer field: what
    /// follows is body, and the part is of type `text/plain` unless its Content-Type came before.
    pub field: usize,
    /// Levels of multiparts and messages that are taken apart. Default 128: real mail nests up to 105 deep.
    pub depth: usize,
    /// Octets of one boundary. Default 8 KiB: RFC 2046 5.1.1 allows 70, real mail has shown 7,000.
    pub boundary: usize,
    /// Octets of all open boundaries together. Default 64 KiB.
    pub boundaries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            header: 1 << 20,
            field: 1 << 18,
            depth: 128,
            boundary: 1 << 13,
            boundaries: 1 << 16,
        }
    }
}

impl Limits {
    /// The same with this limit on the octets of the top-level header section: see [`Limits::header`].
    #[must_use]
    pub const fn with_header(self, header: usize) -> Self {
        Limits { header, ..self }
    }

    /// The same with this limit on the octets of one field below the top level: see [`Limits::field`].
    #[must_use]
    pub const fn with_field(self, field: usize) -> Self {
        Limits { field, ..self }
    }

    /// The same with this limit on the levels of multiparts and messages: see [`Limits::depth`]. With 0 the body is not taken apart.
    #[must_use]
    pub const fn with_depth(self, depth: usize) -> Self {
        Limits { depth, ..self }
    }

    /// The same with this limit on the octets of one boundary: see [`Limits::boundary`].
    #[must_use]
    pub const fn with_boundary(self, boundary: usize) -> Self {
        Limits { boundary, ..self }
    }

    /// The same with this limit on the octets of all open boundaries: see [`Limits::boundaries`].
    #[must_use]
    pub const fn with_boundaries(self, boundaries: usize) -> Self {
        Limits { boundaries, ..self }
    }
}

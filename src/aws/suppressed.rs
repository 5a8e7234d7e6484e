//! Why an address is on SES's suppression list.

/// Why SES sends nothing to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suppressed {
    /// A message to it bounced for good.
    Bounce,
    /// Somebody there has reported a message as spam.
    Complaint,
    /// For a reason that this program does not know.
    Other,
}

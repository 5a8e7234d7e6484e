//! Targets that did not get a message sent to them, and the words in which the owner is told.

use std::fmt::Write;

use super::outcome::Ending;
use crate::alias::Notify;
use crate::arrival::{Class, ReportKind, SesReport};
use crate::header::mailbox::Address;

/// Characters of a mail server's answer that a notice repeats.
const MAX_ANSWER: usize = 300;

/// The targets of an alias that a report of SES is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    pub(super) kind: ReportKind,
    /// There is at least one.
    pub(super) targets: Vec<LostTarget>,
    /// Whether the message is an answer of the alias's owner. Then the targets are correspondents.
    pub(super) is_answer: bool,
}

/// A target that a report is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LostTarget {
    pub(super) address: Address,
    pub(super) class: Class,
    /// The answer of the target's mail server, as far as SES tells it.
    pub(super) answer: String,
}

impl Lost {
    /// The recipients of a report to whom the message is known to have been sent. `None`: there are none.
    pub(super) fn of(report: &SesReport, is_known: impl Fn(&Address) -> bool) -> Option<Self> {
        let target = |reported: &crate::arrival::Reported| {
            let address = Address::parse(&reported.address).ok().filter(&is_known)?;
            let words: Vec<&str> = reported.diagnostic.split_whitespace().collect();
            Some(LostTarget {
                address,
                class: reported.class,
                answer: words.join(" ").chars().take(MAX_ANSWER).collect(),
            })
        };
        let targets: Vec<LostTarget> = report.recipients.iter().filter_map(target).collect();
        let kind = report.kind;
        (!targets.is_empty()).then_some(Lost {
            kind,
            targets,
            is_answer: false,
        })
    }

    /// The same of an answer.
    pub(super) fn of_answer(self) -> Self {
        Lost {
            is_answer: true,
            ..self
        }
    }

    /// The lost targets to which the alias leads now.
    pub(super) fn on(&self, targets: &[Address], fallback: &[Address]) -> Option<Self> {
        let leads_to = |lost: &&LostTarget| {
            let mut addresses = targets.iter().chain(fallback);
            addresses.any(|address| address.key() == lost.address.key())
        };
        let targets: Vec<LostTarget> = self.targets.iter().filter(leads_to).cloned().collect();
        (!targets.is_empty()).then(|| Lost {
            targets,
            ..self.clone()
        })
    }

    /// Whether the report is about this target.
    pub(super) fn contains(&self, target: &Address) -> bool {
        self.targets.iter().any(|lost| lost.address.key() == target.key())
    }

    /// The addresses that are told. A lost target is not told, since its mail does not arrive, unless SES rejected the message
    /// for its content and so kept it from everybody.
    pub(super) fn owners(&self, notify: &Notify, targets: &[Address], fallback: &[Address]) -> Vec<Address> {
        let reaches = |owner: &&Address| self.kind == ReportKind::Reject || !self.contains(owner);
        match notify {
            Notify::Off => Vec::new(),
            Notify::Address(address) => Some(address).filter(reaches).cloned().into_iter().collect(),
            Notify::Targets => {
                let all = targets.iter().chain(fallback);
                all.filter(reaches).cloned().collect()
            }
        }
    }

    /// The class of the first target.
    pub(super) fn class(&self) -> Class {
        self.targets.first().map_or(Class::Other, |lost| lost.class)
    }

    /// Whether the message did not reach these targets, and the next one will not either.
    pub(super) fn is_loss(&self) -> bool {
        let is_class = |classes: &[Class]| self.targets.iter().any(|lost| classes.contains(&lost.class));
        match self.kind {
            ReportKind::Bounce { is_permanent } => {
                is_permanent || is_class(&[Class::Gone, Class::Suppressed])
            }
            // SES did not send it.
            ReportKind::Complaint => is_class(&[Class::Suppressed]),
            ReportKind::Reject => true,
            ReportKind::Delay => false,
        }
    }

    /// The ending of the recipient's outcome.
    pub(super) fn ending(&self) -> Ending {
        if self.is_loss() {
            Ending::Bounced
        } else {
            Ending::Sent
        }
    }

    /// Whether the owner has to know. A complaint that says "not spam" does not count.
    pub(super) fn is_told(&self) -> bool {
        self.is_loss() || self.kind == ReportKind::Complaint && self.class() != Class::Other
    }

    /// The beginning of the notice's subject.
    pub(super) fn title(&self) -> &'static str {
        match self.kind {
            ReportKind::Complaint => "Reported as spam",
            _ => "Not delivered",
        }
    }

    /// The notice's first line.
    pub(super) fn first_line(&self, alias: &Address) -> String {
        match self.kind {
            ReportKind::Reject if self.is_answer => {
                format!("Amazon SES did not send an answer from {alias} to anybody.")
            }
            ReportKind::Complaint if self.is_answer && !self.is_loss() => {
                format!("Somebody has reported an answer from {alias} as spam.")
            }
            _ if self.is_answer => format!("An answer from {alias} did not reach everybody it was sent to."),
            ReportKind::Reject => format!("Amazon SES did not send a message to {alias} on to its targets."),
            ReportKind::Complaint if !self.is_loss() => {
                format!("A target of {alias} has reported a message as spam that was forwarded to it.")
            }
            _ => format!("A message to {alias} did not reach all of its targets."),
        }
    }

    /// An account of the trouble, and advice: the rest of the notice's text except for the fields of the message.
    pub(super) fn text(&self) -> String {
        if self.kind == ReportKind::Reject {
            return "Amazon SES found a virus in it only after accepting it, and sent it to nobody. Be careful with what is in it.\n"
                .to_owned();
        }
        let mut text = String::new();
        for LostTarget {
            address,
            class,
            answer,
        } in &self.targets
        {
            let _ = writeln!(text, "{address}: {}", reason(self.kind, *class));
            if !answer.is_empty() {
                let _ = writeln!(text, "    {answer}");
            }
        }
        text.push('\n');
        text.push_str(match self.kind {
            ReportKind::Complaint if self.is_answer => {
                "Amazon SES may send nothing more to an address from which a message was reported as spam, from your whole account.\n"
            }
            _ if self.is_answer => {
                "Amazon SES may send nothing more to such an address, from your whole account. If it is right and takes mail again:\n"
            }
            ReportKind::Complaint => {
                "Amazon SES may send nothing more to a target that complains, from your whole account. Please ask there not to \
                 report forwarded mail as spam, or take the target out of the alias map.\n"
            }
            _ => {
                "Amazon SES may send nothing more to such a target, from your whole account. Please take the target out of the \
                 alias map, or mend its mailbox and then run:\n"
            }
        });
        if self.kind != ReportKind::Complaint {
            text.push('\n');
            for LostTarget { address, .. } in &self.targets {
                let _ = writeln!(
                    text,
                    "    readdress unsuppress {}",
                    shell_word(&address.to_string())
                );
            }
        }
        text
    }
}

fn reason(kind: ReportKind, class: Class) -> &'static str {
    match (kind, class) {
        (_, Class::Suppressed) => {
            "Amazon SES did not try: the address is on its suppression list, after an earlier bounce or complaint"
        }
        (ReportKind::Complaint, _) => "a message was reported as spam there",
        (_, Class::Gone) => "there is no such mailbox",
        (_, Class::Full) => "the mailbox is full",
        (_, Class::TooLarge) => "the message is too large for its server",
        (_, Class::Spam) => "its server takes the message for spam",
        (_, Class::Policy) => "a rule of its server refuses the message",
        (_, Class::Other) => "its server does not take the message",
    }
}

/// The text as one word of a POSIX shell: a local part may hold anything that is printable, and people copy commands.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@._+-".contains(c);
    if text.chars().all(is_plain) && !text.starts_with('-') {
        return text.to_owned();
    }
    format!("-- '{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(kind: ReportKind, class: Class) -> Lost {
        let address = Address::parse("jane@example.net").unwrap();
        let answer = "smtp; 550 5.1.1 user unknown".to_owned();
        Lost {
            kind,
            targets: vec![LostTarget {
                address,
                class,
                answer,
            }],
            is_answer: false,
        }
    }

    const PERMANENT: ReportKind = ReportKind::Bounce { is_permanent: true };
    const TRANSIENT: ReportKind = ReportKind::Bounce { is_permanent: false };

    #[test]
    fn the_owner_hears_of_what_lasts() {
        for (kind, class, is_loss, is_told) in [
            (PERMANENT, Class::Other, true, true),
            (PERMANENT, Class::Spam, true, true),
            (TRANSIENT, Class::Full, false, false),
            (TRANSIENT, Class::Gone, true, true),
            (ReportKind::Complaint, Class::Spam, false, true),
            (ReportKind::Complaint, Class::Other, false, false),
            (ReportKind::Complaint, Class::Suppressed, true, true),
            (ReportKind::Reject, Class::Policy, true, true),
            (ReportKind::Delay, Class::Full, false, false),
        ] {
            let lost = lost(kind, class);
            assert_eq!(
                (lost.is_loss(), lost.is_told()),
                (is_loss, is_told),
                "{kind:?} {class:?}"
            );
        }
    }

    #[test]
    fn the_text_says_what_to_do() {
        let text = lost(PERMANENT, Class::Gone).text();
        assert!(
            text.contains("jane@example.net: there is no such mailbox\n    smtp; 550 5.1.1 user unknown\n"),
            "{text}"
        );
        assert!(
            text.contains("\n    readdress unsuppress jane@example.net\n"),
            "{text}"
        );
        // The command refuses targets that complained.
        assert!(
            !lost(ReportKind::Complaint, Class::Spam)
                .text()
                .contains("unsuppress")
        );
    }

    /// Catches advice about the alias map to somebody whose correspondent has moved.
    #[test]
    fn of_an_answer_the_text_speaks_of_people() {
        let alias = Address::parse("shop@example.com").unwrap();
        for (kind, class) in [
            (PERMANENT, Class::Gone),
            (ReportKind::Complaint, Class::Spam),
            (ReportKind::Reject, Class::Policy),
        ] {
            let lost = lost(kind, class).of_answer();
            let text = lost.first_line(&alias) + "\n" + &lost.text();
            assert!(text.contains("answer from shop@example.com"), "{text}");
            assert!(!text.contains("target") && !text.contains("alias map"), "{text}");
        }
    }

    /// Catches a target whose address would run as a command when it is copied from a notice.
    #[test]
    fn a_command_has_the_address_as_one_word() {
        assert_eq!(shell_word("a+b@example.org"), "a+b@example.org");
        assert_eq!(shell_word("\"a;b\"@example.org"), "-- '\"a;b\"@example.org'");
        assert_eq!(
            shell_word("o'hara$(x)@example.org"),
            r"-- 'o'\''hara$(x)@example.org'"
        );
        assert_eq!(shell_word("-x@example.org"), "-- '-x@example.org'");
    }
}

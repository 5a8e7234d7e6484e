//! The words of a notice.

use std::fmt::Write;

use super::lost::Lost;
use super::policy::Hold;
use super::route::untagged;
use super::stop::{NoReply, Stop};
use crate::arrival::MessageId;
use crate::header::encoded_word;
use crate::header::mailbox::Address;
use crate::outbox::Cause;
use crate::rewrite::{Head, Notice};

/// Characters of a field that a notice repeats.
const MAX_SHOWN: usize = 200;

/// Octets of a field that are decoded for it.
const MAX_DECODED: usize = 4 << 10;

const KEPT: &str = "It stays in the mail bucket until the bucket's retention period ends.";

/// The message that a notice is about.
pub(super) struct About<'a> {
    pub(super) message_id: &'a MessageId,
    pub(super) alias: &'a Address,
    /// The id of the alias for X-Readdress-Route, the sign of a loop.
    pub(super) route_id: String,
    pub(super) head: &'a Head,
    pub(super) octets: u64,
    /// Whether it is an answer of the owner.
    pub(super) is_answer: bool,
    /// Whether this is the last notice of the hour.
    pub(super) is_last: bool,
}

/// The reason why a message was not forwarded, if the owner is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble<'a> {
    Held(Hold),
    TooLarge(&'a str),
    /// SES does not take it in any form.
    Refused(&'a str),
    /// It reports on a target that refused a forwarded message; or on these correspondents, who did not get an answer.
    Bounced(&'a [Address]),
    /// An answer that is not sent.
    NoReply(NoReply),
    /// SES reports on targets that did not get it, or do not want it.
    Lost(&'a Lost),
}

impl<'a> Trouble<'a> {
    /// The reason for a notice. `None`: no notice is sent, since the message may still go out, or since the failure is for the
    /// operator alone.
    pub(super) fn of(stop: &'a Stop) -> Option<Self> {
        match stop {
            Stop::Held(hold) => Some(Trouble::Held(*hold)),
            Stop::Bounced(correspondents) => Some(Trouble::Bounced(correspondents)),
            Stop::NoReply(reason) => Some(Trouble::NoReply(*reason)),
            Stop::Lost(lost) => Some(Trouble::Lost(lost)),
            Stop::Failed { cause, error } => match cause {
                Cause::TooLarge => Some(Trouble::TooLarge(error)),
                Cause::Rejected => Some(Trouble::Refused(error)),
                _ => None,
            },
            Stop::Ended(_) | Stop::Delivered(_) | Stop::Findings => None,
        }
    }

    /// Whether the message could be sent as a file.
    pub(super) fn is_of_form(self) -> bool {
        matches!(self, Trouble::Refused(_))
    }

    fn kind(self) -> &'static str {
        match self {
            Trouble::Held(_) => "held",
            Trouble::TooLarge(_) => "too_large",
            Trouble::Refused(_) => "rejected",
            Trouble::Bounced(_) => "bounced",
            Trouble::NoReply(_) => "refused_reply",
            Trouble::Lost(lost) => lost.kind.as_str(),
        }
    }

    fn title(self, is_answer: bool) -> &'static str {
        match self {
            Trouble::TooLarge(_) if is_answer => "Too large to send",
            Trouble::Held(_) | Trouble::Refused(_) if is_answer => "Answer not sent",
            Trouble::Held(_) => "Held",
            Trouble::TooLarge(_) => "Too large to forward",
            Trouble::Refused(_) => "Not forwarded",
            Trouble::Bounced(_) => "Not delivered",
            Trouble::NoReply(_) => "Answer not sent",
            Trouble::Lost(lost) => lost.title(),
        }
    }

    fn reason(self) -> String {
        let reason = match self {
            Trouble::Lost(lost) => return lost.text(),
            Trouble::Held(Hold::Spam) => "Amazon SES classified it as spam.",
            Trouble::Held(Hold::Virus) => {
                "Amazon SES has found a virus in it. It cannot be sent on; be careful with what is in it."
            }
            Trouble::Held(Hold::Unverified) => {
                "Its sender is not proven to be who it says (DMARC), and the sender's domain asks that such mail be refused. \
                 It may be forged."
            }
            Trouble::Held(Hold::OwnDomain) => {
                "It says that it comes from your own domain, and that is not proven (DMARC). It may be forged."
            }
            Trouble::Bounced([_, ..]) => {
                "Amazon SES may send nothing more to such an address, from your whole account. The report says more."
            }
            Trouble::Bounced([]) => {
                "It reports that a mail that was forwarded for this alias was not delivered. Please fix or remove the target \
                 that it names: its mail does not arrive."
            }
            Trouble::NoReply(NoReply::Forged) => {
                "It was sent to a reply address whose signature does not hold: the address was changed or mistyped, or the key that \
                 made it is no longer kept. Make it anew with: readdress reply-address"
            }
            Trouble::NoReply(NoReply::Unproven) => {
                "It claims to be your answer, and that is not proven (DMARC), so it was not sent to anybody. If you wrote it: the \
                 domain of your mailbox needs a DMARC record (p=none is enough), its provider must sign your mail, and From must be \
                 your address alone. If you did not, somebody has tried to write in your name."
            }
            Trouble::NoReply(NoReply::NoVerdict) => {
                "The event that announced it carries no DMARC verdict, so it is not proven that you wrote it, and it was not sent to \
                 anybody. S3's own events never have verdicts: with those no answer goes out. Have SES report mail through its \
                 Lambda action, or through the topic of its S3 action. If other answers went out, Amazon SES could not check this \
                 one: send it again."
            }
            Trouble::NoReply(NoReply::Gone) => {
                "The mail that it answers is no longer kept, nor is the address that the answer would go to."
            }
            Trouble::NoReply(NoReply::Malformed) => {
                "One line of its header section is not a header field. Everything after that line counts as text, and the \
                 correspondent would see fields that name you. Send it with another program, or report this to the maker of yours."
            }
            Trouble::NoReply(NoReply::Closed) => {
                "The alias is switched off, or its last day is past, so nothing goes out in its name. Switch it on in the alias map, \
                 and send the answer again."
            }
            Trouble::NoReply(NoReply::TooMany) => {
                "You sent it to more than 100 reply addresses at once. The first 100 get it; the others do not. Send it to the \
                 others again, no more than 100 at a time."
            }
            Trouble::TooLarge(error) | Trouble::Refused(error) => error,
        };
        reason.to_owned()
    }
}

/// The size of a notice that has a message of these octets as a file, or a little more.
pub(super) fn octets_as_file(octets: u64) -> u64 {
    // 57 octets make a line of 76 columns and its line break. Header section and text are a few kilobytes.
    octets.div_ceil(57).saturating_mul(78).saturating_add(16 << 10)
}

/// Writes the notice.
pub(super) fn compose(about: &About<'_>, trouble: &Trouble<'_>, from: Address, has_message: bool) -> Notice {
    let subject = shown(about.head, "subject");
    let title = match &subject {
        Some(subject) => format!("{}: {subject}", trouble.title(about.is_answer)),
        None => format!("{}: a message without a subject", trouble.title(about.is_answer)),
    };
    Notice {
        alias: about.alias.clone(),
        route_id: about.route_id.clone(),
        from,
        kind: trouble.kind(),
        subject: title,
        text: text(about, trouble, subject.as_deref(), has_message),
    }
}

fn text(about: &About<'_>, trouble: &Trouble<'_>, subject: Option<&str>, has_message: bool) -> String {
    let id = about.message_id;
    let says = |name| shown(about.head, name).unwrap_or_else(|| "(none given)".to_owned());
    let mut text = String::new();
    let mut line = |line: String| {
        let _ = writeln!(text, "{line}");
    };
    line(match trouble {
        Trouble::Lost(lost) => lost.first_line(about.alias),
        Trouble::NoReply(NoReply::TooMany) => {
            format!("An answer from you as {} was not sent to everybody.", about.alias)
        }
        Trouble::Bounced([first, others @ ..]) => {
            let others = others.iter().map(|address| format!(", {}", named(address)));
            let all = others.fold(named(first), |all, other| all + &other);
            format!("An answer from {} did not reach {all}.", about.alias)
        }
        // The tag of a forged address is none of the alias's.
        Trouble::NoReply(NoReply::Forged) => {
            format!("An answer from you as {} was not sent.", untagged(about.alias))
        }
        _ if about.is_answer => format!("An answer from you as {} was not sent.", about.alias),
        _ => format!("A message to {} was not forwarded to you.", about.alias),
    });
    line(String::new());
    line(format!("From:    {}", says("from")));
    line(format!("Date:    {}", says("date")));
    line(format!("Subject: {}", subject.unwrap_or("(none)")));
    line(format!("Size:    {} octets", about.octets));
    line(format!("Id:      {id}"));
    line(String::new());
    line(trouble.reason());
    line(String::new());
    match trouble {
        _ if has_message => {
            line("The message is attached to this one, as it came: save the file and open it.".to_owned());
        }
        _ => {
            line(KEPT.to_owned());
            line(String::new());
            line(format!("To look at it:          readdress show {id}"));
            // SES sends no mail with a virus.
            if matches!(trouble, Trouble::Held(hold) if *hold != Hold::Virus) {
                line(format!("To have it forwarded:   readdress release {id}"));
            }
        }
    }
    if about.is_last {
        line(String::new());
        line(
            "You have had many notices in this hour, and will get no more before it ends. These commands list \
             all of them: readdress held, and readdress list."
                .to_owned(),
        );
    }
    text
}

/// An address of a report in a sentence. A quoted local part, which may hold any words, is not repeated.
fn named(address: &Address) -> String {
    let text = address.to_string();
    if text.starts_with('"') {
        return format!("an address at {}", address.domain());
    }
    text
}

/// A field's text as a reader may see it: decoded, on one line, and not too long.
fn shown(head: &Head, name: &str) -> Option<String> {
    let mut bodies = head.header.named(name).map(|field| field.body().trim_ascii());
    let body = bodies.find(|body| !body.is_empty())?;
    let decoded = encoded_word::decode(&body[..body.len().min(MAX_DECODED)]);
    let words: Vec<&str> = decoded
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let text: String = words.join(" ").chars().take(MAX_SHOWN).collect();
    (!text.is_empty()).then_some(text)
}

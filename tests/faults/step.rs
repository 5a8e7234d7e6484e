//! The requests that a mail makes, in their order: the steps of the pipeline as others see them.

use std::fmt;

use serde_json::Value;

use super::support::http::Head;
use super::{ID, KEY, MAP};

/// What becomes of the mail where nothing fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// It is sent to its target.
    Forward,
    /// It is held, and its owner is told.
    Notice,
}

/// A request of the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Map,
    Key,
    Claim,
    First,
    Second,
    Count,
    Send,
    Record,
    Answer,
}

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    Ssm,
    S3,
    Ses,
    Lambda,
}

impl Way {
    pub const ALL: [Way; 2] = [Way::Forward, Way::Notice];

    /// The steps of the way, in their order.
    pub fn steps(self) -> &'static [Step] {
        use Step::{Answer, Claim, Count, First, Key, Map, Record, Second, Send};
        match self {
            Way::Forward => &[Map, Key, Claim, First, Second, Send, Record, Answer],
            Way::Notice => &[Map, Key, Claim, First, Count, Send, Record, Answer],
        }
    }

    /// The steps that no other way has before it.
    pub fn own_steps(self) -> &'static [Step] {
        match self {
            Way::Forward => self.steps(),
            Way::Notice => &self.steps()[4..],
        }
    }

    /// The number of a step. Those that both ways begin with have one number.
    ///
    /// # Panics
    /// If the way has no such step.
    pub fn number(self, step: Step) -> usize {
        let at = self.steps().iter().position(|other| *other == step);
        let at = at.expect("a step of the way") + 1;
        match self {
            Way::Notice if at > 4 => at + 4,
            _ => at,
        }
    }

    /// A step in words.
    pub fn describe(self, step: Step) -> &'static str {
        match (step, self) {
            (Step::Map, _) => "the alias map is read (SSM)",
            (Step::Key, _) => "the alias key is read (SSM)",
            (Step::Claim, _) => "the message is claimed (S3, PUT)",
            (Step::First, _) => "the mail is read for the first time (S3, GET)",
            (Step::Second, _) => "the mail is read again, as it is sent (S3, GET)",
            (Step::Count, _) => "the notice is counted (S3, PUT)",
            (Step::Send, Way::Forward) => "the mail is sent (SES)",
            (Step::Send, Way::Notice) => "the notice is sent (SES)",
            (Step::Record, Way::Forward) => "the send is recorded, and the claim released (S3, PUT)",
            (Step::Record, Way::Notice) => "the notice is recorded, and the claim released (S3, PUT)",
            (Step::Answer, _) => "the invocation is answered (Lambda)",
        }
    }
}

impl Step {
    /// Who is asked.
    pub fn service(self) -> Service {
        match self {
            Step::Map | Step::Key => Service::Ssm,
            Step::Claim | Step::First | Step::Second | Step::Count | Step::Record => Service::S3,
            Step::Send => Service::Ses,
            Step::Answer => Service::Lambda,
        }
    }

    /// Whether it writes an object of the ledger.
    pub fn is_put(self) -> bool {
        matches!(self, Step::Claim | Step::Count | Step::Record)
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Way::Forward => "A mail that is forwarded",
            Way::Notice => "A mail that is held",
        })
    }
}

/// How far an invocation has come, as far as that tells its requests apart.
#[derive(Debug, Default)]
pub struct Progress {
    /// The first reading of the mail was answered in full.
    pub has_read: bool,
    /// SES has answered.
    pub has_sent: bool,
}

impl Progress {
    /// The step that a request belongs to. The reading of an object of the ledger belongs to the write that it follows.
    pub fn step_of(&self, service: Service, head: &Head, body: &[u8]) -> Option<Step> {
        let path = head.path();
        match service {
            Service::Ssm => {
                let request: Value = serde_json::from_slice(body).ok()?;
                match request["Name"].as_str()? {
                    MAP => Some(Step::Map),
                    KEY => Some(Step::Key),
                    _ => None,
                }
            }
            Service::S3 if path.ends_with(&format!("/inbound/{ID}")) => {
                Some(if self.has_read { Step::Second } else { Step::First })
            }
            Service::S3 if path.contains("/ledger/.told-") => Some(Step::Count),
            Service::S3 if path.contains("/ledger/") && !head.query().contains("list-type") => {
                Some(if self.has_sent { Step::Record } else { Step::Claim })
            }
            Service::S3 => None,
            Service::Ses => Some(Step::Send),
            Service::Lambda => {
                let is_answer = path.ends_with("/response") || path.ends_with("/error");
                is_answer.then_some(Step::Answer)
            }
        }
    }
}

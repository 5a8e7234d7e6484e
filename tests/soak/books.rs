//! What became of each mail, by what SES has taken and what the ledger says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::faults::Fault;
use super::mails::{Mail, Recipient};
use super::support::ses::Message;

/// Endings by which the owner's map or rules do not want a mail.
const UNWANTED: [&str; 5] = ["no_alias", "disabled", "expired", "blocked", "automatic"];

/// One mail, and what is known of it.
pub struct Account {
    pub id: String,
    recipients: Vec<Recipient>,
    pub faults: Vec<Fault>,
    /// Lambda has given up.
    pub is_queued: bool,
    /// SES's ids of the mail, and the targets of each.
    sent: BTreeMap<String, Vec<String>>,
    notices: usize,
    page: Option<Value>,
    /// Lines of the function's log, where there may be no page.
    logged: Vec<String>,
}

/// What became of a recipient's mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Delivered,
    Told,
    Unwanted,
    Queued,
}

impl Account {
    pub fn new(id: &str, mail: &Mail) -> Self {
        Account {
            id: id.to_owned(),
            recipients: mail.recipients.clone(),
            faults: Vec::new(),
            is_queued: false,
            sent: BTreeMap::new(),
            notices: 0,
            page: None,
            logged: Vec::new(),
        }
    }

    /// Whether the message that SES has taken is this mail, or about it.
    pub fn is_of(&self, message: &Message) -> bool {
        message
            .tags
            .iter()
            .any(|(name, id)| name == "readdress" && *id == self.id)
    }

    /// Whether the ledger could not be written for it.
    pub fn has_no_page(&self) -> bool {
        self.faults.iter().any(|fault| matches!(fault, Fault::Ledger(_)))
    }

    /// Takes what SES has got since, the page as it is now, and lines of the log.
    pub fn take(&mut self, messages: Vec<Message>, page: Option<Value>, logged: Vec<String>) {
        self.logged.extend(logged);
        for message in messages {
            assert!(message.kept.is_empty(), "{}: {:?}", self.id, message.kept);
            if message
                .fields
                .iter()
                .any(|field| field.name.eq_ignore_ascii_case("x-readdress-notice"))
            {
                self.notices += 1;
            } else {
                self.sent.insert(message.id, message.to);
            }
        }
        self.page = page;
    }

    /// How often a target has got it.
    fn copies(&self, target: &str) -> usize {
        self.sent.values().flatten().filter(|to| *to == target).count()
    }

    fn fate(&self, recipient: &Recipient) -> Fate {
        let Recipient { address, targets } = recipient;
        if targets.is_empty() {
            return Fate::Unwanted;
        }
        if targets.iter().all(|target| self.copies(target) > 0) {
            return Fate::Delivered;
        }
        // A hundred tags of an alias are decided on once.
        let untagged = |address: &str| address.split(['+', '@']).next().unwrap_or_default().to_owned();
        let outcomes = self.page.as_ref().and_then(|page| page["outcomes"].as_object());
        let mut recorded = outcomes
            .into_iter()
            .flatten()
            .filter(|(other, _)| untagged(other) == untagged(address));
        let is_settled =
            |outcome: &Value| UNWANTED.contains(&outcome["outcome"].as_str().unwrap_or_default());
        if let Some((_, outcome)) =
            recorded.find(|(_, outcome)| outcome["told"] == true || is_settled(outcome))
        {
            return if is_settled(outcome) {
                Fate::Unwanted
            } else {
                Fate::Told
            };
        }
        if self.notices > 0 && !self.is_queued {
            return Fate::Told;
        }
        let is_logged = |what: &str| self.logged.iter().any(|line| line.contains(what));
        if UNWANTED
            .iter()
            .any(|outcome| is_logged(&format!("\"{outcome}\"")))
        {
            return Fate::Unwanted;
        }
        if is_logged("\"told\":true") {
            return Fate::Told;
        }
        assert!(
            self.is_queued,
            "{}: {address} has nothing, and nobody knows: {self:?}",
            self.id
        );
        Fate::Queued
    }

    fn windows(&self) -> usize {
        self.faults.iter().filter(|fault| fault.is_window()).count()
    }

    /// How many copies of it went out that nobody wanted.
    fn doubles(&self) -> usize {
        let targets: BTreeSet<&String> = self.sent.values().flatten().collect();
        let again = |target: &&String| self.copies(target).saturating_sub(1);
        let most = targets.iter().map(again).max().unwrap_or_default();
        assert!(
            most <= self.windows(),
            "{}: a target has it {} times: {self:?}",
            self.id,
            most + 1
        );
        most
    }

    /// The page names what SES has taken, and nothing else.
    fn assert_recorded(&self) {
        let entries = self.page.as_ref().and_then(|page| page["sent"].as_array());
        let mut recorded = BTreeMap::new();
        for entry in entries.into_iter().flatten() {
            let id = entry["id"].as_str().unwrap().to_owned();
            recorded.insert(id, entry["targets"].as_array().unwrap().len());
        }
        let taken: BTreeMap<String, usize> =
            self.sent.iter().map(|(id, to)| (id.clone(), to.len())).collect();
        let is_taken = |(id, count): (&String, &usize)| id.is_empty() || taken.get(id) == Some(count);
        assert!(
            recorded.iter().all(is_taken),
            "{}: recorded and not sent: {self:?}",
            self.id
        );
        if self.windows() == 0 {
            assert_eq!(recorded, taken, "{}: sent and not recorded: {self:?}", self.id);
            let claim = self.page.as_ref().map(|page| &page["claim"]);
            assert!(
                claim.is_none_or(Value::is_null),
                "{}: a claim without an end: {self:?}",
                self.id
            );
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Account {
            faults,
            is_queued,
            sent,
            notices,
            page,
            ..
        } = self;
        let page = page.as_ref().map(Value::to_string);
        write!(
            f,
            "{faults:?}, queued {is_queued}, sent {sent:?}, {notices} notices, {page:?}"
        )
    }
}

/// All mails of a lane, or of several.
#[derive(Debug, Default)]
pub struct Books {
    pub mails: usize,
    pub recipients: usize,
    pub delivered: usize,
    pub told: usize,
    pub unwanted: usize,
    pub queued: usize,
    /// Of those, how many were not in the queue any more after they were tried again.
    redriven: usize,
    notices: usize,
    doubles: usize,
    windows: usize,
    pub faults: usize,
    pub kills: usize,
    /// Mails that SES has taken from a process that was killed, after they were accounted for.
    pub late: usize,
    /// To S3, SES and SSM.
    pub requests: [usize; 3],
    /// The memory of the process, in KiB.
    pub samples: Vec<u64>,
}

impl Books {
    /// Notes how it ended for each recipient.
    pub fn note(&mut self, account: &Account) {
        self.mails += 1;
        for recipient in &account.recipients {
            self.recipients += 1;
            match account.fate(recipient) {
                Fate::Delivered => self.delivered += 1,
                Fate::Told => self.told += 1,
                Fate::Unwanted => self.unwanted += 1,
                Fate::Queued => self.queued += 1,
            }
        }
    }

    /// Notes those that were tried again.
    pub fn note_redriven(&mut self, account: &Account) {
        let fates = account.recipients.iter().map(|recipient| account.fate(recipient));
        self.redriven += usize::from(fates.into_iter().all(|fate| fate != Fate::Queued));
    }

    /// Checks that nothing went out twice without a reason, and that the ledger is right.
    pub fn check(&mut self, account: &Account) {
        self.doubles += account.doubles();
        self.windows += account.windows();
        self.faults += account.faults.len();
        self.notices += account.notices;
        account.assert_recorded();
    }

    /// The median of each quarter of the samples.
    pub fn quarters(&self) -> [u64; 4] {
        let quarter = self.samples.len().div_ceil(4).max(1);
        let mut medians = [0; 4];
        for (median, samples) in medians.iter_mut().zip(self.samples.chunks(quarter)) {
            let mut sorted = samples.to_vec();
            sorted.sort_unstable();
            *median = sorted[sorted.len() / 2];
        }
        medians
    }

    pub fn add(&mut self, other: &Books) {
        for (sum, addend) in [
            (&mut self.mails, other.mails),
            (&mut self.recipients, other.recipients),
            (&mut self.delivered, other.delivered),
            (&mut self.told, other.told),
            (&mut self.unwanted, other.unwanted),
            (&mut self.queued, other.queued),
            (&mut self.redriven, other.redriven),
            (&mut self.notices, other.notices),
            (&mut self.doubles, other.doubles),
            (&mut self.windows, other.windows),
            (&mut self.faults, other.faults),
            (&mut self.kills, other.kills),
            (&mut self.late, other.late),
        ] {
            *sum += addend;
        }
        for (sum, addend) in self.requests.iter_mut().zip(other.requests) {
            *sum += addend;
        }
    }
}

impl fmt::Display for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [s3, ses, ssm] = self.requests;
        write!(
            f,
            "{} mails in, for {} recipients: {} delivered, {} told, {} not wanted by the map or its rules, {} in the queue\n\
             {} mails that were in the queue ended well when they were tried again; {} notices\n\
             {} faults, {} of which open a window, and {} kills: {} mails went out twice, {} late\n\
             requests: {s3} to S3, {ses} to SES, {ssm} to SSM",
            self.mails,
            self.recipients,
            self.delivered,
            self.told,
            self.unwanted,
            self.queued,
            self.redriven,
            self.notices,
            self.faults,
            self.windows,
            self.kills,
            self.doubles,
            self.late,
        )
    }
}

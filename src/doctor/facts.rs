//! The facts of a set-up, as they were seen: what the checks look at.

use std::collections::BTreeMap;

use crate::alias::AliasMap;
use crate::config::{SettingError, Settings};

use super::policy::Policy;

/// A fact, or why it is not known.
#[derive(Clone, Debug)]
pub enum Look<T> {
    /// It was seen.
    Seen(T),
    /// The credentials lack this permission.
    Denied(String),
    /// The request failed for another reason, in words.
    Failed(String),
    /// It was not looked for, since something that it depends on is not known.
    Untried,
}

/// Everything that the checks look at.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The region of the credentials.
    pub region: String,
    /// Whose the credentials are.
    pub caller: Look<Caller>,
    /// The name of the function, if there is to be one.
    pub function_name: Option<String>,
    /// The function; `None` if there is none of that name.
    pub function: Look<Option<Function>>,
    /// The function's settings, with those of the command line in their place.
    pub settings: Look<Result<Settings, SettingError>>,
    /// The account at SES.
    pub account: Look<Account>,
    /// The domains that receive or send.
    pub domains: Vec<Domain>,
    /// What the world's DNS says, by type and name.
    pub dns: BTreeMap<(Kind, String), Look<Records>>,
    /// The name of the receipt rule set that is to be active, if it is known.
    pub rule_set_name: Option<String>,
    /// The active receipt rule set.
    pub rule_set: Look<Option<RuleSet>>,
    /// The bucket of the mail.
    pub bucket: Look<Option<Bucket>>,
    /// The alias map, or why its text is not one.
    pub map: Look<Result<Map, String>>,
    /// The configuration set; `None` if there is none of that name.
    pub configuration_set: Look<Option<ConfigurationSet>>,
    /// What the function's role must be allowed to do.
    pub needs: Vec<Need>,
    /// The queue of failed events.
    pub queue: Look<Option<Queue>>,
    /// Whether each target is a verified identity: of interest in the sandbox alone.
    pub verified_targets: BTreeMap<String, Look<bool>>,
    /// The account's suppression list, as far as it concerns the targets.
    pub suppressed: Look<Suppressed>,
    /// The account's alarms.
    pub alarms: Look<Vec<Alarm>>,
    /// The topics that the alarms of this set-up notify, by ARN; `None` if there is none.
    pub topics: BTreeMap<String, Look<Option<Topic>>>,
    /// The latest bounce rate of the account, from 0 to 1; `None` if there is none yet.
    pub bounce_rate: Look<Option<f64>>,
    /// The latest complaint rate of the account.
    pub complaint_rate: Look<Option<f64>>,
}

/// Whose the credentials are.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account's number.
    pub account: String,
    /// `aws`, `aws-us-gov`.
    pub partition: String,
}

/// The Lambda function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its ARN.
    pub arn: String,
    /// The ARN of its role.
    pub role: String,
    /// `provided.al2023`
    pub runtime: String,
    /// `x86_64`, `arm64`
    pub architecture: String,
    /// `Active`, `Pending`, `Inactive`, `Failed`
    pub state: String,
    /// `Successful`, `Failed`, `InProgress`
    pub last_update: String,
    /// Megabytes.
    pub memory: u64,
    /// Seconds that an invocation may take.
    pub timeout: u64,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// Its log group.
    pub log_group: String,
    /// How many invocations may run at once, where that is reserved.
    pub reserved: Look<Option<u64>>,
    /// Who may invoke it.
    pub policy: Look<Option<Policy>>,
    /// Where an event goes that failed, an ARN.
    pub on_failure: Look<Option<String>>,
    /// Invocations of the last day, and how many of them failed.
    pub invocations: Look<(f64, f64)>,
}

/// The account at SES.
#[derive(Clone, Debug)]
pub struct Account {
    /// Out of the sandbox.
    pub production: bool,
    /// It may send.
    pub sending: bool,
    /// `HEALTHY`, `PROBATION`, `SHUTDOWN`
    pub enforcement: String,
    /// What became of the request to leave the sandbox: `PENDING`, `FAILED`, `GRANTED`, `DENIED`.
    pub review: Option<String>,
    /// Recipients in 24 hours.
    pub quota: f64,
    /// Recipients of the last 24 hours.
    pub sent: f64,
    /// Recipients in a second.
    pub rate: f64,
    /// `NONE`, `ESSENTIALS`, `PRO`, `ENTERPRISE`
    pub plan: Option<String>,
    /// For which reasons an address gets on the suppression list.
    pub suppressed_reasons: Vec<String>,
}

/// A domain.
#[derive(Clone, Debug)]
pub struct Domain {
    /// Its name.
    pub name: String,
    /// Mail to it is to arrive here; otherwise it is that of a setting's address.
    pub receives: bool,
    /// The identity that covers it: its own or that of a domain above it.
    pub identity: Look<Option<Identity>>,
}

/// An identity of SES.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // As many as SES tells.
pub struct Identity {
    /// The domain, or the address.
    pub name: String,
    /// It may send.
    pub verified: bool,
    /// Why it is not verified, such as `HOST_NOT_FOUND`.
    pub error: Option<String>,
    /// Mail is signed.
    pub signs: bool,
    /// `PENDING`, `SUCCESS`, `FAILED`, `TEMPORARY_FAILURE`, `NOT_STARTED`
    pub dkim: String,
    /// SES made the keys (Easy DKIM).
    pub easy_dkim: bool,
    /// The labels of the DKIM records.
    pub dkim_tokens: Vec<String>,
    /// The domain below which SES publishes the keys.
    pub dkim_zone: String,
    /// The domain of the envelope sender, and what SES thinks of its records.
    pub mail_from: Option<(String, String)>,
    /// SES mails its report of a bounce to the sender.
    pub feedback: bool,
}

/// A type of DNS record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The address of a host.
    A,
    /// Another name.
    Cname,
    /// Where mail goes, as `10 host`.
    Mx,
    /// The name servers.
    Ns,
    /// Text.
    Txt,
}

/// The records of a type that a name has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// The name exists, if only with records of another type.
    pub exists: bool,
    /// In small letters but for texts, without the dot at the end.
    pub values: Vec<String>,
}

/// A receipt rule set.
#[derive(Clone, Debug)]
pub struct RuleSet {
    /// Its name.
    pub name: String,
    /// In the order in which they apply.
    pub rules: Vec<Rule>,
}

/// A receipt rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// It applies.
    pub enabled: bool,
    /// Mail that comes without TLS is refused.
    pub requires_tls: bool,
    /// SES looks for spam and viruses.
    pub scans: bool,
    /// In small letters; empty means every verified domain.
    pub recipients: Vec<String>,
    /// In their order.
    pub actions: Vec<Action>,
}

/// An action of a receipt rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The mail goes into a bucket.
    Store {
        /// The bucket.
        bucket: String,
        /// What precedes the message id.
        prefix: String,
        /// SES encrypts before it stores.
        encrypts: bool,
        /// The topic that is told.
        topic: Option<String>,
    },
    /// A function is invoked.
    Invoke {
        /// Its ARN.
        function: String,
        /// SES does not wait for the answer.
        event: bool,
    },
    /// No later rule applies.
    Stop,
    /// The mail is bounced.
    Bounce,
    /// Another action, by its name.
    Other(String),
}

/// The bucket of the mail.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// The region that it lies in; empty if S3 does not tell.
    pub region: String,
    /// Who may do what with it.
    pub policy: Look<Option<Policy>>,
    /// The KMS key with which it encrypts; `None` for S3's own encryption.
    pub key: Look<Option<String>>,
    /// Who may use that key.
    pub key_policy: Look<Option<Policy>>,
    /// When objects are deleted.
    pub expiry: Look<Vec<Expiry>>,
    /// The functions and queues that hear of new objects.
    pub notifies: Look<Vec<String>>,
}

/// A rule that deletes objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// The keys that it is for begin so.
    pub prefix: String,
    /// Their greatest age.
    pub days: u64,
}

/// The alias map.
#[derive(Clone, Debug)]
pub struct Map {
    /// Where it was read.
    pub place: String,
    /// The parameters that it is written in; empty for a map in S3 or in a file.
    pub parameters: Vec<Parameter>,
    /// What it says.
    pub aliases: AliasMap,
}

/// A parameter of SSM that holds a map.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its length.
    pub octets: usize,
    /// `Standard`, `Advanced`, `Intelligent-Tiering`
    pub tier: Look<String>,
}

/// The configuration set with which the function sends.
#[derive(Clone, Debug)]
pub struct ConfigurationSet {
    /// Its name.
    pub name: String,
    /// It may send.
    pub sending: bool,
    /// For which reasons it suppresses; `None` if it leaves that to the account.
    pub suppressed_reasons: Option<Vec<String>>,
    /// The types of events that it publishes, such as `BOUNCE`.
    pub events: Look<Vec<String>>,
}

/// Something that the function's role must be allowed to do.
#[derive(Clone, Debug)]
pub struct Need {
    /// What for, such as "read mail".
    pub purpose: String,
    /// Such as `s3:GetObject`.
    pub action: String,
    /// The ARN.
    pub resource: String,
    /// The IAM simulator's decision: `allowed`, `implicitDeny`, `explicitDeny`.
    pub decision: Look<String>,
}

/// The queue of failed events.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// How many events wait.
    pub waiting: u64,
    /// How many seconds an event is kept.
    pub retention: u64,
}

/// The targets on the suppression list.
#[derive(Clone, Debug)]
pub struct Suppressed {
    /// The targets that are on it, and why.
    pub targets: Vec<(String, String)>,
    /// The whole list was read.
    pub complete: bool,
}

/// An alarm.
#[derive(Clone, Debug)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// The metric's namespace.
    pub namespace: String,
    /// The metric.
    pub metric: String,
    /// The values of its dimensions.
    pub dimensions: Vec<String>,
    /// It acts.
    pub enabled: bool,
    /// Whom it tells, as ARNs.
    pub actions: Vec<String>,
    /// `OK`, `ALARM`, `INSUFFICIENT_DATA`
    pub state: String,
}

/// A topic of SNS.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Subscriptions that get messages.
    pub confirmed: u64,
    /// Subscriptions that nobody has confirmed.
    pub pending: u64,
    /// The KMS key that encrypts it.
    pub key: Option<String>,
}

impl Facts {
    /// The records of this type and name, if they were looked up.
    pub fn records(&self, kind: Kind, name: &str) -> &Look<Records> {
        self.dns
            .get(&(kind, name.to_ascii_lowercase()))
            .unwrap_or(&Look::Untried)
    }
}

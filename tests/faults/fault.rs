//! What can go wrong at a step, and for how long.

use super::step::{Service, Step, Way};
use super::support::http::Stage;
use super::support::{s3, ses, ssm};
use super::{ALIAS, OTHER, mail, other_mail};

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Kind {
    Ssm(ssm::Fault),
    Get(s3::Fault),
    Put(s3::PutFault),
    Ses(ses::Fault),
    /// The parameter has another text.
    Text(String),
    /// The answer takes a while.
    Late,
    /// The process is killed.
    Killed(Stage),
    /// Nothing comes of the request before the time of the invocation is over.
    Over(Stage),
    /// Another process has the same event while this one waits for the answer.
    Two(Stage),
    /// The process is killed, and the clock of S3 is an hour ahead of ours, or behind it.
    Clock {
        is_ahead: bool,
    },
}

/// A fault in the words of the table.
#[derive(Clone, Debug)]
pub struct Fault {
    pub name: &'static str,
    pub kind: Kind,
}

/// How long it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    /// For one request.
    Once,
    /// For all requests of the step in the first try.
    First,
    /// In all three tries.
    All,
    /// As `First`, and what may have been sent is not sent again.
    FirstOnHold,
}

impl Span {
    pub const ALL: [Span; 4] = [Span::Once, Span::First, Span::All, Span::FirstOnHold];
}

impl Fault {
    /// For how long it is tried. `ON_DOUBT` is about mail: a notice comes again where it may have come.
    pub fn spans(&self, way: Way, step: Step) -> &'static [Span] {
        let may_be_in_doubt = way == Way::Forward && matches!(step, Step::Claim | Step::Send | Step::Record);
        match self.kind {
            Kind::Late => &[Span::Once],
            Kind::Text(_) | Kind::Two(_) | Kind::Clock { .. } => &[Span::First],
            Kind::Killed(_) | Kind::Over(_) if may_be_in_doubt => {
                &[Span::First, Span::All, Span::FirstOnHold]
            }
            Kind::Killed(_) | Kind::Over(_) => &[Span::First, Span::All],
            _ if may_be_in_doubt => &Span::ALL,
            _ => &[Span::Once, Span::First, Span::All],
        }
    }

    /// Whether it is tried without a wish for the whole matrix: each kind once, and all that ends the process.
    pub fn is_of_short_run(&self, way: Way, step: Step, span: Span) -> bool {
        let is_forward = way == Way::Forward;
        let is_one_of_kind = match self.kind {
            Kind::Killed(_) => return span == Span::First || span == Span::FirstOnHold && step == Step::Send,
            Kind::Late => return span == Span::Once && step == Step::First,
            Kind::Ssm(_) | Kind::Text(_) => step == Step::Map,
            Kind::Get(_) => step == Step::Second,
            Kind::Put(_) => step == Step::Record && is_forward,
            Kind::Over(_) | Kind::Two(_) => matches!(step, Step::Claim | Step::Send) && is_forward,
            Kind::Ses(_) | Kind::Clock { .. } => step == Step::Send && is_forward,
        };
        is_one_of_kind && span == Span::First
    }
}

/// All that can go wrong at a step.
pub fn faults(way: Way, step: Step) -> Vec<Fault> {
    let mut faults = match step.service() {
        Service::Ssm => of_ssm(step),
        Service::S3 if step.is_put() => of_put(step),
        Service::S3 => of_get(step),
        Service::Ses => of_ses(),
        Service::Lambda => Vec::new(),
    };
    faults.extend(of_every_step(step));
    if way == Way::Notice {
        // The clock tells the age of claims, and those are the same on both ways.
        faults.retain(|fault| !matches!(fault.kind, Kind::Clock { .. }));
    }
    faults
}

fn fault(name: &'static str, kind: Kind) -> Fault {
    Fault { name, kind }
}

fn of_ssm(step: Step) -> Vec<Fault> {
    let refused = |code: &str| Kind::Ssm(ssm::Fault::Refuse(400, code.to_owned()));
    let mut faults = vec![
        fault(
            "SSM may not be asked (AccessDenied)",
            refused("AccessDeniedException"),
        ),
        fault("there is no such parameter", refused("ParameterNotFound")),
        fault("SSM throttles", Kind::Ssm(ssm::Fault::Throttle)),
        fault("SSM answers 500", Kind::Ssm(ssm::Fault::Error)),
        fault("SSM is down: the connection is cut", Kind::Ssm(ssm::Fault::Cut)),
        fault("SSM answers with rubbish", Kind::Ssm(ssm::Fault::Rubbish)),
    ];
    if step == Step::Map {
        let other = format!(r#"{{"{ALIAS}": "{OTHER}"}}"#);
        faults.extend([
            fault("the map names another target at first", Kind::Text(other)),
            fault("the map has no such alias at first", Kind::Text("{}".to_owned())),
            fault("the parameter is not a map at first", Kind::Text("{".to_owned())),
        ]);
    } else {
        faults.push(fault(
            "the parameter is not a key at first",
            Kind::Text("x".to_owned()),
        ));
    }
    faults
}

fn of_put(step: Step) -> Vec<Fault> {
    let put = Kind::Put;
    let refused = |status: u16, code: &str| put(s3::PutFault::Refuse(status, code.to_owned()));
    let mut faults = vec![
        fault("S3 answers 403", refused(403, "AccessDenied")),
        fault("S3 answers 404", refused(404, "NoSuchBucket")),
        fault(
            "S3 answers 409: another write is under way",
            put(s3::PutFault::conflict()),
        ),
        fault(
            "S3 answers 412, and nobody else has written",
            refused(412, "PreconditionFailed"),
        ),
        fault("S3 answers 503", refused(503, "SlowDown")),
        fault(
            "the connection is cut before it is written",
            put(s3::PutFault::LoseRequest),
        ),
        fault(
            "the connection is cut after it was written",
            put(s3::PutFault::LoseAnswer),
        ),
        fault("S3 does not answer", put(s3::PutFault::Hang)),
    ];
    if step == Step::Claim {
        let other = super::world::claim_of_another().into_bytes();
        let other = put(s3::PutFault::Precede(other));
        faults.push(fault(
            "another process claims it in the same moment, and dies",
            other,
        ));
    }
    faults
}

fn of_get(step: Step) -> Vec<Fault> {
    let refused = |status: u16, code: &str| Kind::Get(s3::Fault::Refuse(status, code.to_owned()));
    let mut faults = vec![
        fault("S3 answers 403", refused(403, "AccessDenied")),
        fault("S3 answers 404", refused(404, "NoSuchKey")),
        fault("S3 answers 503", refused(503, "SlowDown")),
        fault(
            "the connection is cut in the middle of the body",
            Kind::Get(s3::Fault::Cut {
                after: mail().len() as u64 / 10,
            }),
        ),
    ];
    if step == Step::Second {
        let changed = Kind::Get(s3::Fault::Change(other_mail()));
        faults.push(fault("the object was replaced since the first reading", changed));
    }
    faults
}

fn of_ses() -> Vec<Fault> {
    let refused = |status: u16, code: &str, text: &str| {
        Kind::Ses(ses::Fault::Refuse(ses::Refusal::new(status, code, text)))
    };
    let ses = Kind::Ses;
    vec![
        fault("SES answers 429", ses(ses::Fault::Throttle)),
        fault(
            "SES answers 403",
            refused(403, "AccessDeniedException", "not authorized"),
        ),
        fault(
            "sending is paused",
            refused(400, "SendingPausedException", "Sending is paused."),
        ),
        fault(
            "SES refuses the mail",
            refused(400, "MessageRejected", "Illegal content."),
        ),
        fault(
            "SES answers 503 before the body",
            ses(ses::Fault::ErrorBeforeBody),
        ),
        fault(
            "SES answers 500 and has not taken it",
            ses(ses::Fault::ErrorAfterBody),
        ),
        fault(
            "SES answers 500 and has taken it",
            ses(ses::Fault::ErrorAfterTaking),
        ),
        fault(
            "the connection is cut after the body, not taken",
            ses(ses::Fault::Cut { after: u64::MAX }),
        ),
        fault(
            "the connection is cut after the body, taken",
            ses(ses::Fault::CutAfterTaking),
        ),
        fault(
            "SES takes it and answers with rubbish",
            ses(ses::Fault::BrokenAnswer),
        ),
    ]
}

fn of_every_step(step: Step) -> Vec<Fault> {
    let late = fault("the answer takes a second", Kind::Late);
    let mut faults = vec![
        fault("killed before it is carried out", Kind::Killed(Stage::Arrived)),
        fault(
            "killed before it is carried out, S3's clock an hour ahead",
            Kind::Clock { is_ahead: true },
        ),
        fault(
            "killed before it is carried out, S3's clock an hour behind",
            Kind::Clock { is_ahead: false },
        ),
    ];
    if step == Step::Answer {
        faults.push(fault(
            "two processes, one waits before it is carried out",
            Kind::Two(Stage::Arrived),
        ));
        return faults;
    }
    faults.insert(0, late);
    faults.extend([
        fault(
            "killed after it was carried out, before the answer",
            Kind::Killed(Stage::Done),
        ),
        fault(
            "the time is over before it is carried out",
            Kind::Over(Stage::Arrived),
        ),
        fault("the time is over before the answer", Kind::Over(Stage::Done)),
        fault(
            "two processes, one waits before it is carried out",
            Kind::Two(Stage::Arrived),
        ),
        fault("two processes, one waits for the answer", Kind::Two(Stage::Done)),
    ]);
    faults
}

//! A function at work between stand-ins of its own, one mail after the other.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use readdress::signed::AliasKey;
use serde_json::{Value, json};

use super::books::{Account, Books};
use super::faults::Fault;
use super::mails::{Mail, Mails, map};
use super::random::Random;
use super::support::bootstrap::{Bootstrap, program};
use super::support::http;
use super::support::runtime_api::{Reply, RuntimeApi};
use super::support::s3::{PutFault, S3};
use super::support::ses::{Message, SesEndpoint};
use super::support::ssm::{Fault as ParameterFault, Ssm};

const BUCKET: &str = "mail";
const MAP: &str = "/readdress/aliases";
const KEY: &str = "/readdress/key";

/// Lambda invokes a function for an event that fails twice more, a minute and two minutes later, and then puts the event into
/// the queue of failed ones.
const INVOCATIONS: usize = 3;
const LATER: Duration = Duration::from_mins(1);

/// The time of an invocation.
const TIME: Duration = Duration::from_mins(1);
const START: Duration = Duration::from_mins(1);

/// How long a line of the log is waited for, and in how many of the last lines it is looked for.
const PATIENCE: Duration = Duration::from_secs(5);
const LAST_LINES: usize = 100;

/// The memory is looked at after so many mails.
const SAMPLE: usize = 10;

/// A process, and the Runtime API that it polls.
struct Running {
    api: RuntimeApi,
    program: Bootstrap,
    invocations: u64,
}

pub struct Lane {
    number: usize,
    kills: bool,
    random: Random,
    mails: Mails,
    s3: S3,
    ses: SesEndpoint,
    ssm: Ssm,
    running: Option<Running>,
    /// Faults of sends that did not come up yet: the mails that they were for were not sent. The next send has them.
    pending: Vec<Fault>,
    /// Mails with which the process was killed: SES may take what it had sent after that.
    killed: BTreeSet<String>,
    books: Books,
}

impl Lane {
    pub fn new(number: usize, seed: u64, kills: bool) -> Self {
        let key = AliasKey::new(std::array::from_fn(|at| u8::try_from(at * 7 + number).unwrap()));
        let ssm = Ssm::start();
        ssm.put(MAP, &map().to_string());
        ssm.put(KEY, &key.to_text());
        let ses = SesEndpoint::start();
        ses.rules(|rules| rules.verified.push("catch.example".to_owned()));
        Lane {
            number,
            kills,
            random: Random::new(seed.wrapping_add(u64::try_from(number).unwrap())),
            mails: Mails::new(key),
            s3: S3::start(),
            ses,
            ssm,
            running: None,
            pending: Vec::new(),
            killed: BTreeSet::new(),
            books: Books::default(),
        }
    }

    /// Delivers so many mails, and returns what became of them.
    pub fn run(mut self, count: usize) -> Books {
        for n in 0..count {
            let mail = self.mails.next(&mut self.random);
            self.deliver(&format!("soak{}m{n:06}", self.number), &mail);
            if n % SAMPLE == 0
                && let Some(running) = &self.running
            {
                self.books.samples.push(running.program.rss_kib());
            }
        }
        self.ses.assert_signed();
        self.books.requests = [
            self.s3.attempts().len(),
            self.ses.attempts().len(),
            self.ssm.attempts().len(),
        ];
        self.books
    }

    fn deliver(&mut self, id: &str, mail: &Mail) {
        let key = format!("inbound/{id}");
        self.s3.put(BUCKET, &key, mail.octets.clone());
        let event = event(id, mail);
        let mut account = Account::new(id, mail);
        account.faults.extend(self.pending.clone());
        let mut reply = Reply::Err(Value::Null);
        for _ in 0..INVOCATIONS {
            let fault = Fault::by_chance(&mut self.random, self.kills);
            account.faults.extend(fault.clone());
            if matches!(fault, Some(Fault::Kill(_))) {
                self.killed.insert(id.to_owned());
            }
            reply = self.invoke(&event, fault.as_ref());
            self.later(id);
            if matches!(reply, Reply::Ok(_)) {
                if matches!(fault, Some(Fault::Again)) {
                    self.invoke(&event, None).unwrap();
                }
                break;
            }
        }
        account.is_queued = matches!(reply, Reply::Err(_));
        self.take(&mut account);
        self.books.note(&account);
        if account.is_queued {
            // The owner has it tried again, when nothing is wrong any more.
            account.is_queued = matches!(self.invoke(&event, None), Reply::Err(_));
            self.take(&mut account);
            self.books.note_redriven(&account);
        }
        self.books.check(&account);
        self.s3.remove(BUCKET, &key);
        self.s3.remove(BUCKET, &page_key(id));
    }

    /// Looks at what SES has got, and at the ledger.
    fn take(&mut self, account: &mut Account) {
        let (own, late): (Vec<Message>, Vec<Message>) = self
            .ses
            .take_messages()
            .into_iter()
            .partition(|message| account.is_of(message));
        for message in late {
            let is_known = |(name, id): &(String, String)| name == "readdress" && self.killed.contains(id);
            assert!(
                message.tags.iter().any(is_known),
                "a mail of another's: {:?}",
                message.tags
            );
            self.books.late += 1;
        }
        let logged = if account.has_no_page() {
            self.logged(&account.id)
        } else {
            Vec::new()
        };
        account.take(own, self.page(&account.id), logged);
    }

    /// The outcomes of a mail in the function's log, where the ledger was out of reach.
    fn logged(&self, id: &str) -> Vec<String> {
        let Some(running) = &self.running else {
            return Vec::new();
        };
        // A line is written before, and read after, the answer.
        running.program.wait_for_line(id, PATIENCE);
        let lines = running.program.lines().into_iter().rev().take(LAST_LINES);
        lines.filter(|line| line.contains(id)).collect()
    }

    fn page(&self, id: &str) -> Option<Value> {
        let page = self.s3.object(BUCKET, &page_key(id))?;
        Some(serde_json::from_slice(&page).unwrap())
    }

    /// Lets the time pass that Lambda waits.
    fn later(&self, id: &str) {
        if self.page(id).is_some() {
            self.s3.age(BUCKET, &page_key(id), LATER);
        }
    }

    /// Invokes the function once, with a fault.
    fn invoke(&mut self, event: &Value, fault: Option<&Fault>) -> Reply {
        let mut running = self.running.take().unwrap_or_else(|| self.start());
        running.invocations += 1;
        let mut kill_after = None;
        match fault.cloned() {
            None | Some(Fault::Restart | Fault::Again) => {}
            Some(Fault::Send(fault)) => self.ses.script([fault]),
            Some(Fault::Get(fault)) => self.s3.script([fault]),
            Some(Fault::Put(is_first, fault)) => {
                let before = (!is_first).then_some(PutFault::None);
                self.s3.script_puts(before.into_iter().chain([fault]));
            }
            Some(Fault::Ledger(fault)) => self.s3.stand_puts(fault),
            Some(Fault::Parameters(fault)) => self.ssm.stand(fault),
            Some(Fault::Kill(after)) => kill_after = Some(Duration::from_millis(after)),
        }
        let reply = match kill_after {
            None => {
                let reply = running.api.invoke_within(event, TIME);
                if !matches!(fault, Some(Fault::Restart)) {
                    self.running = Some(running);
                }
                reply
            }
            Some(after) => {
                self.books.kills += 1;
                running.invoke_and_kill(event, after)
            }
        };
        self.s3.stand_puts(PutFault::None);
        self.ssm.stand(ParameterFault::None);
        if matches!(fault, Some(Fault::Send(_))) {
            self.pending.extend(fault.cloned());
        }
        if self.ses.script_left() == 0 {
            self.pending.clear();
        }
        reply
    }

    fn start(&self) -> Running {
        let api = RuntimeApi::start();
        let (s3, ses, ssm) = (self.s3.url(), self.ses.url(), self.ssm.url());
        let env = [
            ("EMAIL_BUCKET", BUCKET),
            ("EMAIL_PREFIX", "inbound/"),
            ("ALIAS_MAP_PARAM", MAP),
            ("ALIAS_KEY_PARAM", KEY),
            // So that faults of SSM come up.
            ("ALIAS_MAP_TTL", "1"),
            ("OUTBOX", "ses"),
            ("AWS_ENDPOINT_URL_S3", &s3),
            ("AWS_ENDPOINT_URL_SESV2", &ses),
            ("AWS_ENDPOINT_URL_SSM", &ssm),
        ];
        let program = api.spawn_bootstrap(&program(env!("CARGO_BIN_EXE_bootstrap")), &env);
        api.wait_for_poll(START);
        Running {
            api,
            program,
            invocations: 0,
        }
    }
}

impl Running {
    /// Kills the process in the middle of an invocation, which Lambda then ends with an error.
    fn invoke_and_kill(self, event: &Value, after: Duration) -> Reply {
        let Running {
            api,
            program,
            invocations,
        } = self;
        thread::scope(|scope| {
            let waiting = scope.spawn(|| api.invoke_within(event, TIME));
            thread::sleep(after);
            drop(program);
            let path =
                format!("/2018-06-01/runtime/invocation/8476a536-e9f4-11e8-9739-{invocations:012x}/error");
            let error =
                json!({"errorType": "Runtime.ExitError", "errorMessage": "signal: killed"}).to_string();
            // It may have answered before.
            http::request(api.address(), "POST", &path, &[], error.as_bytes()).unwrap();
            waiting.join().unwrap()
        })
    }
}

fn page_key(id: &str) -> String {
    format!("ledger/{id}.json")
}

fn event(id: &str, mail: &Mail) -> Value {
    let recipients: Vec<&str> = mail.recipients.iter().map(|it| &*it.address).collect();
    let [spam, virus, dmarc] = mail.verdicts;
    json!({"Records": [{"eventSource": "aws:ses", "eventVersion": "1.0", "ses": {
        "mail": {"messageId": id, "source": mail.envelope_sender, "destination": recipients},
        "receipt": {"recipients": recipients, "spamVerdict": {"status": spam}, "virusVerdict": {"status": virus},
            "dmarcVerdict": {"status": dmarc}, "dmarcPolicy": "reject",
            "action": {"type": "Lambda", "functionArn": "arn:aws:lambda:x", "invocationType": "Event"}}}}]})
}

//! The services that the function needs, and processes of the function between them.

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::gate::Gate;
use super::step::{Service, Way};
use super::support::bootstrap::{Bootstrap, program};
use super::support::lambda::{Invocation, Lambda};
use super::support::lock;
use super::support::runtime_api::{Reply, RuntimeApi};
use super::support::s3::S3;
use super::support::ses::SesEndpoint;
use super::support::sigv4::sha256_hex;
use super::support::sqs::Sqs;
use super::support::ssm::Ssm;
use super::{ALIAS, BUCKET, ID, KEY, MAP, TARGET, mail, small_mail};

/// The key that reply addresses are signed with.
pub const KEY_TEXT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// How long a process may take to be ready, on a machine that does much else.
const PATIENCE: Duration = Duration::from_mins(1);

/// The time of an invocation whose time is not the fault. SES is tried for eight seconds, the ledger for five at a time.
const TIME: Duration = Duration::from_mins(1);

/// The time after which Lambda repeats an event, and more than a claim lives.
const MINUTE: Duration = Duration::from_secs(61);

/// All services, and one mail that has arrived.
pub struct World {
    pub s3: Arc<S3>,
    pub ses: Arc<SesEndpoint>,
    pub ssm: Arc<Ssm>,
    pub sqs: Sqs,
    pub gate: Arc<Gate>,
    way: Way,
}

/// A process of the function.
#[derive(Clone)]
pub struct Process {
    api: Arc<RuntimeApi>,
    program: Arc<Mutex<Option<Bootstrap>>>,
}

impl World {
    pub fn start(way: Way) -> Self {
        let world = World {
            s3: Arc::new(S3::start()),
            ses: Arc::new(SesEndpoint::start()),
            ssm: Arc::new(Ssm::start()),
            sqs: Sqs::start(),
            gate: Arc::new(Gate::default()),
            way,
        };
        world.s3.watch(world.gate.watch(Service::S3));
        world.ses.watch(world.gate.watch(Service::Ses));
        world.ssm.watch(world.gate.watch(Service::Ssm));
        world.ssm.put(MAP, &map());
        world.ssm.put(KEY, KEY_TEXT);
        let mail = match way {
            Way::Forward => mail(),
            Way::Notice => small_mail(),
        };
        world.s3.put(BUCKET, &format!("inbound/{ID}"), mail);
        world
    }

    /// The event of the mail's arrival.
    pub fn event(&self) -> Value {
        let spam = match self.way {
            Way::Forward => "PASS",
            Way::Notice => "FAIL",
        };
        json!({"Records": [{"eventSource": "aws:ses", "ses": {
            "mail": {"messageId": ID, "source": "zoe@example.org", "destination": [ALIAS]},
            "receipt": {"recipients": [ALIAS], "spamVerdict": {"status": spam}, "virusVerdict": {"status": "PASS"},
                "dmarcVerdict": {"status": "PASS"}}}}]})
    }

    /// A new process, which remembers nothing.
    pub fn process(&self, on_doubt: &str) -> Process {
        let api = Arc::new(RuntimeApi::start());
        api.watch(self.gate.watch(Service::Lambda));
        let (s3, ses, ssm) = (self.s3.url(), self.ses.url(), self.ssm.url());
        let env = [
            ("EMAIL_BUCKET", BUCKET),
            ("EMAIL_PREFIX", "inbound/"),
            ("ALIAS_MAP_PARAM", MAP),
            ("ALIAS_KEY_PARAM", KEY),
            ("OUTBOX", "ses"),
            ("ON_SPAM", "hold"),
            ("ON_DOUBT", on_doubt),
            ("AWS_ENDPOINT_URL_S3", &s3),
            ("AWS_ENDPOINT_URL_SESV2", &ses),
            ("AWS_ENDPOINT_URL_SSM", &ssm),
        ];
        let program = api.spawn_bootstrap(&program(env!("CARGO_BIN_EXE_bootstrap")), &env);
        api.wait_for_poll(PATIENCE);
        Process {
            api,
            program: Arc::new(Mutex::new(Some(program))),
        }
    }

    /// Lets a minute pass for the ledger.
    pub fn pass_a_minute(&self) {
        let page = format!("ledger/{ID}.json");
        if self.s3.object(BUCKET, &page).is_some() {
            self.s3.age(BUCKET, &page, MINUTE);
        }
    }

    /// What the ledger has of the mail.
    pub fn page(&self) -> Option<Value> {
        let page = self.s3.object(BUCKET, &format!("ledger/{ID}.json"))?;
        serde_json::from_slice(&page).ok()
    }

    /// Runs one of the commands for what is left, with the function as another process has it.
    pub fn command(&self, arguments: &[&str], on_doubt: &str) -> (i32, String) {
        let process = self.process(on_doubt);
        let lambda = Lambda::of(move |event| match process.invoke(event) {
            Reply::Ok(_) => Invocation::Ok,
            Reply::Err(error) => {
                Invocation::Failed(error["errorMessage"].as_str().unwrap_or_default().to_owned())
            }
        });
        let mut command = Command::new(env!("CARGO_BIN_EXE_readdress"));
        let env = [
            ("AWS_ENDPOINT_URL_S3", &*self.s3.url()),
            ("AWS_ENDPOINT_URL_LAMBDA", &lambda.url()),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AKIDTEST"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("EMAIL_BUCKET", BUCKET),
            ("EMAIL_PREFIX", "inbound/"),
            ("READDRESS_FUNCTION", "readdress"),
        ];
        let output = command
            .args(arguments)
            .env_clear()
            .envs(env)
            .output()
            .expect("the command");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        (output.status.code().unwrap_or(-1), text)
    }
}

impl Process {
    pub fn invoke(&self, event: &Value) -> Reply {
        self.api.invoke_within(event, TIME)
    }

    pub fn invoke_within(&self, event: &Value, time: Duration) -> Reply {
        self.api.invoke_within(event, time)
    }

    /// Ends the process as SIGKILL does, and with it the invocation.
    pub fn kill(&self) {
        drop(lock(&self.program).take());
        self.api.exited();
    }

    /// The cause that the process has logged for a failure, or the outcome, where that has no cause.
    pub fn cause(&self) -> Option<String> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(5) {
            let lines = lock(&self.program).as_ref()?.lines();
            let mut lines = lines
                .iter()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let outcome = lines.rfind(|line| line["message"] == "outcome");
            let text = |outcome: &Value, name: &str| outcome[name].as_str().map(str::to_owned);
            let cause = outcome.and_then(|line| text(&line, "cause").or_else(|| text(&line, "outcome")));
            if cause.is_some() {
                return cause;
            }
            thread::sleep(Duration::from_millis(5));
        }
        None
    }
}

pub fn map() -> String {
    json!({ALIAS: TARGET}).to_string()
}

/// A page with the claim of another process for the target.
pub fn claim_of_another() -> String {
    let page = json!({
        "message_id": ID, "arrival": {"recipients": [ALIAS], "envelope_sender": "zoe@example.org"},
        "claim": {"token": "another", "targets": [sha256_hex(TARGET.as_bytes())], "renewals": 0},
        "sent": [], "written_at": 0,
    });
    page.to_string()
}

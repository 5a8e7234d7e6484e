//! The real moto server, from a virtual environment of its own below `target`. It checks no signatures and takes about
//! two seconds to start.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::http::{Answer, request};

const VERSION: &str = "5.2.5";
/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server. Killed when dropped.
#[derive(Debug)]
pub struct Moto {
    child: Child,
    address: SocketAddr,
}

/// The virtual environment, made by the first who needs it.
///
/// # Panics
/// If it cannot be made.
fn environment() -> PathBuf {
    // Examples, which need no moto, have none.
    let place = option_env!("CARGO_TARGET_TMPDIR").map(Path::new);
    let place = place.expect("a directory of cargo, as tests have");
    fs::create_dir_all(place).expect("a directory below target");
    let lock = File::create(place.join("moto.lock")).expect("a lock file");
    // Held until the end of this function; the tests run in several processes.
    lock.lock().expect("the lock");
    let directory = place.join(format!("moto-{VERSION}"));
    let made = directory.join("made");
    if !made.exists() {
        eprintln!("making a virtual environment with moto {VERSION}; this happens once");
        let _ = fs::remove_dir_all(&directory);
        run(
            Command::new("python3").args(["-m", "venv"]).arg(&directory),
            "python3 (3.10 or later, with its venv module) is needed to run moto, which stands for AWS in these \
             tests: install it, on Debian as the packages python3 and python3-venv",
        );
        run(
            Command::new(directory.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .arg(format!("moto[server,s3,ssm,ses]=={VERSION}")),
            "moto could not be installed from PyPI; without network let pip know where it is (PIP_FIND_LINKS, \
             PIP_INDEX_URL)",
        );
        File::create(&made).expect("the mark that it is made");
    }
    directory
}

fn run(command: &mut Command, advice: &str) {
    match command.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => panic!("{advice}\n{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => panic!("{advice}\n{error}"),
    }
}

fn serve(environment: &Path) -> Child {
    Command::new(environment.join("bin/moto_server"))
        .args(["-H", "127.0.0.1", "-p", "0"])
        .env("PYTHONUNBUFFERED", "1")
        // Whatever moto asks for under these names, it gets from itself.
        .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("moto_server of the virtual environment")
}

impl Moto {
    /// Starts it on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start() -> Self {
        // Killed from here on, however this ends.
        let mut moto = Moto {
            child: serve(&environment()),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        let stderr = BufReader::new(moto.child.stderr.take().expect("it is piped"));
        let (sender, receiver) = std::sync::mpsc::channel();
        thread::spawn(move || {
            // Read to the end, or moto stops when the pipe is full.
            for line in stderr.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let start = Instant::now();
        let mut told = String::new();
        while let Some(rest) = PATIENCE.checked_sub(start.elapsed())
            && let Ok(line) = receiver.recv_timeout(rest)
        {
            // "* Running on http://127.0.0.1:41523"
            let address = line
                .split_once("Running on http://")
                .and_then(|(_, rest)| rest.split(['/', ' ', '\u{1b}']).next()?.parse().ok());
            if let Some(address) = address {
                moto.address = address;
                return moto;
            }
            told.extend([&line, "\n"]);
        }
        panic!("moto did not start:\n{told}");
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// # Panics
    /// If moto does not answer.
    fn ask(&self, method: &str, target: &str, service: &str, fields: &[(&str, &str)], body: &[u8]) -> Answer {
        // moto tells the services apart by the scope of the signature.
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDTEST/20260305/eu-west-1/{service}/aws4_request, \
             SignedHeaders=host, Signature=0"
        );
        let mut all = vec![("authorization", authorization.as_str())];
        all.extend_from_slice(fields);
        request(self.address, method, target, &all, body).expect("an answer of moto")
    }

    /// Stores an object; the bucket is made where it is missing.
    ///
    /// # Panics
    /// If moto refuses it.
    pub fn put_object(&self, bucket: &str, key: &str, octets: &[u8]) {
        let location = br#"<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>"#;
        let made = self.ask("PUT", &format!("/{bucket}"), "s3", &[], location);
        assert!(matches!(made.status, 200 | 409), "{}", made.text());
        let put = self.ask("PUT", &format!("/{bucket}/{key}"), "s3", &[], octets);
        assert_eq!(put.status, 200, "{}", put.text());
    }

    /// An object, or `None`.
    pub fn object(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        let answer = self.ask("GET", &format!("/{bucket}/{key}"), "s3", &[], &[]);
        (answer.status == 200).then_some(answer.body)
    }

    /// Stores a `SecureString`.
    ///
    /// # Panics
    /// If moto refuses it.
    pub fn put_parameter(&self, name: &str, value: &str) {
        let body = json!({"Name": name, "Value": value, "Type": "SecureString", "Overwrite": true});
        let fields = [
            ("x-amz-target", "AmazonSSM.PutParameter"),
            ("content-type", "application/x-amz-json-1.1"),
        ];
        let put = self.ask("POST", "/", "ssm", &fields, body.to_string().as_bytes());
        assert_eq!(put.status, 200, "{}", put.text());
    }

    fn ask_sqs(&self, operation: &str, request: &Value) -> Value {
        let target = format!("AmazonSQS.{operation}");
        let fields = [
            ("x-amz-target", target.as_str()),
            ("content-type", "application/x-amz-json-1.0"),
        ];
        let answer = self.ask("POST", "/", "sqs", &fields, request.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Makes a queue, and returns its URL.
    ///
    /// # Panics
    /// If moto refuses it.
    pub fn create_queue(&self, name: &str) -> String {
        let made = self.ask_sqs("CreateQueue", &json!({"QueueName": name}));
        let url = made["QueueUrl"].as_str().expect("the queue's URL");
        // moto may name a host by which it is not reached.
        let path = url.splitn(4, '/').nth(3).expect("a path");
        format!("{}/{path}", self.url())
    }

    /// # Panics
    /// If moto refuses it.
    pub fn send_message(&self, queue: &str, body: &str) {
        self.ask_sqs("SendMessage", &json!({"QueueUrl": queue, "MessageBody": body}));
    }

    /// The messages of a queue that can be received.
    ///
    /// # Panics
    /// If moto does not say it.
    pub fn queued(&self, queue: &str) -> u64 {
        let names = ["ApproximateNumberOfMessages"];
        let told = self.ask_sqs(
            "GetQueueAttributes",
            &json!({"QueueUrl": queue, "AttributeNames": names}),
        );
        let number = told["Attributes"][names[0]].as_str();
        number.and_then(|number| number.parse().ok()).expect("a number")
    }

    /// Makes an address or a domain a verified identity.
    ///
    /// # Panics
    /// If moto refuses it.
    pub fn verify_identity(&self, identity: &str) {
        let action = if identity.contains('@') {
            format!("Action=VerifyEmailIdentity&EmailAddress={identity}")
        } else {
            format!("Action=VerifyDomainIdentity&Domain={identity}")
        };
        let fields = [("content-type", "application/x-www-form-urlencoded")];
        let verified = self.ask("POST", "/", "ses", &fields, action.as_bytes());
        assert_eq!(verified.status, 200, "{}", verified.text());
    }

    /// The raw messages that moto took, as it tells them: `source`, `destinations`, `raw_data`.
    ///
    /// # Panics
    /// If moto does not tell them.
    pub fn sent_messages(&self) -> Vec<Value> {
        let told = self.ask("GET", "/moto-api/data.json", "ses", &[], &[]).json();
        assert!(told.is_object(), "moto tells what it has");
        told["ses"]["RawMessage"].as_array().cloned().unwrap_or_default()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

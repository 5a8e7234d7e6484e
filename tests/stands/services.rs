//! S3, SSM, the Runtime API and moto.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::support::http::{self, Answer, Client};
use super::support::moto::Moto;
use super::support::runtime_api::{Reply, RuntimeApi};
use super::support::s3::{self, PutFault, S3};
use super::support::sigv4::{self, Credentials};
use super::support::ssm::{self, Ssm};
use super::{MAIL, SEND, head, request_of};
use serde_json::{Value, json};

fn get(s3: &S3, method: &str, key: &str, fields: &[(&str, &str)]) -> std::io::Result<Answer> {
    let mut client = Client::connect(s3.address())?;
    sigv4::signed_request(&mut client, "s3", method, &format!("/mail/{key}"), fields, &[])
}

#[test]
fn objects_are_read_whole_in_ranges_and_on_condition() {
    let s3 = S3::start();
    let etag = s3.put_with("mail", "in/a b", "0123456789", &[("x-amz-iv", "iv")]);
    let whole = get(&s3, "GET", "in/a%20b?x-id=GetObject", &[]).unwrap();
    assert_eq!((whole.status, whole.text().as_str()), (200, "0123456789"));
    assert_eq!(whole.field("etag"), Some(etag.as_str()));
    assert_eq!(whole.field("content-length"), Some("10"));
    assert_eq!(whole.field("x-amz-meta-x-amz-iv"), Some("iv"));
    let head = get(&s3, "HEAD", "in/a%20b", &[]).unwrap();
    assert_eq!((head.status, head.field("content-length")), (200, Some("10")));

    let part = |range: &str| get(&s3, "GET", "in/a%20b", &[("range", range)]).unwrap();
    for (range, expected, of) in [
        ("bytes=0-3", "0123", "bytes 0-3/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=8-99", "89", "bytes 8-9/10"),
    ] {
        let part = part(range);
        assert_eq!((part.status, part.text().as_str()), (206, expected), "{range}");
        assert_eq!(part.field("content-range"), Some(of), "{range}");
    }
    assert_eq!(part("bytes=10-").status, 416);

    let matching = |etag: &str| get(&s3, "GET", "in/a%20b", &[("if-match", etag)]).unwrap();
    assert_eq!(matching(&etag).status, 200);
    assert_eq!(matching("\"other\"").status, 412);
    let missing = get(&s3, "GET", "none", &[]).unwrap();
    assert!(missing.status == 404 && missing.text().contains("<Code>NoSuchKey</Code>"));
    let unsigned = http::request(s3.address(), "GET", "/mail/in/a%20b", &[], &[]).unwrap();
    assert_eq!(unsigned.status, 403);
}

#[test]
fn objects_are_written_on_condition() {
    let s3 = S3::start();
    let put = |fields: &[(&str, &str)], body: &str| {
        let mut client = Client::connect(s3.address())?;
        sigv4::signed_request(&mut client, "s3", "PUT", "/mail/a", fields, body.as_bytes())
    };
    let status = |fields: &[(&str, &str)]| put(fields, "two").unwrap().status;
    assert_eq!(status(&[("if-match", "\"x\"")]), 404);
    let one = put(&[("if-none-match", "*")], "one").unwrap();
    assert_eq!(one.status, 200);
    assert_eq!(status(&[("if-none-match", "*")]), 412);
    assert_eq!(status(&[("if-match", "\"x\"")]), 412);
    assert_eq!(status(&[("if-match", one.field("etag").unwrap())]), 200);
    assert_eq!(s3.object("mail", "a").unwrap(), b"two");

    // Dates by its own clock: the age of an object is theirs to tell.
    s3.age("mail", "a", Duration::from_secs(100_000));
    let read = get(&s3, "GET", "a", &[]).unwrap();
    let date = |name: &str| read.field(name).unwrap().to_owned();
    assert!(date("date").ends_with(" GMT") && date("date") != date("last-modified"));

    // Faults.
    s3.script_puts([PutFault::conflict(), PutFault::LoseRequest, PutFault::LoseAnswer]);
    assert_eq!(put(&[], "three").unwrap().status, 409);
    assert!(put(&[], "three").is_err());
    assert_eq!(s3.object("mail", "a").unwrap(), b"two");
    assert!(put(&[], "three").is_err());
    assert_eq!(s3.object("mail", "a").unwrap(), b"three");
    let another = PutFault::Precede(b"another".to_vec());
    s3.script_puts([another]);
    assert_eq!(put(&[("if-match", "\"x\"")], "four").unwrap().status, 412);
    assert_eq!(s3.object("mail", "a").unwrap(), b"another");
}

#[test]
fn streams_are_cut_shortened_and_changed() {
    let s3 = S3::start();
    let etag = s3.put("mail", "a", vec![b'x'; 1 << 20]);
    s3.script([
        s3::Fault::Cut { after: 1_000 },
        s3::Fault::Short { by: 24 },
        s3::Fault::Refuse(503, "SlowDown".to_owned()),
        s3::Fault::Change(b"another".to_vec()),
    ]);
    let cut = get(&s3, "GET", "a", &[]);
    assert!(cut.is_err(), "the end is missed");
    let short = get(&s3, "GET", "a", &[]).unwrap();
    assert_eq!(
        (short.body.len(), short.field("etag")),
        ((1 << 20) - 24, Some(etag.as_str()))
    );
    assert_eq!(get(&s3, "GET", "a", &[]).unwrap().status, 503);
    let changed = get(&s3, "GET", "a", &[("if-match", &etag)]).unwrap();
    assert_eq!(changed.status, 412);
    assert_eq!(get(&s3, "GET", "a", &[]).unwrap().text(), "another");
    let attempts = s3.attempts();
    assert_eq!(attempts[0].bytes_sent, 1_000);
    assert_eq!(attempts[3].if_match.as_deref(), Some(etag.as_str()));
    assert_eq!(attempts[4].path, "mail/a");
    assert_eq!(s3.bytes_sent(), 1_000 + (1 << 20) - 24 + 7);
}

/// Without a rate a client that goes after the header section has cost some megabytes. This one has seconds to go.
#[test]
fn a_paced_stream_shows_who_goes_early() {
    let s3 = S3::start();
    s3.put("mail", "a", vec![b'x'; 20 << 20]);
    s3.pace(64 << 10);
    let mut head = head("GET", "/mail/a", &[("host", "127.0.0.1")]);
    let empty = sigv4::sha256_hex(b"");
    sigv4::sign(&mut head, &empty, &Credentials::test(), "s3", SystemTime::now());
    let mut text = String::from("GET /mail/a HTTP/1.1\r\n");
    for (name, value) in &head.fields {
        text.extend([name, ": ", value, "\r\n"]);
    }
    let mut stream = std::net::TcpStream::connect(s3.address()).unwrap();
    std::io::Write::write_all(&mut stream, format!("{text}\r\n").as_bytes()).unwrap();
    let mut chunk = [0; 4_096];
    assert!(std::io::Read::read(&mut stream, &mut chunk).unwrap() > 0);
    drop(stream);
    let sent = s3.bytes_sent();
    assert!(sent < 512 << 10, "{sent}");
}

fn ask_ssm(ssm: &Ssm, operation: &str, request: &Value) -> (u16, Value) {
    let target = format!("AmazonSSM.{operation}");
    let fields = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", target.as_str()),
    ];
    let mut client = Client::connect(ssm.address()).unwrap();
    let body = request.to_string();
    let answer = sigv4::signed_request(&mut client, "ssm", "POST", "/", &fields, body.as_bytes()).unwrap();
    (answer.status, answer.json())
}

#[test]
fn parameters_are_told_decrypted_on_demand_and_by_path() {
    let ssm = Ssm::start();
    ssm.put("/map", "{}");
    ssm.put_plain("/plain", "text");
    let get = |request: Value| ask_ssm(&ssm, "GetParameter", &request);
    let (status, answer) = get(json!({"Name": "/map", "WithDecryption": true}));
    assert_eq!((status, &answer["Parameter"]["Value"]), (200, &json!("{}")));
    assert_eq!(answer["Parameter"]["Version"], 1);
    assert_ne!(get(json!({"Name": "/map"})).1["Parameter"]["Value"], "{}");
    assert_eq!(get(json!({"Name": "/plain"})).1["Parameter"]["Value"], "text");
    let (status, answer) = get(json!({"Name": "/none"}));
    assert_eq!((status, &answer["__type"]), (400, &json!("ParameterNotFound")));

    for n in 0..12 {
        ssm.put(&format!("/maps/{n:02}"), "{}");
    }
    ssm.put("/maps/below/1", "{}");
    let by_path = |request: Value| ask_ssm(&ssm, "GetParametersByPath", &request).1;
    let first = by_path(json!({"Path": "/maps/", "WithDecryption": true}));
    assert_eq!(first["Parameters"].as_array().unwrap().len(), 10);
    let second = by_path(json!({"Path": "/maps", "NextToken": first["NextToken"]}));
    assert_eq!(second["Parameters"].as_array().unwrap().len(), 2);
    assert_eq!(second["NextToken"], Value::Null);
    let names = by_path(json!({"Path": "/maps", "Recursive": true, "NextToken": "10"}));
    assert_eq!(names["Parameters"].as_array().unwrap().len(), 3);
}

#[test]
fn parameters_fail_as_told() {
    let ssm = Ssm::start();
    ssm.put("/map", "{}");
    ssm.script([ssm::Fault::Throttle, ssm::Fault::Error]);
    let request = json!({"Name": "/map"});
    let get = || ask_ssm(&ssm, "GetParameter", &request);
    assert_eq!(get().1["__type"], "ThrottlingException");
    assert_eq!(get().0, 500);
    assert_eq!(get().0, 200);
    ssm.stand(ssm::Fault::Refuse(400, "AccessDeniedException".to_owned()));
    assert_eq!(get().1["__type"], "AccessDeniedException");
    let unsigned = http::request(ssm.address(), "POST", "/", &[], b"{}").unwrap();
    assert_eq!(unsigned.json()["__type"], "InvalidSignatureException");
    assert_eq!(ssm.attempts().len(), 5);
}

#[test]
fn invocations_are_polled_and_answered() {
    let api = RuntimeApi::start();
    let address = api.address();
    let base = "/2018-06-01/runtime/invocation";
    thread::scope(|scope| {
        scope.spawn(|| {
            for end in ["response", "error"] {
                let next = http::request(address, "GET", &format!("{base}/next"), &[], &[]).unwrap();
                let id = next.field("lambda-runtime-aws-request-id").unwrap().to_owned();
                let deadline: u128 = next.field("lambda-runtime-deadline-ms").unwrap().parse().unwrap();
                let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
                assert!(deadline.abs_diff(now.as_millis()) < 60_000, "epoch ms");
                assert!(next.field("lambda-runtime-invoked-function-arn").is_some());
                assert!(next.field("lambda-runtime-trace-id").is_some());
                let answer = http::request(address, "POST", &format!("{base}/{id}/{end}"), &[], &next.body);
                assert_eq!(answer.unwrap().status, 202);
                let again = http::request(address, "POST", &format!("{base}/{id}/{end}"), &[], b"{}");
                assert_eq!(again.unwrap().status, 400, "answered already");
            }
        });
        let time = Duration::from_secs(5);
        assert_eq!(
            api.invoke_within(&json!({"a": 1}), time),
            Reply::Ok(json!({"a": 1}))
        );
        assert_eq!(
            api.invoke_within(&json!({"a": 2}), time),
            Reply::Err(json!({"a": 2}))
        );
    });
    let first = api.wait_for_poll(Duration::ZERO);
    assert!(first <= Instant::now());
    assert_eq!(api.init_error(Duration::ZERO), None);
    let error = br#"{"errorType": "Settings"}"#;
    http::request(address, "POST", "/2018-06-01/runtime/init/error", &[], error).unwrap();
    assert_eq!(
        api.init_error(Duration::ZERO),
        Some(json!({"errorType": "Settings"}))
    );
}

#[test]
fn a_program_is_started_measured_and_ended() {
    let api = RuntimeApi::start();
    // Not written here: a file that a thread has just written cannot be run while another thread starts a program.
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stands/program.sh"));
    let mut running = api.spawn_bootstrap(path, &[("OUTBOX", "ses")]);
    let patience = Duration::from_secs(20);
    assert!(running.wait_for_line("done", patience).is_some());
    assert!(running.wait_for_line("seen", patience).is_some());
    let lines = running.lines();
    let api_line = format!("AWS_LAMBDA_RUNTIME_API={}", api.address());
    for line in [
        api_line.as_str(),
        "OUTBOX=ses",
        "AWS_REGION=eu-west-1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
    ] {
        assert!(lines.iter().any(|have| have == line), "{line}");
    }
    assert!(
        !lines.iter().any(|line| line.starts_with("HOME=")),
        "nothing is inherited"
    );
    let peak = running.peak_rss_kib();
    assert!(
        (4_000..40_000).contains(&peak),
        "{peak} KiB, of which 4,000 are held"
    );
    assert!(
        running.user_cpu() > Duration::from_millis(10),
        "{:?}",
        running.user_cpu()
    );
    assert!(running.started().elapsed() < patience);
    assert_eq!(running.wait(Duration::ZERO), None, "still there");
    let mut ended = api.spawn_bootstrap(Path::new("/bin/true"), &[]);
    assert!(ended.wait(patience).is_some_and(|status| status.success()));
}

#[test]
fn moto_keeps_what_it_is_given() {
    let moto = Moto::start();
    moto.put_object("mail", "in/a", b"abc\xff");
    moto.put_object("mail", "in/b", b"more");
    assert_eq!(moto.object("mail", "in/a").unwrap(), b"abc\xff");
    assert_eq!(moto.object("mail", "none"), None);
    moto.put_parameter("/map", "{}");
    moto.put_parameter("/map", "{\"a\": []}");
    let fields = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", "AmazonSSM.GetParameter"),
    ];
    let body = json!({"Name": "/map", "WithDecryption": true}).to_string();
    let mut client = Client::connect(moto.address()).unwrap();
    let told = sigv4::signed_request(&mut client, "ssm", "POST", "/", &fields, body.as_bytes()).unwrap();
    assert_eq!(told.json()["Parameter"]["Value"], "{\"a\": []}");

    let send = || {
        let request = request_of(MAIL.as_bytes(), &["omar@example.net"]).to_string();
        let mut client = Client::connect(moto.address()).unwrap();
        let fields = [("content-type", "application/json")];
        sigv4::signed_request(&mut client, "ses", "POST", SEND, &fields, request.as_bytes()).unwrap()
    };
    assert_eq!(send().status, 400, "nobody is verified yet");
    moto.verify_identity("example.com");
    moto.verify_identity("jane@example.org");
    assert_eq!(send().status, 200);
    let kept = moto.sent_messages();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0]["raw_data"], MAIL);
    // moto adds those of the header section.
    assert_eq!(
        kept[0]["destinations"],
        json!(["omar@example.net", "jane@example.net"])
    );
}

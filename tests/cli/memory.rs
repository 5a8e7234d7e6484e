//! The memory of the process, for any message.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{Read, Write};
use std::process::Stdio;

use super::readdress;

/// Peak memory of the process: a claim of the README. On Linux only, where /proc tells.
#[test]
fn a_40_mb_mail_goes_through_in_8_mb() {
    let mut message = b"From: jane@example.org\r\nContent-Type: application/x-big\r\n\r\n".to_vec();
    while message.len() < 40_000_000 {
        message.extend_from_slice(&[b'x'; 76]);
        message.extend_from_slice(b"\r\n");
    }
    let arguments = [
        "rewrite",
        "--alias",
        "shop@example.com",
        "--target",
        "a@example.net",
    ];
    let mut child = readdress(&arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let feeder = std::thread::spawn(move || {
        input.write_all(&message).unwrap();
        input // Kept open, so that the process is still there when it is looked at.
    });
    let mut octets = 0;
    let mut chunk = vec![0; 1 << 16];
    while octets < 39_000_000 {
        octets += output.read(&mut chunk).unwrap();
    }
    let peak = peak_kibibytes(&child);
    let drain = std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()).unwrap());
    drop(feeder.join().unwrap());
    drain.join().unwrap();
    assert!(child.wait().unwrap().success());
    eprintln!("peak memory of the process for 40 MB: {peak} kB");
    assert_small(peak);
}

/// Catches a part tree in memory: of these parts it takes some 150 MB.
#[test]
fn a_million_parts_are_shown_in_the_same_memory() {
    let mut message = b"Content-Type: multipart/mixed; boundary=b\n\n".to_vec();
    message.extend_from_slice(&b"--b\n\n\n".repeat(600_000));
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), message).unwrap();
    let mut child = readdress(&["inspect", "--json", file.path().to_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    // The first octet comes when all has been read; the pipe is full long before all has been written.
    output.read_exact(&mut [0]).unwrap();
    let peak = peak_kibibytes(&child);
    std::io::copy(&mut output, &mut std::io::sink()).unwrap();
    assert!(child.wait().unwrap().success());
    assert_small(peak);
}

fn peak_kibibytes(child: &std::process::Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.unwrap().split_whitespace().next().unwrap().parse().unwrap()
}

fn assert_small(kibibytes: u64) {
    // A debug build with the AWS SDK is a program of 200 MB, whose tables alone are more than all that a command needs.
    let most = if cfg!(all(feature = "aws", debug_assertions)) {
        24
    } else if cfg!(debug_assertions) {
        // Its own code is mapped too, more of it for each setting.
        11
    } else {
        8
    };
    assert!(kibibytes <= most * 1024, "peak memory {kibibytes} kB");
}

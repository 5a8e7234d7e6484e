//! `readdress unsuppress` before a stand-in of SES's suppression list.
#![cfg(all(feature = "aws", feature = "cli"))]

mod support;

use std::process::{Command, Output};

use support::suppression::Suppression;

fn unsuppress(list: &Suppression, targets: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_readdress"))
        .arg("unsuppress")
        .args(targets)
        .env_clear()
        .env("AWS_ENDPOINT_URL_SESV2", list.url())
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .output()
        .unwrap()
}

#[test]
fn a_bounce_is_taken_off_the_list_and_a_complaint_is_not() {
    let list = Suppression::start(&[
        ("jane+x@example.net", "BOUNCE"),
        ("omar@example.net", "COMPLAINT"),
        ("zoe@example.net", "LATER"),
    ]);
    let done = unsuppress(&list, &["jane+x@example.net", "ann@example.net"]);
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{said}");
    assert!(
        said.contains("jane+x@example.net: it is taken off the list"),
        "{said}"
    );
    assert!(said.contains("ann@example.net: it is not on the list"), "{said}");
    assert_eq!(list.addresses(), ["omar@example.net", "zoe@example.net"]);

    let refused = unsuppress(&list, &["omar@example.net", "zoe@example.net"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("omar@example.net: somebody there has reported"),
        "{said}"
    );
    assert!(
        said.contains("zoe@example.net: it is on the list for a reason"),
        "{said}"
    );
    assert_eq!(list.addresses(), ["omar@example.net", "zoe@example.net"]);
}

#[test]
fn wrong_addresses_are_wrong_usage() {
    let list = Suppression::start(&[]);
    for targets in [&[][..], &["jane"]] {
        assert_eq!(unsuppress(&list, targets).status.code(), Some(2));
    }
}

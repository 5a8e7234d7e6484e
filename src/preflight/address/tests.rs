use super::*;

/// The verdicts are JavaMail 1.6.5's own, asked strictly.
#[test]
#[allow(clippy::too_many_lines)]
fn lists_are_taken_and_refused_as_javamail_does() {
    let cases = [
        (&b"jane@example.org"[..], ""),
        (&b"Jane <jane@example.org>"[..], ""),
        (&b"\"Example, Jane\" <jane@example.org>"[..], ""),
        (
            &b"Example, Jane <jane@example.org>"[..],
            "Missing final '@domain'",
        ),
        (&b"Jane Q. Public <jane@example.org>"[..], ""),
        (
            &b"Jane <jane@example.org> <j@example.net>"[..],
            "Extra route-addr",
        ),
        (&b"Jane <<jane@example.org>>"[..], "Missing '<'"),
        (&b"Jane jane@example.org>"[..], "Missing '<'"),
        (&b"Jane <jane@example.org"[..], "Missing '>'"),
        (&b"\"Jane <jane@example.org>"[..], "Missing '\"'"),
        (
            &b"jane@example.org; omar@example.org"[..],
            "Illegal semicolon, not in group",
        ),
        (&b"Friends: jane@example.org, omar@example.org;"[..], ""),
        (&b"undisclosed-recipients:;"[..], ""),
        (&b"undisclosed-recipients: ;, jane@example.org"[..], ""),
        (
            &b"<mailto:jane@example.org>"[..],
            "Local address contains illegal character",
        ),
        (&b"jane"[..], "Missing final '@domain'"),
        (&b"Jane <>"[..], "Empty address"),
        (&b"<>"[..], "Empty address"),
        (&b"jane@ex_ample.org"[..], "Domain contains illegal character"),
        (&b"jane@example.org."[..], "Domain ends with dot"),
        (&b"jane..doe@example.org"[..], "Local address contains dot-dot"),
        (&b".jane@example.org"[..], "Local address starts with dot"),
        (&b"jane.@example.org"[..], "Local address ends with dot"),
        (&b"\"jane doe\"@example.org"[..], ""),
        (&b"\"jane\"x@example.org"[..], "Quote not at end of local address"),
        (
            &b"x\"jane\"@example.org"[..],
            "Quote not at start of local address",
        ),
        (&b"jane@[192.0.2.1]"[..], ""),
        (&b"jane@example..org"[..], "Domain contains dot-dot"),
        (&b"jane@-example.org"[..], ""),
        (&b"j\xc3\xa4ne@example.org"[..], ""),
        (&b"J\xc3\xa4ne <jane@example.org>"[..], ""),
        (
            &b"jane@ex\xc3\xa4mple.org"[..],
            "Domain contains illegal character",
        ),
        (&b"jane (Jane) @example.org"[..], "Missing final '@domain'"),
        (&b"(Jane) jane@example.org"[..], ""),
        (&b"jane@example.org (Jane"[..], "Missing ')'"),
        (&b"jane@example.org )"[..], "Missing '('"),
        (&b"@a,@b:jane@example.org"[..], "Missing local name"),
        (&b"<@a,@b:jane@example.org>"[..], ""),
        (&b"<@a,b:jane@example.org>"[..], "Illegal route-addr"),
        (&b"jane@@example.org"[..], "Domain contains illegal character"),
        (&b"jane@a@b"[..], "Domain contains illegal character"),
        (
            &b"jane @example.org"[..],
            "Local address contains control or whitespace",
        ),
        (&b"jane@ example.org"[..], "Domain contains control or whitespace"),
        (&b"jane@"[..], "Missing domain"),
        (&b"@example.org"[..], "Missing local name"),
        (&b"a:b:c@example.org;"[..], "Nested group"),
        (
            &b"Jane: jane@example.org"[..],
            "Local address contains illegal character",
        ),
        (&b",jane@example.org,,"[..], ""),
        (&b"jane\\@example.org"[..], "Missing final '@domain'"),
        (&b"Jane [x] <jane@example.org>"[..], ""),
        (&b"=?utf-8?q?J=C3=A4ne?= <jane@example.org>"[..], ""),
        (&b"'jane@example.org'"[..], "Domain contains illegal character"),
        (&b"jane@example.org,\r\n\tomar@example.net"[..], ""),
        (
            &b"jane. doe@example.org"[..],
            "Local address contains control or whitespace",
        ),
    ];
    for (body, want) in cases {
        let fault = check_address_list(body).err().map_or("", AddressFault::text);
        assert_eq!(fault, want, "{}", body.escape_ascii());
    }
}

#[test]
fn mailboxes_are_counted_and_measured() {
    let list =
        check_address_list(b"a@example.org, Friends: b@example.org, c@example.org;, Jane <d@example.org>");
    let list = list.unwrap();
    assert_eq!((list.entries, list.mailboxes), (3, 4));
    assert_eq!(list.longest, "Jane <d@example.org>".len());
    assert_eq!(check_address_list(b"").unwrap(), AddressList::default());
    let long = format!("{} <a@example.org>", "n".repeat(400));
    assert_eq!(check_address_list(long.as_bytes()).unwrap().longest, long.len());
}

/// Every position of a hostile list must be looked at a bounded number of times.
#[test]
fn openings_that_are_never_closed_cost_no_more_than_their_octets() {
    for open in ["(", "<", "\"", "[", "\\", ":", "a:", ";"] {
        let list = open.repeat(1 << 20);
        let _ = check_address_list(list.as_bytes());
    }
}

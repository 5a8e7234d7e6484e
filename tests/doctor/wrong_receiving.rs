//! Wrong before a mail is stored: the account, the domains, DNS, the receipt rules.

use crate::wrong::{Case, case};

const ACCOUNT: &str = "ses GET /v2/email/account";
const IDENTITY: &str = "ses GET /v2/email/identities/example.com";
const RULES: &str = "ses DescribeActiveReceiptRuleSet";
const POLICY: &str = "lambda GET /2015-03-31/functions/readdress/policy";
const BUCKET_POLICY: &str = "s3 GET /mail?policy=";
const BOUNCE: &str = "<BounceAction><SmtpReplyCode>550</SmtpReplyCode></BounceAction>";
const STOP: &str = "<StopAction><Scope>RuleSet</Scope></StopAction>";

/// A rule to be put before or after ours.
fn rule(action: &str) -> String {
    format!(
        "<member><Name>other</Name><Enabled>true</Enabled><ScanEnabled>true</ScanEnabled>\
         <Recipients><member>shop@example.com</member></Recipients><Actions><member>{action}</member></Actions></member>"
    )
}

pub const CASES: &[Case] = &[
    // The account.
    case(
        "credentials that AWS does not know",
        "credentials",
        "AWS_PROFILE",
        |world| {
            world.answer(
                "sts GetCallerIdentity",
                403,
                "<E><Error><Code>InvalidClientTokenId</Code><Message>no</Message></Error></E>",
            );
        },
    ),
    case(
        "sending paused",
        "sending",
        "put-account-sending-attributes",
        |world| {
            world.edit(ACCOUNT, r#""SendingEnabled":true"#, r#""SendingEnabled":false"#);
        },
    ),
    case("account under review", "sending", "review", |world| {
        world.edit(ACCOUNT, "HEALTHY", "PROBATION");
    }),
    case("quota used up", "quota", "Service Quotas", |world| {
        world.edit(ACCOUNT, "120.0", "49999.0");
    }),
    case(
        "sandbox, target not verified",
        "sandbox",
        "create-email-identity",
        |world| {
            world.edit(
                ACCOUNT,
                r#""ProductionAccessEnabled":true"#,
                r#""ProductionAccessEnabled":false"#,
            );
            for name in ["jane%40example.net", "omar%40example.net", "example.net"] {
                world.answer(
                    &format!("ses GET /v2/email/identities/{name}"),
                    404,
                    r#"{"__type": "NotFoundException"}"#,
                );
            }
        },
    ),
    // The domains.
    case("no identity", "identity", "create-email-identity", |world| {
        world.answer(IDENTITY, 404, r#"{"__type": "NotFoundException"}"#);
    }),
    case("identity not verified yet", "verified", "72 hours", |world| {
        world.edit(
            IDENTITY,
            r#""VerifiedForSendingStatus":true"#,
            r#""VerifiedForSendingStatus":false"#,
        );
        world.edit(IDENTITY, r#""Status":"SUCCESS""#, r#""Status":"PENDING""#);
    }),
    case(
        "a DKIM record missing",
        "dkim-records",
        "DNS lacks 1 of 3",
        |world| {
            world.record("t2._domainkey.example.com", "CNAME", None);
            world.edit(
                IDENTITY,
                r#""VerifiedForSendingStatus":true"#,
                r#""VerifiedForSendingStatus":false"#,
            );
        },
    ),
    case(
        "DKIM record with the domain twice",
        "dkim-records",
        "leads to",
        |world| {
            world.record(
                "t2._domainkey.example.com",
                "CNAME",
                Some("t2.dkim.amazonses.com.example.com"),
            );
        },
    ),
    case(
        "signing switched off",
        "dkim",
        "put-email-identity-dkim-attributes",
        |world| {
            world.edit(IDENTITY, r#""SigningEnabled":true"#, r#""SigningEnabled":false"#);
        },
    ),
    case(
        "MAIL FROM without MX",
        "mail-from-records",
        "feedback-smtp.eu-west-1",
        |world| {
            world.record("bounce.example.com", "MX", None);
            world.edit(
                IDENTITY,
                r#""MailFromDomainStatus":"SUCCESS""#,
                r#""MailFromDomainStatus":"FAILED""#,
            );
        },
    ),
    case(
        "MAIL FROM with another SPF",
        "mail-from-records",
        "does not admit SES",
        |world| {
            world.record(
                "bounce.example.com",
                "TXT",
                Some("v=spf1 include:example.net -all"),
            );
        },
    ),
    case(
        "MAIL FROM failed at SES",
        "mail-from",
        "put-email-identity-mail-from-attributes",
        |world| {
            world.edit(
                IDENTITY,
                r#""MailFromDomainStatus":"SUCCESS""#,
                r#""MailFromDomainStatus":"FAILED""#,
            );
        },
    ),
    case("no MX", "mx", "no MX record", |world| {
        world.record("example.com", "MX", None);
    }),
    case("MX of another provider", "mx", "mail.example.net", |world| {
        world.record("example.com", "MX", Some("10 mail.example.net"));
    }),
    case("MX of another region", "mx", "another region", |world| {
        world.record(
            "example.com",
            "MX",
            Some("10 inbound-smtp.us-east-1.amazonaws.com"),
        );
    }),
    case("two MX at one preference", "mx", "as well", |world| {
        let other = "10 mail.example.net".to_owned();
        world.zone.push(("example.com".to_owned(), "MX", other));
    }),
    case("a CNAME where the MX must be", "mx", "beside a CNAME", |world| {
        world.record("example.com", "MX", None);
        world.record("example.com", "CNAME", Some("www.example.net"));
    }),
    case("a zone that is not delegated", "zone", "registrar", |world| {
        world.map(r#"{"shop@example.com": "jane@example.net", "shop@aliases.example": "jane@example.net"}"#);
        let identity = world.answers[IDENTITY].1.clone();
        world.answer("ses GET /v2/email/identities/aliases.example", 200, identity);
        let both = "<member>example.com</member><member>shop@aliases.example</member>";
        world.edit(RULES, "<member>example.com</member>", both);
    }),
    case("no DMARC record", "dmarc", "p=none", |world| {
        world.record("_dmarc.example.com", "TXT", None);
    }),
    case("two DMARC records", "dmarc", "keep one", |world| {
        world.zone.push((
            "_dmarc.example.com".to_owned(),
            "TXT",
            "v=DMARC1; p=reject".to_owned(),
        ));
    }),
    case(
        "bounces come to the alias",
        "feedback",
        "no-email-forwarding-enabled",
        |world| {
            world.edit(
                IDENTITY,
                r#""FeedbackForwardingStatus":false"#,
                r#""FeedbackForwardingStatus":true"#,
            );
        },
    ),
    // Receiving.
    case(
        "no active rule set",
        "rule-set",
        "set-active-receipt-rule-set --rule-set-name readdress",
        |world| {
            world.answer(RULES, 200, "<R><DescribeActiveReceiptRuleSetResult/></R>");
        },
    ),
    case(
        "another rule set is active",
        "rule-set",
        "not readdress",
        |world| {
            world.edit(RULES, "<Name>readdress</Name>", "<Name>default</Name>");
            let other = "receipt-rule-set/default:";
            world.edit(BUCKET_POLICY, "receipt-rule-set/readdress:", other);
            world.edit(POLICY, "receipt-rule-set/readdress:", other);
        },
    ),
    case("the rule is disabled", "rule", "is disabled", |world| {
        world.edit(RULES, "<Enabled>true</Enabled>", "<Enabled>false</Enabled>");
    }),
    case(
        "the rule stores elsewhere",
        "rule",
        "EMAIL_BUCKET is mail",
        |world| {
            world.edit(RULES, "<BucketName>mail<", "<BucketName>post<");
        },
    ),
    case("another prefix", "rule-prefix", "EMAIL_PREFIX", |world| {
        world.edit(RULES, "inbound/", "incoming/");
    }),
    case(
        "SES encrypts the mail",
        "rule-encryption",
        "default encryption",
        |world| {
            world.edit(
                RULES,
                "</BucketName>",
                "</BucketName><KmsKeyArn>arn:aws:kms:eu-west-1:111122223333:key/1</KmsKeyArn>",
            );
        },
    ),
    case("nobody is invoked", "rule-function", "never forwarded", |world| {
        world.edit(RULES, "LambdaAction", "WorkmailAction");
    }),
    case(
        "another function is invoked",
        "rule-function",
        "function:older",
        |world| {
            world.edit(RULES, "function:readdress", "function:older");
        },
    ),
    case("SES waits for the function", "rule-function", "Event", |world| {
        world.edit(RULES, "<InvocationType>Event", "<InvocationType>RequestResponse");
    }),
    case(
        "an earlier rule ends the mail",
        "rule-order",
        "comes before",
        |world| {
            world.edit(RULES, "<Rules>", &format!("<Rules>{}", rule(STOP)));
        },
    ),
    case(
        "a later rule bounces what is forwarded",
        "rule-order",
        "stop action",
        |world| {
            world.edit(RULES, &format!("<member>{STOP}</member>"), "");
            world.edit(RULES, "</Rules>", &format!("{}</Rules>", rule(BOUNCE)));
        },
    ),
    case("no scanning", "rule-scan", "scan_enabled", |world| {
        world.edit(RULES, "<ScanEnabled>true", "<ScanEnabled>false");
    }),
    case(
        "an alias that no rule takes",
        "recipients",
        "no rule takes mail for info@example.com",
        |world| {
            world.map(r#"{"shop@example.com": "jane@example.net", "info@example.com": "jane@example.net"}"#);
            world.edit(
                RULES,
                "<member>example.com</member>",
                "<member>shop@example.com</member>",
            );
        },
    ),
    case(
        "a recipient without an alias",
        "recipients",
        "knows nothing",
        |world| {
            world.map(r#"{"shop@example.com": "jane@example.net"}"#);
            let both = "<member>shop@example.com</member><member>info@example.com</member>";
            world.edit(RULES, "<member>example.com</member>", both);
        },
    ),
];

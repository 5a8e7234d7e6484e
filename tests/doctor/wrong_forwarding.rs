//! Wrong from where a mail is stored: the bucket, the function, the alias map, the alarms.

use crate::wrong::{Case, case};

const SET: &str = "ses GET /v2/email/configuration-sets/readdress";
const FUNCTION: &str = "lambda GET /2015-03-31/functions/readdress/configuration";
const POLICY: &str = "lambda GET /2015-03-31/functions/readdress/policy";
const BUCKET_POLICY: &str = "s3 GET /mail?policy=";
const NOT_FOUND: &str = r#"{"__type": "ResourceNotFoundException", "message": "not found"}"#;

pub const CASES: &[Case] = &[
    // The bucket.
    case("no bucket", "bucket", "no bucket mail", |world| {
        world.answer("s3 HEAD /mail", 404, "");
    }),
    case(
        "a bucket of another region",
        "bucket",
        "lies in us-east-1",
        |world| {
            world.answer("s3 HEAD /mail", 200, "us-east-1");
        },
    ),
    case(
        "a bucket without a policy",
        "bucket-policy",
        "has no policy",
        |world| {
            world.answer(
                BUCKET_POLICY,
                404,
                "<Error><Code>NoSuchBucketPolicy</Code></Error>",
            );
        },
    ),
    case(
        "the policy names another rule",
        "bucket-policy",
        "does not let SES write",
        |world| {
            world.edit(
                BUCKET_POLICY,
                "receipt-rule/readdress-forward",
                "receipt-rule/older",
            );
        },
    ),
    case("AWS's own key", "bucket-key", "AES256", |world| {
        world.edit("s3 GET /mail?encryption=", crate::world::KEY, "");
    }),
    case(
        "a key that SES may not use",
        "bucket-key",
        "kms:GenerateDataKey",
        |world| {
            world.edit("kms GetKeyPolicy", "ses.amazonaws.com", "s3.amazonaws.com");
        },
    ),
    case(
        "mail that is deleted too soon",
        "bucket-expiry",
        "15 days",
        |world| {
            world.edit("s3 GET /mail?lifecycle=", "<Days>30</Days>", "<Days>7</Days>");
        },
    ),
    case(
        "a ledger that is deleted before the mail",
        "ledger",
        "twice",
        |world| {
            world.edit(
                "s3 GET /mail?lifecycle=",
                "<Prefix>ledger/</Prefix></Filter><Expiration><Days>30",
                "<Prefix>ledger/</Prefix></Filter><Expiration><Days>20",
            );
        },
    ),
    // The function.
    case("no function", "function", "--function", |world| {
        world.answer(FUNCTION, 404, NOT_FOUND);
    }),
    case(
        "a function that failed to update",
        "function",
        "deploy it again",
        |world| {
            world.edit(
                FUNCTION,
                r#""LastUpdateStatus":"Successful""#,
                r#""LastUpdateStatus":"Failed""#,
            );
        },
    ),
    case("a setting that is wrong", "settings", "MAX_SEND_BYTES", |world| {
        world.edit(
            FUNCTION,
            r#""EMAIL_PREFIX""#,
            r#""MAX_SEND_BYTES":"lots","EMAIL_PREFIX""#,
        );
    }),
    case("too little time", "function-limits", "seconds or more", |world| {
        world.edit(FUNCTION, r#""Timeout":300"#, r#""Timeout":3"#);
    }),
    case(
        "no concurrency",
        "function-concurrency",
        "delete-function-concurrency",
        |world| {
            let asked = "lambda GET /2019-09-30/functions/readdress/concurrency";
            world.answer(asked, 200, r#"{"ReservedConcurrentExecutions": 0}"#);
        },
    ),
    case(
        "SES may not invoke",
        "function-permission",
        "add-permission",
        |world| {
            world.answer(POLICY, 404, NOT_FOUND);
        },
    ),
    case(
        "a permission for another rule",
        "function-permission",
        "receipt-rule/readdress-forward",
        |world| {
            world.edit(POLICY, "receipt-rule/readdress-forward", "receipt-rule/older");
        },
    ),
    case(
        "the wrong architecture",
        "function-errors",
        "InvalidEntrypoint",
        |world| {
            world.statistic("Errors", "Sum", "40.0");
        },
    ),
    case("a role that may not send", "role", "ses:SendRawEmail", |world| {
        let denied = world.answers["iam SimulatePrincipalPolicy"]
            .1
            .replace("allowed", "implicitDeny");
        world.answer("iam SimulatePrincipalPolicy ses:SendRawEmail", 200, denied);
    }),
    case("a boundary that denies the ledger", "role", "boundary", |world| {
        let denied = world.answers["iam SimulatePrincipalPolicy"]
            .1
            .replace("allowed", "explicitDeny");
        world.answer("iam SimulatePrincipalPolicy s3:PutObject", 200, denied);
    }),
    case(
        "no configuration set",
        "configuration-set",
        "refuses every mail",
        |world| {
            world.answer(SET, 404, r#"{"__type": "NotFoundException"}"#);
        },
    ),
    case("opens are tracked", "configuration-set", "OPEN", |world| {
        world.edit(&format!("{SET}/event-destinations"), r#""REJECT""#, r#""OPEN""#);
    }),
    // The map.
    case("no map", "map", "does not exist", |world| {
        world.answer("ssm GetParameter", 400, r#"{"__type": "ParameterNotFound"}"#);
    }),
    case("a map that is no JSON", "map", "not JSON", |world| {
        world.map("{\"shop@example.com\": ");
    }),
    case("a broken entry", "map-entries", "aliases check", |world| {
        world.map(r#"{"shop@example.com": "jane at example.net", "@example.com": "omar@example.net"}"#);
    }),
    case("a loop", "map-loops", "mailbox at the end", |world| {
        world.map(r#"{"shop@example.com": "info@example.com", "info@example.com": "shop@example.com"}"#);
    }),
    case("a map that will not fit", "map-size", "advanced tier", |world| {
        let aliases = (0..88).map(|n| format!(r#""alias{n}@example.com": "jane@example.net""#));
        let aliases: Vec<String> = aliases.collect();
        world.map(&format!(
            "{{{}, \"@example.com\": \"omar@example.net\"}}",
            aliases.join(", ")
        ));
    }),
    // What failed, and who hears of it.
    case(
        "no on-failure destination",
        "on-failure",
        "put-function-event-invoke-config",
        |world| {
            world.answer(
                "lambda GET /2019-09-25/functions/readdress/event-invoke-config",
                404,
                NOT_FOUND,
            );
        },
    ),
    case("a queue that is gone", "on-failure", "no such queue", |world| {
        world.answer(
            "sqs GetQueueUrl",
            400,
            r#"{"__type": "com.amazonaws.sqs#QueueDoesNotExist"}"#,
        );
    }),
    case("events wait", "queue", "docs/operations.md", |world| {
        world.edit(
            "sqs GetQueueAttributes",
            r#""ApproximateNumberOfMessages":"0""#,
            r#""ApproximateNumberOfMessages":"2""#,
        );
    }),
    case(
        "a target on the suppression list",
        "suppression",
        "delete-suppressed-destination --email-address jane@example.net",
        |world| {
            world.edit(
                "ses GET /v2/email/suppression/addresses?PageSize=1000",
                "gone@example.org",
                "jane@example.net",
            );
        },
    ),
    case("many bounces", "reputation", "5 %", |world| {
        world.statistic("Reputation.BounceRate", "Maximum", "0.08");
    }),
    case(
        "no alarm on the queue",
        "alarms",
        "ApproximateNumberOfMessagesVisible",
        |world| {
            world.alarms(&[("failed", "readdress", "failed", "readdress")]);
        },
    ),
    case(
        "alarms without a topic",
        "alarm-topics",
        "alarm_topic_arns",
        |world| {
            let asked = "monitoring DescribeAlarms";
            world.edit(
                asked,
                "<member>arn:aws:sns:eu-west-1:111122223333:alarms</member>",
                "",
            );
        },
    ),
    case(
        "a topic without subscribers",
        "alarm-topics",
        "sns subscribe",
        |world| {
            world.edit("sns GetTopicAttributes", "<value>1</value>", "<value>0</value>");
        },
    ),
    case(
        "a topic with AWS's own key",
        "alarm-topics",
        "cloudwatch.amazonaws.com",
        |world| {
            let key = "<Attributes><entry><key>KmsMasterKeyId</key><value>alias/aws/sns</value></entry>";
            world.edit("sns GetTopicAttributes", "<Attributes>", key);
        },
    ),
    case(
        "an alarm is raised",
        "alarm-states",
        "readdress-failed",
        |world| {
            world.edit("monitoring DescribeAlarms", "<StateValue>OK", "<StateValue>ALARM");
        },
    ),
];

//! The bucket: SES writes there, the function reads, and mail lies there until it is deleted.

use crate::config::BucketPlace;
use crate::doctor::facts::{Bucket, Expiry, Facts};
use crate::doctor::finding::{Finding, Looked};
use crate::doctor::policy::Request;

use super::domains::settings;
use super::rules::our_rules;

/// Days that a failed event waits at most, which is what SQS keeps at most: its mail must outlive it.
const EVENT_DAYS: u64 = 14;

const SES: &str = "ses.amazonaws.com";

pub(super) fn exists(facts: &Facts) -> Looked {
    let settings = settings(facts)?;
    let BucketPlace::S3(name) = &settings.email_bucket else {
        return Ok(vec![Finding::wrong(
            "EMAIL_BUCKET is a directory, and the function has none",
            "set it to the name of the bucket that SES stores in",
        )]);
    };
    Ok(vec![match facts.bucket.seen()? {
        None => Finding::wrong(
            format!("there is no bucket {name}"),
            "correct EMAIL_BUCKET, or apply the deployment again",
        ),
        Some(bucket) if !bucket.region.is_empty() && bucket.region != facts.region => Finding::wrong(
            format!(
                "the bucket {name} lies in {}, the function in {}",
                bucket.region, facts.region
            ),
            "use a bucket of the function's region",
        ),
        Some(_) => Finding::right(format!("{name} is there")),
    }])
}

/// The bucket, where it exists.
fn bucket(facts: &Facts) -> Result<&Bucket, Finding> {
    let bucket = facts.bucket.seen()?;
    bucket
        .as_ref()
        .ok_or_else(|| Finding::skipped("there is no bucket"))
}

pub(super) fn policy(facts: &Facts) -> Looked {
    let (bucket, settings) = (bucket(facts)?, settings(facts)?);
    let caller = facts.caller.seen()?;
    let Some(set) = facts.rule_set.seen()? else {
        return Err(Finding::skipped("no rule set is active"));
    };
    let statement = format!(
        "let the service {SES} do s3:PutObject on arn:{}:s3:::{}/{}*, with aws:SourceAccount {} and the rule as aws:SourceArn",
        caller.partition, bucket.name, settings.email_prefix, caller.account
    );
    let Some(policy) = bucket.policy.seen()? else {
        return Ok(vec![Finding::wrong(
            "the bucket has no policy: SES may not write to it",
            statement,
        )]);
    };
    for rule in our_rules(set, &bucket.name) {
        let rule_arn = rule_arn(facts, &set.name, &rule.name)?;
        let admitted = policy.admits(&Request {
            service: SES,
            action: "s3:PutObject",
            resource: &format!(
                "arn:{}:s3:::{}/{}message",
                caller.partition, bucket.name, settings.email_prefix
            ),
            context: &[
                ("aws:SourceAccount", &caller.account),
                ("aws:Referer", &caller.account),
                ("aws:SourceArn", &rule_arn),
                ("aws:SecureTransport", "true"),
            ],
        });
        if !admitted {
            return Ok(vec![Finding::wrong(
                format!(
                    "the bucket's policy does not let SES write for the rule {}: its mail is lost after four hours",
                    rule.name
                ),
                format!("{statement}, which is {rule_arn}"),
            )]);
        }
    }
    Ok(vec![Finding::right(format!(
        "SES may write under {:?}",
        settings.email_prefix
    ))])
}

/// The ARN of a receipt rule.
pub(super) fn rule_arn(facts: &Facts, set: &str, rule: &str) -> Result<String, Finding> {
    let caller = facts.caller.seen()?;
    let (partition, region, account) = (&caller.partition, &facts.region, &caller.account);
    Ok(format!(
        "arn:{partition}:ses:{region}:{account}:receipt-rule-set/{set}:receipt-rule/{rule}"
    ))
}

pub(super) fn key(facts: &Facts) -> Looked {
    let bucket = bucket(facts)?;
    let Some(key) = bucket.key.seen()? else {
        return Ok(vec![Finding::right("S3 encrypts with its own keys")]);
    };
    if key.is_empty() || key.ends_with("alias/aws/s3") {
        return Ok(vec![Finding::wrong(
            "the bucket encrypts with AWS's own KMS key for S3, which SES may not use: it stores no mail",
            "let the bucket encrypt with SSE-S3 (AES256), or with a key of yours whose policy admits ses.amazonaws.com",
        )]);
    }
    let statement =
        "let the service ses.amazonaws.com do kms:GenerateDataKey* and kms:Decrypt in the key's policy";
    let caller = facts.caller.seen()?;
    let admits = bucket.key_policy.seen()?.as_ref().is_some_and(|policy| {
        policy.admits(&Request {
            service: SES,
            action: "kms:GenerateDataKey",
            resource: key,
            context: &[
                ("aws:SourceAccount", &caller.account),
                ("kms:ViaService", &format!("s3.{}.amazonaws.com", facts.region)),
            ],
        })
    });
    Ok(vec![if admits {
        Finding::right(format!("SES may use {key}"))
    } else {
        Finding::wrong(
            format!("the policy of the key {key} does not let SES use it: it stores no mail"),
            statement,
        )
    }])
}

pub(super) fn expiry(facts: &Facts) -> Looked {
    let prefix = &settings(facts)?.email_prefix;
    let days = shortest(bucket(facts)?.expiry.seen()?, prefix);
    Ok(vec![match days {
        None => Finding::right("mail is kept for ever"),
        Some(days) if days <= EVENT_DAYS => Finding::wrong(
            format!(
                "mail is deleted after {days} days, and a failed event waits for up to {EVENT_DAYS}: it may outlive its mail"
            ),
            format!(
                "keep mail for {} days at least (email_expiration_days)",
                EVENT_DAYS + 1
            ),
        ),
        Some(days) => Finding::right(format!("mail is deleted after {days} days")),
    }])
}

/// After how many days the first of the rules that are for a key below `prefix` deletes it.
fn shortest(rules: &[Expiry], prefix: &str) -> Option<u64> {
    let matching = rules.iter().filter(|rule| prefix.starts_with(&rule.prefix));
    matching.map(|rule| rule.days).min()
}

/// A mail that outlives its record is sent again if its event is.
pub(super) fn ledger(facts: &Facts) -> Looked {
    let settings = settings(facts)?;
    let Some(ledger) = &settings.ledger else {
        return Ok(vec![Finding::right(
            "LEDGER is off: each process remembers only what it has sent itself",
        )]);
    };
    let rules = bucket(facts)?.expiry.seen()?;
    let (mail, record) = (shortest(rules, &settings.email_prefix), shortest(rules, ledger));
    Ok(vec![match (mail, record) {
        (mail, Some(record)) if mail.is_none_or(|mail| record < mail) => {
            let mail = mail.map_or("for ever".to_owned(), |mail| format!("for {mail} days"));
            Finding::wrong(
                format!(
                    "what was sent is recorded under {ledger} for {record} days, and the mail is kept {mail}: an event sent again later is forwarded twice"
                ),
                format!("give the lifecycle rule of {ledger} the same days as that of the mail"),
            )
        }
        _ => Finding::right(format!("what was sent is recorded under {ledger}")),
    }])
}

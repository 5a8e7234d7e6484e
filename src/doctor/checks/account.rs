//! The account, the region, and what SES lets the account do.

use crate::doctor::facts::{Facts, Kind, Look};
use crate::doctor::finding::{Finding, Looked};

/// Regions where SES receives mail, from its documentation and from Received fields. In another region the name of its
/// server is looked up.
const RECEIVING: [&str; 16] = [
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Tenths of the day's quota from which on it may not last.
const QUOTA_TENTHS: f64 = 9.0;

pub(super) fn credentials(facts: &Facts) -> Looked {
    match &facts.caller {
        Look::Seen(caller) => Ok(vec![Finding::right(format!("account {}", caller.account))]),
        Look::Failed(reason) => Ok(vec![Finding::wrong(
            reason.clone(),
            "sign in, or name a profile with AWS_PROFILE; aws sts get-caller-identity says whose credentials these are",
        )]),
        look => look.seen().map(|_| Vec::new()),
    }
}

pub(super) fn region(facts: &Facts) -> Looked {
    let region = &facts.region;
    if RECEIVING.contains(&region.as_str()) {
        return Ok(vec![Finding::right(format!("SES receives mail in {region}"))]);
    }
    let host = inbound_host(region);
    let records = facts.records(Kind::A, &host).seen()?;
    Ok(vec![if records.exists {
        Finding::right(format!("{host} exists"))
    } else {
        Finding::wrong(
            format!("SES receives no mail in {region}: {host} does not exist"),
            "deploy in a region where it does, such as eu-west-1 or us-east-1, or set AWS_REGION to the one you deployed in",
        )
    }])
}

/// The server that takes the mail of a region.
pub(in crate::doctor) fn inbound_host(region: &str) -> String {
    format!("inbound-smtp.{region}.amazonaws.com")
}

pub(super) fn sending(facts: &Facts) -> Looked {
    let account = facts.account.seen()?;
    let state = account.enforcement.as_str();
    let finding = if state == "SHUTDOWN" || !account.sending {
        Finding::wrong(
            format!("SES does not let the account send (its state is {state})"),
            "open SES's account page: if SES paused it, answer its review; if you did, run aws sesv2 \
             put-account-sending-attributes --sending-enabled. Mail waits in the queue meanwhile",
        )
    } else if state == "PROBATION" {
        Finding::wrong(
            "SES has the account under review, and may pause it",
            "answer the review on SES's account page; see which targets bounce or complain (checks reputation, suppression)",
        )
    } else {
        Finding::right(format!(
            "the account may send, {:.0} recipients a second",
            account.rate
        ))
    };
    Ok(vec![finding])
}

pub(super) fn quota(facts: &Facts) -> Looked {
    let account = facts.account.seen()?;
    let text = format!(
        "{:.0} of {:.0} recipients in the last 24 hours",
        account.sent, account.quota
    );
    // SES says -1 where there is no limit.
    let is_used_up = account.quota > 0.0 && account.sent * 10.0 >= account.quota * QUOTA_TENTHS;
    Ok(vec![if is_used_up {
        Finding::wrong(
            text,
            "ask for a higher quota in Service Quotas (Amazon SES, sending quota); what fails waits in the queue",
        )
    } else {
        Finding::right(text)
    }])
}

pub(super) fn plan(facts: &Facts) -> Looked {
    let account = facts.account.seen()?;
    Ok(vec![match account.plan.as_deref() {
        None => Finding::unknown("SES does not tell the pricing plan", "see SES's account page"),
        Some("NONE") => Finding::right("no plan: SES is paid by use"),
        Some(plan) => Finding::right(format!(
            "the plan is {plan}; docs/operations.md compares the costs"
        )),
    }])
}

/// In the sandbox SES takes mail for verified addresses alone.
pub(super) fn sandbox(facts: &Facts) -> Looked {
    let account = facts.account.seen()?;
    if account.production {
        return Ok(vec![Finding::right("the account is out of the sandbox")]);
    }
    let mut findings = Vec::new();
    for (target, verified) in &facts.verified_targets {
        let finding = match verified.seen() {
            Err(why) => why,
            Ok(true) => continue,
            Ok(false) => Finding::wrong(
                "the account is in the sandbox, and this target is not verified: it gets no mail",
                format!(
                    "run aws sesv2 create-email-identity --email-identity {target} and follow the link that SES mails \
                     there{}",
                    leave(account.review.as_deref())
                ),
            ),
        };
        findings.push(finding.about(target));
    }
    if findings.is_empty() {
        let text = format!(
            "the account is in the sandbox, and all {} targets are verified{}",
            facts.verified_targets.len(),
            leave(account.review.as_deref())
        );
        findings.push(Finding::right(text));
    }
    Ok(findings)
}

fn leave(review: Option<&str>) -> &'static str {
    match review {
        Some("PENDING") => "; the request for production access is pending",
        Some("DENIED" | "FAILED") => "; the request for production access was denied: answer its case",
        _ => "; or ask for production access on SES's account page",
    }
}

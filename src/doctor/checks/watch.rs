//! What failed, and who hears of it.

use crate::doctor::facts::{Account, Alarm, Facts, Look};
use crate::doctor::finding::{Finding, Looked};

use super::domains::settings;
use super::rules::shorten;

/// Rates at which SES reviews an account, by its own page.
const BOUNCES: f64 = 0.05;
const COMPLAINTS: f64 = 0.001;

/// Seconds in the 14 days that a queue can keep an event at most.
const LONGEST: u64 = 14 * 24 * 60 * 60;

pub(super) fn on_failure(facts: &Facts) -> Looked {
    let Some(function) = facts.function.seen()? else {
        return Err(Finding::skipped("there is no function"));
    };
    let Some(destination) = function.on_failure.seen()? else {
        return Ok(vec![Finding::wrong(
            "an event that fails three times is lost: the function has no on-failure destination",
            "make a queue and run aws lambda put-function-event-invoke-config with it as OnFailure, or apply the deployment again",
        )]);
    };
    if !destination.contains(":sqs:") {
        return Ok(vec![Finding::right(destination)]);
    }
    Ok(vec![match facts.queue.seen()? {
        Some(_) => Finding::right(destination),
        None => Finding::wrong(
            format!("failed events go to {destination}, and there is no such queue: they are lost"),
            "apply the deployment again",
        ),
    }])
}

pub(super) fn queue(facts: &Facts) -> Looked {
    let Some(queue) = facts.queue.seen()? else {
        return Err(Finding::skipped("failed events go to no queue"));
    };
    if queue.waiting > 0 {
        let text = format!(
            "{} events wait in {}: each is a mail that was not forwarded",
            queue.waiting, queue.name
        );
        let mend =
            "docs/operations.md says how to read one, and how to send it again once its reason is mended";
        return Ok(vec![Finding::wrong(text, mend)]);
    }
    if queue.retention < LONGEST {
        let days = queue.retention / (24 * 60 * 60);
        return Ok(vec![Finding::wrong(
            format!(
                "{} deletes a failed event after {days} days, seen or not",
                queue.name
            ),
            format!("set its MessageRetentionPeriod to {LONGEST} seconds, the longest there is"),
        )]);
    }
    Ok(vec![Finding::right(format!("{} is empty", queue.name))])
}

pub(super) fn suppression(facts: &Facts) -> Looked {
    let seen = facts.suppressed.seen()?;
    let reasons = suppressing(facts);
    let counts = |reason: &String| reasons.as_ref().is_none_or(|reasons| reasons.contains(reason));
    let mut findings = Vec::new();
    for (target, reason) in seen.targets.iter().filter(|(_, reason)| counts(reason)) {
        findings.push(
            Finding::wrong(
                format!(
                    "it is on the account's suppression list for a {}: SES takes its mail and delivers none",
                    reason.to_lowercase()
                ),
                format!(
                    "find out why, then run aws sesv2 delete-suppressed-destination --email-address {target}"
                ),
            )
            .about(target),
        );
    }
    if !findings.is_empty() {
        return Ok(findings);
    }
    if !seen.complete {
        return Err(Finding::unknown(
            "the account's suppression list is too long to be read whole",
            "ask for a target with aws sesv2 get-suppressed-destination --email-address …",
        ));
    }
    Ok(vec![Finding::right(match reasons {
        Some(reasons) if reasons.is_empty() => "the configuration set suppresses nothing",
        _ => "no target is on it",
    })])
}

/// For which reasons the function's mail is suppressed: those of its configuration set, or of the account.
fn suppressing(facts: &Facts) -> Option<Vec<String>> {
    let of_set = match &facts.configuration_set {
        Look::Seen(Some(set)) => set.suppressed_reasons.clone(),
        _ => None,
    };
    let of_account = |account: &Account| account.suppressed_reasons.clone();
    of_set.or_else(|| facts.account.seen().ok().map(of_account))
}

pub(super) fn reputation(facts: &Facts) -> Looked {
    let rates = [
        (
            "bounces",
            &facts.bounce_rate,
            BOUNCES,
            "see which targets are gone, and take them out of the alias map",
        ),
        (
            "complaints",
            &facts.complaint_rate,
            COMPLAINTS,
            "ask the owner of the mailbox not to mark forwarded mail as spam",
        ),
    ];
    let mut findings = Vec::new();
    for (name, rate, limit, mend) in rates {
        let finding = match rate.seen() {
            Err(why) => why,
            Ok(None) => Finding::right("none counted yet"),
            Ok(Some(rate)) => {
                let text = format!("{:.2} % of the account's mail", rate * 100.0);
                if *rate >= limit {
                    let text = format!("{text}; SES reviews an account from {} % on", limit * 100.0);
                    Finding::wrong(text, mend)
                } else {
                    Finding::right(text)
                }
            }
        };
        findings.push(finding.about(name));
    }
    Ok(findings)
}

/// The alarms that watch this set-up.
pub(in crate::doctor) fn our_alarms<'a>(facts: &'a Facts, alarms: &'a [Alarm]) -> Vec<&'a Alarm> {
    let queue = facts
        .queue
        .seen()
        .ok()
        .and_then(Option::as_ref)
        .map(|queue| queue.name.as_str());
    let set = settings(facts)
        .ok()
        .and_then(|settings| settings.ses.configuration_set.as_deref());
    let ours = [facts.function_name.as_deref(), queue, set];
    let watches = |alarm: &&Alarm| {
        let dimensions = alarm.dimensions.iter().map(|value| Some(value.as_str()));
        dimensions.into_iter().any(|value| ours.contains(&value)) || alarm.metric.starts_with("Reputation.")
    };
    alarms.iter().filter(watches).collect()
}

pub(super) fn alarms(facts: &Facts) -> Looked {
    let alarms = facts.alarms.seen()?;
    let namespace = &settings(facts)?.metrics_namespace;
    let ours = our_alarms(facts, alarms);
    let has = |namespace: &str, metric: &str| {
        let watches = |alarm: &&&Alarm| alarm.namespace == namespace && alarm.metric == metric;
        ours.iter().any(|alarm| watches(&alarm))
    };
    let mut missing = Vec::new();
    if !has(namespace, "failed") && !has("AWS/Lambda", "Errors") {
        missing.push("a failed mail (failed of the function's own metrics, or AWS/Lambda's Errors)");
    }
    let has_queue = matches!(&facts.queue, Look::Seen(Some(_)));
    if has_queue && !has("AWS/SQS", "ApproximateNumberOfMessagesVisible") {
        missing.push("an event in the queue (AWS/SQS ApproximateNumberOfMessagesVisible)");
    }
    Ok(vec![if missing.is_empty() {
        Finding::right(format!("{} alarms", ours.len()))
    } else {
        Finding::wrong(
            format!("no alarm watches for {}", missing.join(", nor for ")),
            "make it, or let the deployment make its own (create_alarms)",
        )
    }])
}

pub(super) fn topics(facts: &Facts) -> Looked {
    let ours = our_alarms(facts, facts.alarms.seen()?);
    let silent: Vec<&str> = ours
        .iter()
        .filter(|alarm| !alarm.enabled || alarm.actions.is_empty())
        .map(|alarm| alarm.name.as_str())
        .collect();
    if !silent.is_empty() {
        return Ok(vec![Finding::wrong(
            format!("nobody hears of {}", shorten(silent)),
            "name an SNS topic for the alarms (alarm_topic_arns, SAM's AlarmTopicArn), and subscribe to it",
        )]);
    }
    let mut findings = Vec::new();
    for (arn, topic) in &facts.topics {
        let finding = match topic.seen() {
            Err(why) => why,
            Ok(None) => Finding::wrong(
                "the topic does not exist",
                "make it, or name another one for the alarms",
            ),
            Ok(Some(topic))
                if topic
                    .key
                    .as_deref()
                    .is_some_and(|key| key.ends_with("alias/aws/sns")) =>
            {
                Finding::wrong(
                    "the topic is encrypted with AWS's own key for SNS, through which CloudWatch delivers nothing",
                    "encrypt it with a key of yours whose policy admits cloudwatch.amazonaws.com, or not at all",
                )
            }
            Ok(Some(topic)) if topic.confirmed == 0 && topic.pending > 0 => Finding::wrong(
                "nobody has confirmed a subscription to the topic",
                "follow the link in the mail that SNS sent, or subscribe again",
            ),
            Ok(Some(topic)) if topic.confirmed == 0 => Finding::wrong(
                "nobody is subscribed to the topic",
                format!(
                    "run aws sns subscribe --topic-arn {arn} --protocol email --notification-endpoint … with your own address"
                ),
            ),
            Ok(Some(topic)) => Finding::right(format!("{} subscribed", topic.confirmed)),
        };
        findings.push(finding.about(arn));
    }
    if findings.is_empty() {
        findings.push(Finding::right("the alarms act on something other than a topic"));
    }
    Ok(findings)
}

pub(super) fn states(facts: &Facts) -> Looked {
    let ours = our_alarms(facts, facts.alarms.seen()?);
    let raised: Vec<&str> = ours
        .iter()
        .filter(|alarm| alarm.state == "ALARM")
        .map(|alarm| alarm.name.as_str())
        .collect();
    Ok(vec![if raised.is_empty() {
        Finding::right("none is raised")
    } else {
        Finding::wrong(
            format!("raised now: {}", shorten(raised)),
            "docs/operations.md says for each alarm what happened and what to do",
        )
    }])
}

//! The function: that it runs, what it may do, and who may invoke it.

use std::collections::BTreeSet;

use crate::config::{DEFAULT_MAX_SEND_BYTES, OutboxPlace};
use crate::doctor::facts::{Action, Facts, Function, Look};
use crate::doctor::finding::{Finding, Looked};
use crate::doctor::policy::Request;

use super::bucket::rule_arn;
use super::domains::settings;

/// Seconds of which an invocation has enough for mail up to SES's older limit of 10 MiB, and above it.
const LEAST_TIMEOUT: u64 = 10;
const LEAST_TIMEOUT_FOR_LARGE_MAIL: u64 = 60;

pub(super) fn exists(facts: &Facts) -> Looked {
    let Some(name) = &facts.function_name else {
        return Err(Finding::skipped("no function is named"));
    };
    let Some(function) = facts.function.seen()? else {
        return Ok(vec![Finding::wrong(
            format!("there is no function {name} in {}", facts.region),
            "name the one that the deployment made with --function, and its region with AWS_REGION",
        )]);
    };
    Ok(vec![
        if function.state != "Active" || function.last_update == "Failed" {
            Finding::wrong(
                format!(
                    "the function {name} is {}, its last update {}",
                    function.state, function.last_update
                ),
                "aws lambda get-function-configuration says the reason; deploy it again",
            )
        } else if !function.runtime.starts_with("provided.") {
            Finding::wrong(
                format!(
                    "the function {name} runs on {}, and readdress is a program of its own",
                    function.runtime
                ),
                "make its runtime provided.al2023",
            )
        } else {
            Finding::right(format!(
                "{name}, {}, {}, {} MB",
                function.runtime, function.architecture, function.memory
            ))
        },
    ])
}

/// The function, where it exists.
fn function(facts: &Facts) -> Result<&Function, Finding> {
    let function = facts.function.seen()?;
    function
        .as_ref()
        .ok_or_else(|| Finding::skipped("there is no function"))
}

pub(super) fn settings_are_valid(facts: &Facts) -> Looked {
    Ok(vec![match facts.settings.seen()? {
        Err(error) => Finding::wrong(
            format!("{}: {}", error.name, error.reason),
            "correct the variable in the function's environment; until then every invocation fails",
        ),
        Ok(settings)
            if facts.function_name.is_some() && matches!(settings.outbox, OutboxPlace::Directory(_)) =>
        {
            Finding::wrong(
                "OUTBOX is a directory: the function sends nothing",
                "make it ses, or leave it out",
            )
        }
        Ok(settings) => Finding::right(format!("MAX_SEND_BYTES {}, all valid", settings.max_send_bytes)),
    }])
}

pub(super) fn limits(facts: &Facts) -> Looked {
    let function = function(facts)?;
    let large = settings(facts)?.max_send_bytes > DEFAULT_MAX_SEND_BYTES;
    let least = if large {
        LEAST_TIMEOUT_FOR_LARGE_MAIL
    } else {
        LEAST_TIMEOUT
    };
    let text = format!("{} seconds an invocation", function.timeout);
    Ok(vec![if function.timeout < least {
        Finding::wrong(
            format!("{text}: too few for a mail of the size that MAX_SEND_BYTES allows"),
            format!("give it {least} seconds or more; 300 cost nothing, since only those used are paid"),
        )
    } else {
        Finding::right(text)
    }])
}

pub(super) fn concurrency(facts: &Facts) -> Looked {
    Ok(vec![match function(facts)?.reserved.seen()? {
        Some(0) => Finding::wrong(
            "its reserved concurrency is 0: Lambda invokes it for nobody",
            "run aws lambda delete-function-concurrency --function-name …, or reserve some; the events of the last 6 hours come by \
             themselves then",
        ),
        Some(reserved) => Finding::right(format!("{reserved} invocations at once are reserved")),
        None => Finding::right("as many invocations at once as the account has"),
    }])
}

/// SES invokes in the name of a rule, and the statement may name the rule: a renamed one is not admitted.
pub(super) fn permission(facts: &Facts) -> Looked {
    let function = function(facts)?;
    let caller = facts.caller.seen()?;
    let Some(set) = facts.rule_set.seen()? else {
        return Err(Finding::skipped("no rule set is active"));
    };
    let invokes =
        |action: &Action| matches!(action, Action::Invoke { function: arn, .. } if *arn == function.arn);
    let rules: Vec<_> = set
        .rules
        .iter()
        .filter(|rule| rule.enabled && rule.actions.iter().any(invokes))
        .collect();
    if rules.is_empty() {
        return Err(Finding::skipped("no rule invokes it"));
    }
    let policy = function.policy.seen()?;
    for rule in rules {
        let rule_arn = rule_arn(facts, &set.name, &rule.name)?;
        let admitted = policy.as_ref().is_some_and(|policy| {
            policy.admits(&Request {
                service: "ses.amazonaws.com",
                action: "lambda:InvokeFunction",
                resource: &function.arn,
                context: &[
                    ("aws:SourceAccount", &caller.account),
                    ("aws:SourceArn", &rule_arn),
                ],
            })
        });
        if !admitted {
            return Ok(vec![Finding::wrong(
                format!(
                    "the function does not let SES invoke it for the rule {}: mail is stored and not forwarded",
                    rule.name
                ),
                format!(
                    "apply the deployment again, or run aws lambda add-permission --function-name {} --statement-id ses \
                     --action lambda:InvokeFunction --principal ses.amazonaws.com --source-account {} --source-arn {rule_arn}",
                    function.arn, caller.account
                ),
            )]);
        }
    }
    Ok(vec![Finding::right("SES may invoke it")])
}

/// A program for the other architecture never starts, and no line of it is in the log.
pub(super) fn errors(facts: &Facts) -> Looked {
    let function = function(facts)?;
    let (invoked, failed) = *function.invocations.seen()?;
    let text = format!("{failed:.0} of {invoked:.0} invocations of the last day failed");
    Ok(vec![if invoked > 0.0 && failed >= invoked {
        Finding::wrong(
            text,
            format!(
                "run aws logs tail {}: Runtime.InvalidEntrypoint, or exec format error, means that the zip is not for {}; \
                 otherwise its lines say the reason",
                function.log_group, function.architecture
            ),
        )
    } else {
        Finding::right(text)
    }])
}

pub(super) fn role(facts: &Facts) -> Looked {
    let function = function(facts)?;
    let mut findings = Vec::new();
    let mut unseen = None;
    // Each From address is asked for, and the answer is often the same for all of them.
    let mut said = BTreeSet::new();
    for need in &facts.needs {
        let Look::Seen(decision) = &need.decision else {
            unseen = need.decision.seen().err();
            continue;
        };
        if decision != "allowed" && said.insert((&need.action, &need.resource, decision)) {
            let how = if decision == "explicitDeny" {
                "a policy denies it"
            } else {
                "no policy allows it"
            };
            findings.push(
                Finding::wrong(
                    format!("the role may not do {} on {}: {how}", need.action, need.resource),
                    format!(
                        "apply the deployment again, or allow it in a policy of {}{}",
                        function.role,
                        if decision == "explicitDeny" {
                            "; look for the statement, or the boundary, that denies it"
                        } else {
                            ""
                        }
                    ),
                )
                .about(&need.purpose),
            );
        }
    }
    match (findings.is_empty(), unseen) {
        (true, Some(why)) => Err(why),
        (true, None) if facts.needs.is_empty() => Err(Finding::skipped("what it needs is not known")),
        (true, None) => Ok(vec![Finding::right(format!(
            "{} permissions, by IAM's simulator",
            facts.needs.len()
        ))]),
        _ => Ok(findings),
    }
}

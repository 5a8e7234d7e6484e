//! The receipt rules: from SES into the bucket and to the function.

use std::collections::BTreeSet;

use crate::alias::AliasMap;
use crate::config::BucketPlace;
use crate::doctor::facts::{Action, Facts, Rule, RuleSet};
use crate::doctor::finding::{Finding, Looked};
use crate::header::mailbox::Address;

use super::domains::settings;

/// A local part that no alias has by accident: whether a domain has a catch-all is asked with it.
const NOBODY: &str = "readdress-doctor-asks";

/// How many names a line may hold before the rest is only counted.
const MANY: usize = 10;

pub(super) fn active(facts: &Facts) -> Looked {
    let activate = |name: &str| format!("run aws ses set-active-receipt-rule-set --rule-set-name {name}");
    let wanted = facts.rule_set_name.as_deref();
    Ok(vec![match (facts.rule_set.seen()?, wanted) {
        (None, wanted) => Finding::wrong(
            "no receipt rule set is active: SES takes no mail",
            activate(wanted.unwrap_or("…, with the name that the deployment's output activate has")),
        ),
        (Some(active), Some(wanted)) if active.name != wanted => Finding::wrong(
            format!("the active receipt rule set is {}, not {wanted}", active.name),
            format!(
                "{}, if nobody needs the other; otherwise join that one (rule_set_name)",
                activate(wanted)
            ),
        ),
        (Some(active), _) => Finding::right(format!("{} is active", active.name)),
    }])
}

/// The active set.
fn set(facts: &Facts) -> Result<&RuleSet, Finding> {
    let set = facts.rule_set.seen()?;
    set.as_ref()
        .ok_or_else(|| Finding::skipped("no rule set is active"))
}

/// The rules that store mail in our bucket, with the prefix, whether SES encrypts, and where the action stands.
fn storing<'a>(set: &'a RuleSet, bucket: &str) -> Vec<(&'a Rule, &'a str, bool, usize)> {
    let mut storing = Vec::new();
    for rule in set.rules.iter().filter(|rule| rule.enabled) {
        for (at, action) in rule.actions.iter().enumerate() {
            if let Action::Store {
                bucket: stored,
                prefix,
                encrypts,
                ..
            } = action
                && stored == bucket
            {
                storing.push((rule, prefix.as_str(), *encrypts, at));
            }
        }
    }
    storing
}

/// The rules that [`storing`] finds; and the name of the bucket.
fn ours(facts: &Facts) -> Result<Vec<(&Rule, &str, bool, usize)>, Finding> {
    let rules = storing(set(facts)?, bucket(facts)?);
    if rules.is_empty() {
        return Err(Finding::skipped("no rule stores in the bucket"));
    }
    Ok(rules)
}

/// The rules that store mail in our bucket.
pub(super) fn our_rules<'a>(set: &'a RuleSet, bucket: &str) -> Vec<&'a Rule> {
    storing(set, bucket).into_iter().map(|(rule, ..)| rule).collect()
}

pub(super) fn bucket(facts: &Facts) -> Result<&str, Finding> {
    match &settings(facts)?.email_bucket {
        BucketPlace::S3(name) => Ok(name),
        BucketPlace::Directory(_) => Err(Finding::skipped("EMAIL_BUCKET is a directory")),
    }
}

pub(super) fn stores(facts: &Facts) -> Looked {
    let (set, bucket) = (set(facts)?, bucket(facts)?);
    let rules = storing(set, bucket);
    if let [(rule, ..), ..] = &*rules {
        return Ok(vec![Finding::right(format!(
            "the rule {} stores in {bucket}",
            rule.name
        ))]);
    }
    let stores_here = |rule: &&Rule| {
        rule.actions
            .iter()
            .any(|action| matches!(action, Action::Store { bucket: stored, .. } if stored == bucket))
    };
    if let Some(rule) = set.rules.iter().find(stores_here) {
        return Ok(vec![Finding::wrong(
            format!("the rule {} is disabled", rule.name),
            format!("enable it, in the rule set {}", set.name),
        )]);
    }
    let stored = set
        .rules
        .iter()
        .flat_map(|rule| &rule.actions)
        .filter_map(|action| match action {
            Action::Store { bucket, .. } => Some(bucket.as_str()),
            _ => None,
        });
    let stored = shorten(stored.collect());
    let text = if stored.is_empty() {
        "no rule of the set stores mail".to_owned()
    } else {
        format!("rules store in {stored}")
    };
    Ok(vec![Finding::wrong(
        format!("{text}, and EMAIL_BUCKET is {bucket}"),
        format!(
            "apply the deployment again, or correct EMAIL_BUCKET; the rule belongs into the set {}",
            set.name
        ),
    )])
}

pub(super) fn prefix(facts: &Facts) -> Looked {
    let wanted = &settings(facts)?.email_prefix;
    let other = ours(facts)?.into_iter().find(|(_, prefix, ..)| prefix != wanted);
    Ok(vec![match other {
        Some((rule, prefix, ..)) => Finding::wrong(
            format!(
                "the rule {} stores under {prefix:?}, and EMAIL_PREFIX is {wanted:?}: the function finds no mail",
                rule.name
            ),
            "make the two equal: the prefix of the S3 action and EMAIL_PREFIX",
        ),
        None => Finding::right(format!("{wanted:?}")),
    }])
}

pub(super) fn encryption(facts: &Facts) -> Looked {
    let encrypting = ours(facts)?.into_iter().find(|(_, _, encrypts, _)| *encrypts);
    Ok(vec![match encrypting {
        Some((rule, ..)) => Finding::wrong(
            format!(
                "the S3 action of the rule {} has a KMS key: SES encrypts before it stores, and nobody but its own client can read that",
                rule.name
            ),
            "take the key out of the action; to encrypt with a key of yours, set the bucket's default encryption",
        ),
        None => Finding::right("the mail lies as it came; the bucket encrypts"),
    }])
}

pub(super) fn invokes(facts: &Facts) -> Looked {
    let Some(function) = facts.function.seen()? else {
        return Err(Finding::skipped("there is no function"));
    };
    let mut findings = Vec::new();
    for (rule, _, _, store) in ours(facts)? {
        findings.push(invokes_after(facts, rule, store, &function.arn).unwrap_or_else(|why| why));
    }
    Ok(findings)
}

fn invokes_after(facts: &Facts, rule: &Rule, store: usize, arn: &str) -> Result<Finding, Finding> {
    let name = &rule.name;
    let mut invoked = rule
        .actions
        .iter()
        .enumerate()
        .filter_map(|(at, action)| match action {
            Action::Invoke { function, event } => Some((at, function.as_str(), *event)),
            _ => None,
        });
    let is_ours = |function: &str| function == arn || function.starts_with(&format!("{arn}:"));
    if let Some((at, _, event)) = invoked.clone().find(|(_, function, _)| is_ours(function)) {
        let stop = rule.actions.iter().position(|action| *action == Action::Stop);
        return Ok(if at < store {
            Finding::wrong(
                format!("the rule {name} invokes the function before it has stored the mail"),
                "put the S3 action before the Lambda action",
            )
        } else if stop.is_some_and(|stop| stop < at) {
            Finding::wrong(
                format!("the rule {name} stops before it invokes the function"),
                "put the stop action last",
            )
        } else if !event {
            Finding::wrong(
                format!(
                    "the rule {name} waits for the function's answer, which it takes for its own decision"
                ),
                "make the invocation type of the Lambda action Event",
            )
        } else {
            Finding::right(format!("the rule {name} stores, then invokes"))
        });
    }
    // The function may hear of the mail in another way.
    if let Action::Store {
        topic: Some(topic), ..
    } = &rule.actions[store]
    {
        return Ok(Finding::right(format!(
            "the rule {name} tells the topic {topic}, which must lead to the function"
        )));
    }
    if let Some(bucket) = facts.bucket.seen()?
        && bucket.notifies.seen()?.iter().any(|told| is_ours(told))
    {
        return Ok(Finding::right("the bucket tells the function of each object"));
    }
    Ok(match invoked.next() {
        Some((_, other, _)) => Finding::wrong(
            format!("the rule {name} invokes {other}, not {arn}"),
            "correct the Lambda action, or look at the other function with --function",
        ),
        None => Finding::wrong(
            format!("the rule {name} stores mail and tells nobody: it is never forwarded"),
            "add a Lambda action for the function behind the S3 action",
        ),
    })
}

pub(super) fn order(facts: &Facts) -> Looked {
    let set = set(facts)?;
    let (ours, ..) = ours(facts)?.remove(0);
    let before = set
        .rules
        .iter()
        .take_while(|rule| rule.name != ours.name)
        .filter(|rule| rule.enabled);
    let mut keeping = before.filter(|rule| {
        let keeps = rule
            .actions
            .iter()
            .any(|action| matches!(action, Action::Stop | Action::Bounce));
        keeps && overlap(&rule.recipients, &ours.recipients)
    });
    if let Some(rule) = keeping.next() {
        return Ok(vec![Finding::wrong(
            format!(
                "the rule {} comes before {} and bounces or ends the mail of its recipients",
                rule.name, ours.name
            ),
            format!(
                "move {} behind it, or take the common recipients out of it",
                rule.name
            ),
        )]);
    }
    let after = set
        .rules
        .iter()
        .skip_while(|rule| rule.name != ours.name)
        .skip(1)
        .filter(|rule| rule.enabled);
    let mut bouncing = after
        .filter(|rule| rule.actions.contains(&Action::Bounce) && overlap(&rule.recipients, &ours.recipients));
    Ok(vec![match bouncing.next() {
        Some(rule) if !ours.actions.contains(&Action::Stop) => Finding::wrong(
            format!(
                "the rule {} bounces what {} forwards, which does not end the rule set",
                rule.name, ours.name
            ),
            format!("add a stop action (scope RuleSet) to the end of {}", ours.name),
        ),
        _ => Finding::right(format!(
            "no other rule keeps or bounces the mail of {}",
            ours.name
        )),
    }])
}

/// Whether some address is a recipient of both.
fn overlap(one: &[String], other: &[String]) -> bool {
    let covers = |recipients: &[String], recipient: &String| takes(recipients, recipient);
    one.is_empty()
        || other.is_empty()
        || one.iter().any(|recipient| covers(other, recipient))
        || other.iter().any(|recipient| covers(one, recipient))
}

/// Whether a rule with these recipients takes mail to an address or, if there is no `@` in it, to all of a domain.
fn takes(recipients: &[String], address: &str) -> bool {
    let address = address.to_ascii_lowercase();
    let (local, domain) = address.rsplit_once('@').unwrap_or(("", &address));
    let plain = local.split_once('+').map(|(user, _)| format!("{user}@{domain}"));
    recipients.is_empty()
        || recipients.iter().any(|recipient| {
            *recipient == address
                || *recipient == domain
                || plain.as_ref() == Some(recipient)
                || recipient.starts_with('.') && domain.ends_with(recipient.as_str())
        })
}

pub(super) fn scan(facts: &Facts) -> Looked {
    let blind = ours(facts)?.into_iter().find(|(rule, ..)| !rule.scans);
    Ok(vec![match blind {
        Some((rule, ..)) => Finding::wrong(
            format!(
                "the rule {} has scanning off: no mail has a verdict on spam or viruses, and all of it is forwarded",
                rule.name
            ),
            "enable spam and virus scanning of the rule (scan_enabled)",
        ),
        None => Finding::right("SES looks for spam and viruses"),
    }])
}

pub(super) fn tls(facts: &Facts) -> Looked {
    let strict = ours(facts)?.into_iter().find(|(rule, ..)| rule.requires_tls);
    Ok(vec![Finding::right(match strict {
        Some(_) => "mail that comes without TLS is refused, and its sender told",
        None => "mail is taken with TLS and without",
    })])
}

pub(super) fn recipients(facts: &Facts) -> Looked {
    let map = facts.map.seen()?;
    let Ok(map) = map else {
        return Err(Finding::skipped("the alias map cannot be read"));
    };
    let rules = ours(facts)?;
    let all: Vec<String> = rules
        .iter()
        .flat_map(|(rule, ..)| rule.recipients.clone())
        .collect();
    let every = rules.iter().any(|(rule, ..)| rule.recipients.is_empty());
    let all = if every { Vec::new() } else { all };
    let mut findings = Vec::new();
    let unreached = unreached(&map.aliases, &all);
    if !unreached.is_empty() {
        findings.push(Finding::wrong(
            format!("no rule takes mail for {}: their mail bounces, or never arrives", shorten(unreached)),
            "add them or their domains to the recipients of the rule (Terraform does at its next apply where it makes the map)",
        ));
    }
    let without: Vec<&str> = all
        .iter()
        .map(String::as_str)
        .filter(|recipient| !is_known(&map.aliases, recipient))
        .collect();
    if !without.is_empty() {
        findings.push(Finding::wrong(
            format!("the rule takes mail for {}, of which the alias map knows nothing: it is taken and never forwarded", shorten(without)),
            "add aliases for them, or take them out of the recipients of the rule",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::right(format!(
            "{} aliases, all reached",
            map.aliases.len()
        )));
    }
    Ok(findings)
}

/// The keys of the map that no mail reaches.
fn unreached<'a>(aliases: &'a AliasMap, recipients: &[String]) -> Vec<&'a str> {
    let enabled = aliases
        .entries()
        .filter(|(_, entry)| entry.as_ref().is_ok_and(|entry| entry.options.enabled));
    let keys = enabled.map(|(key, _)| key.trim());
    keys.filter(|key| !is_reached(&key.to_ascii_lowercase(), recipients))
        .collect()
}

fn is_reached(key: &str, recipients: &[String]) -> bool {
    let some = |is_one: &dyn Fn(&str) -> bool| {
        recipients.is_empty() || recipients.iter().any(|recipient| is_one(recipient))
    };
    // The domain that a recipient of a rule is of.
    let domain_of = |recipient: &str| {
        let domain = recipient.rsplit_once('@').map_or(recipient, |(_, domain)| domain);
        format!(".{}", domain.trim_start_matches('.'))
    };
    match key.rsplit_once('@') {
        Some(("", "")) => true,
        // Many domains: one of them is enough.
        Some((_, domain)) if domain.contains('*') => {
            let below = domain.trim_start_matches('*');
            some(&|recipient| domain_of(recipient).ends_with(below))
        }
        // Many addresses of a domain, of which a rule may name some.
        Some((local, domain)) if local.is_empty() || local.contains('*') => {
            takes(recipients, domain) || some(&|recipient| recipient.ends_with(&format!("@{domain}")))
        }
        Some(_) => takes(recipients, key),
        // A user of any domain.
        None => some(&|recipient| match recipient.split_once('@') {
            Some((local, _)) => local == key || key.contains('*'),
            None => true,
        }),
    }
}

/// Whether the map knows what to do with the mail of a recipient of a rule.
fn is_known(aliases: &AliasMap, recipient: &str) -> bool {
    let domain = recipient.trim_start_matches('.');
    if recipient.contains('@') {
        return Address::parse(recipient).is_ok_and(|address| aliases.resolve(&address).is_some());
    }
    let anybody = Address::parse(&format!("{NOBODY}@{domain}"));
    anybody.is_ok_and(|address| aliases.resolve(&address).is_some())
        || aliases.entries().any(|(key, _)| match key.rsplit_once('@') {
            Some((_, of)) => {
                let of = of.trim().to_ascii_lowercase();
                let below = of.trim_start_matches('*');
                of == domain
                    || recipient.starts_with('.') && of.ends_with(recipient)
                    || of.contains('*') && format!(".{domain}").ends_with(below)
            }
            None => true,
        })
}

/// Names in a line, each once.
pub(super) fn shorten(names: Vec<&str>) -> String {
    let names: BTreeSet<&str> = names.into_iter().collect();
    let shown: Vec<&str> = names.iter().copied().take(MANY).collect();
    let rest = names.len() - shown.len();
    let more = if rest > 0 {
        format!(" and {rest} more")
    } else {
        String::new()
    };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Catches a recipient of a rule that is read in another way than SES reads it.
    #[test]
    fn recipients_of_a_rule() {
        let takes = |recipient: &str, address: &str| takes(&[recipient.to_owned()], address);
        assert!(takes("shop@example.com", "Shop@example.com"));
        assert!(takes("shop@example.com", "shop+spring@example.com"));
        assert!(!takes("shop@example.com", "example.com"));
        assert!(takes("example.com", "shop@example.com"));
        assert!(!takes("example.com", "shop@mail.example.com"));
        assert!(takes(".example.com", "shop@mail.example.com"));
        assert!(!takes(".example.com", "shop@example.com"));
    }

    #[test]
    fn aliases_that_no_rule_reaches() {
        let map = br#"{"shop@example.com": "j@example.net", "@example.org": "j@example.net", "news": "j@example.net",
            "off@example.com": {"enabled": false}, "@": "j@example.net"}"#;
        let aliases = AliasMap::parse(map).unwrap();
        let unreached = |recipients: &[&str]| {
            let recipients: Vec<String> = recipients
                .iter()
                .map(|recipient| (*recipient).to_owned())
                .collect();
            unreached(&aliases, &recipients).join(" ")
        };
        assert_eq!(unreached(&[]), "");
        assert_eq!(unreached(&["example.com"]), "@example.org");
        assert_eq!(unreached(&["a@example.org"]), "news shop@example.com");
        assert!(is_reached(
            "shop-*@example.com",
            &["shop-a@example.com".to_owned()]
        ));
        assert!(is_reached("@*.example.com", &[".example.com".to_owned()]));
        assert!(!is_reached("@*.example.com", &["example.org".to_owned()]));
        assert!(is_known(&aliases, "example.org") && is_known(&aliases, "any@example.net"));
    }
}

//! Reads the facts: some forty requests that change nothing.

mod account;
mod function;
mod receiving;
mod storage;
mod watch;

use std::collections::{BTreeMap, BTreeSet};

use aws_config::SdkConfig;

use crate::config::Settings;

use super::answer::Refused;
use super::checks::{above, dmarc_names, inbound_host, our_alarms, receives};
use super::facts::{Domain, Facts, Kind, Look};
use super::inputs::Inputs;
use super::request::Aws;
use super::resolver::Dns;

/// Reads all facts, in an order in which each request knows what to ask for.
pub(super) async fn facts(
    config: &SdkConfig,
    inputs: &Inputs,
    tell: &mut dyn FnMut(&str),
) -> Result<Facts, String> {
    let aws = Aws::new(config)?;
    let mut facts = nothing(&aws.region, inputs);
    tell("the account");
    facts.caller = account::caller(&aws).await;
    if matches!(facts.caller, Look::Failed(_)) {
        // Every other request would fail for the same reason.
        return Ok(facts);
    }
    facts.account = account::account(&aws).await;
    if let Some(name) = &inputs.function {
        tell("the function");
        facts.function = function::function(&aws, name).await;
    }
    facts.settings = settings(&facts, inputs);
    tell("the receipt rules");
    facts.rule_set = receiving::rule_set(&aws).await;
    if let Look::Seen(Ok(settings)) = facts.settings.clone() {
        with_settings(&aws, &settings, &mut facts, tell).await;
    }
    tell("the domains");
    facts.domains = domains(&facts, inputs);
    for domain in &mut facts.domains {
        domain.identity = account::identity(&aws, &domain.name).await;
    }
    tell("DNS");
    look_up(&Dns::new(inputs.name_server), &mut facts).await;
    tell("the queue");
    facts.queue = watch::queue(&aws, &facts).await;
    if let Look::Seen(Ok(settings)) = facts.settings.clone() {
        tell("the function's role");
        facts.needs = function::needs(&aws, &settings, &facts).await;
    }
    tell("the alarms");
    facts.alarms = watch::alarms(&aws).await;
    facts.bounce_rate = watch::rate(&aws, "Reputation.BounceRate").await;
    facts.complaint_rate = watch::rate(&aws, "Reputation.ComplaintRate").await;
    for topic in topics(&facts) {
        let seen = watch::topic(&aws, &topic).await;
        facts.topics.insert(topic, seen);
    }
    Ok(facts)
}

/// What hangs on the settings: the bucket, the map and its targets, the configuration set.
async fn with_settings(aws: &Aws, settings: &Settings, facts: &mut Facts, tell: &mut dyn FnMut(&str)) {
    tell("the bucket");
    facts.bucket = storage::bucket(aws, settings).await;
    tell("the alias map");
    facts.map = storage::map(aws, settings).await;
    if let Some(name) = &settings.ses.configuration_set {
        facts.configuration_set = account::configuration_set(aws, name).await;
    }
    tell("the targets");
    let targets = targets(facts);
    if let Look::Seen(account) = &facts.account
        && !account.production
    {
        for target in &targets {
            let verified = account::is_verified(aws, target).await;
            facts.verified_targets.insert(target.clone(), verified);
        }
    }
    if matches!(facts.map, Look::Seen(Ok(_))) {
        facts.suppressed = watch::suppressed(aws, &targets).await;
    }
}

fn nothing(region: &str, inputs: &Inputs) -> Facts {
    Facts {
        region: region.to_owned(),
        caller: Look::Untried,
        function_name: inputs.function.clone(),
        function: Look::Untried,
        settings: Look::Untried,
        account: Look::Untried,
        domains: Vec::new(),
        dns: BTreeMap::new(),
        rule_set_name: inputs.rule_set.clone(),
        rule_set: Look::Untried,
        bucket: Look::Untried,
        map: Look::Untried,
        configuration_set: Look::Untried,
        needs: Vec::new(),
        queue: Look::Untried,
        verified_targets: BTreeMap::new(),
        suppressed: Look::Untried,
        alarms: Look::Untried,
        topics: BTreeMap::new(),
        bounce_rate: Look::Untried,
        complaint_rate: Look::Untried,
    }
}

/// The function's settings. Without a function, or where it cannot be seen, those of the command line.
fn settings(facts: &Facts, inputs: &Inputs) -> Look<Result<Settings, crate::config::SettingError>> {
    let environment = match &facts.function {
        Look::Seen(Some(function)) => function.environment.clone(),
        _ if !inputs.settings.is_empty() => BTreeMap::new(),
        Look::Denied(permission) => return Look::Denied(permission.clone()),
        _ => return Look::Untried,
    };
    let lookup = |name: &str| {
        inputs
            .settings
            .get(name)
            .or_else(|| environment.get(name))
            .cloned()
    };
    Look::Seen(Settings::read(&lookup))
}

/// The addresses to which the map forwards.
fn targets(facts: &Facts) -> BTreeSet<String> {
    let Look::Seen(Ok(map)) = &facts.map else {
        return BTreeSet::new();
    };
    let entries = map.aliases.entries().filter_map(|(_, entry)| entry.ok());
    let enabled = entries.filter(|entry| entry.options.enabled);
    enabled
        .flat_map(|entry| entry.targets.iter().map(ToString::to_string))
        .collect()
}

/// The domains of the map's keys, of our rules' recipients and of the command line; and those in whose name a setting sends.
fn domains(facts: &Facts, inputs: &Inputs) -> Vec<Domain> {
    let mut receiving: BTreeSet<String> = inputs
        .domains
        .iter()
        .map(|domain| domain.to_ascii_lowercase())
        .collect();
    if let Look::Seen(Ok(map)) = &facts.map {
        let usable = map.aliases.entries().filter(|(_, entry)| entry.is_ok());
        let domains = usable
            .filter_map(|(key, _)| key.rsplit_once('@'))
            .map(|(_, domain)| domain.trim());
        receiving.extend(
            domains
                .filter(|domain| !domain.is_empty() && !domain.contains('*'))
                .map(str::to_ascii_lowercase),
        );
    }
    for recipient in receives(facts) {
        let domain = recipient
            .rsplit_once('@')
            .map_or(recipient.as_str(), |(_, domain)| domain);
        receiving.insert(domain.trim_start_matches('.').to_owned());
    }
    let mut sending = BTreeSet::new();
    if let Look::Seen(Ok(settings)) = &facts.settings {
        let from = settings
            .style
            .from_email
            .iter()
            .chain(&settings.ses.feedback_email);
        let domains = from.filter_map(|address| {
            address
                .to_string()
                .rsplit_once('@')
                .map(|(_, of)| of.to_ascii_lowercase())
        });
        sending.extend(domains.filter(|domain| !receiving.contains(domain)));
    }
    let domain = |name: String, receives| Domain {
        name,
        receives,
        identity: Look::Untried,
    };
    let receiving = receiving.into_iter().map(|name| domain(name, true));
    receiving
        .chain(sending.into_iter().map(|name| domain(name, false)))
        .collect()
}

/// Every record that a check compares.
async fn look_up(dns: &Dns, facts: &mut Facts) {
    let mut asked = vec![(Kind::A, inbound_host(&facts.region))];
    for domain in &facts.domains {
        let name = &domain.name;
        asked.extend(dmarc_names(name).into_iter().map(|name| (Kind::Txt, name)));
        if domain.receives {
            asked.extend([(Kind::Mx, name.clone()), (Kind::Cname, name.clone())]);
        }
        if let Look::Seen(Some(identity)) = &domain.identity {
            let tokens = identity.dkim_tokens.iter();
            asked.extend(tokens.map(|token| (Kind::Cname, format!("{token}._domainkey.{}", identity.name))));
            if let Some((mail_from, _)) = &identity.mail_from {
                asked.extend([(Kind::Mx, mail_from.clone()), (Kind::Txt, mail_from.clone())]);
            }
        }
    }
    for (kind, name) in asked {
        let name = name.to_ascii_lowercase();
        let records = dns.records(kind, &name).await;
        let nothing = matches!(&records, Look::Seen(records) if !records.exists);
        facts.dns.insert((kind, name.clone()), records);
        // Who answers for a domain without mail says where the fault is.
        if kind == Kind::Mx && nothing {
            for domain in above(&name) {
                let servers = dns.records(Kind::Ns, domain).await;
                facts.dns.insert((Kind::Ns, domain.to_owned()), servers);
            }
        }
    }
}

/// The topics that our alarms tell.
fn topics(facts: &Facts) -> BTreeSet<String> {
    let Look::Seen(alarms) = &facts.alarms else {
        return BTreeSet::new();
    };
    let actions = our_alarms(facts, alarms)
        .into_iter()
        .flat_map(|alarm| alarm.actions.clone());
    actions.filter(|action| action.contains(":sns:")).collect()
}

/// An answer as a fact.
fn fact<T>(answer: Result<T, Refused>) -> Look<T> {
    match answer {
        Ok(fact) => Look::Seen(fact),
        Err(Refused::Denied(permission)) => Look::Denied(permission),
        Err(Refused::Failed(reason)) => Look::Failed(reason),
        Err(Refused::NotThere) => Look::Failed("AWS does not know what was asked for".to_owned()),
    }
}

/// An answer as a fact about something that may not exist.
fn fact_if_there<T>(answer: Result<T, Refused>) -> Look<Option<T>> {
    match answer {
        Err(Refused::NotThere) => Look::Seen(None),
        answer => fact(answer.map(Some)),
    }
}

//! DNS as the world sees it, against what SES expects.

use crate::doctor::facts::{Domain, Facts, Kind, Records};
use crate::doctor::finding::{Finding, Looked};

use super::account::inbound_host;

/// The names at which a DMARC record for a domain may be: its own, and those of the domains above it that have two labels
/// or more. The first that has one counts (RFC 7489, 6.6.3, without a list of public suffixes).
pub(in crate::doctor) fn dmarc_names(domain: &str) -> Vec<String> {
    above(domain)
        .into_iter()
        .map(|domain| format!("_dmarc.{domain}"))
        .collect()
}

/// A domain and those above it, down to two labels.
pub(in crate::doctor) fn above(domain: &str) -> Vec<&str> {
    let mut domains = vec![domain];
    let mut rest = domain;
    while let Some((_, parent)) = rest.split_once('.')
        && parent.contains('.')
    {
        domains.push(parent);
        rest = parent;
    }
    domains
}

/// Where nobody answers for a domain, every record of it is missing.
pub(super) fn zone(facts: &Facts) -> Looked {
    let mut findings = Vec::new();
    for domain in facts.domains.iter().filter(|domain| domain.receives) {
        let finding = zone_of(facts, &domain.name).unwrap_or_else(|why| why);
        findings.push(finding.about(&domain.name));
    }
    Ok(findings)
}

fn zone_of(facts: &Facts, name: &str) -> Result<Finding, Finding> {
    if facts.records(Kind::Mx, name).seen()?.exists {
        return Ok(Finding::right("DNS knows the name"));
    }
    // Of the domain itself or of the nearest above it.
    for domain in above(name) {
        if !facts.records(Kind::Ns, domain).seen()?.values.is_empty() {
            return Ok(Finding::right(format!("DNS answers for {domain}")));
        }
    }
    Ok(Finding::wrong(
        "the domain is not delegated: no name server answers for it",
        "enter the name servers of your zone at the registrar of the domain, or in the zone above it",
    ))
}

pub(super) fn mx(facts: &Facts) -> Looked {
    let mut findings = Vec::new();
    for domain in facts.domains.iter().filter(|domain| domain.receives) {
        let finding = mx_of(facts, domain).unwrap_or_else(|why| why);
        findings.push(finding.about(&domain.name));
    }
    Ok(findings)
}

fn mx_of(facts: &Facts, domain: &Domain) -> Result<Finding, Finding> {
    let name = &domain.name;
    let wanted = inbound_host(&facts.region);
    let mend = format!("make it {name} MX 10 {wanted}, and the only one");
    let records = facts.records(Kind::Mx, name).seen()?;
    let cname = facts.records(Kind::Cname, name).seen()?;
    if let Some(other) = cname.values.first() {
        return Ok(Finding::wrong(
            format!("the name is a CNAME for {other}, and beside a CNAME there can be no MX"),
            format!("take the CNAME away or choose another name for the aliases; then {mend}"),
        ));
    }
    if records.values.is_empty() {
        return Ok(no_mx(name, records, &wanted));
    }
    let mut servers: Vec<(u32, &str)> = records
        .values
        .iter()
        .filter_map(|record| preference(record))
        .collect();
    servers.sort_unstable();
    let ours = servers.iter().find(|(_, host)| *host == wanted);
    let others: Vec<&str> = servers
        .iter()
        .map(|(_, host)| *host)
        .filter(|host| *host != wanted)
        .collect();
    let others = others.join(", ");
    Ok(match ours {
        Some((preference, _))
            if servers
                .iter()
                .any(|(other, host)| *host != wanted && other <= preference) =>
        {
            Finding::wrong(
                format!("mail goes to {others} as well, at the same preference or a better one"),
                mend,
            )
        }
        Some(_) if !others.is_empty() => {
            Finding::right(format!("{wanted}; {others} only while SES does not answer"))
        }
        Some(_) => Finding::right(wanted),
        None if others.contains("inbound-smtp.") => Finding::wrong(
            format!("the MX is {others}, SES's server of another region"),
            mend,
        ),
        None => Finding::wrong(
            format!("the MX is {others}: mail goes there, and not to SES"),
            format!(
                "{mend}. All mail of the domain comes here then: where it has mailboxes elsewhere, use a subdomain"
            ),
        ),
    })
}

fn no_mx(name: &str, records: &Records, wanted: &str) -> Finding {
    let record = format!("{name} MX 10 {wanted}");
    if records.exists {
        return Finding::wrong(
            "there is no MX record: nobody can send mail to it",
            format!("make the record {record}"),
        );
    }
    Finding::wrong(
        "the name does not exist in DNS",
        format!(
            "make the record {record} in the zone that dig NS {name} names; another zone of that name is not asked"
        ),
    )
}

fn preference(record: &str) -> Option<(u32, &str)> {
    let (preference, host) = record.split_once(' ')?;
    Some((preference.parse().ok()?, host))
}

pub(super) fn dkim(facts: &Facts) -> Looked {
    let mut findings = Vec::new();
    for domain in &facts.domains {
        let finding = dkim_of(facts, domain).unwrap_or_else(Some);
        findings.extend(finding.map(|finding| finding.about(&domain.name)));
    }
    Ok(findings)
}

fn dkim_of(facts: &Facts, domain: &Domain) -> Result<Option<Finding>, Finding> {
    let Some(identity) = domain.identity.seen()? else {
        return Ok(None);
    };
    if !identity.easy_dkim {
        return Ok(Some(Finding::right(
            "the keys are your own; SES looks at their record itself",
        )));
    }
    let (mut missing, mut other) = (Vec::new(), Vec::new());
    for token in &identity.dkim_tokens {
        let name = format!("{token}._domainkey.{}", identity.name);
        let wanted = format!("{token}.{}", identity.dkim_zone).to_ascii_lowercase();
        match facts.records(Kind::Cname, &name).seen()?.values.first() {
            Some(value) if *value == wanted => {}
            Some(value) => other.push(format!("{name} leads to {value}, not to {wanted}")),
            None => missing.push(format!("{name} CNAME {wanted}")),
        }
    }
    let mut wrong = other.clone();
    if !missing.is_empty() {
        wrong.insert(
            0,
            format!(
                "DNS lacks {} of {} records",
                missing.len(),
                identity.dkim_tokens.len()
            ),
        );
    }
    Ok(Some(if wrong.is_empty() {
        Finding::right("all CNAME records are there")
    } else {
        let mend = if missing.is_empty() {
            "correct these records".to_owned()
        } else {
            format!("make {}", missing.join("; "))
        };
        Finding::wrong(
            wrong.join("; "),
            format!(
                "{mend}, in the zone that dig NS {} names. Some providers add the domain to the name a second time",
                identity.name
            ),
        )
    }))
}

pub(super) fn mail_from(facts: &Facts) -> Looked {
    let mut findings = Vec::new();
    for domain in &facts.domains {
        let finding = mail_from_of(facts, domain).unwrap_or_else(Some);
        findings.extend(finding.map(|finding| finding.about(&domain.name)));
    }
    Ok(findings)
}

fn mail_from_of(facts: &Facts, domain: &Domain) -> Result<Option<Finding>, Finding> {
    let Some((name, _)) = domain
        .identity
        .seen()?
        .as_ref()
        .and_then(|identity| identity.mail_from.as_ref())
    else {
        return Ok(Some(Finding::right(
            "SES's own domain is the envelope sender's, with SES's SPF record",
        )));
    };
    let server = format!("feedback-smtp.{}.amazonses.com", facts.region);
    let mx = facts.records(Kind::Mx, name).seen()?;
    let servers: Vec<&str> = mx
        .values
        .iter()
        .filter_map(|record| preference(record))
        .map(|(_, host)| host)
        .collect();
    if servers != [server.as_str()] {
        let seen = if servers.is_empty() {
            "none".to_owned()
        } else {
            servers.join(", ")
        };
        return Ok(Some(Finding::wrong(
            format!("the MX of {name} is {seen}; SES wants {server} and no other"),
            format!("make the record {name} MX 10 {server}"),
        )));
    }
    let texts = facts.records(Kind::Txt, name).seen()?;
    let is_spf = |text: &&String| {
        text.split(' ')
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("v=spf1"))
    };
    let spf: Vec<&String> = texts.values.iter().filter(is_spf).collect();
    Ok(Some(match &*spf {
        [record] if record.contains("include:amazonses.com") => {
            Finding::right(format!("{name} has its MX and SPF records"))
        }
        [record] => Finding::wrong(
            format!("the SPF record of {name} does not admit SES: {record}"),
            format!("make it {name} TXT \"v=spf1 include:amazonses.com ~all\""),
        ),
        [] => Finding::wrong(
            format!("{name} has no SPF record"),
            format!("make the record {name} TXT \"v=spf1 include:amazonses.com ~all\""),
        ),
        several => Finding::wrong(
            format!(
                "{name} has {} SPF records: receivers then take none (RFC 7208, 4.5)",
                several.len()
            ),
            format!("keep one, {name} TXT \"v=spf1 include:amazonses.com ~all\""),
        ),
    }))
}

pub(super) fn dmarc(facts: &Facts) -> Looked {
    let mut findings = Vec::new();
    for domain in &facts.domains {
        let finding = dmarc_of(facts, &domain.name).unwrap_or_else(|why| why);
        findings.push(finding.about(&domain.name));
    }
    Ok(findings)
}

fn dmarc_of(facts: &Facts, domain: &str) -> Result<Finding, Finding> {
    for name in dmarc_names(domain) {
        let texts = facts.records(Kind::Txt, &name).seen()?;
        let is_dmarc = |text: &&String| text.trim_start().starts_with("v=DMARC1");
        let records: Vec<&String> = texts.values.iter().filter(is_dmarc).collect();
        match &*records {
            [] => {}
            [record] if policy(record).is_some() => return Ok(Finding::right(format!("{name}: {record}"))),
            [record] => {
                return Ok(Finding::wrong(
                    format!("the DMARC record has no policy that receivers know: {record}"),
                    format!("make it {name} TXT \"v=DMARC1; p=none\""),
                ));
            }
            several => {
                return Ok(Finding::wrong(
                    format!(
                        "{name} has {} DMARC records: receivers then take none",
                        several.len()
                    ),
                    "keep one of them",
                ));
            }
        }
    }
    Ok(Finding::wrong(
        "there is no DMARC record: large providers ask for one of everybody who forwards",
        format!("make the record _dmarc.{domain} TXT \"v=DMARC1; p=none\""),
    ))
}

/// The value of `p`, if it is one of the three.
fn policy(record: &str) -> Option<&str> {
    let mut tags = record.split(';').filter_map(|tag| tag.split_once('='));
    let policy = tags
        .find(|(name, _)| name.trim() == "p")
        .map(|(_, value)| value.trim());
    policy.filter(|policy| ["none", "quarantine", "reject"].contains(policy))
}

//! The domains as SES sees them, and how it sends in their name.

use crate::config::Settings;
use crate::doctor::facts::{Domain, Facts, Identity};
use crate::doctor::finding::{Finding, Looked};

/// Asks each domain's identity a question that may have no answer worth a line.
fn each(facts: &Facts, ask: impl Fn(&Domain, &Identity) -> Option<Finding>) -> Looked {
    let mut findings = Vec::new();
    for domain in &facts.domains {
        let finding = match domain.identity.seen() {
            Err(why) => Some(why),
            Ok(None) => None,
            Ok(Some(identity)) => ask(domain, identity),
        };
        findings.extend(finding.map(|finding| finding.about(&domain.name)));
    }
    Ok(findings)
}

pub(super) fn exists(facts: &Facts) -> Looked {
    if facts.domains.is_empty() {
        return Err(Finding::unknown(
            "no domain is known: neither the alias map nor the receipt rules name one",
            "name yours with --domain",
        ));
    }
    let mut findings = Vec::new();
    for domain in &facts.domains {
        let name = &domain.name;
        let finding = match domain.identity.seen() {
            Err(why) => why,
            Ok(Some(identity)) if identity.name == *name => Finding::right("SES knows the domain"),
            Ok(Some(identity)) => Finding::right(format!("the identity {} covers it", identity.name)),
            Ok(None) => Finding::wrong(
                format!(
                    "SES does not know the domain in {}: it takes no mail for it and sends none",
                    facts.region
                ),
                format!(
                    "add it to the deployment's domains, or run aws sesv2 create-email-identity --email-identity {name}; \
                     if it is no domain of yours, mend the alias map or the setting that names it"
                ),
            ),
        };
        findings.push(finding.about(name));
    }
    Ok(findings)
}

pub(super) fn verified(facts: &Facts) -> Looked {
    each(facts, |_, identity| {
        Some(if identity.verified {
            Finding::right("verified")
        } else {
            let error = identity
                .error
                .as_ref()
                .map(|error| format!(" ({error})"))
                .unwrap_or_default();
            Finding::wrong(
                format!("SES has not verified the domain yet{error}"),
                "wait: SES looks at the DKIM records for 72 hours, and mostly finds them within minutes. If DNS has had them \
                 for longer, delete the identity and create it again",
            )
        })
    })
}

pub(super) fn dkim(facts: &Facts) -> Looked {
    each(facts, |_, identity| {
        let name = &identity.name;
        Some(if !identity.signs {
            Finding::wrong(
                "signing with DKIM is switched off: targets refuse the mail or take it for spam",
                format!(
                    "run aws sesv2 put-email-identity-dkim-attributes --email-identity {name} --signing-enabled"
                ),
            )
        } else if identity.dkim == "SUCCESS" {
            Finding::right("mail is signed")
        } else {
            Finding::wrong(
                format!("SES does not sign yet: DKIM is {}", identity.dkim),
                "wait until SES has seen the records, mostly some minutes; with keys of your own, compare the TXT record \
                 of your selector with the key",
            )
        })
    })
}

pub(super) fn mail_from(facts: &Facts) -> Looked {
    each(facts, |_, identity| {
        let (domain, status) = identity.mail_from.as_ref()?;
        Some(if status == "SUCCESS" {
            Finding::right(format!("{domain} is the envelope sender's domain"))
        } else {
            Finding::wrong(
                format!("SES does not use {domain} as MAIL FROM yet: its state is {status}"),
                format!(
                    "wait if it is PENDING; otherwise run aws sesv2 put-email-identity-mail-from-attributes \
                     --email-identity {} --mail-from-domain {domain} once more, and SES looks again",
                    identity.name
                ),
            )
        })
    })
}

/// SES mails its reports to the sender, who is an alias, unless it is told otherwise. There they end in the queue.
pub(super) fn feedback(facts: &Facts) -> Looked {
    let settings = settings(facts)?;
    if let Some(address) = &settings.ses.feedback_email {
        return Ok(vec![Finding::right(format!(
            "reports of bounces go to {address}"
        ))]);
    }
    each(facts, |_, identity| {
        Some(if identity.feedback {
            Finding::wrong(
                "SES mails its report of each bounce to the alias that forwarded, where it ends in the queue of failed events",
                format!(
                    "run aws sesv2 put-email-identity-feedback-attributes --email-identity {} \
                     --no-email-forwarding-enabled, or set FEEDBACK_EMAIL to a verified address that is no alias",
                    identity.name
                ),
            )
        } else {
            Finding::right("reports of bounces are not mailed")
        })
    })
}

pub(super) fn configuration_set(facts: &Facts) -> Looked {
    let settings = settings(facts)?;
    let Some(name) = &settings.ses.configuration_set else {
        let text = "none is set: SES counts bounces for the account only";
        return Ok(vec![Finding::right(text)]);
    };
    let Some(set) = facts.configuration_set.seen()? else {
        return Ok(vec![Finding::wrong(
            format!("SES has no configuration set {name}: it refuses every mail"),
            "apply the deployment again, or correct CONFIGURATION_SET",
        )]);
    };
    if !set.sending {
        return Ok(vec![Finding::wrong(
            format!("the configuration set {name} may not send"),
            format!(
                "run aws sesv2 put-configuration-set-sending-options --configuration-set-name {name} --sending-enabled"
            ),
        )]);
    }
    let events = set.events.seen()?;
    if events.iter().any(|event| event == "OPEN" || event == "CLICK") {
        return Ok(vec![Finding::wrong(
            format!(
                "the configuration set {name} tracks opens or clicks: SES rewrites the links of each mail for that"
            ),
            "take OPEN and CLICK out of its event destinations",
        )]);
    }
    Ok(vec![Finding::right(format!("{name} may send"))])
}

/// The settings, where they are valid.
pub(super) fn settings(facts: &Facts) -> Result<&Settings, Finding> {
    let settings = facts.settings.seen()?;
    settings
        .as_ref()
        .map_err(|_| Finding::skipped("the settings are not valid"))
}

//! The account and its identities at SES.

use serde_json::Value;

use crate::doctor::answer::{Refused, list, number, text, texts, truth};
use crate::doctor::checks::above;
use crate::doctor::facts::{Account, Caller, ConfigurationSet, Identity, Look};
use crate::doctor::request::{Aws, Service, encode};

use super::fact;

/// Regions that publish DKIM keys in a zone of their own. SES names the zone of an identity itself since 2025.
const OWN_DKIM_ZONE: [&str; 11] = [
    "af-south-1",
    "ap-northeast-3",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-5",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "il-central-1",
    "me-central-1",
    "us-gov-east-1",
];

pub(super) async fn caller(aws: &Aws) -> Look<Caller> {
    let answer = aws
        .query(Service::Sts, "2011-06-15", "sts:GetCallerIdentity", &[])
        .await;
    let caller = answer.and_then(|answer| {
        let arn = text(&answer, "/GetCallerIdentityResult/Arn").unwrap_or_default();
        let account = text(&answer, "/GetCallerIdentityResult/Account");
        Ok(Caller {
            account: account.ok_or_else(|| Refused::Failed("STS does not tell the account".to_owned()))?,
            partition: arn.split(':').nth(1).unwrap_or("aws").to_owned(),
        })
    });
    fact(caller)
}

pub(super) async fn account(aws: &Aws) -> Look<Account> {
    let answer = aws.get(Service::Ses, "ses:GetAccount", "/v2/email/account").await;
    fact(answer.map(|answer| Account {
        production: truth(&answer, "/ProductionAccessEnabled"),
        sending: truth(&answer, "/SendingEnabled"),
        enforcement: text(&answer, "/EnforcementStatus").unwrap_or_default(),
        review: text(&answer, "/Details/ReviewDetails/Status"),
        quota: number(&answer, "/SendQuota/Max24HourSend").unwrap_or_default(),
        sent: number(&answer, "/SendQuota/SentLast24Hours").unwrap_or_default(),
        rate: number(&answer, "/SendQuota/MaxSendRate").unwrap_or_default(),
        plan: text(&answer, "/PricingAttributes/CurrentPlan"),
        suppressed_reasons: texts(&answer, "/SuppressionAttributes/SuppressedReasons"),
    }))
}

/// The identity that covers a domain: its own, or the nearest of a domain above it.
pub(super) async fn identity(aws: &Aws, domain: &str) -> Look<Option<Identity>> {
    for name in above(domain) {
        match one_identity(aws, name).await {
            Err(Refused::NotThere) => {}
            answer => return fact(answer.map(|answer| Some(read_identity(aws, name, &answer)))),
        }
    }
    Look::Seen(None)
}

async fn one_identity(aws: &Aws, name: &str) -> Result<Value, Refused> {
    let target = format!("/v2/email/identities/{}", encode(name));
    aws.get(Service::Ses, "ses:GetEmailIdentity", &target).await
}

fn read_identity(aws: &Aws, name: &str, answer: &Value) -> Identity {
    let own_zone = OWN_DKIM_ZONE.contains(&aws.region.as_str());
    let zone = if own_zone {
        format!("dkim.{}.amazonses.com", aws.region)
    } else {
        "dkim.amazonses.com".to_owned()
    };
    let mail_from = text(answer, "/MailFromAttributes/MailFromDomain");
    let mail_from_state = text(answer, "/MailFromAttributes/MailFromDomainStatus").unwrap_or_default();
    Identity {
        name: name.to_owned(),
        verified: truth(answer, "/VerifiedForSendingStatus"),
        error: text(answer, "/VerificationInfo/ErrorType"),
        signs: truth(answer, "/DkimAttributes/SigningEnabled"),
        dkim: text(answer, "/DkimAttributes/Status").unwrap_or_default(),
        easy_dkim: text(answer, "/DkimAttributes/SigningAttributesOrigin")
            .is_none_or(|origin| origin != "EXTERNAL"),
        dkim_tokens: texts(answer, "/DkimAttributes/Tokens"),
        dkim_zone: text(answer, "/DkimAttributes/SigningHostedZone").unwrap_or(zone),
        mail_from: mail_from.map(|domain| (domain.to_ascii_lowercase(), mail_from_state)),
        feedback: truth(answer, "/FeedbackForwardingStatus"),
    }
}

/// Whether mail to an address may go out in the sandbox: it or its domain is verified.
pub(super) async fn is_verified(aws: &Aws, address: &str) -> Look<bool> {
    let domain = address.rsplit_once('@').map_or(address, |(_, domain)| domain);
    for name in [address, domain] {
        match one_identity(aws, name).await {
            Ok(answer) if truth(&answer, "/VerifiedForSendingStatus") => return Look::Seen(true),
            Ok(_) | Err(Refused::NotThere) => {}
            Err(refused) => return fact(Err(refused)),
        }
    }
    Look::Seen(false)
}

pub(super) async fn configuration_set(aws: &Aws, name: &str) -> Look<Option<ConfigurationSet>> {
    let target = format!("/v2/email/configuration-sets/{}", encode(name));
    let answer = match aws.get(Service::Ses, "ses:GetConfigurationSet", &target).await {
        Ok(answer) => answer,
        Err(Refused::NotThere) => return Look::Seen(None),
        Err(refused) => return fact(Err(refused)),
    };
    let destinations = aws
        .get(
            Service::Ses,
            "ses:GetConfigurationSetEventDestinations",
            &format!("{target}/event-destinations"),
        )
        .await;
    let reasons = answer.pointer("/SuppressionOptions/SuppressedReasons");
    Look::Seen(Some(ConfigurationSet {
        name: name.to_owned(),
        sending: answer.pointer("/SendingOptions").is_none()
            || truth(&answer, "/SendingOptions/SendingEnabled"),
        suppressed_reasons: reasons.map(|_| texts(&answer, "/SuppressionOptions/SuppressedReasons")),
        events: fact(destinations.map(|answer| {
            let enabled = list(&answer, "/EventDestinations");
            let enabled = enabled
                .iter()
                .filter(|destination| truth(destination, "/Enabled"));
            enabled
                .flat_map(|destination| texts(destination, "/MatchingEventTypes"))
                .collect()
        })),
    }))
}

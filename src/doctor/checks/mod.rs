//! The checks, in an order in which each makes sense when those before it are right.
#![allow(clippy::unnecessary_wraps)] // Every check has the same type, also one that always has an answer.

mod account;
mod bucket;
mod domains;
mod function;
mod map;
mod records;
mod rules;
mod watch;

use super::facts::{Facts, Look};
use super::finding::Check;

pub(super) use account::inbound_host;
pub(super) use records::{above, dmarc_names};
pub(super) use watch::our_alarms;

/// Every check there is. A new one is a function and a line here, and a line in docs/doctor.md.
pub const CHECKS: &[Check] = &[
    // Can anything be seen at all?
    check(
        "credentials",
        "the credentials are those of an account",
        &[],
        account::credentials,
    ),
    check("region", "SES receives mail in the region", &[], account::region),
    check(
        "function",
        "the function is there and can run",
        &["credentials"],
        function::exists,
    ),
    check(
        "settings",
        "the function's settings are complete and valid",
        &["function"],
        function::settings_are_valid,
    ),
    // May the account send?
    check(
        "sending",
        "SES lets the account send",
        &["credentials"],
        account::sending,
    ),
    check(
        "quota",
        "the sending quota of the day is not used up",
        &["sending"],
        account::quota,
    ),
    check("plan", "the pricing plan", &["credentials"], account::plan),
    // The alias map.
    check("map", "the alias map can be read", &["settings"], map::readable),
    check(
        "map-entries",
        "no entry of the alias map is broken",
        &["map"],
        map::entries,
    ),
    check(
        "map-loops",
        "no target leads back to its alias",
        &["map"],
        map::loops,
    ),
    check(
        "map-size",
        "the alias map fits in its parameters",
        &["map"],
        map::size,
    ),
    check(
        "sandbox",
        "every target is verified, or the account is out of the sandbox",
        &["sending", "map"],
        account::sandbox,
    ),
    // The domains, at SES and in DNS.
    check(
        "identity",
        "SES knows each domain",
        &["credentials"],
        domains::exists,
    ),
    check(
        "zone",
        "DNS answers for each domain",
        &["credentials"],
        records::zone,
    ),
    check(
        "dkim-records",
        "DNS has the DKIM records",
        &["identity", "zone"],
        records::dkim,
    ),
    check(
        "verified",
        "SES has verified each domain",
        &["identity", "dkim-records"],
        domains::verified,
    ),
    check(
        "dkim",
        "SES signs the mail of each domain",
        &["verified"],
        domains::dkim,
    ),
    check(
        "mail-from-records",
        "DNS has the records of MAIL FROM",
        &["identity", "zone"],
        records::mail_from,
    ),
    check(
        "mail-from",
        "SES has seen the records of MAIL FROM",
        &["mail-from-records"],
        domains::mail_from,
    ),
    check(
        "mx",
        "mail for each domain comes to SES",
        &["region", "zone"],
        records::mx,
    ),
    check(
        "dmarc",
        "each domain has one DMARC record",
        &["zone"],
        records::dmarc,
    ),
    check(
        "feedback",
        "bounces do not come to the aliases",
        &["settings", "identity"],
        domains::feedback,
    ),
    // Receiving.
    check(
        "rule-set",
        "the receipt rule set is active",
        &["region"],
        rules::active,
    ),
    check(
        "rule",
        "a receipt rule stores mail in the bucket",
        &["rule-set", "settings"],
        rules::stores,
    ),
    check(
        "rule-prefix",
        "the rule stores under EMAIL_PREFIX",
        &["rule"],
        rules::prefix,
    ),
    check(
        "rule-encryption",
        "SES does not encrypt the mail itself",
        &["rule"],
        rules::encryption,
    ),
    check(
        "rule-function",
        "the rule invokes the function after it has stored",
        &["rule", "function"],
        rules::invokes,
    ),
    check(
        "rule-order",
        "no rule before it keeps the mail",
        &["rule"],
        rules::order,
    ),
    check(
        "rule-scan",
        "SES looks for spam and viruses",
        &["rule"],
        rules::scan,
    ),
    check(
        "rule-tls",
        "whom the rule refuses for want of TLS",
        &["rule"],
        rules::tls,
    ),
    check(
        "recipients",
        "the rule takes mail for every alias, and for nobody else",
        &["rule", "map"],
        rules::recipients,
    ),
    // The bucket.
    check(
        "bucket",
        "the bucket is there, in the function's region",
        &["settings"],
        bucket::exists,
    ),
    check(
        "bucket-policy",
        "SES may write to the bucket",
        &["bucket", "rule"],
        bucket::policy,
    ),
    check(
        "bucket-key",
        "SES may use the bucket's key",
        &["bucket"],
        bucket::key,
    ),
    check(
        "bucket-expiry",
        "mail lies longer than a failed event",
        &["bucket"],
        bucket::expiry,
    ),
    check(
        "ledger",
        "what was sent is recorded, and kept as long as the mail",
        &["bucket", "settings"],
        bucket::ledger,
    ),
    // The function.
    check(
        "function-limits",
        "an invocation has the time that a large mail takes",
        &["function"],
        function::limits,
    ),
    check(
        "function-concurrency",
        "the function may run",
        &["function"],
        function::concurrency,
    ),
    check(
        "role",
        "the function's role may do what it must",
        &["function", "settings"],
        function::role,
    ),
    check(
        "function-permission",
        "SES may invoke the function",
        &["function", "rule-function"],
        function::permission,
    ),
    check(
        "function-errors",
        "not every invocation fails",
        &["function", "role"],
        function::errors,
    ),
    check(
        "configuration-set",
        "the configuration set is there and may send",
        &["settings"],
        domains::configuration_set,
    ),
    // What failed, and who hears of it.
    check(
        "on-failure",
        "a failed event goes to a queue",
        &["function"],
        watch::on_failure,
    ),
    check("queue", "no failed event waits", &["on-failure"], watch::queue),
    check(
        "suppression",
        "no target is on the suppression list",
        &["map"],
        watch::suppression,
    ),
    check(
        "reputation",
        "few mails bounce or are complained of",
        &["sending"],
        watch::reputation,
    ),
    check(
        "alarms",
        "alarms watch the function and the queue",
        &["function", "on-failure"],
        watch::alarms,
    ),
    check(
        "alarm-topics",
        "somebody hears of an alarm",
        &["alarms"],
        watch::topics,
    ),
    check("alarm-states", "no alarm is raised", &["alarms"], watch::states),
];

/// The recipients of the rules that store in our bucket; of all rules where the bucket is not known.
pub(super) fn receives(facts: &Facts) -> Vec<String> {
    let Look::Seen(Some(set)) = &facts.rule_set else {
        return Vec::new();
    };
    let rules = match rules::bucket(facts) {
        Ok(bucket) => rules::our_rules(set, bucket),
        Err(_) => set.rules.iter().collect(),
    };
    rules
        .into_iter()
        .flat_map(|rule| rule.recipients.clone())
        .collect()
}

const fn check(
    name: &'static str,
    asks: &'static str,
    after: &'static [&'static str],
    look: fn(&super::facts::Facts) -> super::finding::Looked,
) -> Check {
    Check {
        name,
        asks,
        after,
        look,
    }
}

#[cfg(test)]
mod tests {
    use super::CHECKS;

    /// Catches a check that waits for one that comes later, or has another name.
    #[test]
    fn each_check_waits_for_earlier_ones() {
        for (n, check) in CHECKS.iter().enumerate() {
            for name in check.after {
                assert!(
                    CHECKS[..n].iter().any(|earlier| earlier.name == *name),
                    "{} after {name}",
                    check.name
                );
            }
        }
    }

    /// Catches a check that nobody can look up.
    #[test]
    fn each_check_is_documented() {
        let docs = include_str!("../../../docs/doctor.md");
        for check in CHECKS {
            assert!(docs.contains(&format!("| `{}` |", check.name)), "{}", check.name);
        }
    }
}

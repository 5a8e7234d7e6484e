//! Metrics in CloudWatch's embedded metric format: a line of JSON in the log.

use std::time::Duration;

use serde_json::{Value, json};

use crate::arrival::ReportKind;
use crate::forward::{Ending, Outcome};

/// The counts of an invocation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Metrics {
    /// Recipients whose mail went out.
    forwarded: u64,
    /// Recipients whose mail is over the send limit.
    too_large: u64,
    /// Recipients that the alias map does not know.
    no_alias: u64,
    /// Recipients whose mail waits for the owner.
    held: u64,
    /// Recipients whose mail a target did not take, by a delivery report that arrived or by SES's own.
    bounced: u64,
    /// Recipients whose mail the owner's rules do not want: blocked, expired, automatic.
    unwanted: u64,
    /// SES's reports of a bounce, of whatever kind.
    reported_bounces: u64,
    /// SES's reports of a complaint.
    reported_complaints: u64,
    /// SES's reports of a message that it rejected.
    reported_rejects: u64,
    /// SES's reports of a message that is delayed.
    reported_delays: u64,
    /// Reports that were not believed: foreign or forged.
    reports_ignored: u64,
    /// Recipients whose mail could not be sent, and events that could not be read.
    pub(super) failed: u64,
    /// Octets of the messages that went out, for each recipient whose mail is in them.
    bytes: u64,
    /// The time that it took.
    pub(super) duration: Duration,
}

impl Metrics {
    pub(super) fn count(&mut self, outcome: &Outcome) {
        match outcome.ending {
            Ending::Sent => {
                self.forwarded += 1;
                self.bytes += outcome.bytes_out.unwrap_or_default();
            }
            Ending::TooLarge => self.too_large += 1,
            Ending::NoAlias => self.no_alias += 1,
            Ending::Failed => self.failed += 1,
            // An answer that is refused waits for the owner too.
            Ending::Held | Ending::RefusedReply => self.held += 1,
            Ending::Bounced => self.bounced += 1,
            Ending::Blocked | Ending::Expired | Ending::Automatic => self.unwanted += 1,
            // The owner wants it so: there is nothing to watch.
            Ending::Disabled => {}
        }
    }

    /// Counts a report of SES. `None`: it was not believed.
    pub(super) fn count_report(&mut self, kind: Option<ReportKind>) {
        *match kind {
            Some(ReportKind::Bounce { .. }) => &mut self.reported_bounces,
            Some(ReportKind::Complaint) => &mut self.reported_complaints,
            Some(ReportKind::Reject) => &mut self.reported_rejects,
            Some(ReportKind::Delay) => &mut self.reported_delays,
            None => &mut self.reports_ignored,
        } += 1;
    }

    /// The line. `at` is in milliseconds since 1970.
    pub(super) fn embedded(&self, namespace: &str, function: &str, at: u64) -> String {
        let metrics = self.metrics();
        let declared: Vec<Value> = metrics
            .iter()
            .map(|(name, unit, _)| json!({"Name": name, "Unit": unit}))
            .collect();
        let mut line = json!({
            "_aws": {"Timestamp": at, "CloudWatchMetrics": [{
                "Namespace": namespace,
                "Dimensions": [["FunctionName"]],
                "Metrics": declared,
            }]},
            "FunctionName": function,
        });
        for (name, _, value) in metrics {
            line[name] = value.into();
        }
        line.to_string()
    }

    /// Name, unit and value of each metric.
    fn metrics(&self) -> Vec<(&'static str, &'static str, u64)> {
        let duration = u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX);
        let mut metrics = vec![
            ("forwarded", "Count", self.forwarded),
            ("too_large", "Count", self.too_large),
            ("no_alias", "Count", self.no_alias),
            ("failed", "Count", self.failed),
            ("held", "Count", self.held),
            ("bounced", "Count", self.bounced),
            ("unwanted", "Count", self.unwanted),
            ("bytes", "Bytes", self.bytes),
            ("duration", "Milliseconds", duration),
        ];
        let reports = [
            ("reported_bounces", self.reported_bounces),
            ("reported_complaints", self.reported_complaints),
            ("reported_rejects", self.reported_rejects),
            ("reported_delays", self.reported_delays),
            ("reports_ignored", self.reports_ignored),
        ];
        // CloudWatch bills a metric for each month in which it has a value, and the first ten are free.
        let counted = reports.into_iter().filter(|(_, count)| *count > 0);
        metrics.extend(counted.map(|(name, count)| (name, "Count", count)));
        metrics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Catches a metric that is declared and not given, which CloudWatch drops without a word.
    #[test]
    fn every_metric_that_is_declared_is_given() {
        let mut counted = Metrics::default();
        counted.count_report(Some(ReportKind::Delay));
        let line = counted.embedded("mail", "forward", 1_772_700_000_000);
        let line: Value = serde_json::from_str(&line).unwrap();
        let declared = &line["_aws"]["CloudWatchMetrics"][0];
        for metric in declared["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            assert!(line[name].is_u64(), "{name}");
        }
        assert_eq!(line["reported_delays"], 1);
        assert_eq!(declared["Dimensions"], json!([["FunctionName"]]));
        assert_eq!(line["FunctionName"], "forward");
        assert_eq!(line["_aws"]["Timestamp"], 1_772_700_000_000_u64);
    }
    /// Catches metrics that cost their owner money and never say anything.
    #[test]
    fn what_no_report_has_counted_is_no_metric() {
        assert!(Metrics::default().metrics().len() <= 10);
    }
}

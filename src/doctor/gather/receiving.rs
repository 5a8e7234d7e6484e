//! The receipt rules. Only SES's first API knows them.

use serde_json::Value;

use crate::doctor::answer::{list, text, texts, truth};
use crate::doctor::facts::{Action, Look, Rule, RuleSet};
use crate::doctor::request::{Aws, Service};

use super::fact;

pub(super) async fn rule_set(aws: &Aws) -> Look<Option<RuleSet>> {
    let permission = "ses:DescribeActiveReceiptRuleSet";
    let answer = aws.query(Service::Ses, "2010-12-01", permission, &[]).await;
    fact(answer.map(|answer| {
        let result = answer
            .pointer("/DescribeActiveReceiptRuleSetResult")
            .cloned()
            .unwrap_or_default();
        // Without an active set the answer has no name.
        let name = text(&result, "/Metadata/Name")?;
        let rules = list(&result, "/Rules").iter().map(rule).collect();
        Some(RuleSet { name, rules })
    }))
}

fn rule(rule: &Value) -> Rule {
    let recipients = texts(rule, "/Recipients");
    Rule {
        name: text(rule, "/Name").unwrap_or_default(),
        enabled: truth(rule, "/Enabled"),
        requires_tls: text(rule, "/TlsPolicy").is_some_and(|policy| policy == "Require"),
        scans: truth(rule, "/ScanEnabled"),
        recipients: recipients
            .into_iter()
            .map(|recipient| recipient.to_ascii_lowercase())
            .collect(),
        actions: list(rule, "/Actions").iter().map(action).collect(),
    }
}

fn action(action: &Value) -> Action {
    if action.get("S3Action").is_some() {
        Action::Store {
            bucket: text(action, "/S3Action/BucketName").unwrap_or_default(),
            prefix: text(action, "/S3Action/ObjectKeyPrefix").unwrap_or_default(),
            encrypts: text(action, "/S3Action/KmsKeyArn").is_some(),
            topic: text(action, "/S3Action/TopicArn"),
        }
    } else if action.get("LambdaAction").is_some() {
        Action::Invoke {
            function: text(action, "/LambdaAction/FunctionArn").unwrap_or_default(),
            // Event is the default.
            event: text(action, "/LambdaAction/InvocationType").is_none_or(|kind| kind == "Event"),
        }
    } else if action.get("StopAction").is_some() {
        Action::Stop
    } else if action.get("BounceAction").is_some() {
        Action::Bounce
    } else {
        let name = action.as_object().and_then(|action| action.keys().next());
        Action::Other(name.cloned().unwrap_or_default())
    }
}

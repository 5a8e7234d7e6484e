//! The function, and what its role may do.

use std::collections::BTreeMap;

use crate::config::{BucketPlace, KeyPlace, MapPlace, Settings};
use crate::doctor::answer::{Refused, list, number, text};
use crate::doctor::facts::{Facts, Function, Look, Need};
use crate::doctor::policy::Policy;
use crate::doctor::request::{Aws, Service, encode};

use super::{fact, fact_if_there, watch};

pub(super) async fn function(aws: &Aws, name: &str) -> Look<Option<Function>> {
    let target = format!("/2015-03-31/functions/{}", encode(name));
    let answer = aws
        .get(
            Service::Lambda,
            "lambda:GetFunctionConfiguration",
            &format!("{target}/configuration"),
        )
        .await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(Refused::NotThere) => return Look::Seen(None),
        Err(refused) => return fact(Err(refused)),
    };
    let of = |pointer: &str| text(&answer, pointer).unwrap_or_default();
    let variables = answer
        .pointer("/Environment/Variables")
        .and_then(|variables| variables.as_object());
    let environment: BTreeMap<String, String> = variables
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    let whole = |pointer: &str| {
        answer
            .pointer(pointer)
            .and_then(serde_json::Value::as_u64)
            .unwrap_or_default()
    };
    let log_group = text(&answer, "/LoggingConfig/LogGroup").unwrap_or_else(|| format!("/aws/lambda/{name}"));
    let architecture = text(&answer, "/Architectures/0").unwrap_or_else(|| "x86_64".to_owned());
    Look::Seen(Some(Function {
        arn: of("/FunctionArn"),
        role: of("/Role"),
        runtime: of("/Runtime"),
        architecture,
        // Lambda leaves the states out for a function that has always been as it is.
        state: text(&answer, "/State").unwrap_or_else(|| "Active".to_owned()),
        last_update: text(&answer, "/LastUpdateStatus").unwrap_or_else(|| "Successful".to_owned()),
        memory: whole("/MemorySize"),
        timeout: whole("/Timeout"),
        environment,
        log_group,
        reserved: reserved(aws, name).await,
        policy: policy(aws, &target).await,
        on_failure: on_failure(aws, name).await,
        invocations: watch::invocations(aws, name).await,
    }))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Lambda's numbers are small and whole.
async fn reserved(aws: &Aws, name: &str) -> Look<Option<u64>> {
    let target = format!("/2019-09-30/functions/{}/concurrency", encode(name));
    let answer = aws
        .get(Service::Lambda, "lambda:GetFunctionConcurrency", &target)
        .await;
    fact(answer.map(|answer| number(&answer, "/ReservedConcurrentExecutions").map(|number| number as u64)))
}

async fn policy(aws: &Aws, target: &str) -> Look<Option<Policy>> {
    let answer = aws
        .get(Service::Lambda, "lambda:GetPolicy", &format!("{target}/policy"))
        .await;
    fact_if_there(answer.and_then(|answer| {
        Policy::parse(&text(&answer, "/Policy").unwrap_or_default()).map_err(Refused::Failed)
    }))
}

async fn on_failure(aws: &Aws, name: &str) -> Look<Option<String>> {
    let target = format!("/2019-09-25/functions/{}/event-invoke-config", encode(name));
    let answer = aws
        .get(Service::Lambda, "lambda:GetFunctionEventInvokeConfig", &target)
        .await;
    match fact_if_there(answer.map(|answer| text(&answer, "/DestinationConfig/OnFailure/Destination"))) {
        Look::Seen(destination) => Look::Seen(destination.flatten()),
        Look::Denied(permission) => Look::Denied(permission),
        Look::Failed(reason) => Look::Failed(reason),
        Look::Untried => Look::Untried,
    }
}

/// What the role must be allowed, and whether IAM's simulator says that it is.
pub(super) async fn needs(aws: &Aws, settings: &Settings, facts: &Facts) -> Vec<Need> {
    let (Look::Seen(Some(function)), Look::Seen(caller)) = (&facts.function, &facts.caller) else {
        return Vec::new();
    };
    let wanted = wanted(settings, facts, &caller.partition, &caller.account);
    let mut needs = Vec::with_capacity(wanted.len());
    for (purpose, action, resource, context) in wanted {
        let decision = simulate(aws, &function.role, action, &resource, &context).await;
        needs.push(Need {
            purpose: purpose.to_owned(),
            action: action.to_owned(),
            resource,
            decision,
        });
    }
    needs
}

/// A purpose, an action, the resource, and condition keys.
type Wanted = (&'static str, &'static str, String, Vec<(&'static str, String)>);

fn wanted(settings: &Settings, facts: &Facts, partition: &str, account: &str) -> Vec<Wanted> {
    let arn = |service: &str, resource: &str| {
        format!("arn:{partition}:{service}:{}:{account}:{resource}", facts.region)
    };
    let mut wanted: Vec<Wanted> = Vec::new();
    if let BucketPlace::S3(bucket) = &settings.email_bucket {
        let objects = format!("arn:{partition}:s3:::{bucket}");
        let mail = format!("{objects}/{}message", settings.email_prefix);
        wanted.push(("read mail", "s3:GetObject", mail, Vec::new()));
        if let Some(ledger) = &settings.ledger {
            let record = format!("{objects}/{ledger}message.json");
            wanted.push(("read the ledger", "s3:GetObject", record.clone(), Vec::new()));
            wanted.push(("write the ledger", "s3:PutObject", record, Vec::new()));
        }
    }
    match &settings.alias_map {
        MapPlace::Parameter(name) => {
            let action = if name.ends_with('/') {
                "ssm:GetParametersByPath"
            } else {
                "ssm:GetParameter"
            };
            let name = name.trim_start_matches('/').trim_end_matches('/');
            wanted.push((
                "read the alias map",
                action,
                arn("ssm", &format!("parameter/{name}")),
                Vec::new(),
            ));
        }
        MapPlace::Object { bucket, key } => {
            let object = format!("arn:{partition}:s3:::{bucket}/{key}");
            wanted.push(("read the alias map", "s3:GetObject", object, Vec::new()));
        }
        MapPlace::File(_) => {}
    }
    if let Some(KeyPlace::Parameter(name)) = &settings.alias_key {
        let parameter = arn("ssm", &format!("parameter/{}", name.trim_start_matches('/')));
        wanted.push(("read the alias key", "ssm:GetParameter", parameter, Vec::new()));
    }
    // A key that is named by its alias cannot be simulated.
    if let Look::Seen(Some(bucket)) = &facts.bucket
        && let Look::Seen(Some(key)) = &bucket.key
        && key.starts_with("arn:")
    {
        let via = vec![("kms:ViaService", format!("s3.{}.amazonaws.com", facts.region))];
        wanted.push(("decrypt mail", "kms:Decrypt", key.clone(), via));
    }
    wanted.extend(to_send(settings, facts, &arn));
    if let Look::Seen(Some(function)) = &facts.function {
        if let Look::Seen(Some(queue)) = &function.on_failure
            && queue.contains(":sqs:")
        {
            wanted.push(("keep what failed", "sqs:SendMessage", queue.clone(), Vec::new()));
        }
        let stream = arn(
            "logs",
            &format!("log-group:{}:log-stream:stream", function.log_group),
        );
        wanted.push(("log", "logs:PutLogEvents", stream, Vec::new()));
    }
    wanted
}

/// SES asks for the permission on the identity and on the configuration set.
fn to_send(settings: &Settings, facts: &Facts, arn: &dyn Fn(&str, &str) -> String) -> Vec<Wanted> {
    let fixed = settings.style.from_email.as_ref().map(ToString::to_string);
    let mut wanted = Vec::new();
    for domain in facts
        .domains
        .iter()
        .filter(|domain| domain.receives || fixed.is_some())
    {
        let Look::Seen(Some(identity)) = &domain.identity else {
            continue;
        };
        let from = fixed.clone().unwrap_or_else(|| format!("alias@{}", domain.name));
        if !from.ends_with(&format!("@{}", domain.name)) {
            continue;
        }
        let context = vec![("ses:FromAddress", from)];
        let resource = arn("ses", &format!("identity/{}", identity.name));
        wanted.push(("send", "ses:SendRawEmail", resource, context.clone()));
        if let Some(set) = &settings.ses.configuration_set {
            let resource = arn("ses", &format!("configuration-set/{set}"));
            wanted.push((
                "send with the configuration set",
                "ses:SendRawEmail",
                resource,
                context,
            ));
        }
    }
    wanted
}

async fn simulate(
    aws: &Aws,
    role: &str,
    action: &str,
    resource: &str,
    context: &[(&str, String)],
) -> Look<String> {
    let mut parameters = vec![
        ("PolicySourceArn".to_owned(), role.to_owned()),
        ("ActionNames.member.1".to_owned(), action.to_owned()),
        ("ResourceArns.member.1".to_owned(), resource.to_owned()),
    ];
    let secure = [("aws:SecureTransport", "true".to_owned())];
    for (n, (key, value)) in context.iter().chain(&secure).enumerate() {
        let entry = format!("ContextEntries.member.{}", n + 1);
        let kind = if *key == "aws:SecureTransport" {
            "boolean"
        } else {
            "string"
        };
        parameters.extend([
            (format!("{entry}.ContextKeyName"), (*key).to_owned()),
            (format!("{entry}.ContextKeyType"), kind.to_owned()),
            (format!("{entry}.ContextKeyValues.member.1"), value.clone()),
        ]);
    }
    let parameters: Vec<(&str, &str)> = parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let permission = "iam:SimulatePrincipalPolicy";
    let answer = aws
        .query(Service::Iam, "2010-05-08", permission, &parameters)
        .await;
    fact(answer.and_then(|answer| {
        let results = list(&answer, "/SimulatePrincipalPolicyResult/EvaluationResults");
        let decision = results.first().and_then(|result| text(result, "/EvalDecision"));
        decision.ok_or_else(|| Refused::Failed("IAM's simulator gives no decision".to_owned()))
    }))
}

//! The queue, the alarms and who hears of them, and the rates by which SES judges the account.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::doctor::answer::{Refused, list, number, text, texts, truth};
use crate::doctor::facts::{Alarm, Facts, Look, Queue, Suppressed, Topic};
use crate::doctor::request::{Aws, Service, encode};

use super::{fact, fact_if_there};

const CLOUDWATCH: &str = "2010-08-01";

const DAY: u64 = 24 * 60 * 60;

/// Pages of the suppression list that are read, of 1,000 addresses each. SES answers one such request a second.
const MAX_PAGES: usize = 10;

/// Pages of alarms that are read, of 100 each.
const MAX_ALARM_PAGES: usize = 20;

pub(super) async fn queue(aws: &Aws, facts: &Facts) -> Look<Option<Queue>> {
    let Look::Seen(Some(function)) = &facts.function else {
        return Look::Untried;
    };
    let arn = match &function.on_failure {
        Look::Seen(Some(arn)) if arn.contains(":sqs:") => arn,
        Look::Seen(_) => return Look::Seen(None),
        _ => return Look::Untried,
    };
    let mut parts = arn.split(':').skip(4);
    let (owner, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    fact_if_there(read_queue(aws, owner, name).await)
}

async fn read_queue(aws: &Aws, owner: &str, name: &str) -> Result<Queue, Refused> {
    let request = json!({"QueueName": name, "QueueOwnerAWSAccountId": owner});
    let answer = aws
        .json(Service::Sqs, "AmazonSQS.GetQueueUrl", "sqs:GetQueueUrl", &request)
        .await?;
    let url = text(&answer, "/QueueUrl").unwrap_or_default();
    let wanted = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "MessageRetentionPeriod",
    ];
    let request = json!({"QueueUrl": url, "AttributeNames": wanted});
    let target = "AmazonSQS.GetQueueAttributes";
    let answer = aws
        .json(Service::Sqs, target, "sqs:GetQueueAttributes", &request)
        .await?;
    let [visible, taken, retention] = wanted
        .map(|name| text(&answer["Attributes"], &format!("/{name}")).and_then(|number| number.parse().ok()));
    Ok(Queue {
        name: name.to_owned(),
        waiting: visible.unwrap_or(0) + taken.unwrap_or(0),
        retention: retention.unwrap_or(0),
    })
}

pub(super) async fn suppressed(aws: &Aws, targets: &BTreeSet<String>) -> Look<Suppressed> {
    let targets: BTreeSet<String> = targets.iter().map(|target| target.to_lowercase()).collect();
    let mut found = Suppressed {
        targets: Vec::new(),
        complete: false,
    };
    let mut token: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let next = token
            .map(|token| format!("&NextToken={}", encode(&token)))
            .unwrap_or_default();
        // In the order of their names, as the signature has them.
        let target = format!("/v2/email/suppression/addresses?PageSize=1000{next}");
        let answer = match aws
            .get(Service::Ses, "ses:ListSuppressedDestinations", &target)
            .await
        {
            Ok(answer) => answer,
            Err(refused) => return fact(Err(refused)),
        };
        for entry in list(&answer, "/SuppressedDestinationSummaries") {
            let address = text(&entry, "/EmailAddress").unwrap_or_default().to_lowercase();
            if targets.contains(&address) {
                found
                    .targets
                    .push((address, text(&entry, "/Reason").unwrap_or_default()));
            }
        }
        token = text(&answer, "/NextToken");
        if token.is_none() {
            found.complete = true;
            break;
        }
    }
    Look::Seen(found)
}

pub(super) async fn alarms(aws: &Aws) -> Look<Vec<Alarm>> {
    let mut alarms = Vec::new();
    let mut token: Option<String> = None;
    for _ in 0..MAX_ALARM_PAGES {
        let next = token.unwrap_or_default();
        let mut parameters = vec![("AlarmTypes.member.1", "MetricAlarm"), ("MaxRecords", "100")];
        if !next.is_empty() {
            parameters.push(("NextToken", &next));
        }
        let answer = aws
            .query(
                Service::CloudWatch,
                CLOUDWATCH,
                "cloudwatch:DescribeAlarms",
                &parameters,
            )
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(refused) => return fact(Err(refused)),
        };
        alarms.extend(
            list(&answer, "/DescribeAlarmsResult/MetricAlarms")
                .iter()
                .map(alarm),
        );
        token = text(&answer, "/DescribeAlarmsResult/NextToken");
        if token.is_none() {
            break;
        }
    }
    Look::Seen(alarms)
}

fn alarm(alarm: &Value) -> Alarm {
    let of = |pointer: &str| text(alarm, pointer).unwrap_or_default();
    let dimensions = list(alarm, "/Dimensions");
    Alarm {
        name: of("/AlarmName"),
        namespace: of("/Namespace"),
        metric: of("/MetricName"),
        dimensions: dimensions
            .iter()
            .filter_map(|dimension| text(dimension, "/Value"))
            .collect(),
        enabled: truth(alarm, "/ActionsEnabled"),
        actions: texts(alarm, "/AlarmActions"),
        state: of("/StateValue"),
    }
}

pub(super) async fn topic(aws: &Aws, arn: &str) -> Look<Option<Topic>> {
    let parameters = [("TopicArn", arn)];
    let answer = aws
        .query(Service::Sns, "2010-03-31", "sns:GetTopicAttributes", &parameters)
        .await;
    fact_if_there(answer.map(|answer| {
        let entries = list(&answer, "/GetTopicAttributesResult/Attributes/entry");
        let of = |name: &str| {
            let mut named = entries
                .iter()
                .filter(|entry| text(entry, "/key").as_deref() == Some(name));
            named.find_map(|entry| text(entry, "/value"))
        };
        let count = |name: &str| of(name).and_then(|count| count.parse().ok()).unwrap_or(0);
        Topic {
            confirmed: count("SubscriptionsConfirmed"),
            pending: count("SubscriptionsPending"),
            key: of("KmsMasterKeyId"),
        }
    }))
}

/// The latest value of one of the rates that SES keeps for the account.
pub(super) async fn rate(aws: &Aws, metric: &str) -> Look<Option<f64>> {
    let points = statistics(aws, ("AWS/SES", metric), None, "Maximum", 7 * DAY, 60 * 60).await;
    fact(points.map(|mut points| {
        // ISO 8601 in UTC: the order of the text is that of time.
        points.sort_by_key(|point| text(point, "/Timestamp"));
        points.last().and_then(|point| number(point, "/Maximum"))
    }))
}

/// How often the function was invoked in the last day, and how often that failed.
pub(super) async fn invocations(aws: &Aws, function: &str) -> Look<(f64, f64)> {
    let mut sums = [0.0; 2];
    for (sum, metric) in sums.iter_mut().zip(["Invocations", "Errors"]) {
        let dimension = Some(("FunctionName", function));
        let points = statistics(aws, ("AWS/Lambda", metric), dimension, "Sum", DAY, 60 * 60).await;
        match points {
            Ok(points) => *sum = points.iter().filter_map(|point| number(point, "/Sum")).sum(),
            Err(refused) => return fact(Err(refused)),
        }
    }
    Look::Seen((sums[0], sums[1]))
}

async fn statistics(
    aws: &Aws,
    (namespace, metric): (&str, &str),
    dimension: Option<(&str, &str)>,
    statistic: &str,
    seconds: u64,
    period: u64,
) -> Result<Vec<Value>, Refused> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let (start, end, period) = (
        timestamp(now.saturating_sub(seconds)),
        timestamp(now),
        period.to_string(),
    );
    let mut parameters = vec![
        ("Namespace", namespace),
        ("MetricName", metric),
        ("StartTime", &start),
        ("EndTime", &end),
        ("Period", &period),
        ("Statistics.member.1", statistic),
    ];
    if let Some((name, value)) = dimension {
        parameters.extend([
            ("Dimensions.member.1.Name", name),
            ("Dimensions.member.1.Value", value),
        ]);
    }
    let permission = "cloudwatch:GetMetricStatistics";
    let answer = aws
        .query(Service::CloudWatch, CLOUDWATCH, permission, &parameters)
        .await?;
    Ok(list(&answer, "/GetMetricStatisticsResult/Datapoints"))
}

/// A moment in ISO 8601.
#[allow(clippy::cast_possible_wrap)] // Seconds since 1970.
fn timestamp(seconds: u64) -> String {
    let moment = aws_smithy_types::DateTime::from_secs(seconds as i64);
    moment
        .fmt(aws_smithy_types::date_time::Format::DateTime)
        .unwrap_or_default()
}

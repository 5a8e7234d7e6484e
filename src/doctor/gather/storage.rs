//! The bucket and the alias map.

use std::fs;

use serde_json::{Value, json};

use crate::alias::AliasMap;
use crate::config::{BucketPlace, MapPlace, Settings};
use crate::doctor::answer::{Refused, from_xml, list, text};
use crate::doctor::facts::{Bucket, Expiry, Look, Map, Parameter};
use crate::doctor::policy::Policy;
use crate::doctor::request::{Aws, Service, encode};

use super::{fact, fact_if_there};

/// The largest map, as the function reads it.
const MAX_MAP: usize = 1 << 20;

pub(super) async fn bucket(aws: &Aws, settings: &Settings) -> Look<Option<Bucket>> {
    let BucketPlace::S3(name) = &settings.email_bucket else {
        return Look::Untried;
    };
    let target = format!("/{}", encode(name));
    let head = match aws.s3("HEAD", "s3:ListBucket", &target).await {
        Ok(head) => head,
        Err(Refused::NotThere) => return Look::Seen(None),
        Err(refused) => return fact(Err(refused)),
    };
    let key = key(aws, &target).await;
    let key_policy = match &key {
        Look::Seen(Some(key)) if !key.is_empty() && !key.ends_with("alias/aws/s3") => {
            key_policy(aws, key).await
        }
        _ => Look::Untried,
    };
    Look::Seen(Some(Bucket {
        name: name.clone(),
        region: head.field("x-amz-bucket-region").unwrap_or_default().to_owned(),
        policy: policy(aws, &target).await,
        key,
        key_policy,
        expiry: expiry(aws, &target).await,
        notifies: notifies(aws, &target).await,
    }))
}

async fn of_bucket(aws: &Aws, permission: &str, target: &str, what: &str) -> Result<Value, Refused> {
    let reply = aws.s3("GET", permission, &format!("{target}?{what}=")).await?;
    from_xml(&reply.body)
}

async fn policy(aws: &Aws, target: &str) -> Look<Option<Policy>> {
    let reply = aws
        .s3("GET", "s3:GetBucketPolicy", &format!("{target}?policy="))
        .await;
    fact_if_there(
        reply.and_then(|reply| Policy::parse(&String::from_utf8_lossy(&reply.body)).map_err(Refused::Failed)),
    )
}

/// The KMS key of the bucket's encryption; empty where it is AWS's own and not named.
async fn key(aws: &Aws, target: &str) -> Look<Option<String>> {
    let answer = match of_bucket(aws, "s3:GetEncryptionConfiguration", target, "encryption").await {
        Ok(answer) => answer,
        Err(Refused::NotThere) => return Look::Seen(None),
        Err(refused) => return fact(Err(refused)),
    };
    let rule = list(&answer, "/Rule").into_iter().next().unwrap_or_default();
    let algorithm = text(&rule, "/ApplyServerSideEncryptionByDefault/SSEAlgorithm").unwrap_or_default();
    let key = text(&rule, "/ApplyServerSideEncryptionByDefault/KMSMasterKeyID").unwrap_or_default();
    Look::Seen(algorithm.starts_with("aws:kms").then_some(key))
}

async fn key_policy(aws: &Aws, key: &str) -> Look<Option<Policy>> {
    let request = json!({"KeyId": key, "PolicyName": "default"});
    let answer = aws
        .json(
            Service::Kms,
            "TrentService.GetKeyPolicy",
            "kms:GetKeyPolicy",
            &request,
        )
        .await;
    fact_if_there(answer.and_then(|answer| {
        Policy::parse(&text(&answer, "/Policy").unwrap_or_default()).map_err(Refused::Failed)
    }))
}

async fn expiry(aws: &Aws, target: &str) -> Look<Vec<Expiry>> {
    let answer = match of_bucket(aws, "s3:GetLifecycleConfiguration", target, "lifecycle").await {
        Ok(answer) => answer,
        Err(Refused::NotThere) => return Look::Seen(Vec::new()),
        Err(refused) => return fact(Err(refused)),
    };
    let rules = list(&answer, "/Rule");
    let enabled = rules
        .iter()
        .filter(|rule| text(rule, "/Status").is_some_and(|status| status == "Enabled"));
    let expiring = enabled.filter_map(|rule| {
        let prefix = ["/Filter/Prefix", "/Prefix", "/Filter/And/Prefix"]
            .iter()
            .find_map(|at| text(rule, at));
        let days = text(rule, "/Expiration/Days")?.parse().ok()?;
        Some(Expiry {
            prefix: prefix.unwrap_or_default(),
            days,
        })
    });
    Look::Seen(expiring.collect())
}

async fn notifies(aws: &Aws, target: &str) -> Look<Vec<String>> {
    let answer = of_bucket(aws, "s3:GetBucketNotification", target, "notification").await;
    fact(answer.map(|answer| {
        let functions = list(&answer, "/CloudFunctionConfiguration");
        functions
            .iter()
            .filter_map(|function| text(function, "/CloudFunction"))
            .collect()
    }))
}

pub(super) async fn map(aws: &Aws, settings: &Settings) -> Look<Result<Map, String>> {
    let place = match &settings.alias_map {
        MapPlace::File(path) => path.display().to_string(),
        MapPlace::Parameter(name) => format!("the SSM parameter {name}"),
        MapPlace::Object { bucket, key } => format!("s3://{bucket}/{key}"),
    };
    let (texts, parameters) = match texts(aws, &settings.alias_map).await {
        Ok(read) => read,
        Err(Refused::NotThere) => {
            return Look::Seen(Err(format!("there is no alias map: {place} does not exist")));
        }
        Err(refused) => return fact(Err(refused)),
    };
    if texts.is_empty() {
        return Look::Seen(Err(format!("there is no alias map: {place} has no parameter")));
    }
    let aliases = AliasMap::parse_all(texts.iter().map(Vec::as_slice));
    Look::Seen(match aliases {
        Ok(aliases) => Ok(Map {
            place,
            parameters,
            aliases,
        }),
        Err(error) => Err(format!("{place}: {error}")),
    })
}

type Texts = (Vec<Vec<u8>>, Vec<Parameter>);

async fn texts(aws: &Aws, place: &MapPlace) -> Result<Texts, Refused> {
    match place {
        MapPlace::File(path) => match fs::read(path) {
            Ok(text) if text.len() <= MAX_MAP => Ok((vec![text], Vec::new())),
            Ok(text) => Err(Refused::Failed(format!(
                "{} has {} octets: it is no alias map",
                path.display(),
                text.len()
            ))),
            Err(error) => Err(Refused::Failed(format!("{}: {error}", path.display()))),
        },
        MapPlace::Object { bucket, key } => {
            let key: Vec<String> = key.split('/').map(encode).collect();
            let target = format!("/{}/{}", encode(bucket), key.join("/"));
            let reply = aws.s3("GET", "s3:GetObject", &target).await?;
            Ok((vec![reply.body], Vec::new()))
        }
        MapPlace::Parameter(name) => {
            let found = match name.strip_suffix('/') {
                None => vec![one(aws, name).await?],
                Some(path) => below(aws, path).await?,
            };
            let mut texts = Vec::new();
            let mut parameters = Vec::new();
            for (name, value) in found {
                let tier = tier(aws, &name).await;
                parameters.push(Parameter {
                    name,
                    octets: value.len(),
                    tier,
                });
                texts.push(value.into_bytes());
            }
            Ok((texts, parameters))
        }
    }
}

async fn one(aws: &Aws, name: &str) -> Result<(String, String), Refused> {
    let request = json!({"Name": name, "WithDecryption": true});
    let answer = aws
        .json(
            Service::Ssm,
            "AmazonSSM.GetParameter",
            "ssm:GetParameter",
            &request,
        )
        .await?;
    Ok(pair(&answer["Parameter"]))
}

fn pair(parameter: &Value) -> (String, String) {
    let of = |pointer: &str| text(parameter, pointer).unwrap_or_default();
    (of("/Name"), of("/Value"))
}

async fn below(aws: &Aws, path: &str) -> Result<Vec<(String, String)>, Refused> {
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let path = if path.is_empty() { "/" } else { path };
        let mut request = json!({"Path": path, "Recursive": true, "WithDecryption": true});
        if let Some(token) = token {
            request["NextToken"] = Value::String(token);
        }
        let target = "AmazonSSM.GetParametersByPath";
        let answer = aws
            .json(Service::Ssm, target, "ssm:GetParametersByPath", &request)
            .await?;
        found.extend(list(&answer, "/Parameters").iter().map(pair));
        token = text(&answer, "/NextToken");
        if token.is_none() || found.iter().map(|(_, value)| value.len()).sum::<usize>() > MAX_MAP {
            // In the order in which the function puts them together.
            found.sort();
            return Ok(found);
        }
    }
}

async fn tier(aws: &Aws, name: &str) -> Look<String> {
    let filters = json!([{"Key": "Name", "Option": "Equals", "Values": [name]}]);
    let request = json!({"ParameterFilters": filters});
    let answer = aws
        .json(
            Service::Ssm,
            "AmazonSSM.DescribeParameters",
            "ssm:DescribeParameters",
            &request,
        )
        .await;
    fact(answer.map(|answer| text(&answer, "/Parameters/0/Tier").unwrap_or_else(|| "Standard".to_owned())))
}

//! Policies of buckets, functions and keys: whether one admits SES. Only the few elements that such statements have are
//! read; the IAM simulator answers for roles.

use serde_json::Value;

/// A policy document.
#[derive(Clone, Debug)]
pub struct Policy(Value);

/// A request that a policy may admit.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The service that asks, such as `ses.amazonaws.com`.
    pub service: &'a str,
    /// The action.
    pub action: &'a str,
    /// The ARN of what it is about.
    pub resource: &'a str,
    /// Values of condition keys.
    pub context: &'a [(&'a str, &'a str)],
}

impl Policy {
    /// Reads a document.
    ///
    /// # Errors
    /// If it is not JSON.
    pub fn parse(text: &str) -> Result<Self, String> {
        let document = serde_json::from_str(text);
        document
            .map(Policy)
            .map_err(|error| format!("the policy is not JSON: {error}"))
    }

    /// Whether a statement allows the request and none denies it.
    pub fn admits(&self, request: &Request<'_>) -> bool {
        let statements = one_or_more(self.0.get("Statement"));
        let matching = |effect: &str| {
            let of_effect = statements
                .iter()
                .filter(move |statement| statement["Effect"] == effect);
            of_effect.filter(|statement| matches(statement, request)).count()
        };
        matching("Allow") > 0 && matching("Deny") == 0
    }
}

fn matches(statement: &Value, request: &Request<'_>) -> bool {
    let principal = &statement["Principal"];
    let services = one_or_more(principal.get("Service"));
    let is_asked = principal == "*"
        || principal["AWS"] == "*"
        || services.iter().any(|service| is_like(service, request.service));
    is_asked
        && any_like(statement, "Action", request.action)
        && (statement.get("Resource").is_none() || any_like(statement, "Resource", request.resource))
        && statement
            .get("Condition")
            .and_then(Value::as_object)
            .is_none_or(|operators| {
                let mut conditions = operators.iter().flat_map(|(operator, keys)| {
                    let keys = keys.as_object().into_iter().flatten();
                    keys.map(move |(key, values)| (operator, key, values))
                });
                conditions.all(|(operator, key, values)| holds(operator, key, values, request))
            })
}

/// Whether a condition holds. An operator that is not known here counts as one that does not.
fn holds(operator: &str, key: &str, values: &Value, request: &Request<'_>) -> bool {
    let mut context = request.context.iter();
    let given = context
        .find(|(known, _)| known.eq_ignore_ascii_case(key))
        .map(|(_, value)| *value);
    let values = one_or_more(Some(values));
    let base = operator.trim_end_matches("IfExists");
    match (base, given) {
        (_, None) => base != operator,
        ("StringEquals" | "ArnEquals" | "ArnLike" | "StringLike" | "Bool", Some(given)) => {
            values.iter().any(|value| is_like(value, given))
        }
        ("StringEqualsIgnoreCase", Some(given)) => {
            let given = given.to_ascii_lowercase();
            let lower = values
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_ascii_lowercase);
            lower.into_iter().any(|value| value == given)
        }
        _ => false,
    }
}

fn any_like(statement: &Value, element: &str, text: &str) -> bool {
    one_or_more(statement.get(element))
        .iter()
        .any(|pattern| is_like(pattern, text))
}

fn is_like(pattern: &Value, text: &str) -> bool {
    let as_bool = pattern.as_bool().map(|truth| truth.to_string());
    pattern
        .as_str()
        .or(as_bool.as_deref())
        .is_some_and(|pattern| glob(pattern.as_bytes(), text.as_bytes()))
}

fn one_or_more(value: Option<&Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(several)) => several.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    }
}

/// Whether `*` and `?` of the pattern can stand for parts of the text so that the two are equal, without regard to case: that
/// of actions does not matter, and no two of our resources differ by it alone.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    // Where to go on after the last `*`, should what follows it not fit.
    let (mut p, mut t, mut back) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p + 1, t));
                p += 1;
            }
            Some(octet) if *octet == b'?' || octet.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match back {
                Some((after, from)) => {
                    back = Some((after, from + 1));
                    p = after;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|octet| *octet == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "arn:aws:ses:eu-west-1:111122223333:receipt-rule-set/s:receipt-rule/r";

    fn admits(statement: &str) -> bool {
        let policy = Policy::parse(&format!("{{\"Statement\": [{statement}]}}")).unwrap();
        policy.admits(&Request {
            service: "ses.amazonaws.com",
            action: "s3:PutObject",
            resource: "arn:aws:s3:::mail/inbound/m1",
            context: &[
                ("aws:SourceAccount", "111122223333"),
                ("AWS:SourceArn", RULE),
                ("aws:SecureTransport", "true"),
            ],
        })
    }

    const SES: &str = r#""Effect":"Allow","Principal":{"Service":"ses.amazonaws.com"},"Resource":"arn:aws:s3:::mail/inbound/*""#;

    /// Catches statements that are taken for more or less than they say.
    #[test]
    fn what_a_policy_admits() {
        let with = |rest: &str| admits(&format!("{{{SES},{rest}}}"));
        assert!(with(r#""Action":"s3:PutObject""#));
        assert!(with(r#""Action":["s3:GetObject","s3:Put*"]"#));
        assert!(!with(r#""Action":"s3:GetObject""#));
        let condition = |text: &str| with(&format!(r#""Action":"s3:PutObject","Condition":{text}"#));
        assert!(condition(
            r#"{"StringEquals":{"aws:SourceAccount":"111122223333"}}"#
        ));
        assert!(!condition(
            r#"{"StringEquals":{"aws:SourceAccount":"999999999999"}}"#
        ));
        assert!(condition(&format!(
            r#"{{"ArnLike":{{"aws:SourceArn":["x","{RULE}"]}}}}"#
        )));
        assert!(!condition(r#"{"StringEquals":{"aws:Referer":"1"}}"#));
        assert!(condition(r#"{"StringEqualsIfExists":{"aws:Referer":"1"}}"#));
        assert!(!condition(r#"{"NumericEquals":{"aws:SourceAccount":"1"}}"#));
        let deny = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"SECURE"}}}"#;
        let both = |secure: &str| {
            admits(&format!(
                "{{{SES},\"Action\":\"s3:PutObject\"}},{}",
                deny.replace("SECURE", secure)
            ))
        };
        assert!(both("false") && !both("true"));
        assert!(!admits(
            r#"{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"*","Resource":"*"}"#
        ));
    }

    #[test]
    fn wildcards() {
        for (pattern, text) in [
            ("*", ""),
            ("a*c", "abbc"),
            ("a?c", "abc"),
            ("*b*", "abc"),
            ("A*", "abc"),
        ] {
            assert!(glob(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("a*c", "abcd"), ("a?c", "ac"), ("abc*", "ab")] {
            assert!(!glob(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
    }
}

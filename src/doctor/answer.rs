//! Answers of AWS, read: XML as JSON values, and errors by their codes.

use serde_json::{Map, Value};

use crate::aws::signed::Reply;

/// Codes of a request that the credentials may not make.
const DENIED: [&str; 6] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "UnauthorizedOperation",
    "KMSAccessDeniedException",
];

/// Codes of a request about something that is not there.
const NOT_THERE: [&str; 11] = [
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchEntity",
    "NoSuchKey",
    "NoSuchLifecycleConfiguration",
    "NotFound",
    "NotFoundException",
    "ParameterNotFound",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "ServerSideEncryptionConfigurationNotFoundError",
];

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The credentials lack this permission.
    Denied(String),
    /// The thing that was asked for does not exist.
    NotThere,
    /// Anything else, in words.
    Failed(String),
}

/// An error of a service.
pub(super) struct ServiceError {
    status: u16,
    code: String,
    message: String,
}

/// The error that an answer holds, in whichever of the three forms.
pub(super) fn error_of(reply: &Reply) -> ServiceError {
    let value = serde_json::from_slice(&reply.body)
        .or_else(|_| from_xml(&reply.body))
        .unwrap_or(Value::Null);
    let first = |pointers: &[&str]| pointers.iter().find_map(|pointer| text(&value, pointer));
    let code = reply.field("x-amzn-errortype").map(str::to_owned);
    let code = code.or_else(|| first(&["/__type", "/code", "/Error/Code", "/Code", "/Errors/Error/Code"]));
    let code = code.unwrap_or_default();
    // "com.amazonaws.sqs#QueueDoesNotExist", "NotFoundException:http://…"
    let code = code.rsplit('#').next().unwrap_or_default();
    let code = code.split(':').next().unwrap_or_default();
    // "AWS.SimpleQueueService.NonExistentQueue" is the older name of QueueDoesNotExist.
    let code = if code.ends_with("NonExistentQueue") {
        "QueueDoesNotExist"
    } else {
        code
    };
    ServiceError {
        status: reply.status,
        code: code.to_owned(),
        message: first(&["/message", "/Message", "/Error/Message"]).unwrap_or_default(),
    }
}

impl ServiceError {
    pub(super) fn is_throttling(&self) -> bool {
        self.code.starts_with("Throttling")
            || ["TooManyRequestsException", "RequestLimitExceeded", "SlowDown"].contains(&self.code.as_str())
    }

    pub(super) fn refused(self, permission: &str) -> Refused {
        // The answer to a HEAD has no body, and so no code.
        let bare = self.code.is_empty();
        if DENIED.contains(&self.code.as_str()) || bare && self.status == 403 {
            Refused::Denied(permission.to_owned())
        } else if NOT_THERE.contains(&self.code.as_str()) || bare && self.status == 404 {
            Refused::NotThere
        } else if bare {
            Refused::Failed(format!("{permission}: status {}", self.status))
        } else {
            Refused::Failed(format!("{permission}: {}: {}", self.code, self.message))
        }
    }
}

/// A JSON answer.
pub(super) fn from_json(body: &[u8]) -> Result<Value, Refused> {
    serde_json::from_slice(body).map_err(|error| Refused::Failed(format!("the answer is not JSON: {error}")))
}

/// An XML answer as a JSON value: an element with nothing but `member` elements is an array, elements that repeat are
/// arrays too, and an element without elements is its text. The outermost element has no name.
pub(super) fn from_xml(body: &[u8]) -> Result<Value, Refused> {
    let failed = |error: String| Refused::Failed(format!("the answer is not XML: {error}"));
    let body = std::str::from_utf8(body).map_err(|error| failed(error.to_string()))?;
    let document = roxmltree::Document::parse(body).map_err(|error| failed(error.to_string()))?;
    Ok(value(document.root_element()))
}

fn value(element: roxmltree::Node<'_, '_>) -> Value {
    let mut members = Map::new();
    for child in element.children().filter(roxmltree::Node::is_element) {
        let name = child.tag_name().name().to_owned();
        match members.get_mut(&name) {
            None => {
                let one = value(child);
                members.insert(
                    name.clone(),
                    if name == "member" {
                        Value::Array(vec![one])
                    } else {
                        one
                    },
                );
            }
            Some(Value::Array(several)) => several.push(value(child)),
            Some(first) => *first = Value::Array(vec![first.take(), value(child)]),
        }
    }
    if let Some(list) = members.remove("member") {
        return list;
    }
    if members.is_empty() {
        return Value::String(element.text().unwrap_or_default().trim().to_owned());
    }
    Value::Object(members)
}

/// The text at a JSON pointer; of a number or a truth value what it looks like in JSON.
pub(super) fn text(value: &Value, pointer: &str) -> Option<String> {
    match value.pointer(pointer)? {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// The list at a JSON pointer. XML does not tell one element from a list of one, nor an empty list from an empty text.
pub(super) fn list(value: &Value, pointer: &str) -> Vec<Value> {
    match value.pointer(pointer) {
        Some(Value::Array(list)) => list.clone(),
        Some(Value::Object(_)) => value.pointer(pointer).cloned().into_iter().collect(),
        Some(Value::String(text)) if !text.is_empty() => vec![Value::String(text.clone())],
        _ => Vec::new(),
    }
}

/// The texts of a list.
pub(super) fn texts(value: &Value, pointer: &str) -> Vec<String> {
    list(value, pointer)
        .iter()
        .filter_map(|item| text(item, ""))
        .collect()
}

/// Whether `true` stands at a JSON pointer.
pub(super) fn truth(value: &Value, pointer: &str) -> bool {
    text(value, pointer).is_some_and(|text| text == "true")
}

/// The number at a JSON pointer.
pub(super) fn number(value: &Value, pointer: &str) -> Option<f64> {
    text(value, pointer)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Catches a list of one that is taken for no list, and repeated elements of which one counts.
    #[test]
    fn xml_is_read_as_json() {
        let xml = br#"<R xmlns="urn:x"><Rules><member><Name>a</Name><To/></member></Rules>
            <Rule><Id>1</Id></Rule><Rule><Id>2</Id></Rule><Rule><Id>3</Id></Rule></R>"#;
        let read = from_xml(xml).unwrap();
        assert_eq!(
            read,
            json!({"Rules": [{"Name": "a", "To": ""}], "Rule": [{"Id": "1"}, {"Id": "2"}, {"Id": "3"}]})
        );
        assert_eq!(list(&read, "/Rules/0/To"), Vec::<Value>::new());
        assert_eq!(list(&read, "/Rule").len(), 3);
        assert!(matches!(from_xml(b"{}"), Err(Refused::Failed(_))));
    }

    /// Catches a form of error that is not understood: a missing permission would then look like a fault.
    #[test]
    fn errors_of_every_protocol() {
        let refused = |status, fields: &[(&str, &str)], body: &str| {
            let fields = fields.iter();
            let fields = fields
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            let body = body.as_bytes().to_vec();
            error_of(&Reply { status, fields, body }).refused("a:B")
        };
        let denied = Refused::Denied("a:B".to_owned());
        let query =
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code></Error></ErrorResponse>";
        assert_eq!(refused(403, &[], query), denied);
        assert_eq!(
            refused(403, &[], "<Error><Code>AccessDenied</Code></Error>"),
            denied
        );
        assert_eq!(refused(400, &[], r#"{"__type":"AccessDeniedException"}"#), denied);
        assert_eq!(
            refused(
                403,
                &[("x-amzn-ErrorType", "AccessDeniedException:http://x/")],
                "{}"
            ),
            denied
        );
        assert_eq!(refused(403, &[], ""), denied);
        assert_eq!(
            refused(400, &[], r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}"#),
            Refused::NotThere
        );
        let other = refused(403, &[], r#"{"__type":"ExpiredTokenException","message":"old"}"#);
        assert_eq!(
            other,
            Refused::Failed("a:B: ExpiredTokenException: old".to_owned())
        );
    }
}

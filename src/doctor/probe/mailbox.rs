//! Finds a mail of ours among those that SES has stored.

use std::time::{Duration, Instant};

use crate::doctor::answer::{Refused, from_xml, list, text};
use crate::doctor::request::{Aws, encode};

use super::questions::{Question, To, mark};

/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(5);

/// How many of the newest objects are looked into each time.
const NEWEST: usize = 20;

/// Where mail to the alias lies, and how long to wait for it.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// The bucket's name.
    pub name: String,
    /// `EMAIL_PREFIX`
    pub prefix: String,
    /// How long to look for a mail that was sent.
    pub patience: Duration,
}

/// The mail of a question, once SES has stored it; `None` if it does not come.
pub(super) async fn wait_for(
    aws: &Aws,
    bucket: &Bucket,
    token: &str,
    question: &Question,
) -> Result<Option<Vec<u8>>, String> {
    let start = Instant::now();
    loop {
        if let Some(message) = look(aws, bucket, token, question).await? {
            return Ok(Some(message));
        }
        if start.elapsed() + PAUSE > bucket.patience {
            return Ok(None);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn look(
    aws: &Aws,
    bucket: &Bucket,
    token: &str,
    question: &Question,
) -> Result<Option<Vec<u8>>, String> {
    let mut objects = objects(aws, bucket).await.map_err(reason)?;
    // The newest first: ISO 8601 in UTC sorts by time.
    objects.sort_by(|one, other| other.cmp(one));
    for (_, key) in objects.into_iter().take(NEWEST) {
        let path: Vec<String> = key.split('/').map(encode).collect();
        let target = format!("/{}/{}", encode(&bucket.name), path.join("/"));
        let object = aws.s3("GET", "s3:GetObject", &target).await.map_err(reason)?;
        if is_ours(&object.body, token, question) {
            return Ok(Some(object.body));
        }
    }
    Ok(None)
}

async fn objects(aws: &Aws, bucket: &Bucket) -> Result<Vec<(String, String)>, Refused> {
    let mut objects = Vec::new();
    let mut token = String::new();
    loop {
        let next = if token.is_empty() {
            String::new()
        } else {
            format!("continuation-token={}&", encode(&token))
        };
        let target = format!(
            "/{}?{next}list-type=2&prefix={}",
            encode(&bucket.name),
            encode(&bucket.prefix)
        );
        let page = aws.s3("GET", "s3:ListBucket", &target).await?;
        let page = from_xml(&page.body)?;
        let contents = list(&page, "/Contents");
        objects.extend(
            contents
                .iter()
                .filter_map(|object| Some((text(object, "/LastModified")?, text(object, "/Key")?))),
        );
        match text(&page, "/NextContinuationToken") {
            Some(next) => token = next,
            None => return Ok(objects),
        }
    }
}

/// A mail of ours has its mark; a report about one has the mark further down, in what it encloses, or names the simulator.
fn is_ours(message: &[u8], token: &str, question: &Question) -> bool {
    let text = String::from_utf8_lossy(message);
    let is_report = text.contains("multipart/report");
    let is_marked = text.contains(&format!("{} {}", mark(token), question.name));
    match question.to {
        To::BouncingSimulator => is_report && (is_marked || text.contains("simulator.amazonses.com")),
        _ => !is_report && is_marked,
    }
}

fn reason(refused: Refused) -> String {
    match refused {
        Refused::Denied(permission) => format!("your credentials lack {permission}"),
        Refused::NotThere => "the bucket or the mail is gone".to_owned(),
        Refused::Failed(reason) => reason,
    }
}

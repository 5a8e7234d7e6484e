//! What the checks answer, and how they are run one after the other.

use std::fmt;

use serde::Serialize;

use super::facts::{Facts, Look};

/// A question to the facts.
pub struct Check {
    /// The name, as `--only` takes it.
    pub name: &'static str,
    /// What must be so, in a few words.
    pub asks: &'static str,
    /// The checks that must not be wrong for this one to make sense.
    pub after: &'static [&'static str],
    /// Looks at the facts.
    pub look: fn(&Facts) -> Looked,
}

/// The findings of a check; or the one finding that says why it could not look.
pub type Looked = Result<Vec<Finding>, Finding>;

/// The answer of a check about one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It is as it must be.
    Right,
    /// It is not, and the mend says what to do.
    Wrong,
    /// It could not be seen.
    Unknown,
    /// It was not looked at, since something before it is wrong or unknown.
    Skipped,
}

/// What a check found out about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check.
    pub check: &'static str,
    /// What it is about where a check looks at several things: a domain, an alarm. Otherwise empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// The answer.
    pub answer: Answer,
    /// What was seen.
    pub text: String,
    /// What to do where it is wrong, or how it can be seen where it is unknown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mend: String,
}

/// All findings.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// In the order of the checks.
    pub findings: Vec<Finding>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Answer::Right => "right",
            Answer::Wrong => "WRONG",
            Answer::Unknown => "unknown",
            Answer::Skipped => "skipped",
        })
    }
}

impl Finding {
    fn new(answer: Answer, text: impl Into<String>, mend: impl Into<String>) -> Self {
        Finding {
            check: "",
            about: String::new(),
            answer,
            text: text.into(),
            mend: mend.into(),
        }
    }

    pub(super) fn right(text: impl Into<String>) -> Self {
        Self::new(Answer::Right, text, "")
    }

    pub(super) fn wrong(text: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(Answer::Wrong, text, mend)
    }

    pub(super) fn unknown(text: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(Answer::Unknown, text, mend)
    }

    pub(super) fn skipped(text: impl Into<String>) -> Self {
        Self::new(Answer::Skipped, text, "")
    }

    /// The thing that it is about.
    pub(super) fn about(mut self, about: impl Into<String>) -> Self {
        self.about = about.into();
        self
    }
}

impl<T> Look<T> {
    /// The fact.
    ///
    /// # Errors
    /// The finding that says why it is not known.
    pub fn seen(&self) -> Result<&T, Finding> {
        match self {
            Look::Seen(fact) => Ok(fact),
            Look::Denied(permission) => Err(Finding::unknown(
                format!("your credentials lack {permission}"),
                format!("allow {permission}, or run this with other credentials"),
            )),
            Look::Failed(reason) => Err(Finding::unknown(reason, "")),
            Look::Untried => Err(Finding::skipped("what it depends on is not known")),
        }
    }
}

impl Report {
    /// Whether any finding has this answer.
    pub fn has(&self, answer: Answer) -> bool {
        self.findings.iter().any(|finding| finding.answer == answer)
    }

    /// How many findings have this answer.
    pub fn count(&self, answer: Answer) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.answer == answer)
            .count()
    }
}

/// Runs the checks in their order. A check that comes after one that is wrong is skipped for the same thing, so that one
/// mistake is named once.
pub fn run(checks: &[Check], facts: &Facts) -> Report {
    let mut findings: Vec<Finding> = Vec::new();
    for check in checks {
        let mut found = (check.look)(facts).unwrap_or_else(|why| vec![why]);
        for finding in &mut found {
            finding.check = check.name;
            let blocking = findings.iter().find(|earlier| blocks(earlier, check, finding));
            if let Some(earlier) = blocking {
                let about = if earlier.about.is_empty() {
                    String::new()
                } else {
                    format!(" {}", earlier.about)
                };
                let root = format!("{}{about}", earlier.check);
                let text = match earlier.answer {
                    Answer::Wrong => format!("first mend {root}"),
                    _ => earlier.text.clone(),
                };
                *finding = Finding::skipped(text).about(finding.about.clone());
                finding.check = check.name;
            }
        }
        findings.append(&mut found);
        findings.dedup_by(|later, earlier| {
            later.answer == Answer::Skipped && later.check == earlier.check && later.text == earlier.text
        });
    }
    Report { findings }
}

fn blocks(earlier: &Finding, check: &Check, later: &Finding) -> bool {
    let same = earlier.about.is_empty() || later.about.is_empty() || earlier.about == later.about;
    let stands = earlier.answer == Answer::Wrong
        || earlier.answer == Answer::Skipped && earlier.text.starts_with("first mend ");
    check.after.contains(&earlier.check) && same && stands
}

//! The page that says what happens at each fault: written from what happened, and compared with it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use super::fault::{Span, faults};
use super::life::{Cell, Verdict, When};
use super::step::{Step, Way};

const INTRODUCTION: &str = include_str!("introduction.md");

/// The page.
pub fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md")
}

/// All cells of the matrix.
pub fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for way in Way::ALL {
        for &step in way.own_steps() {
            for fault in faults(way, step) {
                let spans = fault.spans(way, step).iter();
                cells.extend(spans.map(|&span| Cell {
                    way,
                    step,
                    fault: fault.clone(),
                    span,
                }));
            }
        }
    }
    cells
}

/// The name of a cell.
pub fn name(cell: &Cell) -> String {
    let Cell {
        way,
        step,
        fault,
        span,
    } = cell;
    let at = way.number(*step);
    format!("{at} | {} | {}", fault.name, span.title())
}

impl Span {
    fn title(self) -> &'static str {
        match self {
            Span::Once => "one request",
            Span::First => "the first try",
            Span::All => "all three tries",
            Span::FirstOnHold => "the first try, `ON_DOUBT=hold`",
        }
    }
}

impl Verdict {
    /// The words of the table.
    pub fn text(&self, way: Way) -> String {
        let done = match way {
            Way::Forward => "delivered",
            Way::Notice => "told",
        };
        let mut text = match (self.when, &self.queued) {
            (When::Never, None) => "not wanted".to_owned(),
            (When::Never, Some(cause)) => format!("queued (`{cause}`), not wanted"),
            (When::Try(n), None) => format!("{done}, try {n}"),
            (When::Try(n), Some(cause)) => format!("{done}, try {n}; queued (`{cause}`)"),
            (When::Redrive, cause) => format!("queued (`{}`), {done}", cause.as_deref().unwrap_or("-")),
            (When::Order, cause) => {
                format!("queued (`{}`), {done} by order", cause.as_deref().unwrap_or("-"))
            }
        };
        if self.copies > 1 {
            let _ = write!(text, "; **{} copies**", self.copies);
        }
        text
    }
}

/// The page with these verdicts, by the names of their cells.
pub fn page(verdicts: &BTreeMap<String, String>) -> String {
    let mut page = INTRODUCTION.to_owned();
    let known = cells().into_iter().map(|cell| name(&cell));
    let known: Vec<String> = known.filter(|name| verdicts.contains_key(name)).collect();
    let doubled = known.iter().filter(|name| verdicts[*name].contains("copies"));
    let doubled: Vec<String> = doubled.cloned().collect();
    let _ = write!(
        page,
        "\n## What is in the table\n\n{} cells. In {} of them somebody gets the mail, or the notice, more than once, all at the \
         steps {}.\n",
        known.len(),
        doubled.len(),
        steps_of(&doubled).join(", "),
    );
    for way in Way::ALL {
        let _ = write!(page, "\n## {way}\n");
        if way == Way::Notice {
            page.push_str("\nIts first steps are 1 to 4 above.\n");
        }
        for &step in way.own_steps() {
            let _ = write!(
                page,
                "\n### {}. {}\n\n",
                way.number(step),
                sentence(way.describe(step))
            );
            table(&mut page, way, step, verdicts);
        }
    }
    page
}

fn steps_of(names: &[String]) -> Vec<String> {
    let mut steps: Vec<String> = names
        .iter()
        .filter_map(|name| name.split(" | ").next().map(str::to_owned))
        .collect();
    steps.dedup();
    steps
}

fn sentence(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

fn table(page: &mut String, way: Way, step: Step, verdicts: &BTreeMap<String, String>) {
    let faults = faults(way, step);
    let is_used = |span: &Span| faults.iter().any(|fault| fault.spans(way, step).contains(span));
    let spans: Vec<Span> = Span::ALL.into_iter().filter(is_used).collect();
    let titles: Vec<&str> = spans.iter().map(|span| span.title()).collect();
    let _ = writeln!(page, "| fault | {} |", titles.join(" | "));
    let _ = writeln!(page, "|---|{}", "---|".repeat(spans.len()));
    for fault in faults {
        let texts: Vec<String> = spans
            .iter()
            .map(|&span| {
                let cell = Cell {
                    way,
                    step,
                    fault: fault.clone(),
                    span,
                };
                verdicts.get(&name(&cell)).cloned().unwrap_or_default()
            })
            .collect();
        let _ = writeln!(page, "| {} | {} |", fault.name, texts.join(" | "));
    }
}

/// The verdicts that a page has, by the names of their cells.
pub fn read(page: &str) -> BTreeMap<String, String> {
    let mut verdicts = BTreeMap::new();
    let (mut step, mut titles) = (String::new(), Vec::new());
    for line in page.lines() {
        let fields = || {
            line.trim_matches('|')
                .split(" | ")
                .map(|field| field.trim().to_owned())
        };
        if let Some(title) = line.strip_prefix("### ") {
            step.clear();
            step.push_str(title.split('.').next().unwrap_or_default());
        } else if line.starts_with("| fault |") {
            titles = fields().skip(1).collect();
        } else if line.starts_with("| ") && !titles.is_empty() {
            let mut fields = fields();
            let fault = fields.next().unwrap_or_default();
            for (title, text) in titles.iter().zip(fields).filter(|(_, text)| !text.is_empty()) {
                verdicts.insert(format!("{step} | {fault} | {title}"), text);
            }
        }
    }
    verdicts
}

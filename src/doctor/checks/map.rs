//! The alias map.

use crate::alias::{SSM_ADVANCED, SSM_STANDARD, Severity};
use crate::doctor::facts::{Facts, Map};
use crate::doctor::finding::{Finding, Looked};

/// How many tenths of a parameter may be full before it is said.
const FULL_TENTHS: usize = 9;

/// How the review of a map begins the reason for targets that lead back to their alias.
const LOOP: &str = "a loop: ";

pub(super) fn readable(facts: &Facts) -> Looked {
    Ok(vec![match facts.map.seen()? {
        Ok(map) if map.aliases.is_empty() => Finding::wrong(
            format!("{} has no alias", map.place),
            "add one, such as {\"shop@example.com\": [\"jane@example.net\"]}",
        ),
        Ok(map) => {
            let aliases = match map.aliases.len() {
                1 => "1 alias".to_owned(),
                count => format!("{count} aliases"),
            };
            Finding::right(format!("{}, {aliases}", map.place))
        }
        Err(reason) => Finding::wrong(
            reason,
            "correct ALIAS_MAP_PARAM or the text; readdress aliases check FILE looks at a file",
        ),
    }])
}

fn map(facts: &Facts) -> Result<&Map, Finding> {
    let map = facts.map.seen()?;
    map.as_ref()
        .map_err(|_| Finding::skipped("the alias map cannot be read"))
}

pub(super) fn entries(facts: &Facts) -> Looked {
    let problems = map(facts)?.aliases.problems().iter();
    let mut findings: Vec<Finding> = problems
        .map(|problem| {
            let effect = match problem.severity {
                Severity::Error => "its mail is not forwarded",
                Severity::Warning => "probably not what is meant",
            };
            let mend = "correct the entry; readdress aliases check FILE looks at a map before it is written";
            Finding::wrong(format!("{}: {effect}", problem.reason), mend).about(format!("{:?}", problem.key))
        })
        .collect();
    if findings.is_empty() {
        findings.push(Finding::right("no entry has a mistake"));
    }
    Ok(findings)
}

pub(super) fn loops(facts: &Facts) -> Looked {
    let problems = map(facts)?.aliases.review().into_iter();
    let loops = problems.filter(|problem| problem.reason.starts_with(LOOP));
    let mut findings: Vec<Finding> = loops
        .map(|problem| {
            let mend = "name the mailbox at the end in the place of the alias";
            Finding::wrong(problem.reason, mend).about(format!("{:?}", problem.key))
        })
        .collect();
    if findings.is_empty() {
        findings.push(Finding::right("no target leads back to its alias"));
    }
    Ok(findings)
}

pub(super) fn size(facts: &Facts) -> Looked {
    let map = map(facts)?;
    let mut findings = Vec::new();
    for parameter in &map.parameters {
        let tier = parameter.tier.seen();
        // What is over the standard tier's size cannot be of that tier. Intelligent tiering takes either size.
        let advanced = parameter.octets > SSM_STANDARD || tier.as_ref().is_ok_and(|tier| *tier != "Standard");
        let holds = if advanced { SSM_ADVANCED } else { SSM_STANDARD };
        let text = format!("{} has {} of {holds} octets", parameter.name, parameter.octets);
        let finding = if parameter.octets * 10 < holds * FULL_TENTHS {
            Finding::right(text)
        } else if advanced {
            Finding::wrong(
                text,
                "spread the map over several parameters of a path (ALIAS_MAP_PARAM with / at its end), or keep it in S3",
            )
        } else {
            Finding::wrong(
                text,
                "make the parameter one of the advanced tier, which holds 8 KB, or let SSM choose the tier (Intelligent-Tiering)",
            )
        };
        findings.push(finding);
    }
    if findings.is_empty() {
        findings.push(Finding::right("the map is in no parameter"));
    }
    Ok(findings)
}

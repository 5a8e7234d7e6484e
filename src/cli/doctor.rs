//! `readdress doctor`: says of each thing of a set-up whether it is right.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use readdress::doctor::checks::CHECKS;
use readdress::doctor::finding::{Answer, Finding, Report, run as examine};
use readdress::doctor::inputs::Inputs;
use readdress::doctor::look;
use readdress::executor::block_on;

use super::Failure;

/// The function that both deployments make unless told otherwise.
const FUNCTION: &str = "readdress";

/// The settings that say where mail lies and who forwards: enough to look at a set-up whose function is not there yet.
const SETTINGS: [&str; 6] = [
    "EMAIL_BUCKET",
    "EMAIL_PREFIX",
    "ALIAS_MAP_PARAM",
    "CONFIGURATION_SET",
    "FEEDBACK_EMAIL",
    "LEDGER",
];

/// Says whether a deployment is set up right, and if not what to do; changes nothing
///
/// Looks at the account, the domains and their DNS, the receipt rules, the bucket, the alias map, the function and its role,
/// and the alarms, with the AWS credentials and region of the environment. docs/doctor.md has every check and its fix.
#[derive(Args)]
#[command(after_help = "Exit codes: 0 all right, 1 something is wrong, 2 something could not be looked at.")]
pub(super) struct Arguments {
    /// The Lambda function, whose environment has the settings [default: readdress]
    #[arg(long, value_name = "NAME")]
    function: Option<String>,
    /// The outputs of the Terraform module, as `terraform output -json` writes them: names the function and the rule set
    #[arg(long, value_name = "FILE")]
    outputs: Option<PathBuf>,
    /// The receipt rule set that is to be active
    #[arg(long, value_name = "NAME")]
    rule_set: Option<String>,
    /// A domain to look at besides those of the alias map and the receipt rules
    #[arg(long, value_name = "DOMAIN")]
    domain: Vec<String>,
    /// A setting in the place of the function's, such as EMAIL_BUCKET=mail; without a function, EMAIL_BUCKET and
    /// ALIAS_MAP_PARAM at least
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<String>,
    /// Look at the account, the domains and the rules, but at no function
    #[arg(long, conflicts_with_all = ["function", "outputs"])]
    no_function: bool,
    /// Report only these checks
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    only: Vec<String>,
    /// The name server to ask in place of the system's resolver, such as 1.1.1.1
    #[arg(long, value_name = "ADDRESS", value_parser = name_server)]
    name_server: Option<SocketAddr>,
    /// Write the findings as JSON
    #[arg(long)]
    json: bool,
}

fn name_server(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
    let address = address.or_else(|_| text.parse());
    address.map_err(|_| "write the IP address of a name server, such as 1.1.1.1 or 127.0.0.1:5353".to_owned())
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if let Some(other) = arguments
        .only
        .iter()
        .find(|name| CHECKS.iter().all(|check| check.name != *name))
    {
        let names: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
        return Err(Failure::Usage(format!(
            "--only: there is no check {other:?}; there are {}",
            names.join(", ")
        )));
    }
    let inputs = inputs(arguments)?;
    let mut line = Line::new();
    let facts = block_on(look(&inputs, &mut |what| {
        line.say(&format!("looking at {what} …"));
    }));
    line.say("");
    let facts = facts.map_err(Failure::Usage)?;
    let mut report = examine(CHECKS, &facts);
    report.findings.retain(|finding| {
        arguments.only.is_empty() || arguments.only.iter().any(|name| name == finding.check)
    });
    let text = if arguments.json {
        json(&report)
    } else {
        lines(&report)
    };
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| Failure::output(&error))?;
    Ok(if report.has(Answer::Wrong) {
        ExitCode::from(1)
    } else if report.has(Answer::Unknown) {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    })
}

fn inputs(arguments: &Arguments) -> Result<Inputs, Failure> {
    let mut settings = BTreeMap::new();
    for setting in &arguments.settings {
        let pair = setting.split_once('=');
        let (name, value) =
            pair.ok_or_else(|| Failure::Usage(format!("--set {setting:?}: write NAME=VALUE")))?;
        settings.insert(name.to_owned(), value.to_owned());
    }
    if arguments.no_function {
        for name in SETTINGS {
            if let Ok(value) = std::env::var(name) {
                settings.entry(name.to_owned()).or_insert(value);
            }
        }
    }
    let mut inputs = Inputs {
        function: arguments.function.clone(),
        settings,
        domains: arguments.domain.clone(),
        rule_set: arguments.rule_set.clone(),
        name_server: arguments.name_server,
    };
    if let Some(path) = &arguments.outputs {
        let name = path.display();
        let text = fs::read(path).map_err(|error| Failure::failed(name, error))?;
        inputs
            .add_outputs(&text)
            .map_err(|error| Failure::failed(path.display(), error))?;
    }
    if !arguments.no_function {
        inputs.function.get_or_insert_with(|| FUNCTION.to_owned());
    }
    Ok(inputs)
}

/// The line on a terminal that says what is looked at; nowhere else.
struct Line(bool);

impl Line {
    fn new() -> Self {
        Line(io::stderr().is_terminal())
    }

    fn say(&mut self, text: &str) {
        if self.0 {
            // Erases what stood there. It does not matter if nobody sees it.
            let _ = write!(io::stderr(), "\r\x1b[K{text}");
        }
    }
}

fn json(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
    text.push('\n');
    text
}

fn lines(report: &Report) -> String {
    let width = report
        .findings
        .iter()
        .map(|finding| finding.check.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for finding in &report.findings {
        text.push_str(&line(finding, width));
    }
    let counts = [Answer::Right, Answer::Wrong, Answer::Unknown, Answer::Skipped];
    let counts: Vec<String> = counts
        .iter()
        .map(|answer| format!("{} {}", report.count(*answer), answer.to_string().to_lowercase()))
        .collect();
    text.extend(["\n", &counts.join(", "), "\n"]);
    text
}

fn line(finding: &Finding, width: usize) -> String {
    let about = if finding.about.is_empty() {
        String::new()
    } else {
        format!("{}: ", finding.about)
    };
    let mut line = format!(
        "{:8} {:width$}  {about}{}\n",
        finding.answer, finding.check, finding.text
    );
    if !finding.mend.is_empty() {
        let mend = format!("{:8} {:width$}  -> {}\n", "", "", finding.mend);
        line.push_str(&mend);
    }
    line
}

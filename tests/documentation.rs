//! The pages: links lead somewhere, the README's trial does what the README says and can be repeated, and what the pages
//! show of the command line is what it writes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Directories whose pages are read, beside the root.
const PAGES: [&str; 6] = ["", "docs", "deploy/sam", "deploy/terraform", "fixtures", "fuzz"];

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(name)).unwrap()
}

/// A page's text without its blocks of code.
fn prose(page: &str) -> String {
    page.split("\n```").step_by(2).collect()
}

/// The anchors of a page's headings, as GitHub makes them of their texts.
fn anchors(page: &str) -> BTreeSet<String> {
    let prose = prose(page);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

fn link_fault(file: &Path, link: &str) -> Option<String> {
    if link.starts_with("http") || link.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = if path.is_empty() {
        file.to_owned()
    } else {
        file.parent().unwrap().join(path)
    };
    if !target.exists() {
        return Some(format!("{}: {link}: there is no such file", file.display()));
    }
    let is_there = anchor.is_empty() || anchors(&fs::read_to_string(&target).unwrap()).contains(anchor);
    (!is_there).then(|| format!("{}: {link}: there is no such heading", file.display()))
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut files: Vec<PathBuf> = Vec::new();
    for directory in PAGES {
        let entries = fs::read_dir(Path::new(ROOT).join(directory)).unwrap();
        files.extend(entries.map(|entry| entry.unwrap().path()));
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    let mut count = 0;
    let mut faults = Vec::new();
    for file in &files {
        let page = fs::read_to_string(file).unwrap();
        for link in prose(&page).split("](").skip(1) {
            let link = link.split_once(')').unwrap().0;
            count += 1;
            faults.extend(link_fault(file, link));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count > 100, "{count} links are too few to be all");
}

#[test]
fn the_readme_stays_short() {
    let words = page("README.md").split_whitespace().count();
    assert!(words <= 1_900, "{words} words");
}

#[cfg(feature = "cli")]
mod commands {
    use std::os::unix::fs::symlink;
    use std::path::Path;
    use std::process::{Command, Output};

    use super::{ROOT, page};

    /// Stands between the outputs of two commands.
    const END: char = '\0';

    /// What the trial's `env.sh` runs by cargo is run by the program that is tested.
    const CARGO: &str = r#"cargo() { while [ "$1" != -- ]; do shift; done; shift; "$READDRESS" "$@"; }"#;

    /// What the pages' examples begin with, after the README's trial.
    const PREPARED: &str = ". fixtures/trial/env.sh
readdress forward fixtures/trial/event-minimal.json > target/outcomes
readdress forward fixtures/trial/held.json > target/outcomes
";

    /// The blocks of code of a page between two headings, in order: the language and the text.
    fn blocks<'a>(page: &'a str, from: &str, to: &str) -> Vec<(&'a str, &'a str)> {
        let (_, section) = page.split_once(from).expect("the section's heading");
        let section = section.split_once(to).map_or(section, |(section, _)| section);
        let inside = section.split("```").skip(1).step_by(2);
        inside
            .map(|block| block.split_once('\n').expect("a language"))
            .collect()
    }

    /// The texts of the blocks in a language.
    fn texts<'a>(blocks: &[(&str, &'a str)], language: &str) -> Vec<&'a str> {
        let chosen = blocks.iter().filter(|(of, _)| *of == language);
        chosen.map(|(_, text)| *text).collect()
    }

    /// A directory that has the fixtures and nothing else.
    fn directory() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        symlink(
            Path::new(ROOT).join("fixtures"),
            directory.path().join("fixtures"),
        )
        .unwrap();
        directory
    }

    /// Runs a script of bash.
    fn run(directory: &Path, script: &str) -> String {
        let mut command = Command::new("bash");
        command
            .args(["-euo", "pipefail", "-c", &format!("{CARGO}\n{script}")])
            .current_dir(directory)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("READDRESS", env!("CARGO_BIN_EXE_readdress"));
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&stderr);
        assert!(status.success(), "{stderr}\n{script}");
        String::from_utf8(stdout).unwrap()
    }

    /// The text with LF alone, and with a fixed moment in place of each one, such as `2026-11-26 08:12 UTC`.
    fn timeless(text: &str) -> String {
        const MOMENT: &str = "2026-11-26 08:12";
        let text = text.replace("\r\n", "\n");
        let mut pieces: Vec<&str> = text.split(" UTC").collect();
        let last = pieces.pop().unwrap_or_default();
        let piece = |piece: &str| {
            let before = piece.len().saturating_sub(MOMENT.len());
            format!("{}{MOMENT} UTC", &piece[..before])
        };
        pieces.into_iter().map(piece).collect::<String>() + last
    }

    #[test]
    fn the_trial_does_what_the_readme_says_and_can_be_repeated() {
        let readme = page("README.md");
        let blocks = blocks(&readme, "\n## Try it\n", "\n## ");
        let (commands, outputs) = (texts(&blocks, "sh"), texts(&blocks, "text"));
        assert!(
            commands.len() >= 4 && commands.len() == outputs.len(),
            "each command of the trial has its output: {blocks:?}"
        );
        let script = commands.join("printf '\\0'\n");
        let directory = directory();
        let output = run(directory.path(), &script);
        for ((command, want), said) in commands.iter().zip(outputs).zip(output.split(END)) {
            assert_eq!(timeless(said), timeless(want), "{command}");
        }
        run(directory.path(), &script);
    }

    #[test]
    fn the_first_screen_shows_fields_that_the_program_writes() {
        let readme = page("README.md");
        let blocks = blocks(&readme, "# readdress\n", "\n## ");
        let difference = texts(&blocks, "diff");
        let explain =
            ". fixtures/trial/env.sh; readdress explain shop@example.com fixtures/messages/plain.eml";
        let output = run(directory().path(), explain);
        for line in difference[0].lines() {
            assert!(output.lines().any(|written| written == line), "{line}\n{output}");
        }
    }

    #[test]
    fn the_pictures_are_current() {
        let mut draw = Command::new("python3");
        draw.arg(Path::new(ROOT).join("docs/pictures/draw.py"))
            .arg("--check")
            .env("READDRESS", env!("CARGO_BIN_EXE_readdress"));
        match draw.output() {
            Ok(output) => assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            ),
            Err(error) => eprintln!("no python3: the pictures are not looked at ({error})"),
        }
    }

    #[test]
    fn the_pages_show_what_the_commands_write() {
        for name in ["docs/commands.md", "docs/explain.md"] {
            let page = page(name);
            let blocks = blocks(&page, "\n", "\u{0}");
            let mut script = vec![PREPARED.to_owned()];
            let mut wants = Vec::new();
            let examples = format!("\n{}", texts(&blocks, "console").join(""));
            for example in examples.split("\n$ ").skip(1) {
                let (command, want) = example.split_once('\n').unwrap_or((example, ""));
                // An exit code of 1 is an answer too.
                script.push(format!("{{ {command}; }} 2>&1 || [ $? = 1 ]\nprintf '\\0'\n"));
                wants.push((command.to_owned(), want.to_owned()));
            }
            assert!(!wants.is_empty(), "{name} has no examples");
            let directory = directory();
            std::fs::create_dir(directory.path().join("target")).unwrap();
            let output = run(directory.path(), &script.concat());
            for ((command, want), said) in wants.into_iter().zip(output.split(END)) {
                assert_eq!(
                    timeless(said.trim_end()),
                    timeless(want.trim_end()),
                    "{name}: {command}"
                );
            }
        }
    }
}

//! The table in SECURITY.md names a test for each attack: each of them exists, and no test of an attack is left out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// All that stands in backquotes and is a test: `path.rs::name`.
fn named() -> BTreeSet<(String, String)> {
    let text = fs::read_to_string(at("SECURITY.md")).unwrap();
    let quoted = text.split('`').skip(1).step_by(2);
    let tests = quoted.filter_map(|quoted| quoted.split_once(".rs::"));
    tests
        .map(|(path, name)| (format!("{path}.rs"), name.to_owned()))
        .collect()
}

/// The names of the tests in a file.
fn tests_in(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (before, after) in text
        .match_indices("#[test]")
        .map(|(start, _)| text.split_at(start))
    {
        // One that is commented out is none.
        if before
            .rsplit('\n')
            .next()
            .is_some_and(|line| line.trim().is_empty())
        {
            let name = after
                .split_once("fn ")
                .and_then(|(_, rest)| rest.split('(').next());
            names.extend(name.map(str::to_owned));
        }
    }
    names
}

#[test]
fn every_test_that_is_named_exists() {
    let named = named();
    assert!(named.len() > 40, "{}", named.len());
    for (path, name) in named {
        let text =
            fs::read_to_string(at(&path)).unwrap_or_else(|error| panic!("SECURITY.md: {path}: {error}"));
        let tests = tests_in(&text);
        assert!(tests.contains(&name), "SECURITY.md: {path} has no test {name}");
    }
}

#[test]
fn every_attack_is_in_the_table() {
    let named = named();
    for entry in fs::read_dir(at("tests/attack")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        if ["table.rs", "everywhere.rs", "world.rs"].contains(&&*file) {
            continue;
        }
        let path = format!("tests/attack/{file}");
        for name in tests_in(&fs::read_to_string(at(&path)).unwrap()) {
            assert!(
                named.contains(&(path.clone(), name.clone())),
                "{path}::{name} is not in SECURITY.md"
            );
        }
    }
}

/// Catches a reader that takes anything for a test.
#[test]
fn tests_are_told_from_other_functions() {
    let text = "/// Of `#[test]`\nfn a() {}\n    #[test]\n    fn b() {}\n// #[test]\nfn c() {}\n#[test]\n#[ignore]\nfn d(x: u8) {}";
    let names: Vec<String> = tests_in(text).into_iter().collect();
    assert_eq!(names, ["b", "d"]);
}

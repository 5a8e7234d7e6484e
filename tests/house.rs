//! The picture of the house, and that the code keeps to it: no file imports from a floor above its own, and no two files
//! import each other, directly or around.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of `src`, from the ground up: a folder or a file, by its name. A room may use those of the floors below its
/// own; within a room and between rooms of a floor, only circles are forbidden.
const FLOORS: &[(&str, &[&str])] = &[
    ("engine: words", &["header"]),
    ("engine: structure", &["mime"]),
    ("engine: what SES refuses", &["preflight"]),
    ("engine: addresses that we sign", &["signed"]),
    ("engine: what goes out", &["rewrite"]),
    ("engine: who, and what arrived", &["alias", "arrival"]),
    (
        "edge: settings, time and causes",
        &["config", "deadline", "executor", "cause"],
    ),
    ("edge: services", &["aws"]),
    ("edge: places", &["bucket", "alias_key", "alias_store"]),
    ("edge: what was sent, and where to", &["ledger", "outbox"]),
    ("edge: the pipeline", &["forward"]),
    ("edge: from settings to places", &["connect"]),
    ("edge: what a set-up is like", &["doctor"]),
    ("programs", &["function", "cli"]),
    ("entries", &["lib", "main", "bin"]),
];

/// A module's path without `crate`, such as `["rewrite", "edit"]`.
type Module = Vec<String>;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn rust_files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn module_of(file: &Path) -> Module {
    let relative = file.strip_prefix(source()).unwrap().with_extension("");
    let mut module: Module = relative
        .iter()
        .map(|step| step.to_str().unwrap().to_owned())
        .collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

/// The code of a file without its tests and comments.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let tests = ["#[cfg(test)]\nmod tests", "#[cfg(test)]\npub(super) mod tests"];
    let end = tests.iter().filter_map(|tests| text.find(tests)).min();
    let code = &text[..end.unwrap_or(text.len())];
    let lines = code
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The paths that a `use` tree names: `a::{b, c::{self, d}}` is `a::b`, `a::c::self` and `a::c::d`.
fn expand(tree: &str, prefix: &str, found: &mut Vec<String>) {
    let mut depth = 0;
    let mut start = 0;
    let mut pieces = Vec::new();
    for (at, c) in tree.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                pieces.push(&tree[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(&tree[start..]);
    for piece in pieces
        .into_iter()
        .map(str::trim)
        .filter(|piece| !piece.is_empty())
    {
        match piece.split_once('{') {
            Some((path, rest)) => {
                let inner = &rest[..rest.rfind('}').expect("a closed brace")];
                expand(inner, &format!("{prefix}{path}"), found);
            }
            None => found.push(format!("{prefix}{piece}")),
        }
    }
}

/// The modules that a file imports from, of those that there are.
fn imports(module: &Module, code: &str, modules: &BTreeSet<Module>) -> BTreeSet<Module> {
    let mut paths = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let before = code[..at].trim_end();
        let starts =
            before.is_empty() || before.ends_with([';', '}', ']', ')', '{']) || before.ends_with("pub");
        if starts && let Some(tree) = code[at + 4..].split(';').next() {
            expand(tree, "", &mut paths);
        }
    }
    // Paths that are written out where they are used.
    let written_out = code.match_indices("crate::");
    for (at, _) in written_out.filter(|(at, _)| !code[..*at].ends_with("pub(in ")) {
        let path = code[at..].split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
        paths.extend(path.take(1).map(str::to_owned));
    }
    let mut imported = BTreeSet::new();
    for path in paths {
        let mut steps: Module = path
            .split("::")
            .map(|step| step.split_whitespace().next().unwrap_or_default().to_owned())
            .collect();
        let mut absolute = match &*steps[0] {
            "crate" | "readdress" => Vec::new(),
            "super" => module[..module.len() - 1].to_vec(),
            "self" => module.clone(),
            // A child of this module, or another crate.
            _ => [module.clone(), vec![String::new()]].concat(),
        };
        if absolute.last().is_some_and(String::is_empty) {
            absolute.pop();
        } else {
            steps.remove(0);
        }
        while steps.first().is_some_and(|step| step == "super") {
            absolute.pop();
            steps.remove(0);
        }
        absolute.extend(steps);
        let known = (1..=absolute.len()).rev().map(|len| absolute[..len].to_vec());
        let found = known.into_iter().find(|path| modules.contains(path));
        imported.extend(found.filter(|found| found != module));
    }
    imported
}

fn house() -> BTreeMap<Module, BTreeSet<Module>> {
    let mut files = Vec::new();
    rust_files(&source(), &mut files);
    let modules: BTreeSet<Module> = files.iter().map(|file| module_of(file)).collect();
    let of = |file: &PathBuf| {
        let module = module_of(file);
        let imports = imports(&module, &code(file), &modules);
        (module, imports)
    };
    files.iter().map(of).collect()
}

fn floor(module: &Module) -> usize {
    let floor = FLOORS.iter().position(|(_, rooms)| rooms.contains(&&*module[0]));
    floor.unwrap_or_else(|| panic!("{} stands on no floor of the table", module[0]))
}

#[test]
fn no_file_imports_from_a_higher_floor() {
    let house = house();
    assert!(house.len() > 50 && house.values().map(BTreeSet::len).sum::<usize>() > 150);
    for (module, imports) in &house {
        for imported in imports {
            assert!(
                floor(imported) <= floor(module),
                "{} imports {}, which is above it",
                module.join("::"),
                imported.join("::")
            );
        }
    }
}

#[test]
fn no_two_files_import_each_other() {
    let mut left = house();
    // Whatever imports nothing that is left is in no circle.
    loop {
        let done: Vec<Module> = left
            .iter()
            .filter(|(_, imports)| imports.iter().all(|imported| !left.contains_key(imported)))
            .map(|(module, _)| module.clone())
            .collect();
        if done.is_empty() {
            break;
        }
        left.retain(|module, _| !done.contains(module));
    }
    let mut circles = Vec::new();
    for (module, imports) in &left {
        for imported in imports.iter().filter(|imported| left.contains_key(*imported)) {
            circles.push(format!("{} imports {}", module.join("::"), imported.join("::")));
        }
    }
    assert!(
        circles.is_empty(),
        "these are in a circle, or above one: {circles:#?}"
    );
}

/// Catches a reader of `use` lines that sees none.
#[test]
fn imports_are_read() {
    let modules: BTreeSet<Module> = [vec!["a"], vec!["a", "b"], vec!["a", "c"], vec!["d"]]
        .into_iter()
        .map(|module| module.into_iter().map(str::to_owned).collect())
        .collect();
    let module = vec!["a".to_owned(), "b".to_owned()];
    let code = "use std::fmt;\npub(crate) use super::c::{X, y::{self, Z}};\n#[cfg(x)]\nuse crate::d as e;\nfn f() {}";
    let found = imports(&module, code, &modules);
    let found: Vec<String> = found.iter().map(|module| module.join("::")).collect();
    assert_eq!(found, ["a::c", "d"]);
}

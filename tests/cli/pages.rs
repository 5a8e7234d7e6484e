//! The man pages and completions that a release packs.

#[path = "../../deploy/pages.rs"]
mod program;

use std::fs;

/// Catches a command without a page, and settings that the pages do not name.
#[test]
fn every_command_has_a_page_and_is_completed() {
    let directory = tempfile::tempdir().unwrap();
    program::write(directory.path()).unwrap();
    let read = |name: &str| fs::read_to_string(directory.path().join(name)).unwrap();
    for command in [
        "forward",
        "event",
        "rewrite",
        "inspect",
        "preflight",
        "aliases-check",
    ] {
        let page = read(&format!("man1/readdress-{command}.1"));
        assert!(page.contains(".SH NAME"), "{command}");
        for completions in ["readdress.bash", "_readdress", "readdress.fish"] {
            let completions = read(&format!("completions/{completions}"));
            assert!(
                completions.contains(command.split('-').next_back().unwrap()),
                "{command}"
            );
        }
    }
    let forward = read("man1/readdress-forward.1");
    assert!(
        forward.contains("EMAIL_BUCKET") && forward.contains("max\\-send\\-bytes"),
        "{forward}"
    );
    assert!(read("man1/readdress.1").contains("Exit codes"));
}

//! The sender as the new From shows it.

use std::borrow::Cow;

use super::addresses::is_unread;
use super::options::FromFormat;
use crate::header::is_invisible;
use crate::header::mailbox::{Address, MAX_MAILBOX, format_mailbox, whole_mailbox};

/// Characters of a name that are shown before the sender's address: mail programs cut the names that they list, and a longer
/// name would push the address out of sight.
const MAX_SHOWN: usize = 60;

/// `@`, and the characters that look like it.
const AT_SIGNS: [char; 3] = ['@', '\u{ff20}', '\u{fe6b}'];

/// How From shows a sender.
pub(super) struct SenderStyle<'a> {
    pub(super) format: FromFormat,
    /// The address of the new From.
    pub(super) address: &'a Address,
    /// The domain that [`FromFormat::Via`] names.
    pub(super) via: &'a str,
}

/// Returns the new From: an address of ours, named after the sender.
///
/// A name is cut until the mailbox is within SES's limit, so that the sender's address, which stands behind it, is never cut.
pub(super) fn new_from(style: &SenderStyle<'_>, name: Option<&str>, sender: Option<&Address>) -> String {
    let address = style.address;
    let name = name.map(visible).map(unquoted).map(without_imitation);
    // Text of a charset that nobody knows cannot be read.
    let name = name.filter(|name| !is_unread(name));
    // `<>` and the like are not a name.
    let name = name.filter(|name| name.contains(|c: char| c.is_ascii_alphanumeric() || !c.is_ascii()));
    // Some programs repeat the address as the name.
    let name = name.filter(|name| sender.is_none_or(|s| !s.written().eq_ignore_ascii_case(name)));
    let name = name.map(without_at);
    let shown = sender.map(shown_address);
    let display = |name: Option<&str>| display_name(style, name, shown.as_deref());
    let Some(name) = name else {
        return format_mailbox(display(None).as_deref(), address);
    };
    // Nothing stands behind a bare name, so that only the mailbox's own limit holds.
    let mut chars = match style.format {
        FromFormat::Full | FromFormat::Via => MAX_SHOWN,
        FromFormat::Name | FromFormat::Alias => MAX_MAILBOX,
    };
    loop {
        let display = display(Some(&shortened(&name, chars)));
        match whole_mailbox(display.as_deref(), address) {
            Some(whole) => return whole,
            None if chars <= 1 => return format_mailbox(display.as_deref(), address),
            None => chars = chars.min(name.chars().count()) * 7 / 8,
        }
    }
}

/// The display name of this format, or `None` where it has none.
fn display_name(style: &SenderStyle<'_>, name: Option<&str>, shown: Option<&str>) -> Option<String> {
    match (style.format, name, shown) {
        (FromFormat::Alias, ..) | (_, None, None) => None,
        (FromFormat::Full, Some(name), Some(shown)) => Some([name, " (", shown, ")"].concat()),
        (FromFormat::Full | FromFormat::Name, Some(name), _) => Some(name.to_owned()),
        (FromFormat::Full | FromFormat::Name, None, Some(shown)) => Some(shown.to_owned()),
        (FromFormat::Via, Some(name), _) => Some(format!("{name} via {}", style.via)),
        (FromFormat::Via, None, Some(shown)) => Some(format!("{shown} via {}", style.via)),
    }
}

/// The address with ` at ` in place of the `@`. A quoted local part cannot close the parentheses around it.
fn shown_address(sender: &Address) -> String {
    if sender.local().contains(is_parenthesis) {
        let local = sender.local().replace(is_parenthesis, "");
        return [&local, " at ", sender.domain()].concat();
    }
    [sender.local(), " at ", sender.domain()].concat()
}

/// The name without quotes around all of it, as some programs write an address for a name: `'jane@example.org'`.
fn unquoted(name: Cow<'_, str>) -> Cow<'_, str> {
    let is_quote = |c: char| matches!(c, '\'' | '"' | '\u{2018}'..='\u{201f}');
    let inside = name.trim_matches(is_quote).trim();
    if inside.len() < name.len() && name.starts_with(is_quote) && name.ends_with(is_quote) {
        return Cow::Owned(inside.to_owned());
    }
    name
}

/// The name with ` at ` in place of each `@`, and of each character that looks like one: filters take a name with an `@` for a
/// spoof.
fn without_at(name: Cow<'_, str>) -> Cow<'_, str> {
    if !name.contains(AT_SIGNS) {
        return name;
    }
    let words = name.replace(AT_SIGNS, " at ");
    Cow::Owned(words.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The first `chars` characters, the last of them an ellipsis where something was cut.
fn shortened(name: &str, chars: usize) -> Cow<'_, str> {
    // No character is shorter than an octet.
    if name.len() <= chars || name.chars().count() <= chars {
        return Cow::Borrowed(name);
    }
    let ellipsis = if name.is_ascii() { "..." } else { "\u{2026}" };
    let kept = chars.saturating_sub(ellipsis.chars().count()).max(1);
    let kept: String = name.chars().take(kept).collect();
    Cow::Owned(kept.trim_end().to_owned() + ellipsis)
}

/// The name as it looks: without characters that cannot be seen or that change the direction of what follows, and with
/// single spaces.
fn visible(name: &str) -> Cow<'_, str> {
    if name.is_ascii() {
        return Cow::Borrowed(name.trim());
    }
    let seen: String = name.chars().filter(|&c| !is_invisible(c)).collect();
    Cow::Owned(seen.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The name without its parentheses, if the text in or behind the first could be read as an address: the one that is appended
/// is then the only one that looks like it.
///
/// `Bank (service at bank.example)` becomes `Bank service at bank.example`; `Jane (Sales)` stays.
fn without_imitation(name: Cow<'_, str>) -> Cow<'_, str> {
    match name.find(is_parenthesis) {
        Some(first) if looks_like_an_address(&name[first..]) => {
            let words = name.split(|c: char| is_parenthesis(c) || c == ' ');
            let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
            Cow::Owned(words.join(" "))
        }
        _ => name,
    }
}

/// Whether there is a word `at`, a character that looks like `@`, or a dot inside a word as in a domain.
fn looks_like_an_address(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    let at = words.any(|word| word.eq_ignore_ascii_case("at"));
    let dot = |c: char| matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}');
    let mut pairs = text.chars().zip(text.chars().skip(1));
    at || text.contains(AT_SIGNS) || pairs.any(|(before, after)| dot(before) && after.is_alphanumeric())
}

/// A parenthesis, or a character that is easily taken for one.
fn is_parenthesis(c: char) -> bool {
    matches!(c,
        '(' | ')' | '\u{207d}'..='\u{207e}' | '\u{208d}'..='\u{208e}' | '\u{2768}'..='\u{276b}'
        | '\u{27ee}'..='\u{27ef}' | '\u{2985}'..='\u{2986}' | '\u{2e28}'..='\u{2e29}'
        | '\u{fd3e}'..='\u{fd3f}' | '\u{fe35}'..='\u{fe36}' | '\u{fe59}'..='\u{fe5a}'
        | '\u{ff08}'..='\u{ff09}' | '\u{ff5f}'..='\u{ff60}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::mailbox::parse_address_list;

    fn shown(format: FromFormat, name: &str, sender: &str) -> String {
        let alias = Address::parse("shop@example.com").unwrap();
        let style = SenderStyle {
            format,
            address: &alias,
            via: alias.domain(),
        };
        let sender = Address::parse(sender).unwrap();
        let from = new_from(&style, Some(name), Some(&sender));
        assert!(from.len() <= MAX_MAILBOX, "{from}");
        let mailbox = parse_address_list(from.as_bytes()).remove(0);
        assert_eq!(mailbox.address, alias);
        mailbox.name.unwrap()
    }

    /// Catches a sender who hides the address that is shown, or moves it elsewhere.
    #[test]
    fn a_name_holds_nothing_invisible() {
        for (name, want) in [
            ("Ja\u{ad}ne\u{202e}\u{2066}\u{feff}", "Jane"),
            ("\u{3164}\u{2800}Jane\u{115f}\u{e0041}", "Jane"),
            ("Jane\u{2003}\u{a0} \u{3000}Doe", "Jane Doe"),
            ("\u{2764}\u{fe0f} Jane", "\u{2764}\u{fe0f} Jane"),
            ("\u{200b}\u{2060}", ""),
        ] {
            let shown = shown(FromFormat::Full, name, "jane@example.org");
            let want = match want {
                "" => "jane at example.org".to_owned(),
                want => format!("{want} (jane at example.org)"),
            };
            assert_eq!(shown, want, "{name:?}");
        }
    }

    #[test]
    fn a_name_cannot_pass_for_the_address() {
        for (name, want) in [
            ("Bank (service at bank.example)", "Bank service at bank.example"),
            ("Bank\u{ff08}service AT bank\u{ff09}", "Bank service AT bank"),
            ("Bank) (service@bank.example", "Bank service at bank.example"),
            ("pia@example.org", "pia at example.org"),
            ("Jane @ Work", "Jane at Work"),
            ("Jane\u{ff20}bank.example", "Jane at bank.example"),
            ("Bank (bank.example)", "Bank bank.example"),
            ("Jane (Sales)", "Jane (Sales)"),
            ("Jane (St. Gallen)", "Jane (St. Gallen)"),
            ("Ann at work (home)", "Ann at work (home)"),
        ] {
            let shown = shown(FromFormat::Full, name, "eve@evil.example");
            assert_eq!(shown, format!("{want} (eve at evil.example)"));
        }
        let odd = "\"x) (ceo at bank.example\"@evil.example";
        assert_eq!(
            shown(FromFormat::Full, "Eve", odd),
            "Eve (x ceo at bank.example at evil.example)"
        );
    }

    #[test]
    fn a_long_name_leaves_the_address_in_sight() {
        for (name, format) in [("x y", FromFormat::Full), ("\u{e9}", FromFormat::Via)] {
            let shown = shown(format, &name.repeat(200), "eve@evil.example");
            let name = shown.rsplit_once(" (").or(shown.rsplit_once(" via ")).unwrap().0;
            assert!(
                (MAX_SHOWN - 5..=MAX_SHOWN).contains(&name.chars().count()),
                "{shown}"
            );
            assert!(name.ends_with("...") || name.ends_with('\u{2026}'), "{shown}");
        }
        let exact = "n".repeat(MAX_SHOWN);
        assert_eq!(
            shown(FromFormat::Full, &exact, "eve@evil.example"),
            format!("{exact} (eve at evil.example)")
        );
        // Nothing stands behind this one.
        let name = "n".repeat(200);
        assert_eq!(shown(FromFormat::Name, &name, "eve@evil.example"), name);
    }
}

//! Text of strangers in a line of a report.

/// The text with an escape in place of everything that a terminal would take for an order, that turns the direction of the
/// text, or that is not seen: strangers have written it.
pub(super) fn visible(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            let is_harmless = matches!(c, '"' | '\'' | '\\');
            let mut escaped = c.escape_debug();
            if is_harmless || escaped.len() == 1 {
                out.push(c);
            } else {
                out.extend(&mut escaped);
            }
        }
        for octet in chunk.invalid() {
            out.extend(format!("\\x{octet:02x}").chars());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_stranger_is_an_order_to_the_terminal() {
        assert_eq!(
            visible("a \"b\" \x1b[2J\u{9b}c\u{202e}d\u{e4}\t".as_bytes()),
            "a \"b\" \\u{1b}[2J\\u{9b}c\\u{202e}d\u{e4}\\t"
        );
        assert_eq!(visible(b"M\xe4rz"), "M\\xe4rz");
    }
}

//! The laxest reader of header sections that we know of: what JavaMail, and whoever decodes UTF-8 before looking at a
//! name, may see in one.

/// The names of the fields, in order, and the offset of the body.
///
/// A line ends at a CR, an LF or a CRLF. One that begins with a blank continues the field before it, or is a field of its
/// own where there is none. A name ends at the colon, is trimmed of every character up to the space, and is in lower case
/// as Unicode has it, where a long s and the Kelvin sign are letters of ASCII.
pub fn read(message: &[u8]) -> (Vec<String>, usize) {
    let mut names = Vec::new();
    let mut at = 0;
    while at < message.len() {
        let line = &message[at..];
        let end = line
            .iter()
            .position(|&b| matches!(b, b'\r' | b'\n'))
            .unwrap_or(line.len());
        let line_break = match &line[end..] {
            [b'\r', b'\n', ..] => 2,
            rest => rest.len().min(1),
        };
        at += end + line_break;
        let line = &line[..end];
        if line.is_empty() {
            break;
        }
        let continues = matches!(line[0], b' ' | b'\t') && !names.is_empty();
        if !continues {
            let name = line.split(|&b| b == b':').next().unwrap_or_default();
            names.push(folded(&String::from_utf8_lossy(name)));
        }
    }
    (names, at)
}

fn folded(name: &str) -> String {
    let trimmed = name.trim_matches(|c| c <= ' ');
    let upper = trimmed.to_uppercase();
    upper.replace('\u{212a}', "K").to_lowercase()
}

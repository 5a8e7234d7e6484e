//! Attachments that SES does not send, recognised by every file name that a reader could find.

use crate::header::encoded_word;
use crate::mime::ContentType;

/// Extensions that SES does not send. Mail with them can arrive.
const BLOCKED: &[&str] = &[
    "ade", "adp", "app", "asp", "bas", "bat", "cer", "chm", "cmd", "com", "cpl", "crt", "csh", "der", "exe",
    "fxp", "gadget", "hlp", "hta", "inf", "ins", "isp", "its", "js", "jse", "ksh", "lib", "lnk", "mad",
    "maf", "mag", "mam", "maq", "mar", "mas", "mat", "mau", "mav", "maw", "mda", "mdb", "mde", "mdt", "mdw",
    "mdz", "msc", "msh", "msh1", "msh2", "mshxml", "msh1xml", "msh2xml", "msi", "msp", "mst", "ops", "pcd",
    "pif", "plg", "prf", "prg", "reg", "scf", "scr", "sct", "shb", "shs", "sys", "ps1", "ps1xml", "ps2",
    "ps2xml", "psc1", "psc2", "tmp", "url", "vb", "vbe", "vbs", "vps", "vsmacros", "vss", "vst", "vsw",
    "vxd", "ws", "wsc", "wsf", "wsh", "xnk",
];

/// Parameters that name a file.
const NAMES: [&str; 2] = ["filename", "name"];

/// Whether the body of a Content-Disposition or Content-Type field names a file that SES does not send.
///
/// A name may be written plainly, in encoded-words (RFC 2047), which do not belong there but are common, or in pieces and
/// percent-octets (RFC 2231); and programs differ in which of two names they read. One blocked name is enough.
pub(super) fn has_blocked_name(body: &[u8], is_disposition: bool) -> bool {
    if !mentions_name(body) {
        return false;
    }
    let parsed = if is_disposition {
        ContentType::parse_disposition(body)
    } else {
        // Other programs read the parameters of a type that cannot be read.
        ContentType::parse(body).unwrap_or_else(|| ContentType::parse_disposition(body))
    };
    NAMES.iter().any(|name| {
        let whole = parsed.whole_parameters(name);
        let whole = whole.map(|octets| String::from_utf8_lossy(&octets).into_owned());
        whole.chain(parsed.text(name)).any(|name| {
            is_blocked(&name) || (name.contains("=?") && is_blocked(&encoded_word::decode(name.as_bytes())))
        })
    })
}

/// Whether a parameter's name could be among the octets: both end in `name`.
fn mentions_name(body: &[u8]) -> bool {
    body.windows(4).any(|four| four.eq_ignore_ascii_case(b"name"))
}

fn is_blocked(name: &str) -> bool {
    let Some((_, extension)) = name.rsplit_once('.') else {
        return false;
    };
    let extension = extension.trim_matches(|c| c <= ' ').to_lowercase();
    BLOCKED.contains(&&*extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_any_program_might() {
        for (body, blocked) in [
            ("attachment; filename=run.js", true),
            ("attachment; filename=\"Run.EXE \"", true),
            ("attachment; filename=run.js.txt", false),
            ("attachment; filename=js", false),
            ("attachment; filename=a.json", false),
            ("attachment; filename*=utf-8''run%2Ejs", true),
            ("attachment; filename*0=run; filename*1=\".vbs\"", true),
            ("attachment; filename*0*=utf-8''ru%6E; filename*1*=%2Ebat", true),
            ("attachment; filename=\"=?utf-8?q?run=2Ejs?=\"", true),
            ("attachment; filename=\"=?utf-8?b?cnVuLmpz?=\"", true),
            (
                "attachment; filename*0=\"=?utf-8?b?cnVu\"; filename*1=\"Lmpz?=\"",
                true,
            ),
            // Two names: a harmless one for some programs, the other for the rest.
            ("attachment; filename=a.txt; filename*=utf-8''run.js", true),
            ("attachment; filename=run.js; filename*=utf-8''a.txt", true),
            ("attachment; filename=a.txt; filename=run.js", true),
            ("attachment; filename*0=a.js; filename*1=on", false),
            ("inline; NAME=run.scr", true),
            ("attachment; size=1.js", false),
            ("attachment", false),
        ] {
            assert_eq!(has_blocked_name(body.as_bytes(), true), blocked, "{body}");
            let as_type = body.replacen("attachment", "text/plain", 1);
            assert_eq!(has_blocked_name(as_type.as_bytes(), false), blocked, "{as_type}");
        }
        assert!(has_blocked_name(b"octet; name=run.js", false));
    }
}

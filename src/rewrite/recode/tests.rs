//! Recoding, however the stretch is cut.

use proptest::prelude::*;

use super::*;
use crate::header::{FOLD_AT, can_be_folded};

fn recoded(form: Form, input: &[u8], chunk: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut recoder = Recoder::new(Recoding {
        form,
        line_ending: b"\r\n",
    });
    for chunk in input.chunks(chunk) {
        recoder.write(chunk, &mut |octets| out.extend_from_slice(octets));
    }
    recoder.end(&mut |octets| out.extend_from_slice(octets));
    out
}

/// The oracle of the quick way: octet by octet.
fn recoded_in_steps(form: Form, input: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut recoder = Recoder::new(Recoding {
        form,
        line_ending: b"\r\n",
    });
    let mut at = 0;
    while at < input.len() {
        at += recoder.step(&input[at..], &mut out);
    }
    out
}

fn longest_line(text: &[u8]) -> usize {
    let lines = text.split(|&b| b == b'\n');
    lines
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line).len())
        .max()
        .unwrap_or(0)
}

/// RFC 2045 6.7, by the letter.
fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with(b"=\r\n") {
            at += 3;
        } else if rest.starts_with(b"=\n") {
            at += 2;
        } else if rest[0] == b'=' && rest.len() > 2 && rest[1..3].iter().all(u8::is_ascii_hexdigit) {
            let digits = std::str::from_utf8(&rest[1..3]).unwrap();
            out.push(u8::from_str_radix(digits, 16).unwrap());
            at += 3;
        } else {
            out.push(rest[0]);
            at += 1;
        }
    }
    out
}

fn without_blanks(text: &[u8]) -> Vec<u8> {
    text.iter()
        .copied()
        .filter(|b| !b.is_ascii_whitespace())
        .collect()
}

#[test]
fn blanks_at_the_end_of_a_line_are_quoted() {
    let text = recoded(Form::QuotedPrintable, b"a \r\nb\t\nc = \xe9 ", 1);
    assert_eq!(text, b"a=20\r\nb=09\nc =3D =E9=20");
}

#[test]
fn a_line_of_the_greatest_length_is_not_broken() {
    let line = "x".repeat(MAX_ENCODED_LINE);
    for form in [Form::QuotedPrintable, Form::SoftBreaks] {
        assert_eq!(recoded(form, line.as_bytes(), 7), line.as_bytes());
        let text = format!("{line}\r\n{line}");
        assert_eq!(recoded(form, text.as_bytes(), 7), text.as_bytes());
    }
    let text = format!("{line}=\r\nx");
    assert_eq!(
        unquoted(&recoded(Form::SoftBreaks, text.as_bytes(), 3)),
        unquoted(text.as_bytes())
    );
}

/// Catches a line of ours that begins a delimiter, and so makes another part of the body.
#[test]
fn no_line_of_ours_begins_a_delimiter() {
    for (form, before) in [
        (Form::QuotedPrintable, 1500),
        (Form::SoftBreaks, 1500),
        (Form::Base64Lines, 76),
        (Form::HardBreaks, MAX_LINE),
    ] {
        for shift in 0..80 {
            let text = format!("{}--b\r\nx", "x".repeat(before + shift));
            let out = recoded(form, text.as_bytes(), 7);
            let mut lines = out.split(|&b| b == b'\n');
            assert!(!lines.any(|line| line.starts_with(b"--b")), "{form:?} {shift}");
        }
    }
}

#[test]
fn a_field_is_folded_before_a_blank() {
    let field = format!("References: {}\r\n", "<1@example.org> ".repeat(100).trim_end());
    let folded = recoded(Form::Folded, field.as_bytes(), 10);
    assert!(longest_line(&folded) < 2 * FOLD_AT);
    assert_eq!(String::from_utf8(folded).unwrap().replace("\r\n ", " "), field);
}

proptest! {
    #[test]
    fn what_is_written_says_the_same_in_short_lines_however_it_is_cut(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just(b"\r\n".to_vec()), Just(b"\n".to_vec()), Just(b"\r".to_vec()), Just(b"=\r\n".to_vec()),
                Just(b"=41".to_vec()), Just(b" ".to_vec()), Just(vec![b'x'; 80]), Just(vec![b'y'; 990]),
                Just(b"- ".repeat(80)), Just("\u{447}".repeat(40).into_bytes()), Just(b"=D1=87".repeat(30)),
                proptest::collection::vec(any::<u8>(), 0..5),
            ],
            0..12,
        ),
        chunk in 1_usize..40,
    ) {
        let input = pieces.concat();
        for form in [
            Form::Base64Lines, Form::SoftBreaks, Form::QuotedPrintable, Form::Base64, Form::HardBreaks, Form::Folded,
        ] {
            let out = recoded(form, &input, chunk);
            prop_assert_eq!(&out, &recoded(form, &input, usize::MAX), "{:?} in chunks of {}", form, chunk);
            if matches!(form, Form::SoftBreaks | Form::QuotedPrintable | Form::HardBreaks) {
                prop_assert_eq!(&out, &recoded_in_steps(form, &input), "{:?}", form);
            }
            match form {
                Form::QuotedPrintable => prop_assert_eq!(unquoted(&out), &input[..]),
                Form::SoftBreaks => prop_assert_eq!(unquoted(&out), unquoted(&input)),
                Form::Base64 => {
                    let decoded = base64_simd::STANDARD.decode_to_vec(without_blanks(&out)).unwrap();
                    prop_assert_eq!(decoded, &input[..]);
                }
                Form::Base64Lines => {
                    let digits = |text: &[u8]| {
                        without_blanks(text).into_iter().filter(|&b| b != b'-').collect::<Vec<u8>>()
                    };
                    prop_assert_eq!(digits(&out), digits(&input));
                }
                _ => prop_assert_eq!(without_blanks(&out), without_blanks(&input)),
            }
            match form {
                Form::HardBreaks => prop_assert!(longest_line(&out) <= MAX_LINE),
                Form::Folded => prop_assert_eq!(longest_line(&out) <= MAX_LINE, can_be_folded(&input)),
                _ => prop_assert!(longest_line(&out) <= MAX_ENCODED_LINE, "{:?}", form),
            }
        }
    }
}

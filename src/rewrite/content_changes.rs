//! The changes to the fields that describe the body, in both directions: where parts change its form, where a strict parser does not
//! read them, and where they tell of the owner.

use super::apply::{Change, Changes, Once};
use super::content_fields;
use super::fields::Role;
use super::notes::Notes;
use super::original::OriginalFields;
use super::parts::{PartEdits, encoding_name};
use super::recode::Form;
use crate::header::FieldBody;
use crate::preflight::Code;

/// Changes the fields that describe the body, where edits of parts change its form.
pub(super) fn change_for_parts(original: &OriginalFields<'_>, parts: &PartEdits, changes: &mut Changes) {
    if let Some(body) = original.content_type.filter(|_| parts.has_no_parts) {
        let change = Change::Replace(content_fields::type_of_text(body));
        let once = Once::new(Role::ContentType, "Content-Type", change);
        changes.once.insert(0, once);
    }
    if let Some(form) = parts.body {
        encode(changes, form);
    }
}

/// Says that the body goes out in another form.
fn encode(changes: &mut Changes, form: Form) {
    if let Some(name) = encoding_name(form) {
        let body = FieldBody::words([name]);
        let name = "Content-Transfer-Encoding";
        let change = Once::new(Role::TransferEncoding, name, Change::Replace(body));
        changes.once.push(change);
    }
    changes.once.push(Once::new(Role::OfEncoding, "", Change::Drop));
}

/// Writes Content-Type and Content-Disposition anew where a strict parser does not read them.
pub(super) fn repair_content_fields(original: &OriginalFields<'_>, changes: &mut Changes, notes: &mut Notes) {
    let both = original.content_type.zip(original.content_type_as_it_came);
    if let Some(body) = both.and_then(|(body, came)| content_fields::repaired_type(body, came)) {
        notes.add(Code::ContentTypeSyntax);
        changes.once.push(Once::new(
            Role::ContentType,
            "Content-Type",
            Change::Replace(body),
        ));
    }
    let disposition = original.content_disposition;
    if let Some(body) = disposition.and_then(content_fields::repaired_disposition) {
        notes.add(Code::ContentDispositionSyntax);
        let change = Change::Replace(body);
        changes
            .once
            .push(Once::new(Role::ContentDisposition, "Content-Disposition", change));
    }
}

/// Writes a field anew where something of it must not go out.
type Private = fn(&[u8]) -> Option<FieldBody>;

/// Writes the fields that describe the body anew where they have comments or parameters of their own, in which programs name
/// themselves and hosts.
pub(super) fn without_traces(original: &OriginalFields<'_>, changes: &mut Changes) {
    let is_changed = |changes: &Changes, role| changes.once.iter().any(|once| once.is_of(role));
    let fields: [(Role, &str, Option<&[u8]>, Private); 2] = [
        (
            Role::ContentType,
            "Content-Type",
            original.content_type,
            content_fields::private_type,
        ),
        (
            Role::ContentDisposition,
            "Content-Disposition",
            original.content_disposition,
            content_fields::private_disposition,
        ),
    ];
    for (role, name, original, private) in fields {
        let repaired = changes.once.iter().find(|once| once.is_of(role));
        let body = repaired
            .and_then(Once::new_body)
            .map(|body| body.as_str().as_bytes());
        if let Some(new) = body.or(original).and_then(private) {
            // Of several changes the first counts.
            changes
                .once
                .insert(0, Once::new(role, name, Change::Replace(new)));
        }
    }
    if let Some(body) = original.transfer_encoding
        && !is_changed(changes, Role::TransferEncoding)
        && let new = content_fields::plain_encoding(body)
        && new
            .as_ref()
            .is_none_or(|new| new.as_str().as_bytes() != body.trim_ascii())
    {
        let new = new.map_or(Change::Drop, Change::Replace);
        let change = Once::new(Role::TransferEncoding, "Content-Transfer-Encoding", new);
        changes.once.push(change);
    }
}

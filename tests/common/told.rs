//! Events that own their bytes.

use readdress::mime::Kind;

/// An event that owns its bytes; text of one kind and depth in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub kind: Kind,
    pub depth: usize,
    pub offset: u64,
    pub bytes: Vec<u8>,
}

/// Adds an event to a list, joining what chunks have cut.
pub fn tell(told: &mut Vec<Told>, kind: Kind, depth: usize, offset: u64, bytes: &[u8]) {
    let text = matches!(kind, Kind::Preamble | Kind::Body | Kind::Epilogue);
    match told.last_mut() {
        Some(last) if text && last.kind == kind && last.depth == depth => last.bytes.extend_from_slice(bytes),
        _ => told.push(Told {
            kind,
            depth,
            offset,
            bytes: bytes.to_vec(),
        }),
    }
}

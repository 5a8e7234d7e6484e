//! The ways to set it up wrong.

use crate::world::World;

/// One mistake.
pub struct Case {
    pub name: &'static str,
    pub breaks: fn(&mut World),
    /// The check that must name it, and no other.
    pub check: &'static str,
    /// Words of the finding or its mend.
    pub says: &'static str,
}

pub const fn case(
    name: &'static str,
    check: &'static str,
    says: &'static str,
    breaks: fn(&mut World),
) -> Case {
    Case {
        name,
        breaks,
        check,
        says,
    }
}

//! The programs that are compared.

use std::fmt;

/// In the order of the tables' columns.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Program {
    /// `int main(void) { return 0; }`, linked dynamically: what any process costs here.
    Empty,
    /// This helper as it is released: linked statically.
    Static,
    /// This helper as `cargo build --release` makes it.
    Dynamic,
    /// AWS's helper, in Go.
    Go,
}

impl Program {
    pub const ALL: [Self; 4] = [Self::Empty, Self::Static, Self::Dynamic, Self::Go];

    /// The option that says where it is.
    pub fn option(self) -> &'static str {
        match self {
            Self::Empty => "--empty",
            Self::Static => "--static",
            Self::Dynamic => "--dynamic",
            Self::Go => "--go",
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty C program",
            Self::Static => "this helper, static",
            Self::Dynamic => "this helper, dynamic",
            Self::Go => "AWS's helper",
        })
    }
}

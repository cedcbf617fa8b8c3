//! What people ask for by hand, a file each.

pub mod completions;

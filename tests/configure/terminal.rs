//! A person at a terminal: colours.

use super::{PUBLIC, sandbox};

#[test]
fn colours_are_seen_on_a_terminal_that_wants_them() {
    for (term, no_color, coloured) in [("xterm", "", true), ("dumb", "", false), ("xterm", "1", false)] {
        let mut sandbox = sandbox();
        sandbox.env("TERM", term).env("NO_COLOR", no_color);
        let seen = sandbox.at_terminal(&["configure", PUBLIC]).wait().terminal;
        assert_eq!(seen.contains("\x1b[32m+ public.ecr.aws"), coloured, "{seen:?}");
        assert_eq!(seen.contains('\x1b'), coloured, "{seen:?}");
        assert!(seen.contains("+ public.ecr.aws   ecr-login"), "{seen:?}");
    }
}

//! What would change, as a difference of lines without any around them: those of a client's file hold passwords.

use std::ops::Range;
use std::path::Path;

use crate::error::moves;
use crate::style::Style;

/// The difference of two texts of a file, as `diff -U0` prints it.
pub fn difference(path: &Path, before: &str, after: &str, style: Style) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let name = seen(&path.display().to_string());
    let mut text = format!("--- {name}\n+++ {name}\n");
    for (from, to) in hunks(&old, &new) {
        text += &style.dim(&format!("@@ -{} +{} @@", place(&from), place(&to)));
        text.push('\n');
        for line in old.get(from).unwrap_or_default() {
            text = text + &style.bad(&format!("-{}", seen(line))) + "\n";
        }
        for line in new.get(to).unwrap_or_default() {
            text = text + &style.ok(&format!("+{}", seen(line))) + "\n";
        }
    }
    text
}

/// First line and number of lines; in front of nothing, the line before it.
fn place(lines: &Range<usize>) -> String {
    let first = lines.start + usize::from(!lines.is_empty());
    format!("{first},{}", lines.len())
}

/// The lines that changed, in both texts. Behind each change the nearest line is looked for that both have: few lines
/// change, and the texts are long.
fn hunks(old: &[&str], new: &[&str]) -> Vec<(Range<usize>, Range<usize>)> {
    let mut hunks = Vec::new();
    let (mut at, mut to) = (0, 0);
    while at < old.len() || to < new.len() {
        let meets = |at: usize, to: usize| match (old.get(at), new.get(to)) {
            (None, None) => at == old.len() && to == new.len(),
            (one, other) => one == other,
        };
        let near = (0..).find_map(|distance| {
            let skips = (0..=distance).map(|skipped| (at + skipped, to + distance - skipped));
            skips.into_iter().find(|(at, to)| meets(*at, *to))
        });
        match near {
            Some((next, next_to)) if (next, next_to) != (at, to) => {
                hunks.push((at..next, to..next_to));
                (at, to) = (next, next_to);
            }
            _ => (at, to) = (at + 1, to + 1),
        }
    }
    hunks
}

/// A line as it can be shown on a terminal.
fn seen(line: &str) -> String {
    let shown = |c: char| if c != '\t' && moves(c) { '\u{fffd}' } else { c };
    line.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(before: &str, after: &str) -> String {
        difference(Path::new("f"), before, after, Style::default())
    }

    #[test]
    fn only_what_changed_is_shown_and_where() {
        assert_eq!(
            of("a\nb\nc\nd\n", "a\nb,\nx\nc\nd\ny\n"),
            "--- f\n+++ f\n@@ -2,1 +2,2 @@\n-b\n+b,\n+x\n@@ -4,0 +6,1 @@\n+y\n"
        );
        assert_eq!(of("", "a"), "--- f\n+++ f\n@@ -0,0 +1,1 @@\n+a\n");
        assert_eq!(of("a\nb\nc\n", "c\n"), "--- f\n+++ f\n@@ -1,2 +0,0 @@\n-a\n-b\n");
        assert_eq!(of("a\x1b\n", ""), "--- f\n+++ f\n@@ -1,1 +0,0 @@\n-a\u{fffd}\n");
    }
}

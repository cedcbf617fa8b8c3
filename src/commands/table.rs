//! Rows as aligned columns. Pure.

use crate::error::one_line;

/// The rows, each column as wide as its widest cell and two spaces before the next. Cells may come from files, and are
/// cleaned of what could move a terminal's cursor.
pub fn aligned<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| one_line(cell)))
        .collect();
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    });
    let mut text = String::new();
    for row in &rows {
        let line: String = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}  "))
            .collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_where_their_text_does() {
        let rows = [["a", "é"], ["bcd", "x"]].map(|row| row.map(str::to_owned));
        assert_eq!(aligned(&rows), "a    é\nbcd  x\n");
    }

    #[test]
    fn a_cell_stays_on_its_line() {
        let rows = [["a\x1b[2J\nb", "c\u{202e}"].map(str::to_owned)];
        assert_eq!(aligned(&rows), "a [2J b  c\n");
    }
}

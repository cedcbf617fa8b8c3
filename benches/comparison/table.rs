//! The tables, in Markdown that can be read as it is.

use crate::measurements::Measurements;
use crate::program::Program;
use crate::quantity::Quantity;
use crate::target::Verdict;

pub struct Table {
    /// The first one is the head.
    rows: Vec<Vec<String>>,
    /// On which side of its column a cell is, the first column aside.
    side: Side,
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

impl Table {
    /// Targets, what was measured, and whether that is enough.
    pub fn of_targets(verdicts: &[Verdict]) -> Self {
        let head = ["", "dynamic", "target", "", "static", "target", ""];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for both in verdicts.chunks(2) {
            let mut row: Vec<String> = both.iter().take(1).map(|verdict| verdict.what.to_owned()).collect();
            for verdict in both {
                row.extend([verdict.value(), verdict.target(), strong_if_missed(verdict)]);
            }
            rows.push(row);
        }
        Self::of_rows(rows, Side::Right)
    }

    /// Medians with the tenth and ninetieth hundredth, for each program.
    pub fn of_numbers(measurements: &Measurements) -> Self {
        Self::by_program(Quantity::ALL.into_iter().map(|quantity| {
            let cell = |program| match measurements.get(quantity, program) {
                Some(outcome) if quantity == Quantity::Size => number(outcome.sample.median()),
                Some(outcome) => {
                    let [median, low, high] = [outcome.sample.median(), outcome.sample.low(), outcome.sample.high()];
                    format!("{} ({}–{})", number(median), number(low), number(high))
                }
                None => "–".to_owned(),
            };
            (quantity.label(), Program::ALL.map(cell))
        }))
    }

    /// Calls to AWS by each run, as the fake counted them.
    pub fn of_calls(measurements: &Measurements) -> Self {
        let quantities = [Quantity::Cached, Quantity::Role, Quantity::First, Quantity::Storm];
        Self::by_program(quantities.into_iter().map(|quantity| {
            let cell = |program| match measurements.get(quantity, program) {
                Some(outcome) => format!("{}", outcome.calls),
                None => "–".to_owned(),
            };
            (without_unit(quantity.label()), Program::ALL.map(cell))
        }))
    }

    /// Names and values.
    pub fn of_pairs(pairs: &[(&'static str, String)]) -> Self {
        let head = vec![String::new(), String::new()];
        let rows = pairs
            .iter()
            .map(|(name, value)| vec![(*name).to_owned(), value.clone()]);
        Self::of_rows(std::iter::once(head).chain(rows).collect(), Side::Left)
    }

    fn of_rows(rows: Vec<Vec<String>>, side: Side) -> Self {
        Self { rows, side }
    }

    fn by_program(lines: impl Iterator<Item = (&'static str, [String; 4])>) -> Self {
        let mut head = vec![String::new()];
        head.extend(Program::ALL.iter().map(Program::to_string));
        let rows = lines.map(|(label, cells)| std::iter::once(label.to_owned()).chain(cells).collect());
        Self::of_rows(std::iter::once(head).chain(rows).collect(), Side::Right)
    }

    /// With columns as wide as their widest cell.
    pub fn to_markdown(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns).map(|column| self.width(column)).collect();
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            text.push_str(&self.line(row, &widths));
            if index == 0 {
                text.push_str(&self.ruler(&widths));
            }
        }
        text
    }

    /// At least what a ruler needs.
    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default().max(3)
    }

    fn side_of(&self, column: usize) -> Side {
        if column == 0 { Side::Left } else { self.side }
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let cells = row.iter().zip(widths).enumerate();
        let cells = cells.map(|(column, (cell, &width))| match self.side_of(column) {
            Side::Left => format!(" {cell:<width$} |"),
            Side::Right => format!(" {cell:>width$} |"),
        });
        format!("|{}\n", cells.collect::<String>())
    }

    fn ruler(&self, widths: &[usize]) -> String {
        let cells = widths
            .iter()
            .enumerate()
            .map(|(column, &width)| match self.side_of(column) {
                Side::Left => format!(" {:-<width$} |", ""),
                Side::Right => format!(" {:-<width$}:|", ""),
            });
        format!("|{}\n", cells.collect::<String>())
    }
}

/// Three digits, and more only before the point; whole numbers above ten as they are.
pub fn number(value: f64) -> String {
    match value.abs() {
        size if size > 10.0 && value.fract() == 0.0 => format!("{value:.0}"),
        size if size < 9.995 => format!("{value:.2}"),
        size if size < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn strong_if_missed(verdict: &Verdict) -> String {
    match verdict.met() {
        Some(false) => format!("**{}**", verdict.word()),
        _ => verdict.word().to_owned(),
    }
}

fn without_unit(label: &'static str) -> &'static str {
    label.trim_end_matches(", ms")
}

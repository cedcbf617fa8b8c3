//! docs/performance.md: the text is `template.md`'s, the tables come from here.

use std::fs;
use std::path::Path;

use crate::Result;
use crate::machine::Machine;
use crate::measurements::Measurements;
use crate::quantity::Quantity;
use crate::table::Table;
use crate::target::Verdict;

const TEMPLATE: &str = include_str!("template.md");

/// Writes performance.md.
pub fn write(
    directory: &Path,
    machine: &Machine,
    measurements: &Measurements,
    verdicts: &[Verdict],
    runs: u32,
) -> Result<()> {
    let rounds = |quantity: Quantity| quantity.rounds(runs).to_string();
    let values = [
        ("targets", Table::of_targets(verdicts).to_markdown()),
        ("missed", missed(verdicts)),
        ("numbers", Table::of_numbers(measurements).to_markdown()),
        ("calls", Table::of_calls(measurements).to_markdown()),
        ("machine", Table::of_pairs(machine).to_markdown()),
        ("rounds-cached", rounds(Quantity::Cached)),
        ("rounds-role", rounds(Quantity::Role)),
        ("rounds-storm", rounds(Quantity::Storm)),
    ];
    Ok(fs::write(directory.join("performance.md"), filled(&values)?)?)
}

/// The template without its first line, which says what it is, and with every `{{name}}` replaced.
fn filled(values: &[(&str, String)]) -> Result<String> {
    let (_, text) = TEMPLATE.split_once('\n').unwrap_or_default();
    let mut text = text.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{{{name}}}}}"), value.trim_end());
    }
    match text.contains("{{") {
        true => Err("template.md names a value that there is none for".into()),
        false => Ok(text),
    }
}

/// Said beside the table too: what is missed is not to be looked for.
fn missed(verdicts: &[Verdict]) -> String {
    let of = |met| verdicts.iter().filter(move |verdict| verdict.met() == met);
    let (met, missed) = (of(Some(true)).count(), of(Some(false)).count());
    let all = verdicts.len();
    let mut text = match (missed, all - met - missed) {
        (0, 0) => format!("All {all} are met."),
        (0, open) => format!("{met} of {all} are met; {open} were not measured."),
        (_, 0) => format!("{met} of {all} are met. Missed:\n"),
        (_, open) => format!("{met} of {all} are met; {open} were not measured. Missed:\n"),
    };
    for verdict in of(Some(false)) {
        let (what, program) = (verdict.what, verdict.program);
        text.push_str(&format!(
            "\n- {what}, {program}: {}, target {}",
            verdict.value(),
            verdict.target()
        ));
    }
    text
}

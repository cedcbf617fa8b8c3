//! The bar chart: one panel for each way to ask, one bar for each program, all at one scale.
//!
//! It is looked at on white and on black: no background, and colours that stand out from both, the text's by 4 to 1.

use std::fs;
use std::path::Path;

use charts_rs::{
    Align, Box as Edges, ChildChart, Color, FontConfig, HorizontalBarChart, MultiChart, Series, TextConfig,
};

use crate::Result;
use crate::measurements::Measurements;
use crate::program::Program;
use crate::quantity::Quantity;
use crate::table;

const WIDTH: f32 = 720.0;
const TITLE_HEIGHT: f32 = 34.0;
const BAR_HEIGHT: f32 = 25.0;
const FONT_SIZE: f32 = 14.0;
const FONT: &str = "Helvetica, Arial, sans-serif";
const TEXT: &str = "#767e88";

const HEADING: &str = "Milliseconds from the start of the process to its exit, median. Shorter is better.";
const PANELS: [(Quantity, &str); 3] = [
    (Quantity::Cached, "Cached get"),
    (Quantity::Role, "Second get with an assumed role"),
    (Quantity::First, "First get over TLS, AWS on loopback"),
];

/// Writes performance.svg.
pub fn write(directory: &Path, measurements: &Measurements) -> Result<()> {
    Ok(fs::write(directory.join("performance.svg"), draw(measurements)?)?)
}

fn draw(measurements: &Measurements) -> Result<String> {
    let panels = PANELS.map(|(quantity, title)| (title, bars(quantity, measurements)));
    let longest = panels.iter().flat_map(|(_, bars)| bars).map(|(_, median)| *median);
    let longest = longest.fold(0.0, f64::max);
    let mut whole = MultiChart::new();
    whole.background_color = Some(Color::transparent());
    whole.font_family = FONT.to_owned();
    whole.texts = vec![TextConfig {
        text: HEADING.to_owned(),
        left: Some(14.0),
        top: Some(12.0),
        font: font(FONT_SIZE, None),
        reserve: true,
        ..TextConfig::default()
    }];
    for (title, bars) in &panels {
        whole.add(ChildChart::HorizontalBar(panel(title, bars, longest), None));
    }
    Ok(whole.svg()?)
}

/// The medians of the programs that there are.
fn bars(quantity: Quantity, measurements: &Measurements) -> Vec<(Program, f64)> {
    let bar = |program| Some((program, measurements.median(quantity, program).ok()?));
    Program::ALL.into_iter().filter_map(bar).collect()
}

fn panel(title: &str, bars: &[(Program, f64)], longest: f64) -> HorizontalBarChart {
    let names = bars.iter().map(|(program, _)| program.to_string()).collect();
    let medians = bars.iter().map(|(_, median)| short(*median)).collect();
    let mut series = Series::new(title.to_owned(), medians);
    series.colors = Some(bars.iter().map(|(program, _)| Some(colour_of(*program))).collect());
    series.label_show = true;
    let mut chart = HorizontalBarChart::new(vec![series], names);
    chart.width = WIDTH;
    chart.height = TITLE_HEIGHT + BAR_HEIGHT * u8::try_from(bars.len()).map_or(0.0, f32::from);
    chart.title.text = title.to_owned();
    // The axis of the values, which this crate calls y in a horizontal chart too.
    for axis in &mut chart.y_axis_configs {
        axis.min = Some(0.0);
        axis.max = Some(short(longest));
    }
    style(&mut chart);
    chart
}

/// Names and values stand beside their bars, so there are no axes, no grid and no legend.
fn style(chart: &mut HorizontalBarChart) {
    // At the right there is room for the value of the longest bar.
    chart.margin = Edges {
        left: 4.0,
        top: 0.0,
        right: 84.0,
        bottom: 4.0,
    };
    chart.background_color = Color::transparent();
    chart.font_family = FONT.to_owned();
    chart.legend.show = Some(false);
    chart.grid.stroke_color = Color::transparent();
    chart.x_axis.hidden = true;
    chart.x_axis.stroke_color = Color::transparent();
    chart.x_axis.font = font(FONT_SIZE, None);
    chart.title.align = Align::Left;
    chart.title.font = font(FONT_SIZE + 1.0, Some("bold"));
    chart.series.label.font = font(FONT_SIZE, None);
    chart.series.label.formatter = "{:.2}".to_owned();
}

fn colour_of(program: Program) -> Color {
    Color::from(match program {
        Program::Empty => "#8c959f",
        Program::Static => "#2f81f7",
        Program::Dynamic => "#4c8fd9",
        Program::Go => "#c9752a",
    })
}

fn font(size: f32, weight: Option<&str>) -> FontConfig {
    FontConfig {
        size,
        color: Color::from(TEXT),
        weight: weight.map(str::to_owned),
    }
}

/// As many digits as a label has room for, in the type that the crate draws.
fn short(value: f64) -> f32 {
    table::number(value).parse().unwrap_or(0.0)
}

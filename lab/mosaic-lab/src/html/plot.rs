//! Lines and bars as inline SVG.

use std::fmt::Write;

use super::{escaped, figure as number};
use crate::report::{Line, Series};

/// Size of the picture, and of the room for axes, in its own units.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 40.0;
/// Height of one bar with its name.
const BAR: f64 = 24.0;

/// One plot with its caption. Colours are told apart by dashes as well, for print and for those who do not see them.
pub(super) fn figure(series: &Series) -> String {
    let picture = if series.x.is_empty() { bars(series) } else { lines(series) };
    format!(
        "<figure id=\"plot-{}\"><figcaption>{}</figcaption>\n{picture}</figure>\n",
        escaped(&series.id),
        escaped(&series.title)
    )
}

fn colour(index: usize) -> String {
    format!("hsl({} 65% 50%)", index * 67 % 360)
}

fn dashes(index: usize) -> &'static str {
    ["none", "7 3", "2 3", "9 3 2 3"][index / 2 % 4]
}

/// The least and the most of an axis; from 0, and never empty.
fn range(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let [low, high] = values
        .filter(|value| value.is_finite())
        .fold([0.0_f64, 0.0], |[low, high], value| [low.min(value), high.max(value)]);
    [low, if high > low { high } else { low + 1.0 }]
}

fn lines(series: &Series) -> String {
    let points = || series.lines.iter().flat_map(|line| &line.points);
    let ([left, right], [least, most]) = (range(points().map(|point| point[0])), range(points().map(|point| point[1])));
    let x = |value: f64| LEFT + (value - left) / (right - left) * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - (value - least) / (most - least) * (HEIGHT - TOP - BOTTOM);
    let legend = series.lines.len() as f64 * 16.0;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"{}\">\n",
        HEIGHT + legend,
        escaped(&series.title)
    );
    for step in 0..=4 {
        let share = f64::from(step) / 4.0;
        let (across, up) = (left + share * (right - left), least + share * (most - least));
        let _written = writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"currentColor\" opacity=\"0.2\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            y(up) + 4.0,
            short(up),
            x(across),
            HEIGHT - BOTTOM + 16.0,
            short(across),
            y = y(up),
        );
    }
    let _written = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\
         <text x=\"12\" y=\"{:.1}\" text-anchor=\"middle\" transform=\"rotate(-90 12 {:.1})\">{}</text>",
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 6.0,
        escaped(&series.x),
        (TOP + HEIGHT - BOTTOM) / 2.0,
        (TOP + HEIGHT - BOTTOM) / 2.0,
        escaped(&series.y)
    );
    for (index, Line { name, points }) in series.lines.iter().enumerate() {
        let path: Vec<String> = points.iter().map(|point| format!("{:.1},{:.1}", x(point[0]), y(point[1]))).collect();
        let (colour, dashes, level) = (colour(index), dashes(index), HEIGHT + 16.0 * index as f64 + 8.0);
        let _written = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\"/>\
             <line x1=\"{LEFT}\" x2=\"{:.0}\" y1=\"{level:.0}\" y2=\"{level:.0}\" stroke=\"{colour}\" stroke-width=\"2\" \
             stroke-dasharray=\"{dashes}\"/><text x=\"{:.0}\" y=\"{:.0}\">{}</text>",
            path.join(" "),
            LEFT + 26.0,
            LEFT + 32.0,
            level + 4.0,
            escaped(name)
        );
    }
    svg + "</svg>\n"
}

fn bars(series: &Series) -> String {
    let height = |line: &Line| line.points.first().map_or(0.0, |point| point[1]);
    let [_, most] = range(series.lines.iter().map(height));
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"{}\">\n",
        BAR * series.lines.len() as f64 + 8.0,
        escaped(&series.title)
    );
    for (index, line) in series.lines.iter().enumerate() {
        let (top, value) = (BAR * index as f64 + 2.0, height(line));
        let _written = writeln!(
            svg,
            "<text x=\"210\" y=\"{:.1}\" text-anchor=\"end\">{}</text><rect x=\"216\" y=\"{top:.1}\" width=\"{:.1}\" \
             height=\"{:.1}\" fill=\"{}\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            top + 15.0,
            escaped(&line.name),
            value / most * 210.0,
            BAR - 5.0,
            colour(index / 2),
            222.0 + value / most * 210.0,
            top + 15.0,
            number(value)
        );
    }
    svg + "</svg>\n"
}

/// Axis labels: no more digits than needed.
fn short(value: f64) -> String {
    if value.abs() >= 10.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

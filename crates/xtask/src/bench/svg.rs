//! A bar plot of ratios to native on a logarithmic axis. Its colours follow the reader's choice of dark or light.

use std::fmt::Write as _;

/// A row of the plot.
pub struct Bars {
    /// The group it belongs to; a heading where it changes.
    pub group: String,
    /// What was measured.
    pub name: String,
    /// The mean of the group: set in bold.
    pub mean: bool,
    /// The ratio of each column but native's.
    pub ratios: Vec<Option<f64>>,
}

const WIDTH: f64 = 780.0;
const MARGIN: f64 = 20.0;
/// Where the axis starts and ends.
const LEFT: f64 = 160.0;
const RIGHT: f64 = WIDTH - 66.0;
const TOP: f64 = 84.0;
const BAR: f64 = 9.0;
/// Between rows.
const GAP: f64 = 9.0;
const HEADING: f64 = 28.0;

/// Colours that remain apart in grey and for the colour-blind; for a light and a dark background.
const COLOURS: [(&str, &str); 5] = [
    ("#a3adba", "#6b7685"),
    ("#d9480f", "#ff8a4c"),
    ("#1971c2", "#74b8f5"),
    ("#2f9e44", "#69db7c"),
    ("#9c36b5", "#da77f2"),
];

const STYLE: &str = "\
text { font-family: system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; font-size: 11.5px; fill: #24292f }
.back { fill: #ffffff; stroke: #d8dee4 } .title { font-size: 16px; font-weight: 600 } .head { font-weight: 600 }
.soft { fill: #59636e; font-size: 10.5px } .mean { font-weight: 600 } .value { font-size: 9.5px }
.name { text-anchor: end } .tick { text-anchor: middle } .grid { stroke: #e6eaee } .one { stroke: #59636e; stroke-width: 1.5 }
";
const DARK: &str = "\
text { fill: #e6edf3 } .back { fill: #0d1117; stroke: #30363d } .soft { fill: #9198a1 } .grid { stroke: #262c34 }
.one { stroke: #9198a1 }
";

/// Plots the rows. The first of `columns` is native and has no bar; `caption` says where it was measured.
pub fn plot(columns: &[String], rows: &[Bars], caption: &str) -> String {
    let columns = columns.get(1..).unwrap_or_default();
    let step = columns.len() as f64 * BAR + GAP;
    let headings = rows.chunk_by(|a, b| a.group == b.group).count();
    let bottom = TOP + headings as f64 * HEADING + rows.len() as f64 * step;
    let axis = Axis::over(rows.iter().flat_map(|r| &r.ratios).flatten().copied());
    let mut svg = String::new();
    let height = bottom + 46.0;
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-label=\"Time as a multiple of native\">\n<style>\n{STYLE}{}\
         @media (prefers-color-scheme: dark) {{\n{DARK}{}}}\n</style>",
        fills(columns.len(), |c| c.0),
        fills(columns.len(), |c| c.1),
    );
    let _ = writeln!(
        svg,
        "<rect class=\"back\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"30\">Time as a multiple of native</text>\n\
         <text class=\"soft\" x=\"{MARGIN}\" y=\"48\">less is better; logarithmic axis</text>",
        WIDTH - 1.0,
        height - 1.0
    );
    // The legend, from the right.
    let mut x = RIGHT;
    for (i, label) in columns.iter().enumerate().rev() {
        x -= 7.0 * label.len() as f64 + 28.0;
        let _ = writeln!(
            svg,
            "<rect class=\"c{}\" x=\"{x}\" y=\"20\" width=\"11\" height=\"11\" rx=\"2\"/><text x=\"{}\" y=\"30\">{}</text>",
            i % COLOURS.len(),
            x + 16.0,
            escape(label)
        );
    }
    for tick in &axis.ticks {
        let x = axis.position(*tick);
        let class = if *tick == 1.0 { "one" } else { "grid" };
        let _ = writeln!(
            svg,
            "<line class=\"{class}\" x1=\"{x:.1}\" y1=\"{}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/>\
             <text class=\"soft tick\" x=\"{x:.1}\" y=\"{}\">{tick}×</text>\
             <text class=\"soft tick\" x=\"{x:.1}\" y=\"{:.1}\">{tick}×</text>",
            TOP - 8.0,
            TOP - 14.0,
            bottom + 15.0
        );
    }
    let mut y = TOP;
    for group in rows.chunk_by(|a, b| a.group == b.group) {
        let _ = writeln!(
            svg,
            "<text class=\"head\" x=\"{MARGIN}\" y=\"{:.1}\">{}</text>",
            y + HEADING - 9.0,
            escape(&group[0].group)
        );
        y += HEADING;
        for row in group {
            bars(&mut svg, &axis, row, y);
            y += step;
        }
    }
    let _ = writeln!(
        svg,
        "<text class=\"soft\" x=\"{MARGIN}\" y=\"{:.1}\">{}</text>\n</svg>",
        bottom + 36.0,
        escape(caption)
    );
    svg
}

fn bars(svg: &mut String, axis: &Axis, row: &Bars, y: f64) {
    let mean = if row.mean { " mean" } else { "" };
    let middle = y + row.ratios.len() as f64 * BAR / 2.0 + 4.0;
    let _ = writeln!(
        svg,
        "<text class=\"name{mean}\" x=\"{}\" y=\"{middle:.1}\">{}</text>",
        LEFT - 10.0,
        escape(&row.name)
    );
    for (i, ratio) in row.ratios.iter().enumerate() {
        let Some(ratio) = ratio else { continue };
        let y = y + i as f64 * BAR;
        // From 1 on; what is faster than native goes to the left of it.
        let (one, end) = (axis.position(1.0), axis.position(*ratio));
        let (from, to) = (one.min(end), one.max(end).max(one + 1.0));
        let _ = writeln!(
            svg,
            "<rect class=\"bar c{}\" x=\"{from:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{}\" rx=\"1.5\"/>\
             <text class=\"value{mean}\" x=\"{:.1}\" y=\"{:.1}\">{ratio:.1}×</text>",
            i % COLOURS.len(),
            to - from,
            BAR - 1.5,
            to + 4.0,
            y + BAR - 1.5
        );
    }
}

/// The classes of the columns' bars.
fn fills(columns: usize, shade: impl Fn((&'static str, &'static str)) -> &'static str) -> String {
    let classes = COLOURS.iter().take(columns).enumerate();
    classes.map(|(i, colour)| format!(".c{i} {{ fill: {} }}\n", shade(*colour))).collect()
}

struct Axis {
    ticks: Vec<f64>,
}

impl Axis {
    /// An axis that has 1 and all of the ratios on it, but none below one half.
    fn over(ratios: impl Iterator<Item = f64> + Clone) -> Self {
        let (lowest, highest) = (ratios.clone().fold(1.0, f64::min), ratios.fold(1.0, f64::max));
        let mut ticks = if lowest < 0.95 { vec![0.5, 1.0] } else { vec![1.0] };
        for tick in [2.0f64, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0] {
            if tick == 2.0 || ticks.last().is_some_and(|last| *last < highest) {
                ticks.push(tick);
            }
        }
        Self { ticks }
    }

    fn position(&self, ratio: f64) -> f64 {
        let (low, high) = (self.ticks[0], self.ticks[self.ticks.len() - 1]);
        let share = (ratio / low).ln() / (high / low).ln();
        LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(group: &str, name: &str, ratios: Vec<Option<f64>>) -> Bars {
        Bars { group: group.into(), name: name.into(), mean: name == "mean", ratios }
    }

    #[test]
    fn one_bar_for_each_value_and_one_heading_for_each_group() {
        let columns = ["native", "a<b", "c"].map(String::from);
        let rows = [
            row("start", "w", vec![Some(10.0), None]),
            row("start", "mean", vec![Some(0.7), Some(100.0)]),
            row("compute", "x & y", vec![Some(1.0), Some(2.0)]),
        ];
        let svg = plot(&columns, &rows, "a machine");
        assert_eq!(svg.matches("class=\"bar ").count(), 5);
        assert_eq!(svg.matches("class=\"head\"").count(), 2);
        assert!(svg.contains("a&lt;b") && svg.contains("x &amp; y") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn the_axis_covers_the_values() {
        for (ratio, start, end) in [(0.6, 0.5, 2.0), (1.1, 1.0, 2.0), (20.0, 1.0, 20.0), (24.0, 1.0, 50.0)] {
            let axis = Axis::over([ratio].into_iter());
            assert_eq!((axis.ticks[0], axis.ticks.last()), (start, Some(&end)));
            assert!(axis.position(ratio) <= RIGHT && axis.position(0.01) == LEFT);
        }
    }
}

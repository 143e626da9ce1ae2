//! A bar plot of ratios to native, on a logarithmic axis from 1 to 100.

use std::fmt::Write as _;

const LEFT: f64 = 150.0;
const WIDTH: f64 = 520.0;
const BAR: f64 = 9.0;
const GAP: f64 = 8.0;
const TOP: f64 = 46.0;
/// Colours that remain apart in grey and for the colour-blind.
const COLOURS: [&str; 6] = ["#b0b7c3", "#0b6e99", "#e69f00", "#56b4e9", "#009e73", "#cc79a7"];

/// Plots rows of one value per column; the first of `columns` is native and has no bar.
pub fn plot(columns: &[String], rows: &[(String, Vec<Option<f64>>)]) -> String {
    let bars = columns.len() - 1;
    let step = bars as f64 * BAR + GAP;
    let bottom = TOP + rows.len() as f64 * step;
    let (width, height) = (LEFT + WIDTH + 60.0, bottom + 30.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"11\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"16\">time as a multiple of native, less is better (logarithmic)</text>\n"
    );
    for (i, label) in columns[1..].iter().enumerate() {
        let x = LEFT + i as f64 * 110.0;
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"24\" width=\"10\" height=\"10\" fill=\"{}\"/><text x=\"{}\" y=\"33\">{}</text>",
            colour(i),
            x + 14.0,
            escape(label)
        );
    }
    for tick in [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0] {
        let x = LEFT + position(tick);
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\" stroke=\"#dddddd\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{tick}x</text>",
            bottom + 15.0
        );
    }
    for (r, (name, values)) in rows.iter().enumerate() {
        let top = TOP + r as f64 * step + GAP / 2.0;
        let weight = if name.ends_with(": mean") { " font-weight=\"bold\"" } else { "" };
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\"{weight}>{}</text>",
            LEFT - 6.0,
            top + bars as f64 * BAR / 2.0 + 4.0,
            escape(name)
        );
        for (i, value) in values.iter().enumerate() {
            let Some(value) = value else { continue };
            let (y, length) = (top + i as f64 * BAR, position(*value).max(1.0));
            let _ = writeln!(
                svg,
                "<rect x=\"{LEFT}\" y=\"{y:.1}\" width=\"{length:.1}\" height=\"{}\" fill=\"{}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" font-size=\"8\">{value:.1}</text>",
                BAR - 1.0,
                colour(i),
                LEFT + length + 3.0,
                y + BAR - 2.0
            );
        }
    }
    svg + "</svg>\n"
}

fn position(ratio: f64) -> f64 {
    (ratio.log10() / 2.0 * WIDTH).clamp(0.0, WIDTH)
}

fn colour(i: usize) -> &'static str {
    COLOURS[i % COLOURS.len()]
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    #[test]
    fn one_bar_for_each_value() {
        let columns = ["native", "a<b", "c"].map(String::from);
        let rows = [
            ("w".to_owned(), vec![Some(10.0), None]),
            ("start: mean".to_owned(), vec![Some(1.0), Some(100.0)]),
        ];
        let svg = super::plot(&columns, &rows);
        assert_eq!(svg.matches("font-size=\"8\"").count(), 3);
        assert!(svg.contains("a&lt;b") && svg.contains("width=\"260.0\"") && svg.ends_with("</svg>\n"));
    }
}

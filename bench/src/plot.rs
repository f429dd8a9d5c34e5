//! A picture (SVG) of the ratios of all measures to their limits.

use crate::table::Row;
use std::fmt::Write as _;

/// Width of the picture, and the part of it for bars up to a ratio of 1.
const WIDTH: f64 = 900.0;
const BARS: f64 = 330.0;
/// Height of one row.
const HEIGHT: f64 = 26.0;
/// The longest bar, as a ratio.
const MOST: f64 = 1.15;

/// The picture; `None` without ratios. A bar is the median of a ratio, the thin line its runs from
/// the least to the most, and the upright line the goal.
pub fn svg(rows: &[Row]) -> Option<String> {
    let ratios = rows.iter().filter_map(|row| Some((&row.what, row.ratio.as_ref()?)));
    let ratios: Vec<_> = ratios.filter(|(_, (samples, _))| !samples.sorted().is_empty()).collect();
    if ratios.is_empty() {
        return None;
    }
    let height = HEIGHT * (ratios.len() + 1) as f64;
    let left = WIDTH - BARS * MOST - 50.0;
    let place = |ratio: f64| left + ratio.clamp(0.0, MOST) * BARS;
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    for (at, (what, (samples, goal))) in ratios.iter().enumerate() {
        let (top, median) = (at as f64 * HEIGHT + 8.0, samples.median());
        let [least, most] = [samples.sorted().first(), samples.sorted().last()]
            .map(|ratio| ratio.copied().unwrap_or(median));
        let colour = if median >= *goal { "#2a7f62" } else { "#b4502e" };
        let (middle, label) = (top + 9.0, top + 13.0);
        writeln!(
            picture,
            "<text x=\"{}\" y=\"{label}\" text-anchor=\"end\">{}</text>\n\
             <rect x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"18\" fill=\"{colour}\"/>\n\
             <path d=\"M{} {middle}H{}\" stroke=\"#222\"/>\n\
             <path d=\"M{} {}v22\" stroke=\"#222\" stroke-width=\"2\"/>\n\
             <text x=\"{}\" y=\"{label}\">{median:.2}</text>",
            left - 8.0,
            escaped(what),
            place(median) - left,
            place(least),
            place(most),
            place(*goal),
            top - 2.0,
            place(most.max(*goal)) + 6.0,
        )
        .expect("a string takes it");
    }
    picture.push_str("</svg>\n");
    Some(picture)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Samples;

    #[test]
    fn ratios_become_bars_and_other_rows_do_not() {
        let mut samples = Samples::default();
        for ratio in [0.5, 0.7, 0.6] {
            samples.push(ratio);
        }
        let rows = [Row::plain("a", "1 s"), Row::ratio("b < c", samples, 0.8)];
        let picture = svg(&rows).unwrap();
        assert_eq!(picture.matches("<rect").count(), 2);
        assert!(picture.contains("b &lt; c") && picture.contains("0.60"), "{picture}");
        assert_eq!(svg(&rows[..1]), None);
    }
}

//! Figures of several runs, and the table of all measures.

use pando_process::number::grouped;
use serde_json::json;
use std::fmt::Write as _;

/// The result of one measure.
#[derive(Debug)]
pub struct Row {
    /// The name of the measure.
    pub what: String,
    /// The figure in words, with units.
    pub figure: String,
    /// The goal in words; empty when there is none.
    pub goal: String,
    /// Whether the goal is reached; `None` without a goal.
    pub reached: Option<bool>,
    /// For a ratio: the ratio of each run, and the goal.
    pub ratio: Option<(Samples, f64)>,
}

impl Row {
    /// A figure without a goal.
    pub fn plain(what: impl Into<String>, figure: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            figure: figure.into(),
            goal: String::new(),
            reached: None,
            ratio: None,
        }
    }

    /// A figure with a goal.
    pub fn goal(
        what: impl Into<String>,
        figure: impl Into<String>,
        goal: impl Into<String>,
        reached: bool,
    ) -> Self {
        Self { goal: goal.into(), reached: Some(reached), ..Self::plain(what, figure) }
    }

    /// The same figure without its goal.
    pub fn without_goal(self) -> Self {
        Self { goal: String::new(), reached: None, ratio: None, ..self }
    }

    /// The ratio of a figure of Pando to its limit, in each run. Its median should be at least
    /// `goal`.
    pub fn ratio(what: impl Into<String>, ratio: Samples, goal: f64) -> Self {
        let reached = ratio.median() >= goal;
        let figure = ratio.show(|ratio| format!("{ratio:.2}"));
        let row = Self::goal(what, figure, format!("≥ {goal}"), reached);
        Self { ratio: Some((ratio, goal)), ..row }
    }
}

/// The rows as a Markdown table.
pub fn markdown(rows: &[Row]) -> String {
    let mut text =
        String::from("| measure | median (least – most) | goal | reached |\n|---|---|---|---|\n");
    for row in rows {
        let reached = row.reached.map_or("", |reached| if reached { "yes" } else { "**no**" });
        writeln!(text, "| {} | {} | {} | {reached} |", row.what, row.figure, row.goal)
            .expect("a string takes it");
    }
    text
}

/// The rows as JSON: an array of objects.
pub fn as_json(rows: &[Row]) -> serde_json::Value {
    let rows = rows.iter().map(|Row { what, figure, goal, reached, ratio }| {
        let ratios = ratio.as_ref().map(|(samples, _)| samples.sorted());
        json!({ "measure": what, "figure": figure, "goal": goal, "reached": reached, "ratios": ratios })
    });
    rows.collect()
}

/// One figure of each run.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    sorted: Vec<f64>,
}

impl Samples {
    /// Adds the figure of a run.
    pub fn push(&mut self, sample: f64) {
        self.sorted.push(sample);
        self.sorted.sort_by(f64::total_cmp);
    }

    /// The figures from the least to the most.
    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// The median; for an even number of samples, the mean of the middle two. NaN without samples.
    pub fn median(&self) -> f64 {
        let half = self.sorted.len() / 2;
        match self.sorted[..] {
            [] => f64::NAN,
            _ if self.sorted.len() % 2 == 1 => self.sorted[half],
            _ => f64::midpoint(self.sorted[half - 1], self.sorted[half]),
        }
    }

    /// `median (least – most)`, each formatted by `show`.
    pub fn show(&self, show: impl Fn(f64) -> String) -> String {
        match self.sorted[..] {
            [] => "none".into(),
            [only] => show(only),
            [least, .., most] => {
                format!("{} ({} – {})", show(self.median()), show(least), show(most))
            }
        }
    }
}

/// A whole number with commas between thousands.
pub fn thousands(number: f64) -> String {
    grouped(&format!("{number:.0}"))
}

/// A number of bytes in MB.
pub fn megabytes(bytes: f64) -> String {
    format!("{:.0} MB", bytes / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_show_their_median_and_their_ends() {
        let mut samples = Samples::default();
        for sample in [3.0, 1.0, 2.0, 10.0] {
            samples.push(sample);
        }
        assert_eq!(samples.show(|s| s.to_string()), "2.5 (1 – 10)");
    }

    #[test]
    fn thousands_are_apart() {
        assert_eq!(
            [1.0, 999.0, 1000.0, 1_234_567.4].map(thousands),
            ["1", "999", "1,000", "1,234,567"]
        );
    }
}

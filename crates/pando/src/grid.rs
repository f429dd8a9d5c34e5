//! `--grid`: all combinations of some values, as JSON objects, made one by one as they are wanted.

mod decimal;

use decimal::{Decimal, Range};
use std::str::FromStr;

/// Most combinations: all whole numbers up to this one are exact in JavaScript.
const MOST: u64 = 1 << 53;

/// The values of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Axis {
    name: String,
    values: AxisValues,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum AxisValues {
    Range(Range),
    /// JSON texts.
    List(Vec<String>),
}

impl Axis {
    fn count(&self) -> u64 {
        match &self.values {
            AxisValues::Range(range) => range.count,
            AxisValues::List(texts) => texts.len() as u64,
        }
    }
}

/// `NAME=START:END:STEP` or `NAME=A,B,…`.
impl FromStr for Axis {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "give NAME=START:END:STEP or NAME=A,B,…";
        let (name, values) =
            text.split_once('=').ok_or_else(|| format!("it has no `=`: {form}"))?;
        let name = name.trim();
        if name.is_empty() {
            return Err(format!("there is no name before `=`: {form}"));
        }
        let parts: Vec<&str> = values.split(':').map(str::trim).collect();
        let numbers: Option<Vec<Decimal>> = parts.iter().map(|part| Decimal::parse(part)).collect();
        let values = match (&*parts, numbers.as_deref()) {
            (_, Some([start, end, step])) => {
                let range = Range::new(*start, *end, *step);
                AxisValues::Range(
                    range.map_err(|why| format!("the range of {name} is no range: {why}"))?,
                )
            }
            ([_, _], Some(_)) => {
                return Err(format!(
                    "the range of {name} has no step: give {values}:1 or another step"
                ));
            }
            ([first, _, _], _) if Decimal::parse(first).is_some() => {
                return Err(format!("the range of {name} is not made of numbers: {form}"));
            }
            _ => AxisValues::List(list(name, values)?),
        };
        Ok(Self { name: name.into(), values })
    }
}

/// The JSON texts of a list: numbers as numbers, words as strings.
fn list(name: &str, values: &str) -> Result<Vec<String>, String> {
    let json = |word: &str| {
        let word = word.trim();
        if word.is_empty() {
            return Err(format!(
                "a value of {name} is empty: give values with commas between them"
            ));
        }
        let with_zero = match word.strip_prefix('-') {
            Some(digits) if digits.starts_with('.') => format!("-0{digits}"),
            _ if word.starts_with('.') => format!("0{word}"),
            _ => word.to_owned(),
        };
        match serde_json::from_str::<f64>(&with_zero) {
            Ok(number) if number.is_finite() => Ok(with_zero),
            _ => Ok(serde_json::Value::from(word).to_string()),
        }
    };
    values.split(',').map(json).collect()
}

/// All combinations of the values of some names. The values of the last name vary fastest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grid {
    axes: Vec<Axis>,
    total: u64,
}

impl Grid {
    /// The combinations of `axes`.
    ///
    /// # Errors
    /// When a name is given twice, or there are too many combinations, in words for people.
    pub(crate) fn new(axes: Vec<Axis>) -> Result<Self, String> {
        for (at, axis) in axes.iter().enumerate() {
            if axes[..at].iter().any(|other| other.name == axis.name) {
                return Err(format!(
                    "--grid gives {} twice: give all its values at once",
                    axis.name
                ));
            }
        }
        let total = axes.iter().try_fold(1u64, |total, axis| total.checked_mul(axis.count()));
        match total.filter(|total| *total <= MOST) {
            Some(total) => Ok(Self { axes, total }),
            None => Err(
                "--grid has too many combinations: at most 9,007,199,254,740,992 can be counted"
                    .into(),
            ),
        }
    }

    /// The number of combinations.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// The names, in their order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.axes.iter().map(|axis| axis.name.clone()).collect()
    }

    /// The combination at this place, from 0, as a JSON object.
    pub(crate) fn point(&self, at: u64) -> String {
        let (mut rest, mut members) = (at, Vec::new());
        for axis in self.axes.iter().rev() {
            let count = axis.count();
            let at = rest % count;
            rest /= count;
            let value = match &axis.values {
                AxisValues::Range(range) => range.number(at).to_string(),
                AxisValues::List(texts) => texts[at as usize].clone(),
            };
            members.push(format!("{}:{value}", serde_json::Value::from(&*axis.name)));
        }
        members.reverse();
        format!("{{{}}}", members.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(axes: &[&str]) -> Vec<String> {
        let axes = axes.iter().map(|text| text.parse().unwrap()).collect();
        let grid = Grid::new(axes).unwrap();
        (0..grid.total()).map(|at| grid.point(at)).collect()
    }

    #[test]
    fn the_last_name_varies_fastest() {
        assert_eq!(
            points(&["dt=0.1:0.3:0.1", "method=rk4, euler"]),
            [
                r#"{"dt":0.1,"method":"rk4"}"#,
                r#"{"dt":0.1,"method":"euler"}"#,
                r#"{"dt":0.2,"method":"rk4"}"#,
                r#"{"dt":0.2,"method":"euler"}"#,
                r#"{"dt":0.3,"method":"rk4"}"#,
                r#"{"dt":0.3,"method":"euler"}"#,
            ]
        );
    }

    #[test]
    fn numbers_are_numbers_and_words_are_strings() {
        let values: Vec<String> =
            points(&["x=1,-2.50,.5,-.5,1e3,007,true,a\"b,1e999,http://h/,a:b:c"])
                .iter()
                .map(|point| point[5..point.len() - 1].to_owned())
                .collect();
        assert_eq!(
            values,
            [
                "1",
                "-2.50",
                "0.5",
                "-0.5",
                "1e3",
                "\"007\"",
                "\"true\"",
                "\"a\\\"b\"",
                "\"1e999\"",
                "\"http://h/\"",
                "\"a:b:c\""
            ]
        );
        assert_eq!(points(&["a \"b\"=x=y"]), [r#"{"a \"b\"":"x=y"}"#]);
    }

    #[test]
    fn forms_without_sense_are_refused_in_words() {
        for (text, words) in [
            ("dt", "it has no `=`"),
            ("=1,2", "no name before"),
            ("dt=", "a value of dt is empty"),
            ("dt=1,,2", "a value of dt is empty"),
            ("dt=0:1:0", "the range of dt is no range: its step is 0"),
            ("dt=0:1:-1", "give the step the other sign"),
            ("dt=0:1", "the range of dt has no step: give 0:1:1"),
            ("dt=0:x:1", "the range of dt is not made of numbers"),
        ] {
            let why = text.parse::<Axis>().expect_err(text);
            assert!(why.contains(words), "{text}: {why}");
        }
        let axes = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        assert!(Grid::new(axes(&["a=1", "b=2", "a=3"])).unwrap_err().contains("gives a twice"));
        let most = Grid::new(axes(&["a=1:67108864:1", "b=1:134217728:1"])).unwrap();
        assert_eq!(most.total(), 1 << 53);
        assert_eq!(most.point((1 << 53) - 1), r#"{"a":67108864,"b":134217728}"#);
        let many = Grid::new(axes(&["a=1:67108864:1", "b=0:134217728:1"]));
        assert!(many.unwrap_err().contains("too many combinations"));
    }
}

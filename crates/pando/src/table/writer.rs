//! Writes a table: the columns of the input, and the fields of the results.

use super::{
    RESULT,
    fields::{members, plain},
};
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

/// Writes rows. The first row decides the header: the columns of its input, then the fields of its
/// result.
#[derive(Debug)]
pub(crate) struct TableWriter {
    delimiter: u8,
    /// The columns by their names, once the header is written.
    columns: Option<HashMap<String, usize>>,
}

impl TableWriter {
    /// A writer of a table with this byte between its fields.
    pub(crate) fn new(delimiter: u8) -> Self {
        Self { delimiter, columns: None }
    }

    /// Appends a row to `out`, for an `input` that is a JSON object and a `result` that is any JSON
    /// text. A field of the result that is also a column of the input replaces the input there.
    ///
    /// # Errors
    /// When the result has a field without a column, in words for people. Nothing is written.
    pub(crate) fn row(
        &mut self,
        input: &str,
        result: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let input = members(input).unwrap_or_default();
        let is_object = result.trim_ascii_start().starts_with('{');
        let result = match members(result) {
            Some(members) => members,
            None => {
                let result = serde_json::from_str(result).map_err(|_| "its result is no JSON")?;
                vec![(RESULT.to_owned(), result)]
            }
        };
        let cell = |json: &str| match json {
            "null" => Ok(Cow::Borrowed("")),
            _ => plain(json).map(|text| Cow::Owned(text.into_owned())),
        };
        let fresh = self.columns.is_none().then(|| {
            let mut names: Vec<String> = input.iter().map(|(name, _)| name.clone()).collect();
            for (name, _) in &result {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
            names
        });
        let of_names = |names: &[String]| {
            names.iter().cloned().enumerate().map(|(at, name)| (name, at)).collect()
        };
        let fresh_columns: Option<HashMap<String, usize>> = fresh.as_deref().map(of_names);
        let columns = match (&fresh_columns, &self.columns) {
            (Some(columns), _) | (None, Some(columns)) => columns,
            (None, None) => unreachable!("there is a header, or a fresh one"),
        };
        let mut cells = vec![Cow::Borrowed(""); columns.len()];
        for (name, value) in &input {
            if let Some(at) = columns.get(name) {
                cells[*at] = cell(value.get())?;
            }
        }
        for (name, value) in &result {
            match columns.get(name) {
                Some(at) => cells[*at] = cell(value.get())?,
                // No answer at all needs no column.
                None if !is_object && value.get() == "null" => {}
                None => return Err(unknown(name, is_object)),
            }
        }
        if let Some(names) = fresh {
            self.put(names.iter().map(String::as_str), out);
            self.columns = fresh_columns;
        }
        self.put(cells.iter().map(|cell| &**cell), out);
        Ok(())
    }

    /// The columns, once the header is written.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &String> {
        self.columns.iter().flat_map(HashMap::keys)
    }

    /// Appends the header to `out`, if there were no rows: the `columns` of the input alone,
    /// because nobody knows the fields of results.
    pub(crate) fn finish(&mut self, columns: &[String], out: &mut Vec<u8>) {
        if self.columns.is_none() && !columns.is_empty() {
            self.put(columns.iter().map(String::as_str), out);
        }
    }

    fn put<'a>(&self, cells: impl ExactSizeIterator<Item = &'a str>, out: &mut Vec<u8>) {
        let is_only = cells.len() == 1;
        for (at, cell) in cells.enumerate() {
            if at > 0 {
                out.push(self.delimiter);
            }
            let is_special = |byte: u8| byte == self.delimiter || b"\"\r\n".contains(&byte);
            // A row of one empty field would be an empty line, which is no row.
            if cell.bytes().any(is_special) || is_only && cell.is_empty() {
                out.push(b'"');
                out.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
                out.push(b'"');
            } else {
                out.extend_from_slice(cell.as_bytes());
            }
        }
        out.push(b'\n');
    }
}

/// Checks that each field of `result`, any JSON text, has a column in a header.
///
/// # Errors
/// Otherwise, in words for people.
pub(crate) fn check_fields(result: &str, header: &HashSet<String>) -> Result<(), String> {
    match members(result) {
        Some(fields) => {
            let other = fields.iter().find(|(name, _)| !header.contains(name));
            other.map_or(Ok(()), |(name, _)| Err(unknown(name, true)))
        }
        None if result.trim_ascii() == "null" || header.contains(RESULT) => Ok(()),
        None => Err(unknown(RESULT, false)),
    }
}

fn unknown(name: &str, is_object: bool) -> String {
    let what = match is_object {
        true => format!("its result has the field {name:?}"),
        false => "its result is no object".into(),
    };
    format!(
        "{what}, for which the header has no column: the first row that was printed decides the columns, so answer the same fields for \
         every row (null leaves a cell empty)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each case: inputs with results, and the table. `!` begins a message in place of a row.
    const CASES: &[(&[(&str, &str)], &str)] = &[
        (&[(r#"{"a":"1"}"#, "2"), (r#"{"a":"x"}"#, r#""y""#)], "a,result\n1,2\nx,y\n"),
        (&[(r#"{"a":"1"}"#, r#"{"p":1.50,"q":true}"#)], "a,p,q\n1,1.50,true\n"),
        (&[(r#"{"a":"1","b":"2"}"#, r#"{"c":3,"a":9}"#)], "a,b,c\n9,2,3\n"),
        (
            &[(r#"{"a":"1"}"#, r#"{"p":[1, 2],"q":{"r":"s"}}"#)],
            "a,p,q\n1,\"[1, 2]\",\"{\"\"r\"\":\"\"s\"\"}\"\n",
        ),
        (&[(r#"{"a":"1"}"#, "[1,2]")], "a,result\n1,\"[1,2]\"\n"),
        (
            &[(r#"{"a":"1"}"#, r#"{"p":1,"q":2}"#), (r#"{"a":"2"}"#, r#"{"q":3}"#)],
            "a,p,q\n1,1,2\n2,,3\n",
        ),
        (&[(r#"{"a":"1"}"#, r#"{"p":1}"#), (r#"{"a":"2"}"#, "null")], "a,p\n1,1\n2,\n"),
        (
            &[
                (r#"{"a":"1"}"#, r#"{"p":1}"#),
                (r#"{"a":"2"}"#, "7"),
                (r#"{"a":"3"}"#, r#"{"z":1}"#),
            ],
            "a,p\n1,1\n!its result is no object, for which!its result has the field \"z\", for which",
        ),
        (&[(r#"{"a":"1"}"#, "{}")], "a\n1\n"),
        (&[(r#"{"a":""}"#, "{}")], "a\n\"\"\n"),
        (
            &[(r#"{"a\"b":"x,y","c":"p\nq\r"}"#, "null")],
            "\"a\"\"b\",c,result\n\"x,y\",\"p\nq\r\",\n",
        ),
        (
            &[(r#"{"dt":0.05,"m":"rk4"}"#, "123456789012345678901234567890")],
            "dt,m,result\n0.05,rk4,123456789012345678901234567890\n",
        ),
        (&[(r#"{"a":"1"}"#, r#""\ud800""#)], "!its result has half of a character"),
    ];

    #[test]
    fn rows_have_the_columns_of_the_input_and_the_fields_of_the_results() {
        for (rows, table) in CASES {
            let mut writer = TableWriter::new(b',');
            let mut out = Vec::new();
            for (input, result) in *rows {
                if let Err(why) = writer.row(input, result, &mut out) {
                    out.extend_from_slice(b"!");
                    out.extend_from_slice(why.split(" the header").next().unwrap().as_bytes());
                }
            }
            assert_eq!(String::from_utf8(out).unwrap(), *table, "{rows:?}");
        }
    }

    #[test]
    fn without_rows_the_header_has_the_columns_of_the_input() {
        let (mut writer, mut out) = (TableWriter::new(b'\t'), Vec::new());
        writer.finish(&[], &mut out);
        assert_eq!(out, b"");
        writer.finish(&["a".into(), "b\tc".into()], &mut out);
        assert_eq!(out, b"a\t\"b\tc\"\n");
    }
}

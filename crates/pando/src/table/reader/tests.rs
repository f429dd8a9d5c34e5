use super::*;

/// The header and the rows of `text`, which comes in pieces of `step` bytes.
fn read(delimiter: u8, text: &[u8], step: usize) -> Result<(Vec<String>, Vec<Row>), String> {
    let mut reader = TableReader::new(delimiter);
    let mut rows = Vec::new();
    for piece in text.chunks(step) {
        reader.buffer().extend_from_slice(piece);
        reader.cut(&mut rows, false)?;
    }
    reader.cut(&mut rows, true)?;
    assert_eq!(reader.buffered(), 0, "something is left");
    assert!(rows.iter().zip(1..).all(|((number, _), at)| *number == at));
    let columns = reader.columns().unwrap_or_default().to_vec();
    Ok((columns, rows.into_iter().map(|(_, row)| row).collect()))
}

/// The rows of `text`, with `!` before the words about unusable ones. They must be the same however
/// the text is cut into blocks.
fn rows_of(delimiter: u8, text: &[u8]) -> Vec<String> {
    let told = |row: Row| match row {
        Ok(object) => String::from_utf8(object).unwrap(),
        Err((why, _)) => format!("!{why}"),
    };
    let of = |step| -> Vec<String> {
        read(delimiter, text, step).unwrap().1.into_iter().map(told).collect()
    };
    let whole = of(text.len().max(1));
    for step in 1..text.len().clamp(2, 9) {
        assert_eq!(of(step), whole, "in pieces of {step}");
    }
    whole
}

/// Each case: a table, and its rows.
const CASES: &[(&str, &[&str])] = &[
    ("", &[]),
    ("\u{feff}", &[]),
    ("a,b", &[]),
    ("a,b\r\n", &[]),
    ("a,b\n1,2\n", &[r#"{"a":"1","b":"2"}"#]),
    ("\u{feff}a,b\n1,2", &[r#"{"a":"1","b":"2"}"#]),
    ("a,b\r\n1,2\r\n3,4\r", &[r#"{"a":"1","b":"2"}"#, r#"{"a":"3","b":"4"}"#]),
    ("a,b\n,\n", &[r#"{"a":"","b":""}"#]),
    ("a,b\n1,", &[r#"{"a":"1","b":""}"#]),
    (
        "a,b\n\"x,y\",\"p\nq\r\nr\"\n1,2\n",
        &[r#"{"a":"x,y","b":"p\nq\r\nr"}"#, r#"{"a":"1","b":"2"}"#],
    ),
    ("a\n\"he said \"\"no\"\"\"\n", &[r#"{"a":"he said \"no\""}"#]),
    ("a,b\n\"\",\"\"\"\"", &[r#"{"a":"","b":"\""}"#]),
    ("\"a \"\"b\"\"\",\"c\nd\"\n1,2\n", &[r#"{"a \"b\"":"1","c\nd":"2"}"#]),
    ("a,b\n5\" pipe,x\"y\n", &[r#"{"a":"5\" pipe","b":"x\"y"}"#]),
    ("a,b\n 1 ,\t2\n", &[r#"{"a":" 1 ","b":"\t2"}"#]),
    ("a,b\n\n1,2\n\r\n\n3,4\n\n", &[r#"{"a":"1","b":"2"}"#, r#"{"a":"3","b":"4"}"#]),
    ("\n\na\n1\n\n\"\"\n", &[r#"{"a":"1"}"#, r#"{"a":""}"#]),
    (
        "a,b\n1\n1,2\n1,2,3\n",
        &[
            "!row 1 (line 2) has 1 field where the header has 2",
            r#"{"a":"1","b":"2"}"#,
            "!row 3 (line 4) has 3 fields where the header has 2",
        ],
    ),
    (
        "a,b\n\"1\n2\",3\n\n4\n",
        &[r#"{"a":"1\n2","b":"3"}"#, "!row 2 (line 5) has 1 field where the header has 2"],
    ),
    (
        "a,b\n\"1\"x,2\n3,4\n",
        &[
            "!row 1 (line 2) has text after the closing quote of a field: write a quote within quotes twice",
            r#"{"a":"3","b":"4"}"#,
        ],
    ),
    (
        "a,b\n1,\"2\n3,4\n",
        &[
            "!row 1 (line 2) has a field that begins with a quote and has no closing quote up to the end of the input: write a quote within quotes twice",
        ],
    ),
    (
        "a,b\n\"1\"\r,2\n",
        &[
            "!row 1 (line 2) has text after the closing quote of a field: write a quote within quotes twice",
        ],
    ),
    ("a,b\n\"1\",\"2\"\r\n\"3\",\"4\"\r", &[r#"{"a":"1","b":"2"}"#, r#"{"a":"3","b":"4"}"#]),
    ("a\nx\0y\u{1}é\n", &["{\"a\":\"x\\u0000y\\u0001é\"}"]),
];

#[test]
fn rows_are_those_of_rfc_4180_however_the_bytes_come() {
    for (text, rows) in CASES {
        assert_eq!(rows_of(b',', text.as_bytes()), *rows, "{text:?}");
    }
}

#[test]
fn with_tabs_commas_are_text() {
    assert_eq!(rows_of(b'\t', b"a\tb\n1,5\t\"x\ty\"\n"), [r#"{"a":"1,5","b":"x\ty"}"#]);
}

#[test]
fn a_row_that_is_no_utf8_is_told_and_the_others_stay() {
    let rows = rows_of(b',', b"a,b\n1,\xff\n2,3\n");
    assert!(rows[0].starts_with("!row 1 (line 2) is not valid UTF-8 (at its byte 3)"), "{rows:?}");
    assert_eq!(rows[1], r#"{"a":"2","b":"3"}"#);
    let rows = read(b',', b"a,b\n1\r\n2,3\n", 99).unwrap().1;
    assert_eq!(rows[0].as_ref().unwrap_err().1, b"1", "its text is kept");
}

#[test]
fn a_header_without_a_name_for_each_column_is_refused() {
    for (text, words) in [
        ("a,,c\n", "column 2 has no name in the header"),
        ("a,\"\"\n", "column 2 has no name"),
        ("a,b,a\n", "two columns are called \"a\""),
        ("\"a,b\n1,2\n", "the header, on line 1, has a field that begins with a quote"),
        ("\n\"a\"b\n", "the header, on line 2, has text after the closing quote"),
    ] {
        let why = read(b',', text.as_bytes(), 3).expect_err(text);
        assert!(why.contains(words), "{text:?}: {why}");
    }
    assert!(read(b',', b"a,\xff\n", 9).expect_err("it is no UTF-8").contains("UTF-8"));
}

#[test]
fn a_row_that_is_dropped_ends_where_it_would_have_ended() {
    let mut reader = TableReader::new(b',');
    let mut rows = Vec::new();
    let mut feed = |reader: &mut TableReader, bytes: &[u8], drop: bool| {
        reader.buffer().extend_from_slice(bytes);
        reader.cut(&mut rows, false).unwrap();
        if drop {
            reader.drop_row("is too long".into());
            assert_eq!(reader.buffered(), 0);
        }
    };
    feed(&mut reader, b"a,b\n1,\"be\ngins \"", true);
    feed(&mut reader, b"\" goes\non, ", false);
    feed(&mut reader, b"\"\"and ends\"\r", false);
    feed(&mut reader, b"\n3,4\n5\n", false);
    let told: Vec<_> =
        rows.iter().map(|(number, row)| (*number, row.clone().map_err(|(why, _)| why))).collect();
    assert_eq!(
        told,
        [
            (1, Err("row 1 (line 2) is too long".into())),
            (2, Ok(br#"{"a":"3","b":"4"}"#.to_vec())),
            (3, Err("row 3 (line 6) has 1 field where the header has 2".into())),
        ]
    );
}

/// Random tables, as the crate `csv` writes them: each comes back as it was.
#[test]
fn what_another_program_writes_is_read_as_it_was() {
    let mut rng = fastrand::Rng::with_seed(7);
    for _ in 0..500 {
        let width = rng.usize(1..5);
        let header: Vec<String> = (0..width).map(|column| format!("c{column}")).collect();
        let style = [csv::QuoteStyle::Necessary, csv::QuoteStyle::Always][rng.usize(0..2)];
        let end = [csv::Terminator::Any(b'\n'), csv::Terminator::CRLF][rng.usize(0..2)];
        let mut writer =
            csv::WriterBuilder::new().quote_style(style).terminator(end).from_writer(Vec::new());
        writer.write_record(&header).unwrap();
        let mut expected = Vec::new();
        for _ in 0..rng.usize(0..6) {
            let field = |rng: &mut fastrand::Rng| -> String {
                (0..rng.usize(0..6)).map(|_| rng.choice(*b"ab,\"\n\r ~").unwrap() as char).collect()
            };
            let row: Vec<String> = (0..width).map(|_| field(&mut rng)).collect();
            writer.write_record(&row).unwrap();
            let members = header.iter().cloned().zip(row.into_iter().map(Into::into));
            expected.push(serde_json::Value::Object(members.collect()));
        }
        let text = writer.into_inner().unwrap();
        let rows = read(b',', &text, rng.usize(1..40)).unwrap().1;
        let rows: Vec<serde_json::Value> =
            rows.iter().map(|row| serde_json::from_slice(row.as_ref().unwrap()).unwrap()).collect();
        assert_eq!(rows, expected, "{:?}", String::from_utf8_lossy(&text));
    }
}

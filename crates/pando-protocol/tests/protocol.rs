//! Tests for the golden frames in `fixtures/protocol.json`, which TypeScript decodes too.

use bytes::Bytes;
use pando_protocol::volunteer::{
    Answer, Assembler, Binary, Form, Loan, ToMaster, ToVolunteer, encode_results, encode_values,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value as Json, json};

fn list(name: &str) -> Vec<Json> {
    let fixtures: Json =
        serde_json::from_str(include_str!("../../../fixtures/protocol.json")).expect("JSON");
    let list = fixtures[name].as_array().unwrap_or_else(|| panic!("no list {name}")).clone();
    assert!(!list.is_empty());
    list
}

fn unhex(text: &Json) -> Bytes {
    let text = text.as_str().expect("hexadecimal");
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal"))
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn name(form: Form) -> &'static str {
    match form {
        Form::Text => "text",
        Form::Bytes => "bytes",
        Form::Json => "json",
    }
}

/// Adds the loan to an entry of a frame. The fixtures omit the number of the first loan.
fn entry(loan: Loan, mut entry: Json) -> Json {
    entry["id"] = json!(loan.index);
    if loan.number > 0 {
        entry["loan"] = json!(loan.number);
    }
    entry
}

fn with_content(mut entry: Json, form: Form, bytes: &[u8]) -> Json {
    match form {
        Form::Bytes => entry["bytes"] = json!(hex(bytes)),
        Form::Text | Form::Json => {
            entry["text"] = json!(std::str::from_utf8(bytes).expect("UTF-8"))
        }
    }
    entry
}

/// A decoded frame in the format of the fixtures.
fn describe(binary: &Binary) -> Json {
    match binary {
        Binary::Values(values) => {
            let entries = values.iter().map(|(loan, value)| {
                let more = json!({"form": name(value.form), "careful": value.careful, "attempt": value.attempt});
                with_content(entry(*loan, more), value.form, &value.bytes)
            });
            json!({"kind": "values", "entries": entries.collect::<Vec<_>>()})
        }
        Binary::Results(answers) => {
            json!({"kind": "results", "entries": answers.iter().map(describe_answer).collect::<Vec<_>>()})
        }
        Binary::Part { total, bytes } => {
            json!({"kind": "part", "total": total, "bytes": hex(bytes)})
        }
    }
}

fn describe_answer(answer: &Answer) -> Json {
    match &answer.result {
        Ok((form, bytes)) => with_content(
            entry(answer.loan, json!({"tag": name(*form), "micros": answer.micros})),
            *form,
            bytes,
        ),
        Err(failure) => {
            entry(answer.loan, json!({"tag": "error", "micros": answer.micros, "error": failure}))
        }
    }
}

/// The golden form with parsed errors, because their fields may be in another order.
fn parsed(decoded: &Json) -> Json {
    let mut decoded = decoded.clone();
    for entry in decoded
        .get_mut("entries")
        .and_then(Json::as_array_mut)
        .into_iter()
        .flatten()
        .filter(|entry| entry["tag"] == "error")
    {
        let error: pando_protocol::volunteer::Failure =
            serde_json::from_str(entry["text"].as_str().expect("text")).expect("an error");
        let entry = entry.as_object_mut().expect("an entry");
        entry.remove("text");
        entry.insert("error".into(), json!(error));
    }
    decoded
}

#[test]
fn golden_frames_are_decoded_and_written() {
    for fixture in list("frames") {
        let frame = unhex(&fixture["hex"]);
        let decoded = Binary::decode(frame.clone())
            .unwrap_or_else(|error| panic!("{}: {error}", fixture["name"]));
        assert_eq!(describe(&decoded), parsed(&fixture["decoded"]), "{}", fixture["name"]);
        let written = match &decoded {
            Binary::Values(values) => {
                encode_values(values.iter().map(|(loan, value)| (*loan, value)), 0)
            }
            // The fields of an error may be in another order.
            Binary::Results(answers) if answers.iter().all(|answer| answer.result.is_ok()) => {
                encode_results(answers)
            }
            _ => continue,
        };
        if fixture["canonical"] != json!(false) {
            assert_eq!(hex(&written), hex(&frame), "{}", fixture["name"]);
        }
    }
}

#[test]
fn malformed_frames_are_refused() {
    for fixture in list("malformed") {
        assert!(Binary::decode(unhex(&fixture["hex"])).is_err(), "{}", fixture["name"]);
    }
}

#[test]
fn a_loan_that_cannot_be_is_refused() {
    // Both frames, of a value and of a result, name loan 2^32.
    for frame in [
        &b"\x01\x00\x80\x80\x80\x80\x80\x01\x00\x01x"[..],
        b"\x02\x00\x80\x80\x80\x80\x40\x00\x01x",
    ] {
        let refused =
            Binary::decode(Bytes::from_static(frame)).expect_err("no value is lent that often");
        assert!(refused.to_string().contains("loan too large"), "{refused}");
    }
}

/// Processes frames in order. Returns the frame assembled from parts, and the frames between the
/// parts.
fn take(frames: &Json) -> Result<(Option<Bytes>, Vec<Bytes>), String> {
    let (mut assembler, mut whole, mut between) = (Assembler::default(), None, Vec::new());
    for frame in frames.as_array().expect("frames").iter().map(unhex) {
        let Binary::Part { total, bytes } =
            Binary::decode(frame.clone()).map_err(|error| error.to_string())?
        else {
            between.push(frame);
            continue;
        };
        if let Some(bytes) = assembler.part(total, &bytes).map_err(|error| error.to_string())? {
            if matches!(
                Binary::decode(bytes.clone()).map_err(|error| error.to_string())?,
                Binary::Part { .. }
            ) {
                return Err("a part within parts".into());
            }
            whole = Some(bytes);
        }
    }
    Ok((whole, between))
}

#[test]
fn parts_make_whole_frames() {
    for fixture in list("assembled") {
        let (whole, between) =
            take(&fixture["frames"]).unwrap_or_else(|error| panic!("{}: {error}", fixture["name"]));
        assert_eq!(whole, Some(unhex(&fixture["whole"])), "{}", fixture["name"]);
        let expected: Vec<Bytes> =
            fixture["between"].as_array().into_iter().flatten().map(unhex).collect();
        assert_eq!(between, expected, "{}", fixture["name"]);
    }
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    for fixture in list("refusedParts") {
        assert!(take(&fixture["frames"]).is_err(), "{}", fixture["name"]);
    }
}

/// Compares two messages, ignoring fields that the golden one omits.
fn same(ours: &Json, golden: &Json) -> bool {
    match (ours, golden) {
        (Json::Object(ours), Json::Object(golden)) => {
            golden.iter().all(|(key, value)| ours.get(key).is_some_and(|ours| same(ours, value)))
        }
        (Json::Array(ours), Json::Array(golden)) => {
            ours.len() == golden.len() && ours.iter().zip(golden).all(|(a, b)| same(a, b))
        }
        (Json::Number(ours), Json::Number(golden)) => ours.as_f64() == golden.as_f64(),
        _ => ours == golden,
    }
}

#[test]
fn golden_messages_are_understood() {
    for fixture in list("messages") {
        let golden = &fixture["message"];
        let ours = match fixture["from"].as_str() {
            Some("master") => {
                serde_json::from_value::<ToVolunteer>(golden.clone()).and_then(serde_json::to_value)
            }
            _ => serde_json::from_value::<ToMaster>(golden.clone()).and_then(serde_json::to_value),
        };
        let ours = ours.unwrap_or_else(|error| panic!("{}: {error}", fixture["name"]));
        assert!(same(&ours, golden), "{}: {ours}", fixture["name"]);
    }
}

#[test]
fn messages_that_are_not_as_agreed_are_refused() {
    for fixture in list("refusedMessages") {
        let (text, from) =
            (fixture["text"].as_str().expect("text"), fixture["from"].as_str().expect("from"));
        if from != "volunteer" {
            assert!(serde_json::from_str::<ToVolunteer>(text).is_err(), "{}", fixture["name"]);
        }
        if from != "master" {
            assert!(serde_json::from_str::<ToMaster>(text).is_err(), "{}", fixture["name"]);
        }
    }
}

/// A message of another dialect, decoded and encoded again.
fn encode_again(dialect: &str, from: &str, message: Json) -> Result<Json, serde_json::Error> {
    use pando_protocol::{
        core::{CoreMessage, ToCore},
        relay::{FromRelay, ToRelay},
        signalling::{MasterSignal, VolunteerSignal},
    };
    fn again<T: Serialize + DeserializeOwned>(message: Json) -> Result<Json, serde_json::Error> {
        serde_json::from_value::<T>(message).and_then(serde_json::to_value)
    }
    match (dialect, from) {
        ("signalling", "volunteer") => again::<VolunteerSignal>(message),
        ("signalling", "master") => again::<MasterSignal>(message),
        ("relay", "master") => again::<ToRelay>(message),
        ("relay", "relay") => again::<FromRelay>(message),
        ("core", "host") => again::<ToCore>(message),
        ("core", "core") => again::<CoreMessage>(message),
        _ => panic!("{dialect} has no side {from}"),
    }
}

#[test]
fn messages_of_the_other_dialects_are_written_as_they_are_read() {
    for fixture in list("dialects") {
        let text = |field: &str| fixture[field].as_str().expect("text");
        let ours = encode_again(text("dialect"), text("from"), fixture["message"].clone());
        let ours = ours.unwrap_or_else(|error| panic!("{}: {error}", fixture["name"]));
        assert_eq!(ours, fixture["message"], "{}", fixture["name"]);
    }
}

//! Entry points for fuzzing the decoders of strangers' bytes: at random by `cargo fuzz` (see
//! `fuzz/`), and in a test with the inputs kept in `fuzz/corpus`. No decoder may panic, and a
//! decoded message must mean the same after encoding and decoding it again.

use pando_protocol::{
    relay::{FromRelay, ToRelay},
    signalling::{MasterSignal, VolunteerSignal},
};

/// A frame between a master and a volunteer, in either direction.
pub fn protocol(data: &[u8]) {
    use crate::protocol::{
        Assembler, Binary, ToMaster, ToVolunteer, encode_results, encode_values,
    };
    use bytes::Bytes;
    if let Ok(binary) = Binary::decode(Bytes::copy_from_slice(data)) {
        let again = match &binary {
            Binary::Values(values) => {
                Some(encode_values(values.iter().map(|(loan, value)| (*loan, value)), 0))
            }
            Binary::Results(answers) => Some(encode_results(answers)),
            Binary::Part { total, bytes } => {
                let whole = Assembler::default().part(*total, bytes);
                assert!(
                    whole != Ok(None) || (bytes.len() as u64) < *total,
                    "a whole frame that waits for more"
                );
                None
            }
        };
        if let Some(again) = again {
            assert_eq!(Binary::decode(again), Ok(binary));
        }
    }
    if let Ok(text) = std::str::from_utf8(data) {
        said_again::<ToMaster>(text);
        said_again::<ToVolunteer>(text);
    }
}

/// Messages between masters, volunteers and a relay, in either direction, and the frames of a
/// link.
pub fn relay(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        said_again::<ToRelay>(text);
        said_again::<FromRelay>(text);
        said_again::<VolunteerSignal>(text);
        said_again::<MasterSignal>(text);
        let _ = pando_relay::RelayAddress::parse(text);
    }
    let pieces = pando_relay::pass(data, 1 + data.len() % 7);
    assert_eq!(
        pando_relay::pass(data, data.len().max(1)),
        pieces,
        "frames depend on how they come"
    );
}

/// The records after a journal's header, and the body of one record.
pub fn journal(data: &[u8]) {
    use crate::journal::{Format, HEADER, Record, read};
    for header in [&b"pando journal 1\n"[..], &[&HEADER[..], &[0x5a; 24]].concat()] {
        let whole = [header, data].concat();
        let contents = read(&whole).expect("it has a header");
        let sound = whole.get(..contents.whole as usize).expect("no record ends beyond the end");
        assert_eq!(
            read(sound).expect("it has a header"),
            contents,
            "what was left out changes what is read"
        );
    }
    // Here the checksum is right, which random changes hardly ever achieve.
    if let Some(found) = Record::of_body(data) {
        let format = Format::of(b"pando journal 1\n").expect("it is a header");
        let mut again = Vec::new();
        format.append(&found, &mut again);
        assert_eq!(format.first(&again), Some((found, again.len())));
    }
}

/// Checks that a parsed message has the same meaning after it is serialized and parsed again.
fn said_again<T: serde::Serialize + serde::de::DeserializeOwned>(text: &str) {
    let Ok(message) = serde_json::from_str::<T>(text) else { return };
    let once = serde_json::to_value(&message).expect("messages are plain data");
    let again: T = serde_json::from_value(once.clone()).expect("a message is understood again");
    assert_eq!(serde_json::to_value(again).expect("messages are plain data"), once);
}

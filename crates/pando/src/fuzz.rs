//! What decodes strangers' bytes, to be tried with any: at random by `cargo fuzz` (see `fuzz/`), and by a test with the inputs
//! that are kept in `fuzz/corpus`. Nothing may panic, and what is understood means the same when it is said again.

use pando_protocol::{
    relay::{FromRelay, ToRelay},
    signalling::{MasterSignal, VolunteerSignal},
};

/// A frame between a master and a volunteer, in either direction.
pub fn protocol(data: &[u8]) {
    use crate::protocol::{Assembler, Binary, ToMaster, ToVolunteer, encode_results, encode_values};
    use bytes::Bytes;
    if let Ok(binary) = Binary::decode(Bytes::copy_from_slice(data)) {
        let again = match &binary {
            Binary::Values(values) => Some(encode_values(values.iter().map(|(loan, value)| (*loan, value)), 0)),
            Binary::Results(answers) => Some(encode_results(answers)),
            Binary::Part { total, bytes } => {
                let whole = Assembler::default().part(*total, bytes);
                assert!(whole != Ok(None) || (bytes.len() as u64) < *total, "a whole frame that waits for more");
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

/// What masters and volunteers say to a relay, and a relay to them: messages, and the frames of a link.
pub fn relay(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        said_again::<ToRelay>(text);
        said_again::<FromRelay>(text);
        said_again::<VolunteerSignal>(text);
        said_again::<MasterSignal>(text);
        let _ = pando_relay::Place::parse(text);
    }
    let pieces = pando_relay::pass(data, 1 + data.len() % 7);
    assert_eq!(pando_relay::pass(data, data.len().max(1)), pieces, "frames depend on how they come");
}

/// What follows a journal's header, and the body of one of its records.
pub fn journal(data: &[u8]) {
    use crate::journal::{HEADER, Record, read};
    let whole = [HEADER, data].concat();
    let contents = read(&whole).expect("it has a header");
    let sound = whole.get(..contents.whole as usize).expect("no record ends beyond the end");
    assert_eq!(read(sound).expect("it has a header"), contents, "what was left out changes what is read");
    // With a checksum that is right, which random changes hardly ever find.
    let length = u32::try_from(data.len()).expect("no input is that long");
    let mut record = [&[0; 4], &length.to_le_bytes()[..], data].concat();
    let checksum = crc32fast::hash(&record[4..]);
    record[..4].copy_from_slice(&checksum.to_le_bytes());
    if let Some((found, _)) = Record::first(&record) {
        let mut again = Vec::new();
        found.append_to(&mut again);
        assert_eq!(Record::first(&again), Some((found, again.len())));
    }
}

/// A message that is understood is understood as the same when it is said again.
fn said_again<T: serde::Serialize + serde::de::DeserializeOwned>(text: &str) {
    let Ok(message) = serde_json::from_str::<T>(text) else { return };
    let once = serde_json::to_value(&message).expect("messages are plain data");
    let again: T = serde_json::from_value(once.clone()).expect("a message is understood again");
    assert_eq!(serde_json::to_value(again).expect("messages are plain data"), once);
}

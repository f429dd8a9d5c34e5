//! Messages that no honest volunteer sends. Wrong answers for values that the volunteer holds are
//! left out, because nobody can tell such an answer from a right one.

use super::chance::Chance;
use bytes::Bytes;
use pando_protocol::volunteer::{
    Answer, Failure, Form, Frame, Loan, MAX_FRAME, PART, Running, ToMaster, Value, encode_results,
    encode_values,
};
use serde_json::json;

/// A kind of false or malformed message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Results for values beyond the input, and results for loans that are over; the volunteer may
    /// hold the same value again under a new loan.
    Results,
    /// An error and a wrong result for the same loan. The result follows at once, or when the
    /// value is lent again.
    Twice,
    /// The volunteer hands back values that it computes, has answered, or never had.
    Returned,
    /// The volunteer reconnects, and claims loans that it never had.
    Holds,
    /// The volunteer reports long calls for values that it does not have.
    Started,
    /// Log entries, reports, names and pongs with odd contents.
    Chatter,
    /// A frame that cannot be decoded. The master closes the channel.
    Malformed,
    /// A message that is not allowed in this state. The master closes the channel.
    Misplaced,
    /// A hello that the master refuses.
    Hello,
    /// A connection that is not a WebSocket.
    Stranger,
}

/// The greatest index that the protocol allows. No value of these jobs has it.
const FAR: u64 = (1 << 53) - 1;

impl Lie {
    pub(crate) fn any(chance: &mut Chance) -> Self {
        chance.one(&[
            Self::Results,
            Self::Twice,
            Self::Returned,
            Self::Holds,
            Self::Started,
            Self::Chatter,
            Self::Malformed,
            Self::Malformed,
            Self::Misplaced,
            Self::Hello,
            Self::Stranger,
        ])
    }
}

/// Wrong answers for `loans`.
pub(crate) fn wrong(chance: &mut Chance, loans: impl IntoIterator<Item = Loan>) -> Bytes {
    let answers: Vec<Answer> = loans
        .into_iter()
        .map(|loan| {
            let result = match chance.of_range(0..4) {
                0 => {
                    let stack = Some("at a lie".into());
                    Err(Failure { stack, ..Failure::new("a lie", "died") }.into())
                }
                1 => Ok((Form::Bytes, Bytes::from_static(&[0, 159, 10, 13, 0]))),
                _ => Ok((Form::Text, Bytes::from_static(b"a lie"))),
            };
            Answer { loan, micros: chance.one(&[0, 1, FAR]), result }
        })
        .collect();
    encode_results(&answers)
}

/// Some loans whose indices are `count` or more.
pub(crate) fn beyond(chance: &mut Chance, count: u64) -> Vec<Loan> {
    let index =
        |chance: &mut Chance| if chance.toss(0.2) { FAR } else { count + chance.of_range(0..100) };
    (0..chance.of_range(1..20))
        .map(|_| Loan { index: index(chance), number: number(chance) })
        .collect()
}

/// Some loans of values, and a few beyond the last value.
pub(crate) fn ids(chance: &mut Chance, count: u64) -> Vec<Loan> {
    (0..chance.of_range(1..20))
        .map(|_| Loan { index: chance.of_range(0..count + 3), number: number(chance) })
        .collect()
}

/// A plausible number for a loan.
fn number(chance: &mut Chance) -> u32 {
    chance.one(&[0, 0, 0, 1, 2, 7, u32::MAX])
}

/// A report of calls that do not exist.
pub(crate) fn started(chance: &mut Chance, count: u64) -> ToMaster {
    let ms = chance.one(&[0, 600, 100_000, u64::MAX]);
    let items = ids(chance, count).into_iter().map(|id| Running { id, ms }).collect();
    ToMaster::Started { items, loading: chance.toss(0.2).then_some(ms) }
}

/// Messages that the master may show and that change nothing.
pub(crate) fn chatter(chance: &mut Chance, count: u64) -> Frame {
    let text = chance.one(&["\u{1b}[2J\u{1b}]0;title\u{7}", "two\nlines\r", "<script>", ""]);
    let text = if chance.toss(0.1) { text.repeat(2000) } else { text.to_owned() };
    let id = chance.of_range(0..count + 3);
    let message = match chance.of_range(0..6) {
        0 => {
            json!({"type": "log", "entries": [{"level": "loud", "text": text, "id": id, "count": u64::MAX}]})
        }
        1 => {
            json!({"type": "report", "id": id, "report": {"cpuTime": -1e300, "nbItems": text, "units": {"a": []}}})
        }
        2 => json!({"type": "report", "report": [text]}),
        3 => json!({"type": "update", "name": text}),
        4 => {
            json!({"type": "pong", "t": chance.one(&[json!(-1), json!(1e308), json!({"a": [1]}), json!(null)])})
        }
        _ => json!({"type": "ping", "t": [text]}),
    };
    Frame::Text(message.to_string())
}

/// A frame that cannot be decoded.
pub(crate) fn malformed(chance: &mut Chance, count: u64) -> Frame {
    let long = Answer {
        loan: Loan::first(0),
        micros: 0,
        result: Ok((Form::Text, vec![b'x'; 100].into())),
    };
    let right = encode_results([&long]);
    let part = |total: u64, bytes: &[u8]| {
        let mut frame = vec![3];
        let mut total = total;
        while total >= 0x80 {
            frame.push(total as u8 | 0x80);
            total >>= 7;
        }
        frame.push(total as u8);
        frame.extend_from_slice(bytes);
        frame.into()
    };
    let bytes: Bytes = match chance.of_range(0..13) {
        0 => Bytes::new(),
        1 => vec![chance.0.u8(4..)].into(),
        2 => right.slice(..chance.0.usize(2..right.len())),
        3 => {
            // The first answers of this frame are complete.
            let mut frame = wrong(chance, beyond(&mut Chance::of(count), count)).to_vec();
            frame.extend([0xff; 12]);
            frame.into()
        }
        4 => vec![2, 0, 0, 0, 2, 0xc3, 0x28].into(),
        5 => encode_values([(Loan::first(0), &Value::new("mine".into(), Form::Text))], 10),
        6 => part(MAX_FRAME + 1, b"x"),
        7 => part(3, b"long"),
        8 => part(3, &part(2, b"x")),
        9 => (0..chance.of_range(1..200)).map(|_| chance.0.u8(..)).collect::<Vec<_>>().into(),
        10 => return Frame::Text("{\"type\":\"unheard\"}".into()),
        11 => {
            return Frame::Text(
                chance.one(&["", "{", "null", "[]", "{\"type\":\"returned\",\"ids\":[-1]}"]).into(),
            );
        }
        _ => return Frame::Text("[".repeat(chance.one(&[10_000, PART, 2 << 20]))),
    };
    Frame::Binary(bytes)
}

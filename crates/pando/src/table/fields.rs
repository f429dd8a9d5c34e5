//! JSON texts as parts of a table: objects as fields, lists as rows, and values as the text of a
//! cell.

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// A JSON text as it was written.
pub(crate) type Element<'a> = &'a RawValue;

/// The plain form of a JSON text.
pub(crate) type Text<'a> = Cow<'a, str>;

/// The members of a JSON object in their order; `None` for other JSON texts.
pub(super) fn members(json: &str) -> Option<Vec<(String, Element<'_>)>> {
    serde_json::from_str::<ObjectMembers>(json).ok().map(|members| members.0)
}

/// The elements of a JSON array; `None` for other JSON texts.
pub(crate) fn elements(json: &str) -> Option<Vec<Element<'_>>> {
    serde_json::from_str(json).ok()
}

/// A JSON text in a plain form: a string without quotes, other values as they are.
///
/// # Errors
/// When the string has half of a character, in words for people.
pub(crate) fn plain(json: &str) -> Result<Text<'_>, String> {
    let json = json.trim_ascii();
    if !json.starts_with('"') {
        return Ok(json.into());
    }
    let text = serde_json::from_str::<String>(json);
    text.map(Cow::from).map_err(|_| "its result has half of a character".into())
}

struct ObjectMembers<'a>(Vec<(String, Element<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for ObjectMembers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AnyMembers)
    }
}

struct AnyMembers;

impl<'de> Visitor<'de> for AnyMembers {
    type Value = ObjectMembers<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ObjectMembers<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(ObjectMembers(members))
    }
}

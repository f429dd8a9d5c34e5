//! The names of loans in messages. The first loan of a value is named by the value's number alone,
//! `7`; a later loan by both numbers, `"7:2"`. Each loan has only one name, so names can be
//! compared.

use super::Loan;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// The name of a loan; see the module.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Name {
    First(u64),
    Later(String),
}

impl From<Loan> for Name {
    fn from(loan: Loan) -> Self {
        match loan.number {
            0 => Self::First(loan.index),
            number => Self::Later(format!("{}:{number}", loan.index)),
        }
    }
}

impl TryFrom<Name> for Loan {
    type Error = &'static str;

    fn try_from(name: Name) -> Result<Self, Self::Error> {
        let text = match name {
            Name::First(index) => return Ok(Self::first(index)),
            Name::Later(text) => text,
        };
        let loan = text.split_once(':').and_then(|(index, number)| {
            let loan = Self { index: index.parse().ok()?, number: number.parse().ok()? };
            matches!(Name::from(loan), Name::Later(name) if name == text).then_some(loan)
        });
        loan.ok_or("a loan is not named as agreed")
    }
}

pub(crate) fn serialize<S: Serializer>(loan: &Loan, serializer: S) -> Result<S::Ok, S::Error> {
    Name::from(*loan).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Loan, D::Error> {
    Name::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
}

/// The same for a list of loans.
pub(crate) mod list {
    use super::{Deserialize, Deserializer, Error, Loan, Name, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        loans: &[Loan],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(loans.iter().map(|loan| Name::from(*loan)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Loan>, D::Error> {
        let names = Vec::<Name>::deserialize(deserializer)?;
        names.into_iter().map(|name| name.try_into().map_err(D::Error::custom)).collect()
    }
}

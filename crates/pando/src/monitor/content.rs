//! The content of a report, which is a monitoring page without a run.

use super::{Monitor, StatusDocument, history::HistoryDocument, idle_time::LostTime, json};
use crate::master::LastFigures;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a run was made of.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ingredients {
    /// The hash of the function's bundle; empty for a program.
    pub(crate) function: String,
    /// The engine of this machine's cores with its version; empty if they cannot compute.
    pub(crate) engine: String,
    /// This machine's system.
    pub(crate) system: String,
}

/// The data of a report.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportContent<'a, S> {
    ingredients: &'a Ingredients,
    summary: &'a S,
    snapshot: StatusDocument<'a>,
    history: HistoryDocument<'a>,
    idle: Vec<LostTime>,
    stays: &'a BTreeMap<u64, Vec<[f64; 2]>>,
}

impl Monitor {
    /// The data of a report, as JSON, about a run that has ended with these `words`. `summary` is
    /// the content of the file of the summary.
    pub(crate) fn report(
        &self,
        ingredients: &Ingredients,
        last: &LastFigures,
        words: &str,
        summary: &impl Serialize,
    ) -> String {
        let history = self.history();
        let content = ReportContent {
            ingredients,
            summary,
            snapshot: StatusDocument {
                version: env!("CARGO_PKG_VERSION"),
                title: &self.title,
                // Others may read the report, and with a journal the address stays the same.
                volunteer_urls: Vec::new(),
                exit_words: words,
                run: &last.run,
            },
            history: history.document(),
            idle: self.idle().parts(last.summary.idle_core_seconds),
            stays: &last.stays,
        };
        json(&content)
    }
}

//! The sources of modules that are not plain files of code.

use std::{borrow::Cow, sync::PoisonError};

use serde_json::json;

use super::{
    ADAPTER, ADDON, ASSETS, BUILTIN, EMPTY, MISSING, PandoPlugin, REQUIRE, REQUIRED_BYTES, SHIM,
    SHIM_SOURCE, STARTER,
};
use crate::{bytes, error::Problem, location::Location, requires, source};

impl PandoPlugin {
    /// The source of a module that belongs to no file.
    pub(super) fn virtual_source(&self, id: &str) -> Option<Cow<'_, str>> {
        match id {
            STARTER => Some(self.starter.as_str().into()),
            ADAPTER => Some(include_str!("../adapter.js").into()),
            ASSETS => Some(include_str!("../assets.js").into()),
            SHIM => Some(SHIM_SOURCE.into()),
            ADDON => Some("throw new Error('a native addon only runs in Node');".into()),
            id if id.starts_with(EMPTY) => Some("module.exports = {};".into()),
            REQUIRE => Some(requires::SOURCE.into()),
            _ => {
                if let Some(name) = id.strip_prefix(MISSING) {
                    return Some(requires::missing(name).into());
                }
                if let Some(file) = id.strip_prefix(REQUIRED_BYTES) {
                    let file = serde_json::Value::from(file);
                    return Some(format!("module.exports = require({file}).default;").into());
                }
                let file = id.strip_prefix(BUILTIN)?;
                let source = (self.options.builtins)(file)?;
                Some(self.with_environment(file, source))
            }
        }
    }

    /// The source of an embedded file, which sets the variables of the environment if it is the
    /// file of `process`.
    fn with_environment(&self, file: &str, source: &'static str) -> Cow<'static, str> {
        if file != "process.js" || self.options.env.is_empty() {
            return source.into();
        }
        let env = json!(self.options.env);
        format!("{source}\nObject.assign(module.exports.env, {env});\n").into()
    }

    /// The code in place of a file of bytes.
    pub(super) fn bytes(&self, id: &str) -> anyhow::Result<String> {
        Ok(bytes::module_of(&source::file_of(id))?.unwrap_or_else(|problem| {
            let mut problems = self.seen.too_long.lock().unwrap_or_else(PoisonError::into_inner);
            problems.push(problem);
            String::new()
        }))
    }

    /// The JSON of a file, for rolldown, which accepts no byte-order mark and whose errors do not
    /// name the file.
    pub(super) fn json(&self, id: &str, code: &str) -> String {
        let text = code.trim_start_matches('\u{feff}');
        let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) else {
            return text.to_owned();
        };
        let location = Location::at_line(&source::file_of(id), code, error.line(), error.column());
        let mut not_json = self.seen.not_json.lock().unwrap_or_else(PoisonError::into_inner);
        not_json.push(Problem::at(Some(location), format!("this is not JSON: {error}")));
        "null".to_owned()
    }
}

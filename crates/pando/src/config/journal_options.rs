//! The options for a run with a journal to repeat, before results of an earlier run count.

use super::{FileOptions, FunctionSource, RunConfig, TrustRule};
use crate::protocol::Form;

impl RunConfig {
    /// The options with an effect on results, as on the command line. The journal keeps these
    /// words, so the form of the words must not change.
    pub(crate) fn options_of_results(&self) -> Vec<String> {
        let flag = |is_set: bool, name: &str| is_set.then(|| name.to_owned());
        let text = |name: &str, text: Option<&str>| text.map(|text| format!("{name} {text}"));
        let FileOptions { output_dir, ext, .. } = self.files.clone().unwrap_or(FileOptions {
            reads: false,
            output_dir: None,
            ext: None,
            overwrite: false,
        });
        let command = match &self.function {
            FunctionSource::Command { text, .. } => Some(&**text),
            FunctionSource::Module(_)
            | FunctionSource::Inline(_)
            | FunctionSource::Embedded { .. }
            | FunctionSource::Shared(_) => None,
        };
        let options = [
            flag(self.framing.form == Form::Json && !self.shape.makes_objects(), "--json"),
            flag(self.shape.delimiter == Some(b','), "--csv"),
            flag(self.shape.delimiter == Some(b'\t'), "--tsv"),
            flag(self.shape.grid, "--grid"),
            text("--chunk", self.shape.chunk.map(|size| size.to_string()).as_deref()),
            flag(self.framing.separator == 0, "--null"),
            flag(self.reads_files(), "--files"),
            text("--output-dir", output_dir.map(|dir| dir.display().to_string()).as_deref()),
            text("--ext", ext.as_deref()),
            text("--exec", command),
            text("--assets", self.assets.as_ref().map(|assets| assets.given())),
            text("--confirm", self.policies.confirm.as_deref()),
            self.policies.trust.map(TrustRule::in_words),
            text("--verify-with", self.policies.verify_with.as_deref()),
        ];
        // The values are not kept, because they may be secrets.
        let env = self.env.iter().map(|(name, value)| {
            let hash = blake3::hash(value.as_bytes()).to_hex();
            format!("--env {name} (its value has the hash {})", &hash[..8])
        });
        options.into_iter().flatten().chain(env).collect()
    }
}

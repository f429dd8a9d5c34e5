//! Lists the papers that somebody found relevant.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use serde_json::Value;

/// Print title, authors and link of each paper on standard input with the tag relevant.
#[derive(Parser)]
#[command(name = "arxiv-relevant", version)]
struct Options {}

fn main() -> ExitCode {
    Options::parse();
    pando_examples::run("arxiv-relevant", print)
}

fn print() -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let (mut relevant, mut all) = (0, 0);
    pando_examples::for_each_line(|line| {
        let paper: Value = serde_json::from_str(line).context("expected a tagged paper")?;
        all += 1;
        if paper["relevant"].as_bool().context("the paper has no tag")? {
            relevant += 1;
            let authors =
                paper["authors"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let authors = authors.collect::<Vec<_>>().join(", ");
            let text = |name: &'static str| {
                paper[name].as_str().with_context(|| format!("the paper has no {name}"))
            };
            writeln!(out, "{}\n  {authors}\n  {}", text("title")?, text("link")?)?;
            out.flush()?;
        }
        Ok(())
    })?;
    // `eprintln!` would panic when standard error is closed.
    let _ = writeln!(io::stderr(), "{relevant} of {all} papers are relevant");
    Ok(())
}

//! Bundles a file and prints the script; warnings and times go to standard error.
//!
//! `cargo run --example bundle -- FILE BUILTINS [TIMES]`, where BUILTINS is the folder that
//! `node web/builtins/build.mjs BUILTINS` has made.

use std::{collections::HashMap, env, error::Error, fs, path::Path, sync::OnceLock, time::Instant};

use pando_bundler::Options;

static BUILTINS: OnceLock<HashMap<String, String>> = OnceLock::new();

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [file, builtins, times @ ..] = arguments.as_slice() else {
        return Err("usage: bundle FILE BUILTINS [TIMES]".into());
    };
    let _ = BUILTINS.set(read(builtins.as_ref())?);
    let options = Options::new(|name| BUILTINS.get()?.get(name).map(String::as_str));
    let mut taken = Vec::new();
    for _ in 1..times.first().map_or(Ok(1), |times| times.parse())? {
        let start = Instant::now();
        pando_bundler::bundle(file.as_ref(), &options).await?;
        taken.push(start.elapsed());
    }
    let bundle = pando_bundler::bundle(file.as_ref(), &options).await?;
    for warning in &bundle.warnings {
        eprintln!("{warning}");
    }
    println!("{}", bundle.code);
    if let Some(&first) = taken.first() {
        taken.sort();
        eprintln!(
            "{} bytes; first {first:.1?}, median {:.1?}",
            bundle.code.len(),
            taken[taken.len() / 2]
        );
    }
    Ok(())
}

fn read(folder: &Path) -> Result<HashMap<String, String>, Box<dyn Error>> {
    let mut files = HashMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.insert(
            entry.file_name().to_string_lossy().into_owned(),
            fs::read_to_string(entry.path())?,
        );
    }
    Ok(files)
}

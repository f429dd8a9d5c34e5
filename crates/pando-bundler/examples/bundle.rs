//! Bundles a file, with the built-ins of a folder: `bundle FILE BUILTINS`.
use std::{collections::HashMap, sync::OnceLock, time::Instant};

static FILES: OnceLock<HashMap<String, &'static str>> = OnceLock::new();

fn builtins(name: &str) -> Option<&'static str> {
    FILES.get()?.get(name).copied()
}

fn main() {
    let mut args = std::env::args().skip(1);
    let (file, folder) = (args.next().unwrap(), args.next().unwrap());
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let _ = FILES.set(
        files.map(|f| (f.file_name().into_string().unwrap(), &*std::fs::read_to_string(f.path()).unwrap().leak())).collect(),
    );
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let n: usize = args.next().map_or(1, |n| n.parse().unwrap());
    let mut times = vec![];
    for i in 0..n {
        let start = Instant::now();
        let result = rt.block_on(pando_bundler::bundle(file.as_ref(), &pando_bundler::Options { builtins }));
        times.push(start.elapsed().as_secs_f64() * 1e3);
        if i + 1 == n {
            match result {
                Ok(bundle) => {
                    for w in &bundle.warnings {
                        eprintln!("WARN {w}");
                    }
                    print!("{}", bundle.code);
                }
                Err(error) => {
                    eprintln!("{error}");
                    std::process::exit(2)
                }
            }
        }
    }
    let first = times[0];
    times.sort_by(f64::total_cmp);
    if n > 1 {
        eprintln!("first {first:.1} median {:.1}", times[n / 2]);
    }
}

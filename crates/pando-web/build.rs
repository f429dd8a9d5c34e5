//! Builds `web/` (npm ci, esbuild) and writes `OUT_DIR/embedded.rs`, which embeds the files that
//! this gives.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, exit},
};

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    let source = root.join("../../web");
    // A published crate carries the built files instead of their sources: `scripts/package` puts
    // them there.
    let built = if source.join("package.json").is_file() {
        build(&source, &out)
    } else {
        root.join("web-dist")
    };
    if !built.join("index.html").is_file() {
        fail(&format!(
            "{} does not hold the built web files: take the whole repository, or a published crate",
            built.display()
        ));
    }
    let mut rust = String::new();
    list(&mut rust, "WEB", &built);
    list(&mut rust, "BUILTINS", &built.join("builtins"));
    fs::write(out.join("embedded.rs"), rust).expect("OUT_DIR can be written");
}

fn build(source: &Path, out: &Path) -> PathBuf {
    for name in [
        "src",
        "builtins",
        "build.mjs",
        "cores.mjs",
        "monitor.mjs",
        "names.mjs",
        "owner-pages.mjs",
        "report.mjs",
        "shared.mjs",
        "texts.mjs",
        "package.json",
        "package-lock.json",
        "tsconfig.json",
    ] {
        println!("cargo:rerun-if-changed={}", source.join(name).display());
    }
    let lock = fs::read(source.join("package-lock.json")).unwrap_or_default();
    let stamp = source.join("node_modules/.pando-lock");
    if fs::read(&stamp).ok().as_deref() != Some(&lock) {
        run(
            Command::new(npm())
                .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
                .current_dir(source),
            "npm ci",
        );
        fs::write(stamp, lock).expect("node_modules can be written");
    }
    let dist = out.join("web");
    let _ = fs::remove_dir_all(&dist);
    run(Command::new("node").arg("build.mjs").arg(&dist).current_dir(source), "node build.mjs");
    compare_cores(&source.join("../crates/pando-volunteer/scripts"), &dist.join("cores"));
    dist
}

/// Fails if the built scripts of native cores in the repository differ from their sources.
fn compare_cores(kept: &Path, built: &Path) {
    println!("cargo:rerun-if-changed={}", kept.display());
    for name in ["node.js", "embedded.js"] {
        if fs::read(kept.join(name)).ok() != fs::read(built.join(name)).ok() {
            fail(&format!(
                "crates/pando-volunteer/scripts/{name} is not what web/src gives: build it again by \
                 `npm run cores` in web/, and commit it too"
            ));
        }
    }
}

fn npm() -> &'static str {
    if cfg!(windows) { "npm.cmd" } else { "npm" }
}

fn run(command: &mut Command, what: &str) {
    match command.output() {
        Err(error) => fail(&format!(
            "`{what}` cannot be run ({error}): building Pando needs Node.js 20 or later with npm on PATH. \
             Install it (https://nodejs.org, or your system's packages) and build again"
        )),
        Ok(output) if !output.status.success() => fail(&format!(
            "`{what}` failed in web/ ({}):\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )),
        Ok(_) => {}
    }
}

fn fail(why: &str) -> ! {
    eprintln!("error: {why}");
    exit(1)
}

fn list(rust: &mut String, name: &str, folder: &Path) {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    writeln!(rust, "const {name}: &[(&str, &str)] = &[").expect("a string takes it");
    for file in files {
        let short = file.file_name().expect("a file").to_string_lossy();
        writeln!(rust, "    ({short:?}, include_str!({:?})),", file.display().to_string())
            .expect("a string takes it");
    }
    rust.push_str("];\n");
}

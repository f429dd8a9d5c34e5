//! A temporary folder of modules, the built-ins, and a way to run a bundle.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use pando_bundler::{Bundle, Error, Options};
use serde_json::Value;
use tempfile::TempDir;

/// A folder of modules. The default entry is `render.js`.
pub(crate) struct Folder {
    folder: TempDir,
}

impl Folder {
    /// Creates a folder with these files: path and contents.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self { folder }
    }

    /// Installs these packages of `web/node_modules`.
    #[cfg(unix)]
    pub(crate) fn install(self, packages: &[&str]) -> Self {
        let modules = self.path("node_modules");
        fs::create_dir_all(&modules).unwrap();
        for package in packages {
            std::os::unix::fs::symlink(
                web().join("node_modules").join(package),
                modules.join(package),
            )
            .unwrap();
        }
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    pub(crate) fn try_bundle(&self, entry: &str) -> Result<Bundle, Error> {
        bundle(&self.path(entry))
    }

    pub(crate) fn bundle(&self) -> Bundle {
        self.try_bundle("render.js").unwrap_or_else(|error| panic!("{error}"))
    }

    /// The answer of `f(input)`; an error as `{"error": …}`.
    pub(crate) fn answer(&self, entry: &str, input: &str) -> Value {
        let bundle = self.try_bundle(entry).unwrap_or_else(|error| panic!("{error}"));
        run(&bundle.code, input)
    }

    /// The result of `f(input)` for the entry `render.js`.
    pub(crate) fn result(&self, input: &str) -> Value {
        result_of(self.answer("render.js", input))
    }
}

pub(crate) fn result_of(mut answer: Value) -> Value {
    assert!(answer.get("error").is_none(), "{answer}");
    answer["result"].take()
}

pub(crate) fn bundle(entry: &Path) -> Result<Bundle, Error> {
    bundle_with(entry, &OPTIONS)
}

pub(crate) fn bundle_with(entry: &Path, options: &Options) -> Result<Bundle, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(pando_bundler::bundle(entry, options))
}

/// Runs a bundle in its own process.
pub(crate) fn run(code: &str, input: &str) -> Value {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("function.js");
    fs::write(&file, code).unwrap();
    let worker = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bundler/worker.js");
    let output =
        Command::new("node").arg(worker).arg(&file).arg(input).output().expect("node starts");
    let text = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}\n{stderr}\n{code}"))
}

pub(crate) const OPTIONS: Options = Options::new(builtins);

fn builtins(name: &str) -> Option<&'static str> {
    static FILES: OnceLock<HashMap<String, String>> = OnceLock::new();
    FILES.get_or_init(build_builtins).get(name).map(String::as_str)
}

fn build_builtins() -> HashMap<String, String> {
    let web = web();
    if !web.join("node_modules/esbuild").is_dir() {
        succeed(Command::new("npm").arg("ci").current_dir(&web));
    }
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    succeed(Command::new("node").arg("builtins/build.mjs").arg(folder.path()).current_dir(&web));
    let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap());
    let read = |entry: fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
    };
    files.map(read).collect()
}

fn web() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web")
}

fn succeed(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}

//! Satellite images: tests of the tools, and end-to-end tests of the three ways of the data. The
//! results are compared with an independent blur.

mod gate;
mod pictures;
mod tools;
mod torrents;
mod ways;

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use pando_examples::results::Received;
use pando_testing::{RunningProgram, Streams};
use tempfile::TempDir;

use crate::{devices::pando, npm::install, program::run};

const SAMPLE: &str = env!("CARGO_BIN_EXE_landsat-sample");
const SCENES: &str = env!("CARGO_BIN_EXE_landsat-scenes");
const SERVER: &str = env!("CARGO_BIN_EXE_landsat-server");
const ARRIVED: &str = env!("CARGO_BIN_EXE_landsat-arrived");
const SHEET: &str = env!("CARGO_BIN_EXE_landsat-sheet");

/// The base address of the sample's pictures, at which no server listens.
const BASE: &str = "http://127.0.0.1:9/pictures/";

/// A few small pictures, and an empty folder for results.
struct SamplePictures {
    folder: TempDir,
}

impl SamplePictures {
    fn new(count: u32) -> Self {
        install("landsat");
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let sample = Self { folder };
        let (pictures, count) = (sample.pictures(), count.to_string());
        run(SAMPLE, &[text(&pictures), "--count", &count, "--size", "160", "--base", BASE], b"")
            .success();
        fs::create_dir(sample.results()).expect("it is new");
        sample
    }

    fn pictures(&self) -> PathBuf {
        self.folder.path().join("pictures")
    }

    fn results(&self) -> PathBuf {
        self.folder.path().join("results")
    }

    /// The scenes in the format of `landsat-scenes`, with pictures at `base`.
    fn scenes(&self, base: &str, options: &[&str]) -> Vec<String> {
        let list = self.pictures().join("c1/L8/scene_list.gz");
        let lines = run(SCENES, &[&[text(&list), "--base", BASE], options].concat(), b"").lines();
        lines.iter().map(|line| line.replace(BASE, base)).collect()
    }

    /// The files of the picture and of the blurred picture of each scene.
    fn pairs(&self) -> Vec<(PathBuf, PathBuf)> {
        let names = self.scenes(BASE, &["--print", "name"]);
        let pair = |name: &String| {
            let file = Path::new(name).file_name().expect("a name").to_str().expect("text");
            let id = file.strip_suffix("_thumb_large.jpg").expect("a thumbnail");
            (self.pictures().join(name), self.results().join(format!("{id}.png")))
        };
        names.iter().map(pair).collect()
    }

    /// Checks that all results are there in order, without other files, and that each result is
    /// the blurred picture.
    #[track_caller]
    fn check(&self, lines: &[String]) {
        let pairs = self.pairs();
        let names: Vec<_> = pairs
            .iter()
            .map(|(_, result)| result.file_name().expect("a name").to_owned())
            .collect();
        let told = lines
            .iter()
            .map(|line| serde_json::from_str::<Received>(line).expect("a result").name.into());
        assert_eq!(told.collect::<Vec<OsString>>(), names);
        let there = fs::read_dir(self.results())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name());
        assert_eq!(BTreeSet::from_iter(there), BTreeSet::from_iter(names));
        for (picture, result) in pairs {
            pictures::assert_blurred(&picture, &result);
        }
    }
}

/// The file server for `sample`, and its address.
fn serve(sample: &SamplePictures) -> (RunningProgram, String) {
    let mut command = Command::new(SERVER);
    command.arg("--pictures").arg(sample.pictures()).arg("--results").arg(sample.results());
    command.args(["--bind", "127.0.0.1", "--port", "0"]);
    let server = RunningProgram::start(&mut command, Streams::without_input());
    let line = server.says("http://");
    let address = line.split_whitespace().find(|word| word.starts_with("http://"));
    let address = address.and_then(|address| address.strip_suffix("pictures/")).expect("its end");
    (server, address.to_owned())
}

/// Maps `function` over `lines`, with `options`.
fn map(function: &str, options: &[&str], lines: &[String]) -> RunningProgram {
    let function = format!("landsat/{function}");
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let mut command = pando();
    command.args([&function, "--stdin", "--port", "0"]).args(options);
    RunningProgram::start(&mut command, Streams::with_input(input))
}

/// Waits until `run` succeeds. Returns the lines of its output, and its messages.
#[track_caller]
fn finish(run: RunningProgram) -> (Vec<String>, String) {
    let done = run.wait();
    (done.status(0).lines(), done.stderr)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

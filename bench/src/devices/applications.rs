//! The applications, with an endless supply of inputs for each.

use anyhow::{Context, ensure};
use clap::ValueEnum;
use pando_testing::{RunningProgram, Streams};
use std::{f64::consts::TAU, path::Path, process::Command};

/// One of the examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExampleApplication {
    /// Steps of large numbers to 1
    Collatz,
    /// Hashes of a block that has no solution
    Mining,
    /// Random schedules of a lender
    Testing,
    /// Frames of 300 by 300 pixels
    Raytracer,
    /// Pictures of 512 by 512 pixels, fetched and put by HTTP
    Blur,
}

impl ExampleApplication {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Collatz => "Collatz",
            Self::Mining => "Mining",
            Self::Testing => "Random testing",
            Self::Raytracer => "Raytracer",
            Self::Blur => "Image blur",
        }
    }

    pub(super) fn unit(self) -> &'static str {
        match self {
            Self::Collatz => "numbers",
            Self::Mining => "hashes",
            Self::Testing => "schedules",
            Self::Raytracer => "frames",
            Self::Blur => "pictures",
        }
    }

    pub(super) fn function(self) -> &'static str {
        match self {
            Self::Collatz => "collatz/collatz.js",
            Self::Mining => "mining/mining.js",
            Self::Testing => "random-testing/random-testing.js",
            Self::Raytracer => "raytracer/raytracer.js",
            Self::Blur => "landsat/http.js",
        }
    }

    pub(super) fn options(self) -> &'static [&'static str] {
        match self {
            Self::Mining | Self::Blur => &["--json"],
            _ => &[],
        }
    }

    /// Input `number`, counted from 0. The inputs are small, so that results come often.
    pub(super) fn input(self, number: u64, pictures: Option<&Pictures>) -> String {
        match self {
            Self::Collatz => {
                format!("{} 20", 3_179_389_980_591_125_407_167 + u128::from(number) * 20)
            }
            Self::Mining => {
                let (header, target, nonce) =
                    ("0".repeat(160), "0".repeat(64), number * 1000 % (1 << 32));
                format!(
                    r#"{{"header":"{header}","target":"{target}","nonce":{nonce},"count":1000}}"#
                )
            }
            Self::Testing => format!("{} 10", number * 10),
            Self::Raytracer => (number as f64 * TAU / 100.0).to_string(),
            Self::Blur => pictures.map(|pictures| pictures.input(number)).unwrap_or_default(),
        }
    }
}

/// Some pictures, and the server that serves them and stores the blurred ones. The server is
/// killed when this is dropped.
pub(super) struct Pictures {
    _server: RunningProgram,
    scenes: Vec<String>,
}

impl Pictures {
    /// Starts the server with the programs beside `pando`, in `folder`, for devices that reach the
    /// host of `url`.
    pub(super) fn serve(pando: &Path, folder: &Path, url: &str) -> anyhow::Result<Self> {
        let host = url.trim_start_matches("http://").rsplit_once(':').context("no address")?.0;
        let (pictures, results) = (folder.join("pictures"), folder.join("results"));
        let program = |name: &str| Command::new(pando.with_file_name(name));
        let mut server = program("landsat-server");
        server.arg("--pictures").arg(&pictures).arg("--results").arg(results).args(["--port", "0"]);
        let mut server = RunningProgram::try_start(&mut server, Streams::without_input())
            .context("build the examples")?;
        let said = server.hears("http")?;
        let port = said
            .rsplit(':')
            .next()
            .and_then(|end| end.split('/').next())
            .context("landsat-server has no port")?;
        let base = format!("http://{host}:{port}/");
        let made = program("landsat-sample")
            .arg(&pictures)
            .args(["--count", "8", "--base", &format!("{base}pictures/")])
            .status()?;
        ensure!(made.success(), "landsat-sample: {made}");
        let list = pictures.join("c1/L8/scene_list.gz");
        let scenes = program("landsat-scenes")
            .arg(list)
            .args(["--upload", &format!("{base}results/")])
            .output()?;
        let lines: Vec<_> = String::from_utf8(scenes.stdout)?.lines().map(str::to_owned).collect();
        ensure!(!lines.is_empty(), "landsat-scenes: {}", String::from_utf8_lossy(&scenes.stderr));
        Ok(Self { _server: server, scenes: lines })
    }

    fn input(&self, number: u64) -> String {
        self.scenes[number as usize % self.scenes.len()].clone()
    }
}

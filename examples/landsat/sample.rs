//! Makes pictures similar to pictures of Landsat-8, with a scene list.

use std::{
    f64::consts::TAU,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::Parser;
use flate2::{Compression, write::GzEncoder};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// Make pictures, and c1/L8/scene_list.gz, in a folder with the layout of the public bucket.
#[derive(Parser)]
#[command(name = "landsat-sample", version)]
struct Options {
    /// Folder for the pictures
    folder: PathBuf,

    /// Number of scenes
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=9999))]
    count: u32,

    /// Width and height of the pictures, in pixels
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u16).range(1..=8192))]
    size: u16,

    /// Address at which the folder will be served
    #[arg(long, default_value = "http://127.0.0.1:8600/pictures/", value_name = "URL")]
    base: String,
}

fn main() -> ExitCode {
    let options = Options::parse();
    pando_examples::run("landsat-sample", || make(&options))
}

fn make(options: &Options) -> anyhow::Result<()> {
    let root = options.folder.join("c1/L8");
    fs::create_dir_all(&root).with_context(|| format!("{} cannot be made", root.display()))?;
    let mut list =
        GzEncoder::new(fs::File::create(root.join("scene_list.gz"))?, Compression::default());
    writeln!(
        list,
        "productId,entityId,acquisitionDate,cloudCover,processingLevel,path,row,min_lat,min_lon,max_lat,max_lon,download_url"
    )?;
    for number in 0..options.count {
        let scene = Scene::new(number);
        let folder = format!("c1/L8/{:03}/{:03}/{}", scene.path, scene.row, scene.product());
        writeln!(
            list,
            "{}",
            scene.line(&format!("{}/{folder}/index.html", options.base.trim_end_matches('/')))
        )?;
        scene.draw(&options.folder.join(folder), options.size)?;
    }
    list.finish()?;
    Ok(())
}

struct Scene {
    number: u32,
    path: u32,
    row: u32,
    day: u32,
    cloud: f64,
}

impl Scene {
    /// Consecutive scenes lie on neighbouring paths, one per day.
    fn new(number: u32) -> Self {
        let cloud = (noise(number, 1, 7) * 10_000.0).round() / 100.0;
        Self {
            number,
            path: 139 + number % 8,
            row: 40 + number / 8 % 60,
            day: 1 + number % 28,
            cloud,
        }
    }

    fn product(&self) -> String {
        format!("LC08_L1TP_{:03}{:03}_201703{:02}_20170416_01_T1", self.path, self.row, self.day)
    }

    fn line(&self, page: &str) -> String {
        let Self { number, path, row, day, cloud } = self;
        // An approximation, good enough for filters: half a turn of the orbit has 124 rows, and
        // the distance between paths is 1.545 degrees.
        let (lat, lon) = (80.0 - f64::from(*row) * 1.3, 240.0 - f64::from(*path) * 1.545);
        format!(
            "{},LC8{path:03}{row:03}2017{:03}LGN00,2017-03-{day:02} 04:20:42.{number:06},{cloud},L1TP,{path},{row},{:.5},{:.5},{:.5},{:.5},{page}",
            self.product(),
            day + 59,
            lat - 1.05,
            lon - 1.15,
            lat + 1.05,
            lon + 1.15,
        )
    }

    fn draw(&self, folder: &Path, size: u16) -> anyhow::Result<()> {
        fs::create_dir_all(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        let mut pixels = Vec::with_capacity(usize::from(size).pow(2) * 3);
        for y in 0..size {
            for x in 0..size {
                pixels.extend(
                    self.pixel(f64::from(x) / f64::from(size), f64::from(y) / f64::from(size)),
                );
            }
        }
        // The colours have the full resolution, because decoders interpolate lower resolutions
        // differently.
        let mut encoder =
            Encoder::new_file(folder.join(format!("{}_thumb_large.jpg", self.product())), 90)?;
        encoder.set_sampling_factor(SamplingFactor::R_4_4_4);
        Ok(encoder.encode(&pixels, size, size, ColorType::Rgb)?)
    }

    /// The colour of a pixel: water, fields and mountains below clouds. `x` and `y` are from 0 to
    /// 1.
    fn pixel(&self, x: f64, y: f64) -> [u8; 3] {
        let seed = self.number * 4;
        let height = terrain(x * 4.0, y * 4.0, seed);
        let light = terrain(x * 4.0 + 0.02, y * 4.0 + 0.02, seed) - height;
        let field = noise((x * 60.0) as u32, (y * 45.0) as u32, seed + 1);
        let ground = if height < 0.42 {
            [18.0, 40.0, 70.0 + 60.0 * height]
        } else if height < 0.6 {
            [70.0 + 50.0 * field, 95.0 + 40.0 * field, 55.0 + 20.0 * field]
        } else {
            [150.0, 135.0, 115.0].map(|channel| channel * (0.4 + height * 0.8))
        };
        let clouds = terrain(x * 3.0, y * 3.0, seed + 2);
        let cover = ((clouds - 1.0 + self.cloud / 100.0 * 0.8) * 6.0 + 1.0).clamp(0.0, 1.0);
        ground.map(|channel| {
            ((channel + 600.0 * light) * (1.0 - cover) + 240.0 * cover).clamp(0.0, 255.0) as u8
        })
    }
}

/// Noise of several sizes, from 0 to 1.
fn terrain(x: f64, y: f64, seed: u32) -> f64 {
    let octaves = 6;
    let scaled = |octave: i32| 2_f64.powi(octave);
    let sum: f64 =
        (0..octaves).map(|o| smooth(x * scaled(o), y * scaled(o), seed) / scaled(o + 1)).sum();
    sum / (1.0 - 1.0 / scaled(octaves))
}

/// Noise interpolated between the corners of a grid.
fn smooth(x: f64, y: f64, seed: u32) -> f64 {
    let ease = |t: f64| (1.0 - (t * TAU / 2.0).cos()) / 2.0;
    let (column, row) = (x as u32, y as u32);
    let (across, down) = (ease(x.fract()), ease(y.fract()));
    let mix = |a: f64, b: f64, t: f64| a + (b - a) * t;
    let line = |row: u32| mix(noise(column, row, seed), noise(column + 1, row, seed), across);
    mix(line(row), line(row + 1), down)
}

/// A pseudo-random number from 0 to 1 that depends only on the arguments.
fn noise(x: u32, y: u32, seed: u32) -> f64 {
    let mut hash =
        x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77) ^ seed.wrapping_mul(0xc2b2_ae3d);
    for _ in 0..2 {
        hash = (hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d);
        hash = (hash ^ (hash >> 12)).wrapping_mul(0x297a_2d39);
    }
    f64::from(hash ^ (hash >> 15)) / f64::from(u32::MAX)
}

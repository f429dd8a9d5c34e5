//! Prints scenes of a Landsat-8 scene list as lines of JSON, as addresses of pictures, or as file
//! names.

use std::{
    fs::File,
    io::{self, BufReader, Read, Write},
    path::PathBuf,
    process::ExitCode,
    str::FromStr,
};

use anyhow::Context;
use clap::{Parser, ValueEnum};
use flate2::bufread::MultiGzDecoder;
use serde::{Deserialize, Serialize};

/// Print the scenes of a Landsat-8 scene list (CSV, gzipped or not) that pass all given filters.
#[derive(Parser)]
#[command(name = "landsat-scenes", version)]
struct Options {
    /// The scene list [default: standard input]
    list: Option<PathBuf>,

    #[command(flatten)]
    filters: Filters,

    /// Maximum number of scenes
    #[arg(long, value_name = "N")]
    limit: Option<usize>,

    /// Picture of a scene: the end of its file name
    #[arg(long, default_value = "thumb_large.jpg", value_name = "NAME")]
    picture: String,

    /// Address of the folder with the pictures: scenes then have file names relative to this
    /// address
    #[arg(long, value_name = "URL")]
    base: Option<String>,

    /// Address for uploads of results, added to every scene
    #[arg(long, value_name = "URL")]
    upload: Option<String>,

    /// Output format
    #[arg(long, default_value = "json", value_name = "WHAT")]
    print: Print,
}

#[derive(clap::Args)]
struct Filters {
    /// Maximum cloud cover, in percent
    #[arg(long, value_name = "PERCENT")]
    cloud: Option<f64>,

    /// Path of the satellite
    #[arg(long)]
    path: Option<u32>,

    /// Row on the path
    #[arg(long)]
    row: Option<u32>,

    /// Scenes that overlap this box, in degrees
    #[arg(
        long = "box",
        allow_hyphen_values = true,
        value_name = "MIN_LON,MIN_LAT,MAX_LON,MAX_LAT"
    )]
    area: Option<Area>,

    /// Taken on this day or later
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    since: Option<String>,

    /// Taken on this day or earlier
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    until: Option<String>,

    /// Processing level, such as L1TP
    #[arg(long)]
    level: Option<String>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Print {
    /// All fields, as a line of JSON
    Json,
    /// The address of the picture
    Url,
    /// The file name of the picture, relative to --base
    Name,
}

#[derive(Clone, Copy)]
struct Area {
    min_lon: f64,
    min_lat: f64,
    max_lon: f64,
    max_lat: f64,
}

/// A line of the list. Older lists have no product id.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(default)]
    product_id: Option<String>,
    entity_id: String,
    acquisition_date: String,
    cloud_cover: f64,
    processing_level: String,
    path: u32,
    row: u32,
    #[serde(rename = "min_lat")]
    min_lat: f64,
    #[serde(rename = "min_lon")]
    min_lon: f64,
    #[serde(rename = "max_lat")]
    max_lat: f64,
    #[serde(rename = "max_lon")]
    max_lon: f64,
    #[serde(rename = "download_url")]
    download_url: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Scene<'a> {
    id: &'a str,
    acquisition_date: &'a str,
    cloud_cover: f64,
    processing_level: &'a str,
    path: u32,
    row: u32,
    /// The area in the order of `--box`: longitude and latitude of two corners.
    area: [f64; 4],
    picture: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upload: Option<&'a str>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    pando_examples::run("landsat-scenes", || print(&options))
}

fn print(options: &Options) -> anyhow::Result<()> {
    anyhow::ensure!(
        options.print != Print::Name || options.base.is_some(),
        "--print name needs --base"
    );
    let mut out = io::stdout().lock();
    let mut rows = csv::Reader::from_reader(list(options)?);
    let mut left = options.limit.unwrap_or(usize::MAX);
    for (index, row) in rows.deserialize::<Row>().enumerate() {
        if left == 0 {
            break;
        }
        // The first line of the list contains the names of the columns.
        let line = || format!("line {} of the scene list", index + 2);
        let row = row.with_context(line)?;
        if !options.filters.pass(&row) {
            continue;
        }
        left -= 1;
        let scene = scene(&row, options).with_context(line)?;
        match options.print {
            Print::Json => writeln!(out, "{}", serde_json::to_string(&scene)?)?,
            Print::Url => writeln!(out, "{}", scene.picture)?,
            Print::Name => writeln!(out, "{}", scene.file.unwrap_or_default())?,
        }
    }
    Ok(())
}

fn list(options: &Options) -> anyhow::Result<Box<dyn Read>> {
    let source: Box<dyn Read> = match &options.list {
        Some(path) => Box::new(
            File::open(path).with_context(|| format!("{} cannot be read", path.display()))?,
        ),
        None => Box::new(io::stdin().lock()),
    };
    let mut source = BufReader::new(source);
    let zipped = io::BufRead::fill_buf(&mut source)?.starts_with(&[0x1f, 0x8b]);
    Ok(if zipped { Box::new(MultiGzDecoder::new(source)) } else { Box::new(source) })
}

/// The scene of a row. Its pictures are beside the page that the list names, and their names begin
/// with the id of the scene.
fn scene<'a>(row: &'a Row, options: &'a Options) -> anyhow::Result<Scene<'a>> {
    let id = row.product_id.as_deref().filter(|id| !id.is_empty()).unwrap_or(&row.entity_id);
    let (folder, _) =
        row.download_url.rsplit_once('/').context("its download_url is no address")?;
    let picture = format!("{folder}/{id}_{}", options.picture);
    let below = |base: &String| {
        let file = picture
            .strip_prefix(base.as_str())
            .with_context(|| format!("{picture} does not lie below {base}"))?;
        anyhow::Ok(file.trim_start_matches('/').to_owned())
    };
    Ok(Scene {
        id,
        acquisition_date: &row.acquisition_date,
        cloud_cover: row.cloud_cover,
        processing_level: &row.processing_level,
        path: row.path,
        row: row.row,
        area: [row.min_lon, row.min_lat, row.max_lon, row.max_lat],
        file: options.base.as_ref().map(below).transpose()?,
        upload: options.upload.as_deref(),
        picture,
    })
}

impl Filters {
    fn pass(&self, row: &Row) -> bool {
        let day = row.acquisition_date.get(..10).unwrap_or_default();
        // A cover below zero means unknown.
        self.cloud.is_none_or(|most| (0.0..=most).contains(&row.cloud_cover))
            && self.path.is_none_or(|path| row.path == path)
            && self.row.is_none_or(|number| row.row == number)
            && self.area.is_none_or(|area| area.touches(row))
            && self.since.as_deref().is_none_or(|since| day >= since)
            && self.until.as_deref().is_none_or(|until| day <= until)
            && self.level.as_ref().is_none_or(|level| row.processing_level == *level)
    }
}

impl Area {
    fn touches(&self, row: &Row) -> bool {
        row.min_lon <= self.max_lon
            && row.max_lon >= self.min_lon
            && row.min_lat <= self.max_lat
            && row.max_lat >= self.min_lat
    }
}

impl FromStr for Area {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Result<Vec<f64>, _> =
            text.split(',').map(|number| number.trim().parse()).collect();
        match numbers.as_deref() {
            Ok(&[min_lon, min_lat, max_lon, max_lat])
                if min_lon <= max_lon && min_lat <= max_lat =>
            {
                Ok(Self { min_lon, min_lat, max_lon, max_lat })
            }
            _ => Err("give four numbers, such as 7.4,43.5,7.8,43.9".to_owned()),
        }
    }
}

/// Checks the format of a day: days are compared as text, so all must have the same format.
fn day(text: &str) -> Result<String, String> {
    let form = "dddd-dd-dd";
    let fits = |(c, f): (char, char)| if f == 'd' { c.is_ascii_digit() } else { c == f };
    if text.len() == form.len() && text.chars().zip(form.chars()).all(fits) {
        Ok(text.to_owned())
    } else {
        Err("write the day as in 2017-03-04".to_owned())
    }
}

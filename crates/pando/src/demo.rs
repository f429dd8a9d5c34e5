//! `pando demo`: an ordinary run of an embedded function. Its values are the tiles of a picture,
//! and its results become a file.

mod options;
mod picture;

pub(crate) use options::DemoOptions;

use crate::{
    config::{FunctionSource, Mosaic, RunConfig, SummaryOption, When},
    console::Console,
    threads,
};
use serde_json::json;
use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::PathBuf,
};

/// The function, and the name that people see.
const FUNCTION: FunctionSource =
    FunctionSource::Embedded { name: "demo.js", source: include_str!("demo/demo.js") };

/// What is computed, in words for volunteers.
const TITLE: &str = "Pando demo: a picture in 400 tiles";

const COLUMNS: u32 = 25;
const ROWS: u32 = 16;
/// The side of a tile, in pixels.
const TILE: u32 = 64;

/// The most cores of this machine that are lent by default, so that other devices find work.
const MOST_CORES: usize = 2;

/// What to try after the demo.
const NEXT: &str = "\
Try your own function next:
  echo 'export default x => x * x' > square.js
  pando square.js 1 2 3
  seq 100000 | pando square.js > squares.txt";

/// The configuration of the run.
///
/// # Errors
/// When the options make no sense together, in words for people.
pub(crate) fn config(options: DemoOptions) -> Result<RunConfig, String> {
    let mut cli = options.into_cli();
    cli.function = Some("demo.js".into());
    cli.items = tiles();
    cli.devices.title.get_or_insert_with(|| TITLE.into());
    cli.devices.cores.get_or_insert(threads::at_a_time().min(MOST_CORES));
    cli.messages.summary = SummaryOption::Shown(When::Always);
    let mut config = RunConfig::for_command_line(cli)?;
    config.function = FUNCTION;
    config.mosaic = Some(Mosaic::new(COLUMNS, ROWS));
    if let Some(server) = &mut config.server {
        server.opens_page = true;
    }
    Ok(config)
}

/// The values of the run: the tiles, row by row, each as JSON. All numbers are in pixels.
fn tiles() -> Vec<String> {
    let places = (0..ROWS).flat_map(|row| (0..COLUMNS).map(move |column| (column, row)));
    let tile = |(column, row)| {
        json!({
            "x": column * TILE,
            "y": row * TILE,
            "size": TILE,
            "width": COLUMNS * TILE,
            "height": ROWS * TILE,
        })
    };
    places.map(|place| tile(place).to_string()).collect()
}

/// Writes the picture of a complete run into the working directory, and says what to try next.
/// Returns the exit status.
pub(crate) fn finish(mosaic: &Mosaic, console: &Console) -> i32 {
    let saved = picture::png(mosaic, TILE).and_then(|png| {
        save(&png).map_err(|error| format!("the picture cannot be written: {error}"))
    });
    match saved {
        Ok(path) => {
            console.say(format!("The picture is in {}.", path.display()));
            console.say(NEXT);
            0
        }
        Err(why) => {
            console.say(format!("error: {why}"));
            1
        }
    }
}

/// Writes a new file with this content; returns its path.
fn save(content: &[u8]) -> io::Result<PathBuf> {
    let (path, mut file) = create()?;
    match file.write_all(content) {
        Ok(()) => Ok(path),
        Err(error) => {
            let _ = fs::remove_file(path);
            Err(error)
        }
    }
}

/// Creates `pando-demo.png`, or `pando-demo-2.png` and so on if that file exists.
fn create() -> io::Result<(PathBuf, File)> {
    let mut number = 1;
    loop {
        let name = match number {
            1 => "pando-demo.png".into(),
            number => format!("pando-demo-{number}.png"),
        };
        match File::create_new(&name) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            created => return Ok((name.into(), created?)),
        }
    }
}

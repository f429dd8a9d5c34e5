//! Draws the pictures of results on one contact sheet, in the order of the results.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context;
use clap::Parser;
use pando_examples::results::Received;

/// Read results, as lines of JSON or names of PNG files, and write one PNG with small copies of
/// all pictures.
#[derive(Parser)]
#[command(name = "landsat-sheet", version)]
struct Options {
    /// Folder of the results [default: this folder]
    #[arg(long, default_value = ".", value_name = "DIR")]
    results: PathBuf,

    /// Width and height of each picture on the sheet, in pixels
    #[arg(long, default_value_t = 128, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(1..=4096))]
    size: u32,

    /// Pictures in a row
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    columns: u32,
}

fn main() -> ExitCode {
    let options = Options::parse();
    pando_examples::run("landsat-sheet", || draw(&options))
}

fn draw(options: &Options) -> anyhow::Result<()> {
    let mut tiles = Vec::new();
    pando_examples::for_each_line(|line| {
        let name = match line.starts_with('{') {
            true => serde_json::from_str::<Received>(line)?.name,
            false => line.to_owned(),
        };
        tiles.push(tile(&options.results.join(name), options.size as usize)?);
        Ok(())
    })?;
    anyhow::ensure!(!tiles.is_empty(), "no results on standard input");
    write(&tiles, options.size as usize, options.columns as usize)
}

/// A square tile of the picture's middle. Each pixel of the tile is the mean of the pixels that it
/// covers.
fn tile(path: &std::path::Path, size: usize) -> anyhow::Result<Vec<u8>> {
    let text = || path.display().to_string();
    let decoder = png::Decoder::new(BufReader::new(File::open(path).with_context(text)?));
    let mut reader = decoder.read_info().with_context(text)?;
    let mut pixels = vec![0; reader.output_buffer_size().with_context(text)?];
    let info = reader.next_frame(&mut pixels).with_context(text)?;
    anyhow::ensure!(
        (info.color_type, info.bit_depth) == (png::ColorType::Rgb, png::BitDepth::Eight),
        "{}: not a picture of 8-bit RGB",
        path.display()
    );
    let (width, height) = (info.width as usize, info.height as usize);
    let side = width.min(height);
    let (left, top) = ((width - side) / 2, (height - side) / 2);
    let span = |at: usize| {
        let start = at * side / size;
        start..((at + 1) * side / size).max(start + 1)
    };
    let mut tile = Vec::with_capacity(size * size * 3);
    for y in 0..size {
        for x in 0..size {
            for channel in 0..3 {
                let columns = || span(x).map(|x| left + x);
                let values = span(y)
                    .flat_map(|y| columns().map(move |x| ((top + y) * width + x) * 3 + channel));
                let (sum, count) = values
                    .fold((0, 0), |(sum, count), at| (sum + u32::from(pixels[at]), count + 1));
                tile.push((sum / count) as u8);
            }
        }
    }
    Ok(tile)
}

fn write(tiles: &[Vec<u8>], size: usize, columns: usize) -> anyhow::Result<()> {
    let columns = columns.min(tiles.len());
    let rows = tiles.len().div_ceil(columns);
    let mut sheet = vec![0; columns * rows * size * size * 3];
    for (index, tile) in tiles.iter().enumerate() {
        for (y, line) in tile.chunks(size * 3).enumerate() {
            let start = ((index / columns * size + y) * columns + index % columns) * size * 3;
            sheet[start..start + line.len()].copy_from_slice(line);
        }
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let mut encoder =
        png::Encoder::new(&mut out, (columns * size).try_into()?, (rows * size).try_into()?);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&sheet)?;
    writer.finish()?;
    Ok(out.flush()?)
}

//! Makes an animated GIF of frames, frame by frame. Each line has the pixels of one frame,
//! compressed by gzip, in base64.

use std::fmt;
use std::io::{self, BufWriter, Read, Write};
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Context, bail, ensure};
use base64::prelude::{BASE64_STANDARD, Engine};
use clap::Parser;
use flate2::read::MultiGzDecoder;
use gif::{DisposalMethod, Encoder, Frame, Repeat};

/// Read frames, one per line (RGB or RGBA pixels, gzip, base64), and write an animated GIF.
#[derive(Parser)]
#[command(name = "gif-encoder", version)]
struct Options {
    /// Width and height of a frame, in pixels
    #[arg(long, value_name = "WxH", default_value = "300x300")]
    size: Size,

    /// Time for which each frame is shown, in milliseconds (GIF has steps of 10)
    #[arg(long, value_name = "MS", default_value_t = 40, value_parser = clap::value_parser!(u32).range(10..=655_350))]
    delay: u32,

    /// Speed of choosing each frame's 256 colours, from 1 (best colours) to 30 (fastest)
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(i32).range(1..=30))]
    speed: i32,
}

#[derive(Clone, Copy)]
struct Size {
    width: u16,
    height: u16,
}

impl Size {
    fn pixels(self) -> usize {
        usize::from(self.width) * usize::from(self.height)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let side = |text: &str| text.parse().ok().filter(|side| *side > 0);
        text.split_once('x')
            .and_then(|(width, height)| Some(Self { width: side(width)?, height: side(height)? }))
            .ok_or_else(|| "not a size such as 300x300, with sides from 1 to 65535".to_owned())
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    pando_examples::run("gif-encoder", || encode(&options))
}

fn encode(options: &Options) -> anyhow::Result<()> {
    let mut encoder = None;
    pando_examples::for_each_line(|line| {
        let mut frame = to_frame(decode(line, options.size)?, options);
        frame.delay = u16::try_from(options.delay / 10)?;
        let encoder = match &mut encoder {
            Some(encoder) => encoder,
            // The output starts only after the first valid frame, so an input without frames
            // leaves no file that looks like a GIF.
            none => none.insert(start(options.size)?),
        };
        encoder.write_frame(&frame)?;
        Ok(encoder.get_mut().flush()?)
    })?;
    let encoder = encoder.context("no frames on standard input")?;
    Ok(encoder.into_inner()?.flush()?)
}

fn start(size: Size) -> anyhow::Result<Encoder<impl Write>> {
    let out = BufWriter::new(io::stdout().lock());
    let mut encoder = Encoder::new(out, size.width, size.height, &[])?;
    encoder.set_repeat(Repeat::Infinite)?;
    Ok(encoder)
}

/// Decodes the pixels of one line, and checks their number.
fn decode(line: &str, size: Size) -> anyhow::Result<Vec<u8>> {
    ensure!(!line.is_empty(), "empty, expected a frame");
    let compressed = BASE64_STANDARD.decode(line).context("not base64")?;
    let longest = size.pixels() * 4;
    let mut pixels = Vec::new();
    // One byte above the limit is enough to detect a frame that is too long, however large it
    // would unpack.
    MultiGzDecoder::new(&*compressed)
        .take(longest as u64 + 1)
        .read_to_end(&mut pixels)
        .context("not gzip")?;
    let shortest = size.pixels() * 3;
    if pixels.len() > longest {
        bail!("more pixels than in {size}; is --size right?");
    }
    if pixels.len() != shortest && pixels.len() != longest {
        bail!("{} bytes of pixels; {size} has {shortest} (RGB) or {longest} (RGBA)", pixels.len());
    }
    Ok(pixels)
}

fn to_frame(mut pixels: Vec<u8>, &Options { size, speed, .. }: &Options) -> Frame<'static> {
    if pixels.len() == size.pixels() * 3 {
        return Frame::from_rgb_speed(size.width, size.height, &pixels, speed);
    }
    let mut frame = Frame::from_rgba_speed(size.width, size.height, &mut pixels, speed);
    if frame.transparent.is_some() {
        // Without this the previous frames would show through.
        frame.dispose = DisposalMethod::Background;
    }
    frame
}

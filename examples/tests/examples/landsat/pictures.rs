//! The blur in another language and with another method: each pixel is computed from all its
//! neighbours in two dimensions.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use jpeg_decoder::{Decoder, PixelFormat};

const SIGMA: f64 = 3.0;
const RADIUS: isize = 9;

/// A picture with three bytes per pixel.
pub(super) struct Picture {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<u8>,
}

/// Fails unless `result` is the blurred `picture`, apart from rounding: the two JPEG decoders
/// round differently, too.
#[track_caller]
pub(super) fn assert_blurred(picture: &Path, result: &Path) {
    let original = read_jpeg(picture);
    let (expected, found) = (blur(&original), read_png(File::open(result).expect("it is there")));
    assert_eq!((found.width, found.height), (expected.width, expected.height));
    let most = |a: &Picture, b: &Picture| {
        a.pixels.iter().zip(&b.pixels).map(|(a, b)| a.abs_diff(*b)).max()
    };
    let difference = most(&expected, &found);
    assert!(difference <= Some(2), "{}: {difference:?} of 255", result.display());
    assert!(
        most(&expected, &original) > Some(20),
        "{} is no picture that shows a blur",
        picture.display()
    );
}

pub(super) fn read_jpeg(path: &Path) -> Picture {
    let mut decoder = Decoder::new(BufReader::new(File::open(path).expect("a picture")));
    let pixels = decoder.decode().expect("a JPEG");
    let info = decoder.info().expect("decoded");
    assert_eq!(info.pixel_format, PixelFormat::RGB24);
    Picture { width: info.width.into(), height: info.height.into(), pixels }
}

pub(super) fn read_png(mut file: impl Read) -> Picture {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).expect("it can be read");
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("it fits")];
    let info = reader.next_frame(&mut pixels).expect("a PNG");
    assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
    Picture { width: info.width as usize, height: info.height as usize, pixels }
}

fn blur(picture: &Picture) -> Picture {
    let Picture { width, height, pixels } = picture;
    let around = || (-RADIUS..=RADIUS).flat_map(|dy| (-RADIUS..=RADIUS).map(move |dx| (dx, dy)));
    let weight =
        |(dx, dy): (isize, isize)| (-((dx * dx + dy * dy) as f64) / (2.0 * SIGMA * SIGMA)).exp();
    let weights: Vec<_> = around().map(|at| (at, weight(at))).collect();
    let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let inside = |at: usize, by: isize, length: usize| {
        (at as isize + by).clamp(0, length as isize - 1) as usize
    };
    let mut blurred = Vec::with_capacity(pixels.len());
    for y in 0..*height {
        for x in 0..*width {
            let mut sums = [0.0; 3];
            for ((dx, dy), weight) in &weights {
                let at = (inside(y, *dy, *height) * width + inside(x, *dx, *width)) * 3;
                for (sum, value) in sums.iter_mut().zip(&pixels[at..]) {
                    *sum += weight * f64::from(*value);
                }
            }
            blurred.extend(sums.map(|sum| (sum / total).round() as u8));
        }
    }
    Picture { width: *width, height: *height, pixels: blurred }
}

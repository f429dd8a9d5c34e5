//! The picture: the tiles of the demo's function, put together as PNG.

use crate::config::Mosaic;
use base64::{Engine, engine::general_purpose::STANDARD};

/// How each result begins. The rest is a bitmap (BMP), as the demo's function makes it: a head,
/// then the rows from the uppermost on, with three bytes for each pixel.
const ADDRESS: &[u8] = b"data:image/bmp;base64,";
/// The length of the head of a bitmap.
const HEAD: usize = 54;

/// The picture of `mosaic`, whose tiles have sides of `size` pixels, as PNG.
///
/// # Errors
/// When a result is not a tile, in words for people.
pub(super) fn png(mosaic: &Mosaic, size: u32) -> Result<Vec<u8>, String> {
    let pixels = pixels(mosaic, size as usize)?;
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, mosaic.columns * size, mosaic.rows * size);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
    written.map_err(|error| format!("the picture cannot be encoded: {error}"))?;
    Ok(png)
}

/// All pixels of the picture, row by row: red, green, blue.
fn pixels(mosaic: &Mosaic, size: usize) -> Result<Vec<u8>, String> {
    let (columns, rows) = (mosaic.columns as usize, mosaic.rows as usize);
    let mut pixels = vec![0; 3 * size * size * columns * rows];
    let results = mosaic.results();
    let mut results = results.split(|byte| *byte == b'\n');
    for tile in 0..columns * rows {
        let result = results.next().unwrap_or_default();
        let bytes = tile_bytes(result, size).ok_or_else(|| {
            format!("there is no picture, because the result of item {} is not a tile", tile + 1)
        })?;
        for (row, line) in bytes.chunks(3 * size).enumerate() {
            let above = tile / columns * size + row;
            let start = 3 * size * (above * columns + tile % columns);
            let place = pixels[start..start + 3 * size].chunks_mut(3);
            for (pixel, bytes) in place.zip(line.chunks(3)) {
                pixel.copy_from_slice(&[bytes[2], bytes[1], bytes[0]]);
            }
        }
    }
    Ok(pixels)
}

/// The pixels of a tile, from its result; each pixel is blue, green, red.
fn tile_bytes(result: &[u8], size: usize) -> Option<Vec<u8>> {
    let bitmap = STANDARD.decode(result.strip_prefix(ADDRESS)?).ok()?;
    let is_whole = bitmap.starts_with(b"BM") && bitmap.len() == HEAD + 3 * size * size;
    is_whole.then(|| bitmap[HEAD..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// The result for a tile of one pixel.
    fn tile(blue: u8, green: u8, red: u8) -> String {
        let mut bitmap = b"BM".to_vec();
        bitmap.resize(HEAD, 0);
        bitmap.extend([blue, green, red]);
        format!("data:image/bmp;base64,{}\n", STANDARD.encode(bitmap))
    }

    #[test]
    fn each_tile_has_its_place() {
        let mut mosaic = Mosaic::new(2, 2);
        for number in 0..4 {
            mosaic.write_all(tile(number + 20, number + 10, number).as_bytes()).unwrap();
        }
        let expected = [[0, 10, 20], [1, 11, 21], [2, 12, 22], [3, 13, 23]].concat();
        assert_eq!(pixels(&mosaic, 1).unwrap(), expected);
        let png = png(&mosaic, 1).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut decoded = vec![0; 12];
        reader.next_frame(&mut decoded).unwrap();
        assert_eq!(decoded, expected);
    }

    #[test]
    fn a_result_that_is_not_a_tile_is_told_by_its_number() {
        for wrong in ["", "7\n", "data:image/bmp;base64,Qk0=\n"] {
            let mut mosaic = Mosaic::new(2, 1);
            mosaic.write_all((tile(1, 2, 3) + wrong).as_bytes()).unwrap();
            assert!(png(&mosaic, 1).unwrap_err().contains("item 2"));
        }
    }
}

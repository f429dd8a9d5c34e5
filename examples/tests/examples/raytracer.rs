use std::f64::consts::TAU;
use std::io::{Read, Write};

use base64::prelude::{BASE64_STANDARD, Engine};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use gif::{ColorOutput, DecodeOptions, Frame};

use crate::program::{apply, leave_early, run};
use pando_testing::Finished;

pub(crate) const ANGLES: &str = env!("CARGO_BIN_EXE_angles");
pub(crate) const ENCODER: &str = env!("CARGO_BIN_EXE_gif-encoder");

/// A line of the encoder's input.
fn line(pixels: &[u8]) -> String {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(pixels).expect("memory can be written");
    BASE64_STANDARD.encode(gzip.finish().expect("memory can be written")) + "\n"
}

fn encode(arguments: &[&str], input: &str) -> Finished {
    run(ENCODER, arguments, input.as_bytes())
}

/// The frames of a GIF, as RGBA.
fn decode(gif: &[u8]) -> Vec<Frame<'static>> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    let mut decoder = options.read_info(gif).expect("a GIF");
    std::iter::from_fn(|| decoder.read_next_frame().expect("a frame").cloned()).collect()
}

#[test]
fn angles_go_once_around() {
    let angles: Vec<f64> =
        run(ANGLES, &[], b"").lines().iter().map(|line| line.parse().expect("an angle")).collect();
    assert_eq!(angles.len(), 100);
    for (index, angle) in angles.iter().enumerate() {
        assert!((angle - index as f64 * TAU / 100.0).abs() < 1e-12, "{index}: {angle}");
    }
    assert_eq!(run(ANGLES, &["2"], b"").lines(), ["0", "3.141592653589793"]);
}

#[test]
fn angles_end_quietly_when_nobody_reads() {
    let output = leave_early(ANGLES, &["1000000"], b"");
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""));
}

#[test]
fn every_line_becomes_a_frame_in_order() {
    let colors = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 20, 30], [255, 255, 255]];
    let lines: String = colors.iter().map(|color| line(&color.repeat(4 * 3))).collect();
    let frames = decode(&encode(&["--size", "4x3", "--delay", "70"], &lines).success());

    assert_eq!(frames.len(), colors.len());
    for (frame, [r, g, b]) in frames.iter().zip(colors) {
        assert_eq!((frame.width, frame.height, frame.delay), (4, 3, 7));
        assert_eq!(*frame.buffer, [r, g, b, 255].repeat(4 * 3));
    }
}

#[test]
fn pixels_may_have_an_alpha_channel() {
    let pixels = [[200, 100, 50, 255], [0, 0, 0, 0]].concat();
    let frames = decode(&encode(&["--size", "2x1"], &line(&pixels)).success());
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].buffer[..4], [200, 100, 50, 255]);
    assert_eq!(frames[0].buffer[7], 0, "transparent");
}

#[test]
fn a_bad_line_is_told_with_its_number() {
    let good = line(&[0; 12]);
    let cases = [
        ("\n".to_owned(), "empty, expected a frame"),
        ("%%%\n".to_owned(), "not base64: "),
        (BASE64_STANDARD.encode("not gzip at all") + "\n", "not gzip: "),
        (line(&[0; 11]), "11 bytes of pixels; 2x2 has 12 (RGB) or 16 (RGBA)"),
        (line(&[0; 100_000]), "more pixels than in 2x2; is --size right?"),
    ];
    for (bad, expected) in cases {
        let output = encode(&["--size", "2x2"], &format!("{good}{bad}{good}"));
        assert_eq!(output.status, Some(1), "{bad}");
        assert!(
            output.stderr.starts_with(&format!("gif-encoder: line 2: {expected}")),
            "{}",
            output.stderr
        );
    }
}

#[test]
fn no_frame_at_all_is_an_error() {
    let output = encode(&[], "");
    assert_eq!((output.status, output.stdout.len()), (Some(1), 0));
    assert_eq!(output.stderr, "gif-encoder: no frames on standard input\n");
}

#[test]
fn wrong_sizes_and_delays_are_usage_errors() {
    for arguments in [["--size", "300"], ["--size", "0x5"], ["--size", "70000x5"], ["--delay", "0"]]
    {
        assert_eq!(encode(&arguments, "").status, Some(2), "{arguments:?}");
    }
}

#[test]
fn the_encoder_ends_quietly_when_nobody_reads() {
    let lines = line(&[7; 300 * 300 * 3]).repeat(3);
    let output = leave_early(ENCODER, &[], lines.as_bytes());
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""));
}

#[test]
fn rendered_frames_have_300_by_300_pixels_and_differ() {
    let lines = apply("raytracer/raytracer.js", "0\n1.5\n").lines();
    let frames: Vec<Vec<u8>> = lines.iter().map(|line| pixels(line)).collect();
    assert_eq!(frames.iter().map(Vec::len).collect::<Vec<_>>(), [270_000, 270_000]);
    assert_ne!(frames[0], frames[1]);

    let gif = encode(&[], &(lines.join("\n") + "\n")).success();
    assert_eq!(decode(&gif).len(), 2);
}

#[test]
fn the_function_refuses_what_is_no_angle() {
    let output = apply("raytracer/raytracer.js", "left\n");
    assert_eq!((output.status, output.stderr.trim()), (Some(1), "not an angle: left"));
}

/// The pixels of one frame.
pub(crate) fn pixels(line: &str) -> Vec<u8> {
    let compressed = BASE64_STANDARD.decode(line).expect("base64");
    let mut pixels = Vec::new();
    GzDecoder::new(&*compressed).read_to_end(&mut pixels).expect("gzip");
    pixels
}

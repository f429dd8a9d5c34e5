//! The applications end to end: generator, pando with this machine's cores and a browser tab, post-processor.

use gif::DecodeOptions;

use crate::{
    collatz::{FUNCTIONS, MAX, RANGES, most_steps},
    devices::{map, pando},
    npm::install,
    program::{apply, run},
    raytracer::{ANGLES, ENCODER, pixels},
};

#[test]
fn squares_of_the_numbers_come_out() {
    let output = pando().args(["square/square.js", "--local", "3", "-4"]).output().expect("pando starts");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "9\n16\n");
    assert!(output.status.success());
}

#[test]
fn collatz_over_devices_equals_a_local_computation() {
    install("collatz");
    let ranges = run(RANGES, &["--count", "40", "--size", "20"], b"").success();
    let expected: Vec<String> = std::str::from_utf8(&ranges).expect("text").lines().map(most_steps).collect();
    for function in FUNCTIONS {
        let (results, _) = map(function, ranges.clone());
        assert_eq!(String::from_utf8_lossy(&results).lines().collect::<Vec<_>>(), expected, "{function}");
        assert_eq!(run(MAX, &[], &results).lines(), ["3179389980591125407167 2760"]);
    }
}

#[test]
fn the_animation_decodes_to_100_frames() {
    let angles = run(ANGLES, &[], b"").success();
    let (frames, log) = map("raytracer/raytracer.js", angles.clone());
    let lines = |bytes: &[u8]| -> Vec<String> { String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect() };
    let (angles, rendered) = (lines(&angles), lines(&frames));
    let samples = [0, 37, 99];
    let expected = apply("raytracer/raytracer.js", &samples.map(|frame| angles[frame].clone() + "\n").concat()).lines();
    for (frame, expected) in samples.iter().zip(expected) {
        // Their compression may differ: that of Node is another than that of browsers.
        assert!(pixels(&rendered[*frame]) == pixels(&expected), "frame {frame} is in its place");
    }
    let gif = run(ENCODER, &[], &frames).success();
    let mut decoder = DecodeOptions::new().read_info(&*gif).expect("a GIF");
    assert_eq!((decoder.width(), decoder.height()), (300, 300));
    let mut count = 0;
    while decoder.read_next_frame().expect("a frame").is_some() {
        count += 1;
    }
    assert_eq!(count, 100);
    assert!(log.contains("Tab joined with 1 core"), "{log}");
}

//! The applications end to end: generator, pando with this machine's cores and a browser tab,
//! post-processor.

use gif::DecodeOptions;

use crate::{
    collatz::{FUNCTIONS, MAX, RANGES, most_steps},
    devices::{map, pando},
    npm::install,
    program::run,
    raytracer::{ANGLES, ENCODER, pixels},
    tracer::render,
};

#[test]
fn squares_of_the_numbers_come_out() {
    let output =
        pando().args(["square/square.js", "--local", "3", "-4"]).output().expect("pando starts");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "9\n16\n");
    assert!(output.status.success());
}

#[test]
fn collatz_over_devices_equals_a_local_computation() {
    install("collatz");
    let ranges = run(RANGES, &["--count", "40", "--size", "20"], b"").success();
    let expected: Vec<String> =
        std::str::from_utf8(&ranges).expect("text").lines().map(most_steps).collect();
    for function in FUNCTIONS {
        let (results, _) = map(function, ranges.clone());
        assert_eq!(
            String::from_utf8_lossy(&results).lines().collect::<Vec<_>>(),
            expected,
            "{function}"
        );
        assert_eq!(run(MAX, &[], &results).lines(), ["3179389980591125407167 2760"]);
    }
}

#[test]
fn the_animation_decodes_to_100_frames() {
    let angles = run(ANGLES, &[], b"").success();
    let (frames, log) = map("raytracer/raytracer.js", angles.clone());
    let lines = |bytes: &[u8]| -> Vec<String> {
        String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect()
    };
    let (angles, rendered) = (lines(&angles), lines(&frames));
    for frame in [0, 37, 99] {
        let (pixels, expected) =
            (pixels(&rendered[frame]), render(angles[frame].parse().expect("an angle"), 300));
        assert_eq!(pixels.len(), expected.len());
        // Rounding differs between the languages, so a ray may just miss in one and just hit in
        // the other.
        let others =
            pixels.iter().zip(&expected).filter(|(one, other)| one.abs_diff(**other) > 1).count();
        assert!(others < pixels.len() / 1000, "frame {frame} has {others} other pixels");
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

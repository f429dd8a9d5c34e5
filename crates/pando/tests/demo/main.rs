//! `pando demo`: the picture, and the monitoring page beside it.

use pando_testing::{
    Browser, BrowserEngine, Finished, PandoCommand, RunningProgram, TabId, built, until,
};
use serde_json::json;
use std::{env, fs, io::Cursor, os::unix::fs::PermissionsExt, process::Command, time::Duration};

/// The hash of the picture's pixels, whoever computes which tile.
const PICTURE: &str = "7d90b5ded7f54f50";

/// The longest time for a demo on a busy machine.
const LONGEST: Duration = Duration::from_secs(400);

/// What stands in a file that the demo must keep.
const KEPT: &[u8] = b"my own picture";

/// A demo with so many cores. The browser of its machine is a program that writes down the address.
fn demo(cores: &str) -> PandoCommand {
    let browser = "#!/bin/sh\necho \"$1\" > opened\n";
    let command = PandoCommand::bare()
        .args(["demo", "--port", "0", "--cores", cores])
        .with_file("bin/xdg-open", browser)
        .with_file("pando-demo.png", KEPT);
    let folder = command.folder().join("bin");
    fs::set_permissions(folder.join("xdg-open"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = env::var("PATH").unwrap();
    command.longest(LONGEST).env("PATH", format!("{}:{path}", folder.display()))
}

/// The address of the monitoring page.
fn monitor(run: &RunningProgram) -> String {
    const WORDS: &str = "Serving monitoring page at ";
    run.says(WORDS).trim_start_matches(WORDS).trim().to_owned()
}

/// Waits for the end of a demo, which must leave the picture in a new file.
#[track_caller]
fn ends_with_the_picture(run: RunningProgram) -> Finished {
    let folder = run.folder().to_owned();
    let (finished, (old, new)) = run.wait_and(|| {
        let read = |name: &str| fs::read(folder.join(name)).unwrap_or_default();
        (read("pando-demo.png"), read("pando-demo-2.png"))
    });
    finished.gives("").said(&["400 items", "The picture is in pando-demo-2.png."]);
    assert_eq!(old, KEPT);
    assert_eq!(hash(&new), PICTURE);
    finished
}

/// The hash of the pixels of a PNG with 1600 × 1024 pixels.
fn hash(png: &[u8]) -> String {
    let mut reader = png::Decoder::new(Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((frame.width, frame.height, frame.color_type), (1600, 1024, png::ColorType::Rgb));
    blake3::hash(&pixels).to_hex()[..16].to_owned()
}

#[test]
fn the_cores_of_this_machine_make_the_picture() {
    let run = demo("2").start();
    let page = monitor(&run);
    let folder = run.folder().join("opened");
    // The shell makes the file before `echo` writes the line.
    let line = || fs::read_to_string(&folder).ok().filter(|text| text.ends_with('\n'));
    let opened = until("the page opens", line);
    assert_eq!(opened.trim(), page);
    let finished = ends_with_the_picture(run);
    try_next(&finished);
}

/// Runs the commands that the demo shows at its end.
fn try_next(demo: &Finished) {
    let commands: Vec<&str> =
        demo.stderr.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    let commands = &commands[commands.len() - 3..];
    let folder = tempfile::tempdir().unwrap();
    let programs = built("pando");
    let path = format!("{}:{}", programs.parent().unwrap().display(), env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-ec", &commands.join("\n")]).current_dir(folder.path());
    shell.env("PATH", path).env("PANDO_PORT", "0").env("PANDO_ALLOW_SLEEP", "true");
    let output = shell.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n4\n9\n", "{commands:?}");
    assert!(output.status.success(), "{commands:?}");
    let squares = fs::read_to_string(folder.path().join("squares.txt")).unwrap();
    assert!(squares.ends_with("\n9999800001\n10000000000\n"));
}

#[test]
fn a_tab_that_closes_half_way_leaves_the_picture_whole() {
    let Some(mut browser) = Browser::start(BrowserEngine::Chromium) else { return };
    let run = demo("1").start();
    let ann = browser.open(&format!("{}#device=Ann;cores=1;", run.url()));
    // The last tab that opens is the tab that people see. A hidden monitoring page draws nothing.
    let page = browser.open(&monitor(&run));
    browser.until(&page, "/Ann [1-9]/.test(document.querySelector('.mosaic-card').innerText)");
    until_tiles(&mut browser, &page, 200);
    browser.close(&ann);
    until_tiles(&mut browser, &page, 400);
    let colours = "new Set([...document.querySelectorAll('.tile')].map((tile) => tile.style.background)).size";
    assert_eq!(browser.eval(&page, colours), Ok(json!(2)));
    let label = "document.querySelector('.mosaic').getAttribute('aria-label')";
    assert_eq!(browser.eval(&page, label), Ok(json!("The picture: 400 of 400 tiles")));
    ends_with_the_picture(run);
}

/// Waits until the page shows so many tiles. No single step takes long, even on a busy machine.
fn until_tiles(browser: &mut Browser, page: &TabId, count: usize) {
    for step in (0..=count).step_by(5) {
        browser.until(page, &format!("document.querySelectorAll('.tile').length >= {step}"));
    }
}

#[test]
fn a_demo_that_is_stopped_leaves_no_picture() {
    let run = demo("1").start();
    monitor(&run);
    let folder = run.folder().to_owned();
    until("the page opens", || fs::read(folder.join("opened")).ok());
    run.signal("INT");
    let (finished, is_there) = run.wait_and(|| folder.join("pando-demo-2.png").exists());
    finished.status(1).did_not_say(&["The picture"]);
    assert!(!is_there);
}

//! npm packages from the time of the original Pando, in a tab and on a core of this machine.
//! `docs/npm-packages.md` lists many more.

use crate::tab;
use pando_testing::{Finished, PandoCommand, lines, with_packages};

/// The packages, and the function's answer for each.
const USES: [(&str, &str); 10] = [
    ("sha.js", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("bignumber.js", "1881676372246402223439821666701"),
    ("ndarray", "5 4,4"),
    ("pngjs", "07070707070707070707070707070707"),
    ("debug", "true,false"),
    ("graphlib", "a,b,c"),
    ("ml-kmeans", "0,0,1"),
    ("new Function", "9"),
    ("implicit globals", "4"),
    ("pando.report", "string"),
];

/// One red pixel, half transparent.
const PICTURE: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

fn packages() -> PandoCommand {
    PandoCommand::path(with_packages("packages.js")).stdin(lines(USES.map(|(name, _)| name)))
}

fn answers(finished: &Finished) {
    finished.gives(lines(USES.map(|(_, answer)| answer)));
}

#[test]
fn old_packages_work_in_a_tab() {
    let run = packages().args(["--cores", "0"]).start();
    let _tab = tab(&run, "Ann");
    answers(&run.wait());
}

#[test]
fn old_packages_work_on_this_machines_cores() {
    answers(&packages().args(["--local", "--cores", "1"]).run());
}

#[test]
fn old_packages_for_pages_and_inline_handlers_work_in_the_page() {
    let run = PandoCommand::path(with_packages("page.js"))
        .args(["--dom"])
        .stdin(format!("{PICTURE}\n"))
        .start();
    let _tab = tab(&run, "Ann");
    run.wait().gives("yes 1,1,4 255,0,0,127\n");
}

//! `--files`: the contents of files as values, and results written to files.

use pando_testing::{PandoCommand, make_pipe};
use std::fs;

const ECHO: &str = "(bytes, cb) => cb(null, Buffer.isBuffer(bytes) ? bytes : 'no Buffer')";

fn echo() -> PandoCommand {
    PandoCommand::f(ECHO)
        .with_file("a/x.txt", "hello\n")
        .with_file("b.bin", (0..=255).collect::<Vec<u8>>())
        .local()
        .args(["--files"])
}

#[test]
fn results_lie_below_the_folder_under_the_same_names() {
    let out = tempfile::tempdir().unwrap();
    let (text, bytes) = (out.path().join("a/x.dat"), out.path().join("b.dat"));
    let run = echo()
        .args(["--ext", "dat", "a/x.txt", "./b.bin", "--output-dir"])
        .args([out.path()])
        .run();
    run.gives(format!("{}\n{}\n", text.display(), bytes.display()));
    assert_eq!(fs::read(text).unwrap(), b"hello\n");
    assert_eq!(fs::read(bytes).unwrap(), (0..=255).collect::<Vec<u8>>());
    let names: Vec<_> =
        fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "nothing temporary is left: {names:?}");
}

#[test]
fn a_blob_is_written_as_its_bytes() {
    let out = tempfile::tempdir().unwrap();
    let f = "export default async bytes => new Blob([bytes, '!'], { type: 'image/png' })";
    let run = PandoCommand::new(f)
        .with_file("a", [0, 10, 255])
        .local()
        .args(["--files", "a", "--output-dir"])
        .args([out.path()])
        .run();
    run.gives(format!("{}\n", out.path().join("a").display()));
    assert_eq!(fs::read(out.path().join("a")).unwrap(), [0, 10, 255, b'!']);
}

#[test]
fn names_come_from_standard_input_as_well_and_results_can_be_printed() {
    let run = PandoCommand::f("(bytes, cb) => cb(null, String(bytes.length))")
        .with_file("a", "xyz")
        .with_file("b", "")
        .local();
    run.args(["--files"]).stdin("a\nb\n").run().gives("3\n0\n");
}

#[test]
fn a_file_that_is_not_there_ends_the_run_after_those_before_it() {
    echo()
        .args(["--output-dir", "out"])
        .stdin("b.bin\nnone\na/x.txt\n")
        .run()
        .ends(1, "out/b.bin\n")
        .said(&["error: item 2: none cannot be read"]);
}

#[test]
fn a_file_that_cannot_be_read_is_left_out_where_failures_are() {
    let out = tempfile::tempdir().unwrap();
    let run = echo()
        .args(["--on-error", "skip", "--output-dir"])
        .args([out.path()])
        .stdin("none\nb.bin\na\na/x.txt\n")
        .run();
    run.ends(1, format!("{0}/b.bin\n{0}/a/x.txt\n", out.path().display()));
    run.said(&[
        "item 1: none cannot be read",
        "item 3: a cannot be read",
        "2 items failed and were left out",
    ]);
    assert_eq!(fs::read(out.path().join("a/x.txt")).unwrap(), b"hello\n");
}

#[test]
fn a_file_that_cannot_be_read_is_tried_again_when_a_journal_is_gone_on_with() {
    let journal = tempfile::NamedTempFile::new().unwrap();
    let again = || {
        echo()
            .args(["-0", "--on-error", "skip", "--journal"])
            .args([journal.path()])
            .stdin("none\0a/x.txt\0")
    };
    again().run().ends(1, "hello\n\0");
    let run = again().with_file("none", "there\n").run();
    run.gives("there\n\0hello\n\0");
}

#[test]
fn errors_in_place_of_results_need_results_that_are_json() {
    echo()
        .args(["--on-error", "report", "b.bin"])
        .run()
        .ends(2, "")
        .said(&["--files", "--on-error skip"]);
}

#[test]
fn names_without_a_place_of_their_own_are_refused() {
    for (names, why) in [
        (["a/x.txt", "a/../b.bin"], "`..`"),
        (["a/x.txt", "/etc/hostname"], "absolute"),
        (["a/x.txt", "./a/x.txt"], "same target"),
    ] {
        echo().args(["--output-dir", "out"]).args(names).run().ends(2, "").said(&["error: ", why]);
        // The names on standard input are not known at the start, so the other items can have
        // results.
        let run = echo()
            .args(["--output-dir", "out", "--on-error", "skip"])
            .stdin(names.join("\n"))
            .run();
        run.ends(1, "out/a/x.txt\n").said(&["item 2: ", why, "1 item failed and was left out"]);
    }
    let run = echo().args(["--output-dir", "out", "--on-error", "skip"]).stdin("a/x.txt\n\n").run();
    run.ends(1, "out/a/x.txt\n")
        .said(&["item 2: an empty name is refused: this is not the name of a file"]);
    echo()
        .args(["--output-dir", ".", "b.bin"])
        .run()
        .ends(2, "")
        .said(&["would be written over it"]);
    echo().args(["--ext", "png", "b.bin"]).run().ends(2, "").said(&["--output-dir"]);
}

/// A function that returns the bytes in upper case, so that a result differs from its input.
fn upper() -> PandoCommand {
    let run = PandoCommand::f("(bytes, cb) => cb(null, bytes.toString().toUpperCase())")
        .with_file("t", "t")
        .with_file("D/t", "d/t");
    run.local().args(["--files", "--window", "1"])
}

/// Runs `job`, and checks its status and messages. Returns the contents of these files of its
/// folder afterwards.
#[track_caller]
fn files_after<const N: usize>(
    job: PandoCommand,
    status: i32,
    texts: &[&str],
    names: [&str; N],
) -> [String; N] {
    let run = job.start();
    let folder = run.folder().to_owned();
    let done = run
        .wait_and(|| names.map(|name| fs::read_to_string(folder.join(name)).unwrap_or_default()));
    done.0.status(status).said(texts);
    done.1
}

#[test]
fn no_result_is_written_over_an_input_that_comes_later() {
    for overwrite in [&[][..], &["--overwrite"]] {
        let args = || upper().args(["--output-dir", "D"]).args(overwrite);
        for names in [["t", "D/t"], ["D/t", "t"], ["t", "D/../D/t"], ["t", "./D//t"]] {
            assert_eq!(
                files_after(args().args(names), 2, &["error: "], ["t", "D/t"]),
                ["t", "d/t"],
                "{names:?}"
            );
        }
        let status = if overwrite.is_empty() { 1 } else { 2 };
        let said =
            if overwrite.is_empty() { "D/t already exists" } else { "over D/t, which is an input" };
        assert_eq!(
            files_after(args().stdin("t\nD/t\n"), status, &[said], ["t", "D/t"]),
            ["t", "d/t"]
        );
    }
}

#[test]
fn a_result_becomes_no_input() {
    let job = || upper().args(["--output-dir", "E"]);
    files_after(job().args(["t", "E/t"]), 2, &["over E/t, which is an input"], []);
    let run = job().args(["--on-error", "skip"]).stdin("t\nE/t\nD/t\n").run();
    run.ends(1, "E/t\nE/D/t\n").said(&["item 2: E/t", "result of another item"]);
}

#[test]
fn links_to_an_input_are_the_input() {
    use std::os::unix::fs::symlink;
    for overwrite in [&[][..], &["--overwrite"]] {
        let job = |link: &dyn Fn(&std::path::Path)| {
            let job = upper().args(["--output-dir", "out"]).args(overwrite);
            fs::create_dir(job.folder().join("out")).unwrap();
            link(job.folder());
            job
        };
        let hard = job(&|folder| fs::hard_link(folder.join("D/t"), folder.join("out/t")).unwrap());
        assert_eq!(
            files_after(hard.args(["t", "D/t"]), 2, &["which is an input"], ["D/t", "out/t"]),
            ["d/t", "d/t"]
        );
        let soft = job(&|folder| symlink("../D/t", folder.join("out/t")).unwrap());
        assert_eq!(
            files_after(soft.args(["t", "D/t"]), 2, &["which is an input"], ["D/t"]),
            ["d/t"]
        );
        let itself = job(&|folder| symlink("../t", folder.join("out/t")).unwrap());
        assert_eq!(files_after(itself.args(["t"]), 2, &["over it"], ["t"]), ["t"]);
        // A folder of the outputs is a link to the folder of the inputs.
        let folder = job(&|folder| symlink("../D", folder.join("out/D")).unwrap());
        assert_eq!(files_after(folder.args(["D/t"]), 2, &["over it"], ["D/t"]), ["d/t"]);
        let later = job(&|folder| fs::hard_link(folder.join("t"), folder.join("out/t")).unwrap());
        let status = if overwrite.is_empty() { 1 } else { 2 };
        assert_eq!(
            files_after(later.stdin("t\n"), status, &["would be written over"], ["t"]),
            ["t"]
        );
    }
    // The link's target does not exist yet, so the first result would become the second input.
    let dangling = upper().args(["--output-dir", "out"]);
    symlink("out/t", dangling.folder().join("later")).unwrap();
    files_after(dangling.args(["t", "later"]), 2, &["over later, which is an input"], []);
}

#[test]
fn what_is_there_and_was_not_written_by_this_run_stays() {
    let job = |more: &[&str]| {
        let run = upper().args(["--output-dir", ".", "--ext", "png"]).args(more);
        run.with_file("a.txt", "a").with_file("a.png", "kept").with_file("b.txt", "b")
    };
    let names = "a.txt\na.png\nb.txt\n";
    assert_eq!(
        files_after(job(&["a.txt"]), 2, &["./a.png already exists", "--overwrite"], ["a.png"]),
        ["kept"]
    );
    assert_eq!(
        files_after(job(&[]).stdin(names), 1, &["error: item 1: a.txt"], ["a.png", "b.png"]),
        ["kept", ""]
    );
    let skipped = job(&["--on-error", "skip"]).stdin(names);
    assert_eq!(
        files_after(skipped, 1, &["item 1: a.txt", "item 2: a.png"], ["a.png", "b.png"]),
        ["kept", "B"]
    );
    let over = job(&["--overwrite"]).stdin(names);
    assert_eq!(
        files_after(over, 2, &["over a.png, which is an input"], ["a.png", "b.png"]),
        ["kept", ""]
    );
    let over = job(&["--overwrite"]).stdin("a.txt\nb.txt\n");
    assert_eq!(
        files_after(over, 0, &["all names are read before the first file"], ["a.png", "b.png"]),
        ["A", "B"]
    );
    let link = job(&["--overwrite", "t"]).with_file("precious", "precious");
    std::os::unix::fs::symlink("precious", link.folder().join("t.png")).unwrap();
    assert_eq!(files_after(link, 0, &[], ["precious", "t.png"]), ["precious", "T"]);
}

#[test]
fn what_else_a_run_uses_is_not_written_over_either() {
    let f = "export default bytes => bytes";
    let job = || {
        PandoCommand::new(f).with_file("f.txt", "x").local().args([
            "--files",
            "--output-dir",
            ".",
            "--overwrite",
            "f.txt",
        ])
    };
    assert_eq!(
        files_after(job().args(["--ext", "js"]), 2, &["over the file of the function"], ["f.js"]),
        [f]
    );
    let events = job().args(["--ext", "events", "--events", "f.events"]);
    files_after(events, 2, &["over the file of --events"], []);
    files_after(
        job().args(["--ext", "out"]).redirected("> f.out"),
        2,
        &["over the file of standard output"],
        [],
    );
    let run = upper().redirected(">> t").args(["t"]).run();
    run.ends(1, "").said(&["item 1: t is refused: it is the file of standard output"]);
}

#[test]
fn modules_of_the_function_and_assets_are_not_written_over() {
    let overwrite = ["--files", "--output-dir", ".", "--overwrite"];
    let module = "module.exports = bytes => bytes";
    let job = PandoCommand::f("require('./lib.js')").with_file("lib.js", module).local();
    let job = job.with_file("lib", "x").args(overwrite).args(["--ext", "js", "lib"]);
    let refused = ["over the file of a module of the function"];
    assert_eq!(files_after(job, 2, &refused, ["lib.js"]), [module]);
    let job = PandoCommand::f("bytes => bytes").with_file("as/m.bin", "model").local();
    let job = job.with_file("as/m", "x").args(overwrite).args(["--ext", "bin"]);
    let job = job.args(["--assets", "as", "as/m"]);
    assert_eq!(files_after(job, 2, &["over a file of --assets"], ["as/m.bin"]), ["model"]);
}

#[test]
fn folders_in_the_way_and_files_in_the_way_of_folders_are_refused_before_anything_is_computed() {
    let job = || upper().args(["--output-dir", "out", "--overwrite"]);
    for (there, name, why) in [
        ("out/t/x", "t", "a folder in the place of its result, out/t"),
        ("out/D", "D/t", "out/D/t: a folder in its path is a file"),
        ("out", "t", "out/t: a folder in its path is a file"),
    ] {
        job().with_file(there, "").args([name]).run().ends(2, "").said(&[why]);
    }
    job()
        .with_file("out", "")
        .stdin("t\n")
        .run()
        .ends(2, "")
        .said(&["--output-dir out: cannot be made"]);
    job()
        .with_file("out/D", "")
        .args(["--on-error", "skip"])
        .stdin("D/t\nt\n")
        .run()
        .ends(1, "out/t\n")
        .said(&["item 1: D/t"]);
}

#[test]
fn an_output_folder_that_is_removed_meanwhile_is_noticed() {
    let gate = pando_testing::FunctionGate::closed();
    let f = format!(
        "export default async bytes => {{ if (bytes == 't') await {}; return bytes }}",
        gate.knock("bytes")
    );
    let run = PandoCommand::new(&f).with_file("a", "a").with_file("t", "t").local().args([
        "--files",
        "--output-dir",
        "out",
        "a",
        "t",
    ]);
    let mut run = run.start();
    assert_eq!(run.line().as_deref(), Some("out/a"));
    gate.waits_for("t");
    fs::remove_dir_all(run.folder().join("out")).unwrap();
    gate.open_for_all();
    run.wait().ends(1, "out/a\n").said(&["the folder out was removed while this run went on"]);
}

#[test]
fn files_without_end_are_refused_in_words() {
    let job = || echo().args(["--on-error", "skip"]).stdin("/dev/zero\npipe\na/x.txt\na\n");
    let job = job().args(["-0"]).stdin("/dev/zero\0pipe\0a/x.txt\0a\0");
    make_pipe(&job.folder().join("pipe"));
    let run = job.run();
    run.ends(1, "hello\n\0").said(&[
        "item 1: /dev/zero cannot be read: this is a device",
        "item 2: pipe cannot be read: this is a pipe",
    ]);
    run.said(&["item 4: a cannot be read: this is a folder"]);
    // A pipe that a shell makes for this run has an end.
    let shell = echo().args(["-0"]);
    let line = [r#"exec "$@" <(printf given)"#.to_owned()];
    let launcher = ["bash".to_owned(), "-c".to_owned()]
        .into_iter()
        .chain(line)
        .chain(["bash".to_owned()])
        .collect::<Vec<_>>();
    shell.inside(&launcher).run().gives("given\0");
}

#[test]
fn a_function_that_asks_for_it_has_the_name_of_its_file() {
    for f in [
        "export default (x, { name }) => name + ': ' + x + x.length",
        "module.exports = (x, cb) => setTimeout(() => cb(null, cb.name + ': ' + x + x.length), 1)",
        "module.exports = (x, context) => { context(null, context.name + ': ' + x + Buffer.isBuffer(x).toString().length) }",
    ] {
        let run = PandoCommand::new(f)
            .with_file("one", "abcd")
            .with_file("deep/two é", "efgh")
            .args(["--files", "--local", "one", "deep/two é"])
            .run();
        run.gives("one: abcd4\ndeep/two é: efgh4\n");
    }
    // Functions that have the word for something else get the bytes alone.
    for f in [
        "const name = 'f'\nmodule.exports['/pando/1.0.0'] = (x, cb) => cb(null, x)",
        "const style = '/pando/' + '1.0.0', name = 5\nexports[style] = (x, cb) => cb(null, x)",
        "const name = f => f\nmodule.exports = name(x => x)",
        "const name = 5\nmodule.exports = function (x) { return arguments[0] }",
    ] {
        let run = PandoCommand::new(f).with_file("one", "abcd").args(["--files", "--local", "one"]);
        run.run().gives("abcd\n");
    }
}

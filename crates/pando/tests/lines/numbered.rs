//! `--output-dir` without `--files`: results go into files with numbers as names.

use pando_testing::PandoCommand;
use std::fs;

#[test]
fn results_are_files_by_number_and_their_paths_are_printed() {
    let out = tempfile::tempdir().unwrap();
    let dir = out.path().display();
    let f = "export default x => [new Uint8Array([1, 255, 10]), new Blob(['a\\nb']), new Uint16Array([258]).buffer, \
             Buffer.from('é'), 'text\\nof two lines', { a: 1 }][x]";
    let run =
        PandoCommand::new(f).local().args(["--ext", "bin", "--output-dir"]).args([out.path()]);
    let run = run.stdin("0\n1\n2\n3\n4\n5\n").run();
    let paths: String = (1..=6).map(|n| format!("{dir}/00000{n}.bin\n")).collect();
    run.gives(paths);
    let content = |n: u64| fs::read(out.path().join(format!("00000{n}.bin"))).unwrap();
    assert_eq!(content(1), [1, 255, 10]);
    assert_eq!(content(2), b"a\nb");
    assert_eq!(content(3), [2, 1]);
    assert_eq!(content(4), "é".as_bytes());
    assert_eq!(content(5), b"text\nof two lines");
    assert_eq!(content(6), b"{\"a\":1}");
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 6, "nothing temporary is left");
}

#[test]
fn text_is_text_also_where_results_are_json() {
    let out = tempfile::tempdir().unwrap();
    let dir = out.path().display();
    let f = "export default ({ x }) => `<svg>${x}</svg>\\n`";
    let args = ["--grid", "x=1,2", "--csv", "--ext", ".svg", "--output-dir"];
    let run = PandoCommand::new(f).local().args(args).args([out.path()]).run();
    run.gives(format!("x,result\n1,{dir}/000001.svg\n2,{dir}/000002.svg\n"));
    assert_eq!(fs::read(out.path().join("000002.svg")).unwrap(), b"<svg>2</svg>\n");
}

#[test]
fn what_is_there_is_not_written_over_unless_told() {
    let run = |args: &[&str]| {
        PandoCommand::new("export default x => x + '!'")
            .with_file("out/000002", "mine")
            .local()
            .args(["--output-dir", "out"])
            .args(args)
            .args(["a", "b", "c"])
            .run()
    };
    run(&[])
        .ends(1, "out/000001\n")
        .said(&["item 2 is refused: out/000002 already exists", "--overwrite"]);
    run(&["--on-error", "skip"]).ends(1, "out/000001\nout/000003\n").said(&["1 item failed"]);
    run(&["--overwrite"]).gives("out/000001\nout/000002\nout/000003\n");
}

#[test]
fn the_input_and_the_function_are_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("000001");
    fs::write(&input, "a\n").unwrap();
    let run = PandoCommand::new("export default x => x")
        .local()
        .args(["--overwrite", "--output-dir"])
        .args([folder.path()])
        .stdin_file(&input)
        .run();
    run.ends(1, "").said(&["its result would be written over the file of standard input"]);
    assert_eq!(fs::read(&input).unwrap(), b"a\n");
}

#[test]
fn a_journal_keeps_what_is_in_files() {
    let folder = tempfile::tempdir().unwrap();
    let run = |more: &[&str]| {
        PandoCommand::new("export default x => { console.log('computed'); return x + '!' }")
            .local()
            .args(["--unordered", "--journal", folder.path().join("j").to_str().unwrap()])
            .args(["--output-dir".as_ref(), folder.path().join("out").as_os_str()])
            .args(more)
            .run()
    };
    run(&["a", "b"]).status(0).said(&["item 2: computed"]);
    fs::remove_file(folder.path().join("out/000001")).unwrap();
    let again = run(&["a", "b", "c"]);
    again.status(0).said(&["item 1: computed", "item 3: computed"]);
    again.did_not_say(&["item 2: computed"]);
    assert_eq!(fs::read(folder.path().join("out/000003")).unwrap(), b"c!");
}

#[test]
fn a_report_is_printed_and_a_tag_has_the_path() {
    let f = "export default x => { if (x === 2) throw new Error('no'); return [x] }";
    let args = ["--json", "--tag", "--on-error", "report", "--retries", "0", "--output-dir", "out"];
    let run = PandoCommand::new(f).local().args(args).args(["1", "2"]).run();
    run.status(1);
    let text = run.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "{\"index\":1,\"input\":1,\"result\":\"out/000001\"}");
    assert!(lines[1].starts_with("{\"index\":2,\"input\":2,\"error\":{"), "{run:?}");
}
